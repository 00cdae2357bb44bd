import type { Request, RequestHandler } from 'express'
import { requireUser } from '../accounts'
import type { BoundedMap } from '../bounded-map'
import type { Departure } from '../commerce/operation'
import { readAccountId } from '../credentials'
import { ElasticPathError } from '../errors'
import type { Settings } from '../options'
import { heldToken, type PasswordlessOtpUser } from '../user'
import { replaceUser } from './session-user'

/** Makes the user act for an account; what it is given is read once the switch has begun, and counts as part of it. */
type Select = (
  choose: () => { user: PasswordlessOtpUser; accountId: string },
  departure: Departure | undefined,
) => Promise<PasswordlessOtpUser>

/** Tokens of users who act for another account by now: a renewal under way must not bring them back. */
export type Superseded = BoundedMap<true>

// Longer than any request that began before the switch goes on.
const REMEMBERED = 5 * 60_000

export function switchAccount(settings: Settings, superseded: Superseded, select: Select): RequestHandler {
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
    const user = await select(choose, req.res)
    const left = heldToken(requireUser(req.user))?.token
    if (left !== undefined) superseded.set(left, true, REMEMBERED)
    // The session is touched last: what fails until here has changed nothing.
    replaceUser(req, user)
  }
  return (req, _res, next) => {
    switchTo(req).then(() => next(), next)
  }
}
