import type { Request } from 'express'
import { isPasswordlessOtpUser, type PasswordlessOtpUser } from '../user'

/**
 * Puts a user in the place of the one that is signed in: on the request, and in its session, which keeps its id and
 * its other contents, since parallel requests share it.
 */
export function replaceUser(req: Request, user: PasswordlessOtpUser): void {
  req.user = user
  // Passport's own place; an app whose serializeUser keeps something else there keeps that.
  const passport = (req as { session?: { passport?: { user?: unknown } } }).session?.passport
  const stored = passport?.user
  if (passport && isPasswordlessOtpUser(stored) && stored.accountMemberId === user.accountMemberId) {
    const { selectionToken: _replaced, ...rest } = stored
    const { account, selectionToken } = user
    passport.user = { ...rest, account, ...(selectionToken ? { selectionToken } : {}) }
  }
}
