import type { Request } from 'express'
import { ElasticPathError } from '../errors'
import { heldToken, isPasswordlessOtpUser, type PasswordlessOtpUser } from '../user'
import { patiently } from './patience'

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
 * request: a sign-out or a switch in another tab, here or in another process, must not be undone.
 */
export async function renewUser(req: Request, user: PasswordlessOtpUser, replaced: string): Promise<void> {
  const now = await readStored(req)
  if (now === 'signed out' || now === 'unknown') return
  const token = isPasswordlessOtpUser(now.user) ? heldToken(now.user)?.token : replaced
  // Another request of the same page may have been quicker to write the same renewal.
  if (token !== replaced && token !== heldToken(user)?.token) return
  await writeUser(req, user)
}

/** Puts a user who acts for another account in the place of the one before, unless they have signed out meanwhile. */
export async function switchUser(req: Request, user: PasswordlessOtpUser): Promise<void> {
  // Saving this request's copy of a session that has ended would bring it to life again, signed in.
  if ((await readStored(req)) === 'signed out') {
    throw new ElasticPathError('not_signed_in', 'The shopper signed out while the account was switched')
  }
  await writeUser(req, user)
}

/** The user of the session as its store has it now; `unknown` where the store does not say, or not in time. */
async function readStored(req: Request): Promise<{ user: unknown } | 'signed out' | 'unknown'> {
  const { session, sessionID, sessionStore } = req as WithSession
  const mine = session?.passport?.user
  if (sessionID === undefined || !sessionStore?.get) return { user: mine }
  const stored = await patiently(
    new Promise<StoredSession | null | undefined>((resolve) => {
      sessionStore.get?.(sessionID, (error, found) => resolve(error ? undefined : (found ?? null)))
    }),
  )
  if (stored === undefined) return 'unknown'
  const user = stored?.passport?.user
  // One that Passport never signed in, whose user comes from elsewhere, cannot have been signed out of.
  if (mine !== undefined && user === undefined) return 'signed out'
  return stored ? { user } : 'unknown'
}

/** Saved at once, so that it cannot undo what comes later. */
async function writeUser(req: Request, user: PasswordlessOtpUser): Promise<void> {
  replaceUser(req, user)
  const { session } = req as WithSession
  // What is not saved now is saved when the response ends, or reported there.
  if (session?.save) await patiently(new Promise((resolve) => session.save?.(resolve)))
}

/**
 * Puts a user in the place of the one that is signed in: on the request, and in its session, which keeps its id and
 * its other contents, since parallel requests share it.
 */
function replaceUser(req: Request, user: PasswordlessOtpUser): void {
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
