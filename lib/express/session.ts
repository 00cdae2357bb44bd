import { isDeepStrictEqual } from 'node:util'
import type { Request } from 'express'
import type { Context } from '../context'
import { ElasticPathError, isThenable } from '../errors'
import { asObject, at } from '../json'
import { heldToken, isPasswordlessOtpUser, type PasswordlessOtpUser } from '../user'
import { passportOf, type SessionSerializer } from './serializer'

interface StoredSession {
  passport?: { user?: unknown }
  [key: string]: unknown
}

/** What express-session adds to a request. Other session libraries add less. */
interface SessionHost {
  session?: StoredSession & { save?: (done: (error?: unknown) => void) => unknown }
  sessionID?: string
  sessionStore?: {
    get?: (id: string, done: (error: unknown, session?: StoredSession | null) => void) => unknown
  }
  _userProperty?: string
}

/** A session in its store; null if it is not there any longer. */
type Stored = StoredSession | null | 'no store'

/** The time to read a session from its store, in milliseconds. */
const PATIENCE = 2000

// The first handler that opens the session of a request remembers what the store held then, for the handlers behind it.
const opened = new WeakMap<Request, Stored>()

/** The session of a request whose user is replaced, while other requests of the shopper use the same session. */
export interface OpenSession {
  /**
   * Replaces the user on the request and in its session, or rejects and changes nothing.
   *
   * @param user - The new `req.user`.
   * @param fresh - The account and tokens that the session must hold afterwards.
   * @throws ElasticPathError `not_signed_in` (401) if the shopper signed out in the meantime; `session_failed` (500) if the
   * session cannot be read, updated or saved.
   */
  replaceUser(user: unknown, fresh: PasswordlessOtpUser, context: Context): Promise<void>
  /** Like `replaceUser`, but does nothing if another request signed out, switched or renewed in the meantime. */
  renewUser(user: unknown, fresh: PasswordlessOtpUser, replaced: string, context: Context): Promise<void>
  /** Removes the user from the request and from its session. */
  signOut(context: Context): Promise<void>
}

/**
 * Reads the session from its store. Call it before Elastic Path is asked, so that changes by other requests can be
 * recognized afterwards.
 *
 * @throws ElasticPathError `session_failed` (500) if the store cannot be read.
 */
export async function openSession(req: Request, context: Context): Promise<OpenSession> {
  const before = opened.get(req) ?? (await readStore(req, context))
  opened.set(req, before)
  return {
    async replaceUser(user, fresh, context) {
      const result = await write(req, { user, fresh, before }, context)
      if (result !== 'signed out') return
      throw new ElasticPathError('not_signed_in', 'The shopper signed out during the switch.')
    },
    async renewUser(user, fresh, replaced, context) {
      await write(req, { user, fresh, before, replaced }, context)
    },
    async signOut(context) {
      const now = await readStore(req, context)
      takeOver(req, before, now)
      forgetUser(req)
      await save(req, context)
      setUser(req, undefined)
    },
  }
}

/** The signed-in user of a request, under the name that `passport.initialize({ userProperty })` says. */
export function userOf(req: Request): unknown {
  return (req as unknown as Record<string, unknown>)[propertyOf(req)]
}

export function sessionOf(req: Request): unknown {
  return hostOf(req).session
}

/** Saves a session at once, if its library can do that. */
export function saveSession(req: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    const { session } = hostOf(req)
    if (typeof session?.save !== 'function') {
      resolve()
      return
    }
    const fail = (error: unknown): void => reject(sessionFailed('saved', error))
    // A synchronous error rejects, too.
    const saved = session.save((error) => (error ? fail(error) : resolve()))
    // Some session libraries return a promise, and call nothing.
    if (isThenable(saved)) saved.then(() => resolve(), fail)
  })
}

interface Change {
  user: unknown
  fresh: PasswordlessOtpUser
  /** What the store held before Elastic Path was asked. */
  before: Stored
  /** The token that a renewal replaces, and no other. */
  replaced?: string
}

type Written = 'written' | 'signed out' | 'superseded'

/** Writes a user, unless another request signed out or replaced the token of a renewal in the meantime. */
async function write(req: Request, change: Change, context: Context): Promise<Written> {
  const { user, fresh, before } = change
  const passport = hostOf(req).session?.passport
  // Without a user in the session, the user comes from elsewhere, such as a token.
  if (passport?.user === undefined) {
    setUser(req, user)
    return 'written'
  }
  // The app's serializer can write to a database, so the check comes before it.
  if (!isPasswordlessOtpUser(passport.user)) {
    const { obstacle } = await readForWrite(req, change, context)
    if (obstacle) return obstacle
  }
  const serialized = await serialize(req, user, fresh, passport.user, context)
  // The last step before the save, so that few changes by other requests can be lost.
  const { now, obstacle } = await readForWrite(req, change, context)
  if (obstacle) return obstacle
  takeOver(req, before, now)
  const userBefore = userOf(req)
  const storedBefore = passport.user
  passport.user = serialized
  setUser(req, user)
  try {
    await save(req, context)
  } catch (error) {
    passport.user = storedBefore
    setUser(req, userBefore)
    if (!isPasswordlessOtpUser(storedBefore)) await restore(req, userBefore, context)
    // express-session saves again at the end of the request.
    forgetIfSignedOut(req, await readStore(req, context))
    throw error
  }
  // What the store holds has changed.
  opened.delete(req)
  return 'written'
}

