import type { Request, RequestHandler } from 'express'
import { requireUser } from '../accounts'
import type { Departure } from '../commerce/operation'
import { readAccountId } from '../credentials'
import { ElasticPathError } from '../errors'
import type { Settings } from '../options'
import type { PasswordlessOtpUser } from '../user'
import { switchUser } from './session-user'

/** Makes the user act for an account; what it is given is read once the switch has begun, and counts as part of it. */
type Select = (
  choose: () => { user: PasswordlessOtpUser; accountId: string },
  departure: Departure | undefined,
) => Promise<PasswordlessOtpUser>

export function switchAccount(settings: Settings, select: Select): RequestHandler {
  async function switchTo(req: Request): Promise<void> {
    const choose = (): { user: PasswordlessOtpUser; accountId: string } => {
      const user = requireUser(req.user)
      const accountId = readAccountId(req.body, settings)
      if (accountId !== undefined) return { user, accountId }
      throw new ElasticPathError(
        'missing_credentials',
        `The body's ${settings.accountField} must be the id of an account`,
      )
    }
    // The session is touched last: what fails until here has changed nothing.
    if (await switchUser(req, await select(choose, req.res))) return
    throw new ElasticPathError('not_signed_in', 'The shopper signed out while the account was switched')
  }
  return (req, _res, next) => {
    switchTo(req).then(() => next(), next)
  }
}
