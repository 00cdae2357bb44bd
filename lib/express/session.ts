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
  session?: StoredSession & { id?: string; save?: (done: (error?: unknown) => void) => unknown }
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

// Keeps the first read of the stored session for each request. If keepFresh and switchAccount both handle a request, they
// compare the store with the same earlier state.
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
  /**
   * Like `replaceUser`, but does nothing if another request signed out, switched or renewed in the meantime. If the
   * context ends while the session is saved, the save continues, and the request has the new user.
   */
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
    replaceUser: (user, fresh, context) => write(req, { user, fresh, before }, context),
    renewUser: (user, fresh, replaced, context) => write(req, { user, fresh, before, replaced }, context),
    async signOut(context) {
      const isStored = hasUser(req)
      // Nothing is served as this user, even if the store fails.
      forgetUser(req)
      if (isStored) await settle(req, before, await readStore(req, context), context)
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

/** Saves a session whose user this request does not change. It is saved with the user that the store holds now. */
export async function saveSession(req: Request, context: Context): Promise<void> {
  // Without a user, no other request can have signed out or switched.
  const now = hasUser(req) ? await readStore(req, context) : 'no store'
  keepStoredUser(req, now)
  await settle(req, now, now, context)
}

interface Change {
  user: unknown
  fresh: PasswordlessOtpUser
  /** What the store held before Elastic Path was asked. */
  before: Stored
  /** The token that a renewal replaces, and no other. */
  replaced?: string
}

/** Writes a user, unless another request signed out or replaced the token of a renewal in the meantime. */
async function write(req: Request, change: Change, context: Context): Promise<void> {
  const { user, fresh, before, replaced } = change
  const passport = hostOf(req).session?.passport
  // Without a user in the session, the user comes from elsewhere, such as a token.
  if (passport?.user === undefined) {
    setUser(req, user)
    return
  }
  // The app's serializer can write to a database, so the check comes before it.
  const isKeptElsewhere = !isPasswordlessOtpUser(passport.user)
  if (isKeptElsewhere && (await readForWrite(req, change, context)) === undefined) return
  const serialized = await serialize(req, user, fresh, passport.user, context)
  // The last step before the save, so that few changes by other requests can be lost.
  const now = await readForWrite(req, change, context)
  if (now === undefined) return
  takeOver(req, before, now)
  const userBefore = userOf(req)
  const storedBefore = passport.user
  passport.user = serialized
  setUser(req, user)
  try {
    await save(req, context)
  } catch (error) {
    // The page does not wait for its renewal any longer, so its handlers have the new user.
    if (replaced !== undefined && context.ended) throw error
    passport.user = storedBefore
    setUser(req, userBefore)
    if (isKeptElsewhere) await restore(req, userBefore, context)
    await recover(req, now, serialized, context)
    throw error
  }
}

/**
 * Reads what the store holds now. If that means that the user must not be written, updates the session to it.
 *
 * @returns What the store holds; undefined if another request signed out, or replaced the token of the renewal.
 * @throws ElasticPathError `not_signed_in` (401) if another request signed out during a switch.
 */
async function readForWrite(
  req: Request,
  { fresh, before, replaced }: Change,
  context: Context,
): Promise<Stored | undefined> {
  const now = await readStore(req, context)
  if (!isSignedOut(req, now)) {
    if (replaced === undefined) return now
    const stored = asStored(now) ?? hostOf(req).session
    const token = tokenOf(await readUser(req, stored?.passport?.user, context))
    if (token === undefined || token === replaced || token === heldToken(fresh)?.token) return now
  }
  keepStoredUser(req, now)
  await settle(req, before, now, context)
  if (replaced !== undefined) return undefined
  throw new ElasticPathError('not_signed_in', 'The shopper signed out during the switch.')
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

/**
 * Updates the session after a failed save. express-session saves it again at the end of the request, and that must not
 * undo a sign-out, a switch or another change by another request. The context may have ended.
 *
 * @param unsaved - What the session did not save as its user.
 */
async function recover(req: Request, before: Stored, unsaved: unknown, context: Context): Promise<void> {
  try {
    const now = await context.detached((own) => readStore(req, own))
    takeOver(req, before, now)
    const user = asStored(now)?.passport?.user
    // A store can write the user and fail afterwards.
    if (user === undefined || tokenOf(user) !== tokenOf(unsaved)) keepStoredUser(req, now)
  } catch {
    detach(req)
  }
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
 * Updates the session to what the store holds, and saves it at once. If the session was modified, express-session would
 * save it at the end of the request, over what other requests store until then.
 */
async function settle(req: Request, before: Stored, now: Stored, context: Context): Promise<void> {
  takeOver(req, before, now)
  if (now !== null) await save(req, context)
}

/**
 * Copies the changes of other requests into the session. The whole session is saved with the user, and session stores
 * have no compare-and-set.
 */
function takeOver(req: Request, before: Stored, now: Stored): void {
  // A handler behind this one reads the store again.
  opened.delete(req)
  if (now === null) detach(req)
  const { session } = hostOf(req)
  const from = asStored(before)
  const to = asStored(now ?? {})
  if (!session || !from || !to) return
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    // The session library manages the cookie.
    if (key === 'cookie' || key === 'passport' || isDeepStrictEqual(from[key], to[key])) continue
    if (Object.hasOwn(to, key)) session[key] = to[key]
    else Reflect.deleteProperty(session, key)
  }
}

async function readStore(req: Request, context: Context): Promise<Stored> {
  const { session, sessionStore, sessionID = session?.id } = hostOf(req)
  if (sessionID === undefined || typeof sessionStore?.get !== 'function') return 'no store'
  let timer: NodeJS.Timeout | undefined
  const read = new Promise<Stored>((resolve, reject) => {
    timer = setTimeout(() => reject(sessionFailed('read', `no response in ${PATIENCE} ms`)), PATIENCE)
    // Stores in files report ENOENT for a session that does not exist, and express-session understands it.
    const fail = (error: unknown): void =>
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- waitForStore replaces it
      at(error, 'code') === 'ENOENT' ? resolve(null) : reject(error)
    // A synchronous error rejects, too.
    const returned = sessionStore.get?.(sessionID, (error, found) =>
      error ? fail(error) : resolve(found ?? null),
    )
    if (isThenable(returned)) returned.then(undefined, fail)
  })
  try {
    return await waitForStore('read', read, context)
  } finally {
    clearTimeout(timer)
  }
}

/** Saves the session, if its library can do that. */
async function save(req: Request, context: Context): Promise<void> {
  const { session } = hostOf(req)
  if (typeof session?.save !== 'function') return
  const saved = new Promise<void>((resolve, reject) => {
    // A synchronous error rejects, too.
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- waitForStore replaces it
    const returned = session.save?.((error) => (error ? reject(error) : resolve()))
    // Some session libraries return a promise, and call nothing.
    if (isThenable(returned)) returned.then(() => resolve(), reject)
  })
  await waitForStore('saved', saved, context)
}

/** Waits for the session store. The message of its error is dropped, because it can contain a connection string. */
async function waitForStore<T>(what: 'read' | 'saved', work: Promise<T>, context: Context): Promise<T> {
  try {
    return await context.callApp('session store', () => work)
  } catch (error) {
    if (error instanceof ElasticPathError) throw error
    const name = error instanceof Error ? error.name : typeof error
    const code = at(error, 'code')
    throw sessionFailed(what, typeof code === 'string' ? `${name} ${code}` : name)
  }
}

/** Whether the session has a user of Passport. Without one, it cannot be signed out. */
function hasUser(req: Request): boolean {
  return hostOf(req).session?.passport?.user !== undefined
}

function isSignedOut(req: Request, now: Stored): boolean {
  return hasUser(req) && now !== 'no store' && now?.passport?.user === undefined
}

/** Puts the user that the store holds into the session, so that no save of this request undoes a sign-out or a switch. */
function keepStoredUser(req: Request, now: Stored): void {
  if (now === 'no store') return
  const passport = hostOf(req).session?.passport
  const user = now?.passport?.user
  if (user === undefined) forgetUser(req)
  else if (passport) passport.user = user
}

function forgetUser(req: Request): void {
  setUser(req, undefined)
  const passport = hostOf(req).session?.passport
  if (passport) delete passport.user
}

/** Prevents the save at the end of the request. express-session neither saves nor sends a session without an id. */
function detach(req: Request): void {
  delete hostOf(req).sessionID
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

function sessionFailed(what: 'read' | 'saved', reason: string): ElasticPathError {
  return new ElasticPathError(
    'session_failed',
    `The session could not be ${what} (${reason}). Check the session store.`,
  )
}
