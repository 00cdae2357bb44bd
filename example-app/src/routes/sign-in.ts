import { Router, type ErrorRequestHandler, type Request, type RequestHandler, type Response } from 'express'
import type { Passport } from 'passport'
import { ElasticPathError, type FailureInfo, type PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { inWords } from '../errors'
import { tell } from '../events'
import { field, ownPath, parameter } from '../input'
import { catchUp, signOut } from '../session-end'
import type { Storage } from '../storage'

interface SignInOptions {
  passport: InstanceType<typeof Passport>
  strategy: PasswordlessOtpStrategy
  storage: Storage
  /** Limits requests by address. */
  limit: RequestHandler
  /** A username as the log may know it. */
  pseudonym: (username: string | undefined) => string | undefined
  /** Whether codes arrive on the mailbox page. */
  mailbox: boolean
}

/** Milliseconds that Commerce's codes are good for, and that a shopper waits before asking for another. */
const CODE_LIFE = 10 * 60_000
const COOL_DOWN = 30_000

/** From "who are you?" to a signed-in session, and out of it again. */
export function signInRoutes({
  passport,
  strategy,
  storage,
  limit,
  pseudonym,
  mailbox,
}: SignInOptions): Router {
  return (
    Router()
      .get('/login', (req, res) => {
        const returnTo = ownPath(parameter(req, 'returnTo'))
        if (req.user) {
          res.redirect(returnTo ?? '/account')
          return
        }
        if (returnTo) req.session.returnTo = returnTo
        res.render('login', { username: req.session.signIn?.username ?? '' })
      })
      .post(
        '/login/code',
        limit,
        rememberedUsername,
        unlessRecent,
        strategy.requestOtp(),
        codeSent,
        codeNotSent,
      )
      .get('/login/verify', (req, res) => {
        if (req.user || !req.session.signIn) {
          res.redirect(req.user ? '/account' : '/login')
          return
        }
        renderVerify(req, res)
        delete req.session.signIn.notice
      })
      .post('/login', limit, rememberedUsername, (req, res, next) => {
        const signedIn = (error: unknown, user?: Express.User | false | null, info?: unknown) => {
          if (error) next(error)
          else if (user) startSession(user, req, res, next).catch(next)
          else refuse(info as FailureInfo, req, res).catch(next)
        }
        const authenticate = passport.authenticate(strategy.name, signedIn) as RequestHandler
        return authenticate(req, res, next)
      })
      // Nothing happens on GET: a mail scanner may open the link as often as it likes.
      .get('/login/link', (_req, res) => res.render('link'))
      .post('/logout', leave())
      // For a phone that was lost, or a colleague's machine: this one's session, and all others of the member.
      .post('/logout/everywhere', leave({ everywhere: true }))
  )

  function leave({ everywhere = false } = {}): RequestHandler {
    return async (req, res) => {
      if (req.user) {
        tell(req, 'sign-out', { reason: everywhere ? 'asked for, everywhere' : 'asked for' })
        if (everywhere) await storage.signOutEverywhere(req.user.accountMemberId)
      }
      await signOut(req)
      res.redirect(303, '/')
    }
  }

  /** A failed try, on the page that it was made on: what was typed is still there, and is in no URL and no session. */
  async function refuse({ code, message, retryAfter }: FailureInfo, req: Request, res: Response) {
    const username = field(req, 'username')
    tell(req, 'sign-in', { outcome: 'failure', code, who: pseudonym(username) })
    // The same form, sent twice: the first one signed in, with the only code that there was.
    if (!(await catchUp(req))) {
      res.redirect(303, '/account')
      return
    }
    if (username === undefined) {
      res.redirect(303, '/login')
      return
    }
    if (code === 'no_account') {
      res.status(403).render('no-company')
      return
    }
    // The mail's link may be opened on another device than the one that asked for the code.
    if (req.session.signIn?.username !== username) req.session.signIn = { username, askedAt: 0 }
    if (retryAfter !== undefined) res.set('Retry-After', String(retryAfter))
    res.status(code === 'missing_credentials' ? 400 : code === 'too_many_attempts' ? 429 : 401)
    renderVerify(req, res, {
      message:
        retryAfter === undefined ? message : `Too many tries. You can try again in ${inWords(retryAfter)}.`,
      otp: field(req, 'otp')?.slice(0, 64) ?? '',
    })
  }

  function renderVerify(req: Request, res: Response, failed: { message?: string; otp?: string } = {}) {
    const { username = '', askedAt = 0, notice } = req.session.signIn ?? {}
    const age = Date.now() - askedAt
    res.render('verify', {
      masked: mask(username),
      notice,
      secondsLeft: askedAt ? Math.max(0, Math.ceil((CODE_LIFE - age) / 1000)) : undefined,
      secondsToWait: Math.max(0, Math.ceil((COOL_DOWN - age) / 1000)),
      mailbox,
      ...failed,
    })
  }
}

/**
 * Signing in makes a new session, so that nobody who knew the old one is signed in with it. All that comes along is
 * named here; the old CSRF token, for one, does not.
 */
async function startSession(user: Express.User, req: Request, res: Response, next: (error: unknown) => void) {
  const before = req.session
  if (!(await catchUp(req))) req.session = before
  const { basket, returnTo } = req.session
  req.login(user, (error: unknown) => {
    if (error) {
      next(error)
      return
    }
    req.session.signedInAt = Date.now()
    tell(req, 'sign-in', { outcome: 'success' })
    req.session.basket = basket
    // Who buys for several companies chooses one on the way.
    if (!user.account) req.session.returnTo = returnTo
    res.redirect(303, user.account ? (returnTo ?? '/account') : '/accounts')
  })
}

/** The username of a form without one is the session's: the page shows it masked, and need not carry it. */
const rememberedUsername: RequestHandler = (req, _res, next) => {
  const body = req.body as Record<string, unknown>
  body['username'] ??= req.session.signIn?.username
  next()
}

/** A new code may kill the one in the mail already, so a second tap keeps the first one's. */
const unlessRecent: RequestHandler = (req, res, next) => {
  const { signIn } = req.session
  if (!signIn || signIn.username !== field(req, 'username') || Date.now() - signIn.askedAt >= COOL_DOWN) {
    next()
    return
  }
  signIn.notice = 'recent'
  res.redirect(303, '/login/verify')
}

const codeSent: RequestHandler = async (req, res) => {
  const username = req.otpRequest?.username ?? ''
  tell(req, 'code', { outcome: 'success' })
  if (!(await catchUp(req))) {
    res.redirect(303, '/login')
    return
  }
  req.session.signIn = { username, askedAt: Date.now() }
  res.redirect(303, '/login/verify')
}

/** What the shopper can put right stays on the form; an outage is a page of its own. */
const codeNotSent: ErrorRequestHandler = (error: unknown, req, res, next) => {
  if (!(error instanceof ElasticPathError) || error.status >= 500) {
    next(error)
    return
  }
  const { status, code, retryAfter } = error
  tell(req, 'code', { outcome: 'failure', code })
  if (retryAfter !== undefined) res.set('Retry-After', String(retryAfter))
  res.status(status).render('login', {
    username: field(req, 'username') ?? '',
    message:
      status === 400
        ? 'Please type the e-mail address that your company knows.'
        : `You have asked for several codes. The newest still works; you can ask for another in ${inWords(retryAfter ?? 60)}.`,
  })
}

/** `grace@example.com` is `g•••e@example.com`: enough to see a slip, too little to read over a shoulder. */
function mask(username: string): string {
  const [name = '', ...domain] = username.split('@')
  const last = name.length > 3 ? name.slice(-1) : ''
  return [`${name.slice(0, 1)}•••${last}`, ...domain].join('@')
}
