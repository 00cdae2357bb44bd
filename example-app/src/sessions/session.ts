import type { Request, RequestHandler, Response } from 'express'
import session, { type Session, type Store } from 'express-session'
import { COOKIE_LIFETIME } from './lifetimes'

interface Options {
  store: Store
  /** The first one signs; the others are accepted too. */
  secrets: string[]
  /** Whether shoppers use https. */
  secure: boolean
}

/** The session of each request, in `req.session`. A session is stored once there is something in it. */
export function sessions({ store, secrets, secure }: Options): RequestHandler[] {
  return [
    session({
      ...nameAndScope(secure),
      secret: secrets,
      store,
      resave: false,
      saveUninitialized: false,
      // A slow page would set the cookie of the old session after a sign-in in another tab.
      rolling: false,
    }),
    saveBeforeRedirect,
  ]
}

/** The name of the session cookie. The prefix makes browsers refuse one that another host or plain HTTP set. */
const nameOf = (secure: boolean) => (secure ? '__Host-shop' : 'shop')

function nameAndScope(secure: boolean) {
  const scope = { httpOnly: true, sameSite: 'lax', secure, path: '/' } as const
  return { name: nameOf(secure), cookie: { ...scope, maxAge: COOKIE_LIFETIME } }
}

/** express-session sends the redirect first and saves then: the next page could be read without what was saved. */
const saveBeforeRedirect: RequestHandler = (req, res, next) => {
  const before = contentOf(req.session)
  const redirect = res.redirect.bind(res)
  res.redirect = (first: number | string, second?: number | string) => {
    const status = [first, second].find((value): value is number => typeof value === 'number') ?? 302
    const location = String(typeof first === 'number' ? second : first)
    if (!hasSession(req) || contentOf(req.session) === before) redirect(status, location)
    else
      saveSession(req).then(() => {
        skipSecondSave(req)
        redirect(status, location)
      }, next)
  }
  next()
}

/** express-session saves a new session again at the end of the response, which could undo what the next page saves. */
function skipSecondSave({ session: current }: Request): void {
  const saved = contentOf(current)
  const save = current.save.bind(current)
  current.save = (done) => {
    if (contentOf(current) !== saved) return save(done)
    done?.(undefined)
    return current
  }
}

export function saveSession(req: Request): Promise<void> {
  return settled((done) => req.session.save(done))
}

/**
 * Reads the session again after work that took time. Other tabs may have changed it meanwhile, and saving writes all
 * of it.
 *
 * @returns False if the session has ended: a sign-in or a sign-out in another tab, or the same form sent twice. Nothing is
 * saved then, and no cookie is set.
 */
export async function refreshSession(req: Request): Promise<boolean> {
  if (!hasSession(req)) return false
  const stored = await new Promise<unknown>((resolve, reject) => {
    req.sessionStore.get(req.sessionID, (error: unknown, found) =>
      error ? reject(asError(error)) : resolve(found),
    )
  })
  if (stored) {
    await settled((done) => req.session.reload(done))
    return true
  }
  if (isNew(req)) return true
  Reflect.deleteProperty(req, 'session')
  return false
}

/** Ends the session and starts another one, so that nobody can use the old id. */
export function restartSession(req: Request): Promise<void> {
  return settled((done) => req.session.regenerate(done))
}

/** Ends the session; the browser forgets it. */
export async function endSession(req: Request, res: Response): Promise<void> {
  const { secure = false, path, httpOnly, sameSite } = req.session.cookie
  await settled((done) => req.session.destroy(done))
  const scope = { path: path ?? '/', httpOnly: httpOnly ?? true, sameSite: sameSite ?? 'lax' }
  res.clearCookie(nameOf(secure === true), { ...scope, secure: secure === true })
}

/** Whether there is a session: a request that fails early has none, and `endSession` takes it away. */
export function hasSession(req: Request): boolean {
  return (req as Partial<Request>).session !== undefined
}

function contentOf({ id, cookie: _cookie, ...data }: Session): string {
  return JSON.stringify([id, data])
}

/** Whether the browser does not have the session yet: it started with this request, and may not be stored. */
function isNew({ headers, sessionID }: Request): boolean {
  return headers.cookie?.includes(sessionID) !== true
}

function settled(work: (done: (error?: unknown) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    work((error) => (error ? reject(asError(error)) : resolve()))
  })
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('The session store failed', { cause: error })
}
