import type { RequestHandler } from 'express'
import { BoundedMap } from '../bounded-map'
import { heldToken, isPasswordlessOtpUser, remainingLife, type PasswordlessOtpUser } from '../user'
import { asObject } from '../commerce/json'
import { checkNames } from '../options'
import { handlerOf } from './handler'
import { patiently } from './patience'
import { openSession } from './session-user'

/** The options of {@link PasswordlessOtpStrategy.keepFresh}. */
export interface KeepFreshOptions {
  /** Seconds before a token's end from which on it is renewed. Above 0; default 3600. */
  within?: number | undefined
}

type Renewal = Promise<PasswordlessOtpUser | undefined>

// Requests of the same page that come late, with the session as it was, find the renewal done; and where it failed,
// Elastic Path is left in peace for so long.
const REMEMBERED = 30_000
// With less left than this a token may not serve the page: its renewal is waited for.
const ABOUT_TO_END = 60_000

export function keepFresh(
  options: KeepFreshOptions,
  renew: (user: PasswordlessOtpUser) => Promise<PasswordlessOtpUser>,
): RequestHandler {
  if (!asObject(options)) throw new TypeError('keepFresh: its options must be an object')
  checkNames('keepFresh', options, new Set(['within']))
  const { within = 3600 } = options
  if (!Number.isFinite(within) || within <= 0) {
    throw new TypeError('keepFresh: within must be a number of seconds above 0')
  }
  const recent = new BoundedMap<Renewal | 'resting'>()

  function renewOnce(token: string, user: PasswordlessOtpUser): Renewal | 'resting' {
    let renewal = recent.get(token)
    if (!renewal) {
      renewal = tryToRenew(token, user)
      recent.set(token, renewal, REMEMBERED)
    }
    return renewal
  }

  /** A token in hand serves until it ends, whatever keeps the next one away; diagnostics tell of it. */
  async function tryToRenew(token: string, user: PasswordlessOtpUser): Renewal {
    try {
      const renewed = await renew(user)
      rest(renewed)
      return renewed
    } catch {
      recent.set(token, 'resting', REMEMBERED)
      return undefined
    }
  }

  // Where the store's tokens live shorter than `within`, half of a life is soon enough.
  function rest(renewed: PasswordlessOtpUser): void {
    const life = remainingLife(renewed)
    const token = heldToken(renewed)?.token
    if (token !== undefined && life <= within * 1000) recent.set(token, 'resting', life / 2)
  }

  return handlerOf(async (req) => {
    const { user } = req
    if (!isPasswordlessOtpUser(user)) return
    const token = heldToken(user)?.token
    const life = remainingLife(user)
    if (token === undefined || life > within * 1000) return
    const renewal = renewOnce(token, user)
    if (renewal === 'resting') return
    const session = openSession(req)
    const renewed = life > ABOUT_TO_END ? await patiently(renewal) : await renewal
    if (!renewed) return
    const { account, selectionToken } = renewed
    await session.renew({ ...user, account, ...(selectionToken ? { selectionToken } : {}) }, token)
  })
}
