import type { PasswordlessOtpUser } from 'passport-elasticpath-otp'

declare global {
  namespace Express {
    // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- how Passport learns what req.user is
    interface User extends PasswordlessOtpUser {}
  }
}

declare module 'express-session' {
  interface SessionData {
    /** Quantities by SKU. */
    basket?: Record<string, number> | undefined
    /** A sign-in under way: who asked for a code, and when (0: not in this session). Gone once it succeeds. */
    signIn?: { username: string; askedAt: number; notice?: 'recent' } | undefined
    /** When this session was signed in, in epoch milliseconds. */
    signedInAt?: number | undefined
    /** Where the shopper was going when asked to sign in: a path of this shop. */
    returnTo?: string | undefined
  }
}
