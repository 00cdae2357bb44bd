import type { ErrorRequestHandler, Request, RequestHandler } from 'express'
import type { SessionData } from 'express-session'
import { ElasticPathError, type PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { logEvent } from '../events'
import { field, ownPath, sameUsername, usernameField } from '../http/input'
import { refreshSession } from '../sessions/session'

/** Milliseconds that a code is valid. */
export const CODE_LIFETIME = 10 * 60_000
/** Milliseconds before another code can be requested. */
export const COOL_DOWN = 30_000

type Pending = NonNullable<SessionData['pending']>

/** The sign-in in progress, for the given username or for the session's own. */
export function pendingFor(req: Request, username?: string): Pending {
  const { pending } = req.session
  if (pending && (username === undefined || sameUsername(pending.username, username))) return { ...pending }
  return { username: username ?? '', requestedAt: 0 }
}

/** Forms without a username are about the one in the session. */
export const fillUsername: RequestHandler = (req, _res, next) => {
  const body = req.body as Record<string, unknown>
  body['username'] ??= req.session.pending?.username
  next()
}

/** Requests a code and continues on the page that asks for it. */
export function requestCode(strategy: PasswordlessOtpStrategy): (RequestHandler | ErrorRequestHandler)[] {
  return [requireUsername, skipIfRecent, strategy.requestOtp(), codeRequested, codeRefused]
}

const requireUsername: RequestHandler = (req, res, next) => {
  if (usernameField(req) !== undefined) next()
  else {
    logEvent(req, 'code', { outcome: 'failure', code: 'missing_credentials' })
    res.status(400).render('login', {
      username: '',
      returnTo: ownPath(field(req, 'returnTo')),
      problem: true,
    })
  }
}

/** A new code may invalidate the one in the email, so a second tap keeps the first one's. */
const skipIfRecent: RequestHandler = (req, res, next) => {
  const pending = pendingFor(req, usernameField(req))
  if (Date.now() - pending.requestedAt >= COOL_DOWN) next()
  else {
    req.session.pending = { ...pending, recent: true }
    res.redirect(303, '/login/verify')
  }
}

const codeRequested: RequestHandler = async (req, res) => {
  logEvent(req, 'code', { outcome: 'success' })
  await continueWith(req, { username: req.otpRequest?.username ?? '', requestedAt: Date.now() })
  res.redirect(303, '/login/verify')
}

/** The page that asks for the code says so. An outage is an error page. */
const codeRefused: ErrorRequestHandler = async (error: unknown, req, res, next) => {
  if (!(error instanceof ElasticPathError) || error.code !== 'too_many_attempts') {
    next(error)
    return
  }
  logEvent(req, 'code', { outcome: 'failure', code: error.code })
  const pending = pendingFor(req, usernameField(req))
  await continueWith(req, {
    ...pending,
    requestsBlockedUntil: Date.now() + (error.retryAfter ?? 60) * 1000,
  })
  res.redirect(303, '/login/verify')
}

/** If the session has ended meanwhile, the next page says so by asking for the username. */
async function continueWith(req: Request, pending: Pending): Promise<void> {
  if (!(await refreshSession(req))) return
  req.session.pending = pending
  const returnTo = ownPath(field(req, 'returnTo'))
  if (returnTo !== undefined) req.session.returnTo = returnTo
}
