import { Router, type Request, type RequestHandler, type Response } from 'express'
import type { Passport } from 'passport'
import type { FailureInfo, PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { logEvent } from '../events'
import { ownPath, parameter, usernameField } from '../http/input'
import { waitUntil } from '../http/wait'
import { refreshSession } from '../sessions/session'
import { carriedOver } from '../sessions/sign-in-end'
import type { Storage } from '../storage/storage'
import { CODE_LIFETIME, COOL_DOWN, fillUsername, pendingFor, requestCode } from './code-request'

interface SignInOptions {
  passport: InstanceType<typeof Passport>
  strategy: PasswordlessOtpStrategy
  storage: Pick<Storage, 'startSignIn'>
  /** Limits requests by IP address. */
  limit: RequestHandler
  /** A username as the log may show it. */
  pseudonym: (username: string | undefined) => string | undefined
  /** Whom to ask for access to a company. */
  contact: string | undefined
  /** Whether codes arrive on the mailbox page. */
  demo: boolean
}

/** From the username to a signed-in session. */
export function signInRoutes({
  passport,
  strategy,
  storage,
  limit,
  pseudonym,
  contact,
  demo,
}: SignInOptions): Router {
  return (
    Router()
      .get('/login', (req, res) => {
        const returnTo = ownPath(parameter(req, 'returnTo'))
        const { pending, ended } = req.session
        const username = parameter(req, 'another') === undefined ? (pending?.username ?? '') : ''
        if (req.user) res.redirect(returnTo ?? '/account')
        else res.render('login', { username, returnTo, ended })
      })
      .post('/login/code', limit, fillUsername, requestCode(strategy))
      .get('/login/verify', (req, res) => {
        if (req.user || !req.session.pending) res.redirect(req.user ? '/account' : '/login')
        else showCodePage(req, res)
      })
      .post('/login', limit, fillUsername, (req, res, next) => {
        const signedIn = (error: unknown, user?: Express.User | false | null, info?: unknown) => {
          if (error) next(error)
          else if (user) signIn(user, req, res).catch(next)
          else refuse(info as FailureInfo, req, res).catch(next)
        }
        const authenticate = passport.authenticate(strategy.name, signedIn) as RequestHandler
        return authenticate(req, res, next)
      })
      // A GET never signs in: mail scanners open links.
      .get('/login/link', (_req, res) => res.render('link'))
      .get('/login/no-company', (req, res) =>
        res.render('no-company', { username: req.session.pending?.username, contact }),
      )
  )

  function showCodePage(req: Request, res: Response): void {
    const { username, requestedAt, problem, recent, attemptsBlockedUntil, requestsBlockedUntil } =
      pendingFor(req)
    const age = Date.now() - requestedAt
    res.render('verify', {
      username,
      problem,
      recent,
      code: requestedAt === 0 ? 'unknown' : age < CODE_LIFETIME ? 'valid' : 'expired',
      secondsLeft: Math.max(0, Math.ceil((CODE_LIFETIME - age) / 1000)),
      secondsToWait: Math.max(0, Math.ceil((COOL_DOWN - age) / 1000)),
      attemptsBlocked: waitUntil(attemptsBlockedUntil),
      requestsBlocked: waitUntil(requestsBlockedUntil),
      demo,
    })
    // Said once: a reload shows the form alone.
    if (problem ?? recent) req.session.pending = { ...pendingFor(req), problem: undefined, recent: undefined }
  }

  /** A new session, so that nobody who knew the old one is signed in with it. */
  async function signIn(user: Express.User, req: Request, res: Response): Promise<void> {
    const before = req.session
    if (!(await refreshSession(req))) req.session = before
    const { guestCart, returnTo } = carriedOver(req, user.accountMemberId)
    const generation = await storage.startSignIn(user.accountMemberId)
    await new Promise<void>((resolve, reject) => {
      req.login(user, (error?: Error | null) => (error ? reject(error) : resolve()))
    })
    const now = Date.now()
    req.session.signIn = { at: now, visitedAt: now, generation }
    if (guestCart) req.session.guestCart = guestCart
    // A member of several companies chooses one first.
    if (!user.account) req.session.returnTo = returnTo
    logEvent(req, 'sign-in', { outcome: 'success' })
    res.redirect(303, user.account ? (returnTo ?? '/account') : '/accounts')
  }

  /** Back to a page, so that a reload sends nothing again. The code is in no URL and no session. */
  async function refuse({ code, retryAfter }: FailureInfo, req: Request, res: Response): Promise<void> {
    const username = usernameField(req)
    logEvent(req, 'sign-in', { outcome: 'failure', code, who: pseudonym(username) })
    // The same form, sent twice: the first one signed in and used up the code.
    if (!(await refreshSession(req))) {
      res.redirect(303, '/account')
      return
    }
    if (username === undefined) {
      res.redirect(303, '/login')
      return
    }
    // The link in the email may be opened on another device than the one that requested the code.
    const pending = pendingFor(req, username)
    if (code === 'too_many_attempts') {
      pending.attemptsBlockedUntil = Date.now() + (retryAfter ?? 60) * 1000
    } else if (code !== 'no_account') {
      pending.problem = code === 'missing_credentials' ? 'missing' : 'wrong'
    }
    req.session.pending = pending
    res.redirect(303, code === 'no_account' ? '/login/no-company' : '/login/verify')
  }
}
