import type { Request, RequestHandler } from 'express'
import { logEvent } from '../events'
import type { Storage } from '../storage/storage'
import { SIGN_IN_LIFETIME } from './lifetimes'
import { restartSession } from './session'

/**
 * Ends sign-ins that have lasted long enough, and those whose member signed out everywhere. If the storage fails, the
 * request fails and the session stays as it is.
 */
export function endOldSignIns(storage: Pick<Storage, 'generation'>): RequestHandler {
  return async (req, _res, next) => {
    const { user } = req
    const { signIn } = req.session
    if (!user) {
      next()
    } else if (!signIn) {
      // Nobody can say how old this sign-in is. It is not used, and not ended either.
      req.user = undefined
      next()
    } else if (Date.now() - signIn.at >= SIGN_IN_LIFETIME) {
      await endSignIn(req, user, 'lifetime')
      next()
    } else if (signIn.generation !== (await storage.generation(user.accountMemberId))) {
      await endSignIn(req, user, 'everywhere')
      next()
    } else {
      next()
    }
  }
}

type Reason = 'lifetime' | 'everywhere' | 'account token expired' | 'account token refused'

/** Ends the sign-in, tells the next page so, and keeps the basket for the member. */
export async function endSignIn(req: Request, user: Express.User, reason: Reason): Promise<void> {
  logEvent(req, 'sign-out', { reason })
  const { basket } = req.session
  await restartSession(req)
  req.user = undefined
  rememberEnd(req, user)
  // Whoever signs out everywhere may have lost this device.
  if (reason !== 'everywhere') req.session.basket = basket
}

/** For a page that says whose sign-in ended, and so that the basket is handed to nobody else. */
export function rememberEnd(req: Request, { accountMemberId, account }: Express.User): void {
  req.session.ended = { memberId: accountMemberId, company: account?.name }
}

/** What a new sign-in takes over from the session before: nothing that belongs to another member. */
export function carriedOver(req: Request, memberId: string) {
  const { basket, returnTo, ended } = req.session
  const owner = req.user?.accountMemberId ?? ended?.memberId ?? memberId
  return owner === memberId ? { basket, returnTo } : {}
}
