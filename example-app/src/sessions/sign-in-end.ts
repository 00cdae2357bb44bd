import type { Request, RequestHandler } from 'express'
import type { SessionData } from 'express-session'
import { logEvent } from '../events'
import type { Storage } from '../storage/storage'
import { IDLE_LIFETIME, SIGN_IN_LIFETIME, VISIT_PRECISION } from './lifetimes'
import { restartSession, saveSession } from './session'

/**
 * Ends sign-ins that have lasted long enough, and those whose member signed out everywhere. If the storage fails, the
 * request fails and the session stays as it is.
 */
export function endOldSignIns(storage: Pick<Storage, 'generation'>): RequestHandler {
  return async (req, _res, next) => {
    const { user } = req
    const { signIn } = req.session
    if (user && signIn) {
      const reason = await whyEnded(signIn, user, storage)
      if (reason) await endSignIn(req, user, reason)
      else await noteVisit(req, signIn)
    } else if (user) {
      // Nobody can say how old this sign-in is. It is not used, and not ended either.
      req.user = undefined
    }
    next()
  }
}

type SignIn = NonNullable<SessionData['signIn']>
type Reason = 'idle' | 'lifetime' | 'everywhere' | 'account token expired' | 'account token refused'

async function whyEnded(
  { at, visitedAt, generation }: SignIn,
  { accountMemberId }: Express.User,
  storage: Pick<Storage, 'generation'>,
): Promise<Reason | undefined> {
  const now = Date.now()
  if (now - at >= SIGN_IN_LIFETIME) return 'lifetime'
  if (now - visitedAt >= IDLE_LIFETIME + VISIT_PRECISION) return 'idle'
  return generation === (await storage.generation(accountMemberId)) ? undefined : 'everywhere'
}

/** Saved at once: at the end of a slow page it would undo what other tabs have saved meanwhile. */
async function noteVisit(req: Request, signIn: SignIn): Promise<void> {
  const now = Date.now()
  if (now - signIn.visitedAt < VISIT_PRECISION) return
  req.session.signIn = { ...signIn, visitedAt: now }
  await saveSession(req)
}

/**
 * Ends the sign-in, and tells the next page so. The account's basket waits for the member's next sign-in. Only a cart that
 * could not be made the account's yet is kept here.
 */
export async function endSignIn(req: Request, user: Express.User, reason: Reason): Promise<void> {
  logEvent(req, 'sign-out', { reason })
  const { guestCart } = req.session
  await restartSession(req)
  req.user = undefined
  rememberEnd(req, user)
  // Whoever signs out everywhere may have lost this device.
  if (reason !== 'everywhere') req.session.guestCart = guestCart
}

/** For a page that says whose sign-in ended, and so that the basket is handed to nobody else. */
export function rememberEnd(req: Request, { accountMemberId, account }: Express.User): void {
  req.session.ended = { memberId: accountMemberId, company: account?.name }
}

/** What a new sign-in takes over from the session before: nothing that belongs to another member. */
export function carriedOver(req: Request, memberId: string) {
  const { guestCart, returnTo, ended } = req.session
  const owner = req.user?.accountMemberId ?? ended?.memberId ?? memberId
  return owner === memberId ? { guestCart, returnTo } : {}
}
