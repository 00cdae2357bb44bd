import type { SessionData } from 'express-session'
import { GUEST_LIFETIME, IDLE_LIFETIME, SIGN_IN_LIFETIME } from './lifetimes'

export function isSignedIn({ passport }: Partial<SessionData>): boolean {
  return passport?.user !== undefined
}

/** Milliseconds that the store keeps a session that nobody uses. */
export function lifetimeOf(session: Partial<SessionData>): number {
  if (isSignedIn(session)) return SIGN_IN_LIFETIME
  const hasBasket = (session.guestCart?.items ?? 0) > 0
  return hasBasket ? IDLE_LIFETIME : GUEST_LIFETIME
}
