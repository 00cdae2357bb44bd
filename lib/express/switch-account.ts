import type { RequestHandler } from 'express'
import { requireUser } from '../accounts'
import type { Departure, Operation } from '../commerce/operation'
import { readAccountId } from '../credentials'
import { ElasticPathError } from '../errors'
import type { Settings } from '../options'
import type { PasswordlessOtpUser } from '../user'
import { handlerOf } from './handler'
import { openSession } from './session-user'

/** Makes the user act for an account. What it is given is called while the switch is under way, and counts as part of it. */
type Switch = (
  choose: () => { user: PasswordlessOtpUser; accountId: string },
  keep: (user: PasswordlessOtpUser, operation: Operation) => Promise<void>,
  departure: Departure | undefined,
) => Promise<void>

export function switchAccount(settings: Settings, makeSwitch: Switch): RequestHandler {
  return handlerOf(async (req) => {
    const choose = (): { user: PasswordlessOtpUser; accountId: string } => {
      const user = requireUser(req.user)
      const accountId = readAccountId(req.body, settings)
      if (accountId !== undefined) return { user, accountId }
      throw new ElasticPathError(
        'missing_credentials',
        `The body's ${settings.accountField} must be the id of an account`,
      )
    }
    const session = openSession(req)
    // The session is touched last: what fails until here has changed nothing.
    await makeSwitch(choose, (user, operation) => session.switchTo(user, operation), req.res)
  })
}
