import { resolve } from 'node:path'
import express, { type Express, type Request, type RequestHandler } from 'express'
import { Passport } from 'passport'
import { otpWebhook, type PasswordlessOtpStrategy, type PasswordlessOtpUser } from 'passport-elasticpath-otp'
import type { Logger } from 'pino'
import { basketSize } from './basket/current'
import type { Config } from './config'
import { createPseudonyms, logEvent } from './events'
import { limitByAddress } from './http/address-limit'
import { errorPages, notFound } from './http/error-pages'
import { expiredForms } from './http/expired-forms'
import { formTokens } from './http/form-tokens'
import { forwardedAddresses, requireForwardedProto, serverOptions } from './http/proxy'
import { endRefusedSignIn } from './http/refused-sign-in'
import { logRequests } from './http/request-log'
import { securityHeaders } from './http/security-headers'
import type { Mailer } from './mail'
import { accountRoutes } from './routes/accounts'
import { basketRoutes } from './routes/basket'
import { mailboxRoutes } from './routes/mailbox'
import { operationRoutes } from './routes/operation'
import { orderRoutes } from './routes/orders'
import { shopRoutes } from './routes/shop'
import { signInRoutes } from './routes/sign-in'
import { signOutRoutes } from './routes/sign-out'
import { sessions } from './sessions/session'
import { endOldSignIns, rememberEnd } from './sessions/sign-in-end'
import { HITS_WINDOW, type Storage } from './storage/storage'
import { useViews } from './views'

/** What the app is made of. */
export interface Parts {
  config: Config
  publicUrl: URL
  webhookSecret: string
  log: Logger
  storage: Storage
  mailer: Mailer
  strategy: PasswordlessOtpStrategy
  /** Whether the process is about to end. */
  closing: () => boolean
}

export function createApp(parts: Parts): Express {
  const { config, publicUrl, webhookSecret, log, storage, mailer, strategy } = parts
  const secure = publicUrl.protocol === 'https:'
  const secrets = config.sessionSecrets
  const tokens = formTokens({ secrets, secure })
  const passport = createPassport(strategy)
  const demo = mailer.mailbox !== undefined

  const app = express().set('trust proxy', config.trustProxy)
  useViews(app)
  app.use(forwardedAddresses, logRequests(log), securityHeaders(secure))
  app.use((req, res, next) => {
    // What every page can show, also if a request fails before it has a session. Tokens are left out.
    res.locals['shopper'] = () => req.user && { username: req.user.username, ...companyOf(req.user) }
    res.locals['csrfToken'] = () => tokens.issue(req, res)
    res.locals['basketSize'] = () => basketSize(req)
    next()
  })
  // These need no session.
  app.use(serverOptions)
  app.use('/assets', express.static(resolve(__dirname, '../src/public'), { maxAge: '1h' }))
  app.use((_req, res, next) => {
    // Neither a shared cache nor the back button shows a page after a sign-out.
    res.set('Cache-Control', 'no-store')
    next()
  })
  app.use(operationRoutes(parts))
  const limiter = storage.limiters && { limiter: storage.limiters.deliveries }
  const deliver = mailer.deliver.bind(mailer)
  app.post('/webhooks/otp', otpWebhook({ strategy, secretKey: webhookSecret, deliver, ...limiter }))

  app.use(
    requireForwardedProto(secure, log),
    // Before the session is read: a slow body would delay the rest, and other tabs change the session meanwhile.
    express.urlencoded({ extended: false, limit: '10kb' }),
    (_req, _res, next) => next(storage.available() ? undefined : { status: 503 }),
    ...sessions({ store: storage.sessions, secrets, secure }),
    passport.session() as RequestHandler,
    endOldSignIns(storage),
    tokens.check,
    // Account tokens last a day. They are renewed in the second half of it, so that a visit in the afternoon is enough.
    strategy.keepFresh({ within: 12 * 60 * 60 }),
  )
  const secret = secrets[0] ?? ''
  app.use(basketRoutes({ strategy, storage, secret }))
  app.use(orderRoutes({ strategy, storage, secret }))
  app.use(shopRoutes({ strategy, demo }))
  app.use(
    signInRoutes({
      passport,
      strategy,
      storage,
      limit: limitByAddress(config.signInsPerAddress, HITS_WINDOW, storage.hits),
      pseudonym: createPseudonyms(secret),
      contact: config.supportContact,
      demo,
    }),
  )
  app.use(signOutRoutes(storage))
  app.use(accountRoutes(parts))
  if (mailer.mailbox) app.use(mailboxRoutes(mailer.mailbox))
  app.use(notFound, endRefusedSignIn, expiredForms, errorPages)
  return app
}

type DeserializeDone = Parameters<PasswordlessOtpStrategy['deserializeUser']>[1]

function createPassport(strategy: PasswordlessOtpStrategy) {
  const passport = new Passport()
  passport.use(strategy)
  passport.serializeUser(strategy.serializeUser)
  passport.deserializeUser((req: Request, stored: PasswordlessOtpUser, done: DeserializeDone) => {
    strategy.deserializeUser(stored, (error, user) => {
      if (user === false) {
        logEvent(req, 'sign-out', { reason: 'account token expired' })
        rememberEnd(req, stored)
      }
      done(error, user)
    })
  })
  return passport
}

function companyOf({ account }: Express.User): { company?: string; accountId?: string } {
  return account ? { company: account.name, accountId: account.id } : {}
}
