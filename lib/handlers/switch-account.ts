import type { Request, RequestHandler } from 'express'
import { requireUser } from '../accounts'
import type { Departure } from '../commerce/operation'
import { readAccountId } from '../credentials'
import { ElasticPathError } from '../errors'
import type { Settings } from '../options'
import type { PasswordlessOtpUser } from '../user'
import { replaceUser } from './session-user'

type Select = (
  user: PasswordlessOtpUser,
  accountId: string,
  departure: Departure | undefined,
) => Promise<PasswordlessOtpUser>

export function switchAccount(settings: Settings, select: Select): RequestHandler {
  async function switchTo(req: Request): Promise<void> {
    const user = requireUser(req.user)
    const accountId = readAccountId(req.body, settings)
    if (accountId === undefined) {
      throw new ElasticPathError(
        'missing_credentials',
        `The body's ${settings.accountField} must be the id of an account`,
      )
    }
    // The session is touched last: what fails until here has changed nothing.
    replaceUser(req, await select(user, accountId, req.res))
  }
  return (req, _res, next) => {
    switchTo(req).then(() => next(), next)
  }
}
