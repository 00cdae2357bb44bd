import type { RequestHandler } from 'express'
import { fetchAccount } from '../accounts'
import { ElasticPathError } from '../errors'
import type { Services } from '../services'
import { readAccountId } from '../sign-in/credentials'
import { askVerify } from '../sign-in/verify'
import { plainUser, requireUser, withAccount } from '../user'
import { connectionOf, handler } from './handler'
import { openSession, userOf } from './session'

/** Creates the handler of `strategy.switchAccount()`. */
export function switchAccount({ settings, commerce, verify, run }: Services): RequestHandler {
  return handler((req) =>
    run({ name: 'switch', connection: connectionOf(req) }, async (context) => {
      const user = requireUser(userOf(req), settings.name)
      const accountId = readAccountId(req.body, settings)
      if (accountId === undefined) {
        throw new ElasticPathError(
          'missing_credentials',
          `The request body's ${settings.accountField} must be the id of an account.`,
        )
      }
      const session = await openSession(req, context)
      const account = await fetchAccount(commerce.client, context, user, accountId)
      const switched = withAccount(plainUser(user), account)
      // verify adds the app's fields to the new user. Without verify, the fields of the current user are kept.
      const verdict = verify
        ? await askVerify(verify, settings, req, switched, context)
        : { user: withAccount(user, account) }
      if (!verdict.user) {
        throw new ElasticPathError('refused_by_verify', 'verify refused the switch to this account.')
      }
      await session.replaceUser(verdict.user, switched, context)
    }),
  )
}
