import { resolve } from 'node:path'
import { csrfSync } from 'csrf-sync'
import express, { type Express, type RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import session, { type SessionData } from 'express-session'
import helmet from 'helmet'
import { Passport } from 'passport'
import { otpWebhook, type PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import type { Logger } from 'pino'
import { pinoHttp } from 'pino-http'
import type { AccountReader } from './commerce'
import type { Config } from './config'
import { errorPages, notFound } from './errors'
import { createPseudonyms } from './events'
import type { Mailer } from './mail'
import { accountRoutes } from './routes/accounts'
import { mailboxRoutes } from './routes/mailbox'
import { operationRoutes } from './routes/operation'
import { shopRoutes } from './routes/shop'
import { signInRoutes } from './routes/sign-in'
import { endOldSignIns, LONGEST_PAUSE } from './session-end'
import { HITS_WINDOW, type Storage } from './storage'
import { useViews } from './views'

/** All that the app is made of, ready to be used. */
export interface Parts {
  config: Config
  publicUrl: URL
  webhookSecret: string
  log: Logger
  storage: Storage
  mailer: Mailer
  strategy: PasswordlessOtpStrategy
  readAccount: AccountReader
  /** Whether the process is on its way out. */
  closing: () => boolean
}

export function createApp(parts: Parts): Express {
  const { config, publicUrl, webhookSecret, log, storage, mailer, strategy } = parts
  const secure = publicUrl.protocol === 'https:'
  const csrf = csrfSync({
    getTokenFromRequest: (req) => (req.body as Record<string, string> | undefined)?.['_csrf'],
  })
  const passport = new Passport()
  passport.use(strategy)
  passport.serializeUser(strategy.serializeUser)
  passport.deserializeUser(strategy.deserializeUser)

  const app = express().set('trust proxy', config.trustProxy)
  useViews(app)

  app.use(logRequests(log), securityHeaders(secure))
  app.use('/assets', express.static(resolve(__dirname, '../src/public'), { maxAge: '1h' }))
  app.use((req, res, next) => {
    // Neither a shared proxy nor the back button shows a page that a shopper has signed out of.
    res.set('Cache-Control', 'no-store')
    // What every page can show, even where something fails before there is a session. Tokens stay out of reach.
    res.locals['shopper'] = () => req.user && { username: req.user.username, company: req.user.account?.name }
    res.locals['csrfToken'] = () => csrf.generateToken(req)
    res.locals['basketSize'] = () =>
      Object.values((req.session as Partial<SessionData> | undefined)?.basket ?? {}).reduce(
        (sum, quantity) => sum + quantity,
        0,
      )
    next()
  })
  // What needs no session comes before it.
  app.use(operationRoutes(parts))
  app.post('/webhooks/otp', otpWebhook({ secretKey: webhookSecret, deliver: (code) => mailer.deliver(code) }))

  app.use(
    // Before the session is read: one that came in while a slow body did would undo what has happened to it since.
    express.urlencoded({ extended: false, limit: '10kb' }),
    // A page is better than a session that is silently not kept.
    (_req, _res, next) => next(storage.available() ? undefined : { status: 503 }),
    session({
      name: secure ? '__Host-shop' : 'shop',
      secret: config.sessionSecrets,
      store: storage.sessions,
      resave: false,
      saveUninitialized: false,
      rolling: true,
      cookie: { httpOnly: true, sameSite: 'lax', secure, path: '/', maxAge: LONGEST_PAUSE },
    }),
    passport.session() as RequestHandler,
    endOldSignIns(storage),
    csrf.csrfSynchronisedProtection,
    // A token lives for a day: who comes back tomorrow at the same hour is still signed in.
    strategy.keepFresh({ within: 23.5 * 60 * 60 }),
  )

  const limit = rateLimit({
    windowMs: HITS_WINDOW,
    limit: config.signInsPerAddress,
    store: storage.hits,
    legacyHeaders: false,
    handler: (req, _res, next) => {
      const { resetTime } = (req as unknown as { rateLimit: { resetTime?: Date } }).rateLimit
      const wait = resetTime ? resetTime.getTime() - Date.now() : HITS_WINDOW
      next({ status: 429, retryAfter: Math.max(1, Math.ceil(wait / 1000)) })
    },
  })
  app.use(shopRoutes({ demo: mailer.mailbox !== undefined }))
  const pseudonym = createPseudonyms(config.sessionSecrets[0] ?? '')
  app.use(
    signInRoutes({ passport, strategy, storage, limit, pseudonym, mailbox: mailer.mailbox !== undefined }),
  )
  app.use(accountRoutes(parts))
  if (mailer.mailbox) app.use(mailboxRoutes(mailer.mailbox))
  app.use(notFound, errorPages)
  return app
}

function securityHeaders(secure: boolean): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: secure,
  })
}

/** Method, path, status and time. No query, header or body: what is not logged cannot leak. */
function logRequests(logger: Logger): RequestHandler {
  return pinoHttp({
    logger,
    autoLogging: {
      ignore: ({ url }) => url === '/healthz' || url === '/readyz' || url.startsWith('/assets/'),
    },
    serializers: {
      req: ({ id, method, url }: { id: unknown; method: string; url: string }) => ({
        id,
        method,
        path: url.split('?')[0],
      }),
      res: ({ statusCode }: { statusCode: number }) => ({ statusCode }),
    },
  })
}
