import type { Request } from 'express'
import type { Operation } from '../commerce/operation'
import { ElasticPathError } from '../errors'
import { heldToken, isPasswordlessOtpUser, type PasswordlessOtpUser } from '../user'
import { patiently } from './patience'

interface StoredSession {
  passport?: { user?: unknown }
  [key: string]: unknown
}

/** What express-session puts on a request; others put less there, or nothing. */
interface WithSession {
  session?: StoredSession & { save?: (done: (error?: unknown) => void) => unknown }
  sessionID?: string
  sessionStore?: {
    get?: (id: string, done: (error: unknown, session?: StoredSession | null) => void) => void
  }
}

/** A session as its store has it; null where it is not there any more. */
type Stored = StoredSession | null | 'unknown' | 'no store'

/** The session of a request whose user is about to be replaced, which other requests of the shopper go on using meanwhile. */
export interface OpenSession {
  /**
   * Puts a renewed user in the place of the one whose token it replaces, unless the session has gone on without this
   * request: a sign-out or a switch in another tab, here or in another process, must not be undone.
   */
  renew(user: PasswordlessOtpUser, replaced: string): Promise<void>
  /** Puts a user who acts for another account in the place of the one before, or changes nothing and rejects. */
  switchTo(user: PasswordlessOtpUser, operation: Operation): Promise<void>
}

/** To be called before Elastic Path is asked, so that what others change meanwhile can be told from what was there. */
export function openSession(req: Request): OpenSession {
  const before = readStored(req)

  async function renew(user: PasswordlessOtpUser, replaced: string): Promise<void> {
    const now = await readStored(req)
    if (now === 'unknown' || isSignedOut(req, now)) return
    if (now === null) return
    const stored = now === 'no store' ? passportOf(req)?.user : now.passport?.user
    const token = isPasswordlessOtpUser(stored) ? heldToken(stored)?.token : replaced
    // Another request of the same page may have been quicker to write the same renewal.
    if (token !== replaced && token !== heldToken(user)?.token) return
    takeOver(req, await before, now)
    replaceUser(req, user)
    // What cannot be kept is renewed again by the next request.
    await patiently(save(req).catch(() => undefined))
  }

  async function switchTo(user: PasswordlessOtpUser, operation: Operation): Promise<void> {
    const now = await readStored(req)
    // Saving this request's copy of a session that has ended would bring it to life again, signed in.
    if (isSignedOut(req, now)) {
      throw new ElasticPathError('not_signed_in', 'The shopper signed out while the account was switched')
    }
    takeOver(req, await before, now)
    const undo = replaceUser(req, user)
    try {
      await operation.raceApp('session store', save(req))
    } catch (error) {
      undo()
      throw error
    }
  }

  return { renew, switchTo }
}

function withSession(req: Request): WithSession {
  return req as unknown as WithSession
}

async function readStored(req: Request): Promise<Stored> {
  const { sessionID, sessionStore } = withSession(req)
  if (sessionID === undefined || !sessionStore?.get) return 'no store'
  const stored = await patiently(
    new Promise<Stored>((resolve) => {
      sessionStore.get?.(sessionID, (error, found) => resolve(error ? 'unknown' : (found ?? null)))
    }),
  )
  return stored === undefined ? 'unknown' : stored
}

/** One that Passport never signed in, whose user comes from elsewhere, cannot have been signed out of. */
function isSignedOut(req: Request, now: Stored): boolean {
  if (now === 'unknown' || now === 'no store') return false
  return passportOf(req)?.user !== undefined && now?.passport?.user === undefined
}

function passportOf(req: Request): { user?: unknown } | undefined {
  return withSession(req).session?.passport
}

/**
 * Takes over what other requests have put into the session since then, or taken out of it: all of it is saved with the
 * user, and a basket that was filled meanwhile would be the one from before.
 */
function takeOver(req: Request, before: Stored, now: Stored): void {
  const { session } = withSession(req)
  if (!session || !isThere(before) || !isThere(now)) return
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    // The cookie is the library's to look after.
    if (key === 'cookie' || key === 'passport') continue
    if (JSON.stringify(before[key]) === JSON.stringify(now[key])) continue
    if (Object.hasOwn(now, key)) session[key] = now[key]
    else Reflect.deleteProperty(session, key)
  }
}

function isThere(stored: Stored): stored is StoredSession {
  return typeof stored === 'object' && stored !== null
}

/** Saved at once, so that it cannot undo what comes later. */
function save(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    const { session } = withSession(req)
    if (!session?.save) resolve()
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as it is
    else session.save((error) => (error ? reject(error) : resolve()))
  })
}

/**
 * Puts a user in the place of the one that is signed in: on the request, and in its session, which keeps its id and
 * its other contents, since parallel requests share it. Answers with the way back.
 */
function replaceUser(req: Request, user: PasswordlessOtpUser): () => void {
  const { user: userBefore } = req
  req.user = user
  // Passport's own place; an app whose serializeUser keeps something else there keeps that.
  const passport = passportOf(req)
  const stored = passport?.user
  if (passport && isPasswordlessOtpUser(stored) && stored.accountMemberId === user.accountMemberId) {
    const { selectionToken: _replaced, ...rest } = stored
    const { account, selectionToken } = user
    passport.user = { ...rest, account, ...(selectionToken ? { selectionToken } : {}) }
  }
  return () => {
    req.user = userBefore
    if (passport) passport.user = stored
  }
}