/** Reads what the store holds now, and whether the user must not be written. */
async function readForWrite(
  req: Request,
  { fresh, replaced }: Change,
  context: Context,
): Promise<{ now: Stored; obstacle?: Written }> {
  const now = await readStore(req, context)
  if (forgetIfSignedOut(req, now)) return { now, obstacle: 'signed out' }
  if (replaced === undefined) return { now }
  const stored = asStored(now) ?? hostOf(req).session
  const token = tokenOf(await readUser(req, stored?.passport?.user, context))
  if (token === undefined || token === replaced || token === heldToken(fresh)?.token) return { now }
  // A save at the end of the request must not undo a switch.
  keepStoredUser(req, stored)
  return { now, obstacle: 'superseded' }
}

/** Returns the session's form of the user: the result of the app's serializer, if the app's deserializer accepts it. */
async function serialize(
  req: Request,
  user: unknown,
  fresh: PasswordlessOtpUser,
  storedBefore: unknown,
  context: Context,
): Promise<unknown> {
  const passport = passportOf(req)
  const serialized = passport
    ? await context.callApp('serializeUser', () => passport.serialize(user, req))
    : isPasswordlessOtpUser(storedBefore)
      ? user
      : undefined
  const kept = await readUser(req, serialized, context, passport)
  if (at(kept, 'account', 'id') === fresh.account?.id && tokenOf(kept) === heldToken(fresh)?.token)
    return serialized
  throw new ElasticPathError(
    'session_failed',
    'The session would not keep the new account: what serializeUser stored is not what deserializeUser returns. ' +
      'If you keep users elsewhere, store account and selectionToken in serializeUser. ' +
      'If Passport is not the default instance, use passport.initialize().',
  )
}

/** The app's serializer may have written the new user to a database already, so it gets the old one again. */
async function restore(req: Request, user: unknown, context: Context): Promise<void> {
  const passport = passportOf(req)
  // The error of the save matters more than one of the serializer.
  if (passport)
    await context.callApp('serializeUser', () => passport.serialize(user, req)).catch(() => undefined)
}

/** Deserializes the user in a session. */
async function readUser(
  req: Request,
  stored: unknown,
  context: Context,
  passport: SessionSerializer | undefined = passportOf(req),
): Promise<unknown> {
  if (stored === undefined || isPasswordlessOtpUser(stored)) return stored
  return passport && context.callApp('deserializeUser', () => passport.deserialize(stored, req))
}

function tokenOf(user: unknown): unknown {
  return at(user, 'account', 'token') ?? at(user, 'selectionToken', 'token')
}

/**
 * Copies the changes of other requests into the session. The whole session is saved with the user, and session stores
 * have no compare-and-set.
 */
function takeOver(req: Request, before: Stored, now: Stored): void {
  const { session } = hostOf(req)
  const from = asStored(before)
  const to = asStored(now)
  if (!session || !from || !to) return
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    // The session library manages the cookie.
    if (key === 'cookie' || key === 'passport' || isDeepStrictEqual(from[key], to[key])) continue
    if (Object.hasOwn(to, key)) session[key] = to[key]
    else Reflect.deleteProperty(session, key)
  }
}

async function readStore(req: Request, context: Context): Promise<Stored> {
  const { sessionID, sessionStore } = hostOf(req)
  if (sessionID === undefined || typeof sessionStore?.get !== 'function') return 'no store'
  let timer: NodeJS.Timeout | undefined
  const read = new Promise<Stored>((resolve, reject) => {
    timer = setTimeout(() => reject(sessionFailed('read', `no response in ${PATIENCE} ms`)), PATIENCE)
    const fail = (error: unknown): void => reject(sessionFailed('read', error))
    // A synchronous error rejects, too.
    const returned = sessionStore.get?.(sessionID, (error, found) =>
      error ? fail(error) : resolve(found ?? null),
    )
    if (isThenable(returned)) returned.then(undefined, fail)
  })
  try {
    return await context.callApp('session store', () => read)
  } catch (error) {
    throw error instanceof ElasticPathError ? error : sessionFailed('read', error)
  } finally {
    clearTimeout(timer)
  }
}

async function save(req: Request, context: Context): Promise<void> {
  try {
    await context.callApp('session store', () => saveSession(req))
  } catch (error) {
    throw error instanceof ElasticPathError ? error : sessionFailed('saved', error)
  }
}

/** A session without a user of Passport cannot be signed out. */
function isSignedOut(req: Request, now: Stored): boolean {
  if (now === 'no store') return false
  return hostOf(req).session?.passport?.user !== undefined && now?.passport?.user === undefined
}

/** Forgets a user who signed out in the meantime, so that no save of this request signs the shopper in again. */
function forgetIfSignedOut(req: Request, now: Stored): boolean {
  const signedOut = isSignedOut(req, now)
  if (signedOut) forgetUser(req)
  return signedOut
}

function forgetUser(req: Request): void {
  const passport = hostOf(req).session?.passport
  if (passport) delete passport.user
}

function keepStoredUser(req: Request, stored: StoredSession | undefined): void {
  const { session } = hostOf(req)
  if (session?.passport && stored?.passport) session.passport.user = stored.passport.user
}

function asStored(stored: Stored): StoredSession | undefined {
  return asObject(stored)
}

function hostOf(req: Request): SessionHost {
  return req as unknown as SessionHost
}

function propertyOf(req: Request): string {
  return hostOf(req)._userProperty ?? 'user'
}

function setUser(req: Request, user: unknown): void {
  Object.assign(req, { [propertyOf(req)]: user })
}

// The store's own message can contain a connection string.
function sessionFailed(what: 'read' | 'saved', error: unknown): ElasticPathError {
  const code = at(error, 'code')
  const reason =
    typeof error === 'string'
      ? error
      : `${error instanceof Error ? error.name : typeof error} ${typeof code === 'string' ? code : ''}`
  return new ElasticPathError(
    'session_failed',
    `The session could not be ${what} (${reason.trim()}). Check the session store.`,
  )
}
