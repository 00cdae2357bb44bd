import type { PasswordlessOtpUser } from 'passport-elasticpath-otp'
import type { BasketNotice } from './basket/notices'

declare global {
  namespace Express {
    // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- how Passport learns what req.user is
    interface User extends PasswordlessOtpUser {}
  }
}

declare module 'express-session' {
  interface SessionData {
    /** Written by Passport. */
    passport?: { user?: PasswordlessOtpUser }
    /**
     * The cart that was filled before a sign-in, with its number of items. `goesTo` is the account that it goes to, once
     * a sign-in has decided that, and `copy` the account's cart that its items are copied to, if it cannot go itself.
     */
    guestCart?: { id: string; items: number; goesTo?: string; copy?: string } | undefined
    /** The cart of the account that the session acts for; without an id until the first item. */
    accountCart?: { account: string; id: string | undefined; items: number } | undefined
    /** What the basket page says once. */
    basketNotice?: BasketNotice | undefined
    /** The path of this shop to go to after the sign-in. */
    returnTo?: string | undefined
    /** A code that was requested or typed in this session; gone once the sign-in succeeds. */
    pending?: PendingSignIn | undefined
    /** When the member signed in and visited last, in epoch milliseconds, and the generation of that sign-in. */
    signIn?: { at: number; visitedAt: number; generation: number } | undefined
    /** The last sign-in of this session, if it ended by itself. The basket is then that member's. */
    ended?: { memberId: string; company?: string | undefined } | undefined
  }
}

interface PendingSignIn {
  username: string
  /** When the code was requested, in epoch milliseconds; 0 if this session did not request one. */
  requestedAt: number
  /** Why the last attempt failed, for the next page. */
  problem?: 'missing' | 'wrong' | undefined
  /** Whether a second request came too soon, for the next page. */
  recent?: boolean | undefined
  /** When another attempt is allowed, in epoch milliseconds. */
  attemptsBlockedUntil?: number | undefined
  /** When another code can be requested, in epoch milliseconds. */
  requestsBlockedUntil?: number | undefined
}
