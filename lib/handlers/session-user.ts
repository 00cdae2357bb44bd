import type { Request } from 'express'
import { heldToken, isPasswordlessOtpUser, type PasswordlessOtpUser } from '../user'

interface StoredSession {
  passport?: { user?: unknown }
}

/** What express-session puts on a request; others put less there, or nothing. */
interface WithSession {
  session?: StoredSession & { save?: (done: (error?: unknown) => void) => unknown }
  sessionID?: string
  sessionStore?: {
    get?: (id: string, done: (error: unknown, session?: StoredSession | null) => void) => void
  }
}

/**
 * Puts a renewed user in the place of the one whose token it replaces, unless the session has gone on without this
 * request: a sign-out or a switch in another tab, here or in another process, must not be undone. Saved at once, so
 * that it cannot undo what comes later either.
 */
export async function renewUser(req: Request, user: PasswordlessOtpUser, replaced: string): Promise<void> {
  const { session, sessionID, sessionStore } = req as WithSession
  if (session && sessionID !== undefined && sessionStore?.get) {
    const stored = await new Promise<StoredSession | null | undefined>((resolve) => {
      sessionStore.get?.(sessionID, (error, found) => resolve(error ? undefined : found))
    })
    if (!stored) return
    const now = stored.passport?.user
    const token = isPasswordlessOtpUser(now) ? heldToken(now)?.token : replaced
    // Another request of the same page may have been quicker to write the same renewal.
    if (token !== replaced && token !== heldToken(user)?.token) return
  }
  replaceUser(req, user)
  // What fails to be saved now is saved when the response ends, or reported there.
  if (session?.save) await new Promise((resolve) => session.save?.(resolve))
}

/**
 * Puts a user in the place of the one that is signed in: on the request, and in its session, which keeps its id and
 * its other contents, since parallel requests share it.
 */
export function replaceUser(req: Request, user: PasswordlessOtpUser): void {
  req.user = user
  // Passport's own place; an app whose serializeUser keeps something else there keeps that.
  const passport = (req as WithSession).session?.passport
  const stored = passport?.user
  if (passport && isPasswordlessOtpUser(stored) && stored.accountMemberId === user.accountMemberId) {
    const { selectionToken: _replaced, ...rest } = stored
    const { account, selectionToken } = user
    passport.user = { ...rest, account, ...(selectionToken ? { selectionToken } : {}) }
  }
}
