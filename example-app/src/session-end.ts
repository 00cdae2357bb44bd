import type { Request, RequestHandler } from 'express'
import { tell } from './events'
import type { Storage } from './storage'

/** A session that nobody used for so long is over. */
export const LONGEST_PAUSE = 24 * 60 * 60_000
/** Whoever shops every day still shows once a week that the mailbox is theirs. */
export const LONGEST_SIGN_IN = 7 * 24 * 60 * 60_000

/** Ends sign-ins that have lasted long enough, and those whose owner has signed out everywhere. */
export function endOldSignIns(storage: Pick<Storage, 'signedOutAt'>): RequestHandler {
  return async (req, _res, next) => {
    if (req.user) {
      const { signedInAt = 0 } = req.session
      const old = Date.now() - signedInAt >= LONGEST_SIGN_IN
      if (old || signedInAt <= (await storage.signedOutAt(req.user.accountMemberId))) {
        tell(req, 'sign-out', { reason: old ? 'lifetime' : 'everywhere' })
        await signOut(req, { keepBasket: old })
      }
    }
    next()
  }
}

/**
 * Reads the session again, after work that took its time: other tabs have used it meanwhile, and it is saved whole.
 * False where it has ended, by a sign-out or by the same form sent twice; then nothing of it is saved, and no cookie set.
 */
export async function catchUp(req: Request): Promise<boolean> {
  const there = await new Promise<boolean>((resolve) => {
    req.session.reload((error: unknown) => resolve(!error))
  })
  if (!there) Reflect.deleteProperty(req, 'session')
  return there
}

/** Ends the session in the store, and begins another: what this shopper left in the old one is not the next one's. */
export async function signOut(req: Request, { keepBasket = false } = {}): Promise<void> {
  const { basket } = req.session
  await new Promise<void>((resolve, reject) => {
    req.logout((error?: Error) => (error ? reject(error) : resolve()))
  })
  if (keepBasket) req.session.basket = basket
}
