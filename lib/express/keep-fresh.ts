import type { Request, RequestHandler } from 'express'
import { renewHeldTokens, type RenewedTokens } from '../accounts'
import type { Context } from '../context'
import { outcomeOf, publish } from '../diagnostics'
import { asObject } from '../json'
import { checkNames } from '../options'
import type { Services } from '../services'
import { askVerify } from '../sign-in/verify'
import { isRenewalDue, remainingLife } from '../token'
import { TtlMap } from '../ttl-map'
import { heldToken, isUserOf, plainUser, withTokens, type PasswordlessOtpUser } from '../user'
import { handler } from './handler'
import { openSession, userOf } from './session'

/** The options of {@link PasswordlessOtpStrategy.keepFresh}. */
export interface KeepFreshOptions {
  /** Renews a token in its last seconds, or in the second half of its life if that begins later. @default 3600 */
  within?: number | undefined
}

// Milliseconds. Late requests of the same page, which have the old session, reuse the renewal. After a failed renewal,
// no renewal is attempted for the same time.
const REMEMBERED = 30_000
// Milliseconds. If the token expires sooner, it may expire while the page is served, so the page waits for the renewal.
// Otherwise, the page waits at most PATIENCE.
const ABOUT_TO_EXPIRE = 60_000
// The page also waits no longer than this for the session store. The save then continues, and the page has the new
// token. If the session is not saved, the next request renews the token again.
const PATIENCE = 2000

/** Undefined if the renewal failed. */
type Renewal = Promise<RenewedTokens | undefined>

export function keepFresh(services: Services, options: KeepFreshOptions): RequestHandler {
  const within = readWithin(options)
  const { settings, commerce, run } = services
  const recent = new TtlMap<Renewal>()

  /** Renews once for all requests of this process that overlap. */
  function renewOnce(token: string, user: PasswordlessOtpUser): Renewal {
    const known = recent.get(token)
    if (known) return known
    const renewal = run(
      { name: 'renewal' },
      (context) => renewHeldTokens(commerce.client, context, user),
      // Diagnostics report the error. The token is used until it expires.
    ).catch(() => undefined)
    recent.set(token, renewal, REMEMBERED)
    return renewal
  }

  return handler(async (req) => {
    const user = userOf(req)
    if (!isUserOf(user, settings.name)) return
    const held = heldToken(user)
    if (!held || !isRenewalDue(held, within)) return
    const life = remainingLife(held)
    const renewal = renewOnce(held.token, user)
    try {
      await run({}, async (context) => {
        const session = await openSession(req, context)
        const renewed =
          life > ABOUT_TO_EXPIRE ? await atMost(PATIENCE, renewal) : await context.upstream(renewal)
        if (!renewed) return
        const { account, selectionToken, removed } = renewed
        const isLeft = removed && !selectionToken && settings.requireAccount
        if (isLeft) return session.signOut(context)
        const fresh = withTokens(plainUser(user), { account, selectionToken })
        const next = removed ? withTokens(user, fresh) : await verified(services, req, user, fresh, context)
        if (!next) return session.signOut(context)
        await atMost(PATIENCE, session.renewUser(next, fresh, held.token, context))
      })
    } catch (error) {
      // The page is served with the user as it was.
      publish({ operation: 'renewal', ...outcomeOf(error), outcome: 'error', duration: 0, calls: 0 })
    }
  })
}

/** The app's user with the renewed tokens; a falsy value if verify refuses it. */
async function verified(
  { settings, verify }: Services,
  req: Request,
  user: PasswordlessOtpUser,
  fresh: PasswordlessOtpUser,
  context: Context,
): Promise<unknown> {
  if (!verify) return withTokens(user, fresh)
  return (await askVerify(verify, settings, req, fresh, context)).user
}

function readWithin(options: KeepFreshOptions): number {
  if (!asObject(options)) throw new TypeError('keepFresh: options must be an object')
  checkNames('keepFresh', options, { within: true })
  const { within = 3600 } = options
  if (Number.isFinite(within) && within > 0) return within
  throw new TypeError('keepFresh: within must be a number of seconds above 0')
}

/** The value of a promise, or undefined if it takes too long. */
async function atMost<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}
