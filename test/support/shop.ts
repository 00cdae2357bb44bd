import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express'
import session, { MemoryStore, type Store } from 'express-session'
import { Passport } from 'passport'
import supertest from 'supertest'
import {
  otpWebhook,
  PasswordlessOtpStrategy,
  type DiagnosticMessage,
  type KeepFreshOptions,
  type OtpDelivery,
  type PasswordlessOtpStrategyOptions,
  type PasswordlessOtpUser,
  type SignInInfo,
  type VerifyFunction,
} from '../../lib'
import { ElasticPathSimulator, type SimulatorOptions } from '../../lib/testing'
import { recordError } from './errors'

export const ADA = 'ada@example.com'
export const GRACE = 'grace@example.com'
export const SECRET_KEY = 'the-secret-key-of-the-integration'

export interface ShopSetup {
  store?: SimulatorOptions
  options?: Partial<PasswordlessOtpStrategyOptions>
  /** A function of any of verify's forms. */
  verify?: ((...args: never[]) => unknown) | undefined
  keepFresh?: KeepFreshOptions
  deliver?: (delivery: OtpDelivery) => unknown
  /** Default: a MemoryStore. */
  sessions?: Store
  /** Instead of express-session. */
  sessionMiddleware?: RequestHandler
  /** The options of `passport.initialize`, which is left out without them. */
  initialize?: { userProperty?: string }
  /** Registers the app's own serializers, instead of the strategy's. */
  serializers?: (passport: InstanceType<typeof Passport>) => void
  /** Adds routes before the error handler. */
  routes?: (app: Express, strategy: PasswordlessOtpStrategy) => void
}

export type Shop = Awaited<ReturnType<typeof openShop>>
export type Agent = ReturnType<typeof supertest.agent>

/** The parts of a request that the shop's pages show. */
export interface Page {
  user: (PasswordlessOtpUser & Record<string, unknown>) | null
  stored: PasswordlessOtpUser | null
  sessionId: string
  basket?: string
}

const closers: (() => Promise<unknown>)[] = []

/** Runs at the end of the test; the last one runs first. */
export function atEnd(close: () => Promise<unknown>): void {
  closers.push(close)
}

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/**
 * Opens a store with one member, Ada, and a shop in front of it. A wrong code and a code request are answered at once
 * (`uniformResponseTime: 0`) unless the options say otherwise.
 */
export async function openShop(setup: ShopSetup = {}) {
  const simulator = await ElasticPathSimulator.start({ members: [{ username: ADA }], ...setup.store })
  atEnd(() => simulator.stop())
  return openSecondShop(simulator, setup)
}

/** Opens another process's shop for the same store, with the same session store if the setup has one. */
export async function openSecondShop(simulator: ElasticPathSimulator, setup: ShopSetup = {}) {
  const strategy = createStrategy(simulator, setup)
  const errors: unknown[] = []
  const sessions = setup.sessions ?? new MemoryStore()
  const url = await listen(createApp(strategy, sessions, setup, errors))

  /** A browser with its own cookies. */
  const browser = (): Agent => supertest.agent(url)

  /** Submits a sign-in form, with a new code for the username unless the fields contain one. */
  const submit = (fields: Record<string, unknown> = {}, agent = browser()) => {
    const username = typeof fields['username'] === 'string' ? fields['username'] : ADA
    const otp = fields['otp'] ?? simulator.issueCode(username)
    return agent.post('/login').send({ username, otp, ...fields })
  }

  /** Signs a member in and returns their browser. */
  const signIn = async (fields: Record<string, unknown> = {}, agent = browser()) => {
    const { user, info } = bodyOf<SignedIn>(await submit(fields, agent).expect(200))
    return { agent, user, info }
  }
  return { simulator, strategy, url, browser, submit, signIn, sessions, errors }
}

export interface SignedIn {
  user: PasswordlessOtpUser & Record<string, unknown>
  info: SignInInfo
}

export function createStrategy(
  simulator: ElasticPathSimulator,
  { options, verify }: ShopSetup = {},
): PasswordlessOtpStrategy {
  const strategy = new PasswordlessOtpStrategy(
    { clientId: simulator.clientId, baseUrl: simulator.url, uniformResponseTime: 0, ...options },
    verify as VerifyFunction | undefined,
  )
  atEnd(() => strategy.close())
  return strategy
}

/** The body of a response, as the shop's routes send it. */
export function bodyOf<T>(response: { body: unknown }): T {
  return response.body as T
}

/** What the shop shows of a browser's session. */
export async function pageOf(agent: Agent, path = '/me'): Promise<Page> {
  return bodyOf<Page>(await agent.get(path).expect(200))
}

/** Collects diagnostic messages until the test ends. */
export function collectDiagnostics(): DiagnosticMessage[] {
  const messages: DiagnosticMessage[] = []
  const collect = (message: unknown): void => {
    messages.push(message as DiagnosticMessage)
  }
  subscribe('passport-elasticpath-otp', collect)
  atEnd(() => Promise.resolve(unsubscribe('passport-elasticpath-otp', collect)))
  return messages
}

/** The next diagnostic message that matches. */
export function nextDiagnostic(expected: Partial<DiagnosticMessage> = {}): Promise<DiagnosticMessage> {
  return new Promise((resolve) => {
    subscribe('passport-elasticpath-otp', function listen(message) {
      const matches = Object.entries(expected).every(
        ([field, value]) => (message as Record<string, unknown>)[field] === value,
      )
      if (!matches) return
      unsubscribe('passport-elasticpath-otp', listen)
      resolve(message as DiagnosticMessage)
    })
  })
}

/** Serves an app until the test ends. */
export async function listen(app: Express): Promise<string> {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** All stored sessions as text. */
export function storedSessions(sessions: Store): Promise<string[]> {
  return new Promise((resolve, reject) => {
    sessions.all?.((error: unknown, all) => {
      if (error) reject(new Error('The sessions cannot be read', { cause: error }))
      else resolve(Object.values(all ?? {}).map((one) => JSON.stringify(one)))
    })
  })
}

/** Responds with the code and status of a strategy's error, and stores the error. */
export function errorHandler(errors: unknown[]): ErrorRequestHandler {
  return (error: unknown, _req, res, _next) => {
    errors.push(error)
    recordError(error)
    const { status, code, headers, message, retryAfter } = (error ?? {}) as Record<string, unknown>
    res.status(typeof status === 'number' ? status : 500)
    if (headers) res.set(headers as Record<string, string>)
    res.json({ code: code ?? String(error), message, retryAfter })
  }
}

function createApp(
  strategy: PasswordlessOtpStrategy,
  sessions: Store,
  setup: ShopSetup,
  errors: unknown[],
): Express {
  const passport = new Passport()
  passport.use(strategy)
  if (setup.serializers) {
    setup.serializers(passport)
  } else {
    passport.serializeUser(strategy.serializeUser)
    passport.deserializeUser(strategy.deserializeUser)
  }
  const handle = (handler: unknown): RequestHandler => handler as RequestHandler
  const app = express()
  app.set('env', 'test')
  app.post(
    '/webhooks/otp',
    otpWebhook({ secretKey: SECRET_KEY, strategy, deliver: setup.deliver ?? (() => undefined) }),
  )
  app.use(express.json({ limit: '1mb' }), express.urlencoded({ extended: false, limit: '1mb' }))
  app.use(
    setup.sessionMiddleware ??
      session({ secret: 'a test', store: sessions, resave: false, saveUninitialized: false }),
  )
  if (setup.initialize) app.use(handle(passport.initialize(setup.initialize)))
  app.use(handle(passport.session()))

  // Passport's callback, so that info and status of a failure can be seen.
  app.post('/login', (req, res, next) => {
    const authenticate = handle(
      passport.authenticate(
        strategy.name,
        (error: unknown, user: unknown, info: unknown, status: unknown) => {
          if (error) {
            next(error)
            return
          }
          if (!user) {
            res.status(typeof status === 'number' ? status : 401).json(info ?? {})
            return
          }
          req.logIn(user, { session: true, keepSessionInfo: true }, (failed: unknown) => {
            if (failed) next(failed)
            else res.json({ user, info })
          })
        },
      ),
    )
    void authenticate(req, res, next)
  })
  // Passport's own response to a failure.
  app.post('/plain/login', handle(passport.authenticate(strategy.name)), (req, res) => {
    res.json({ user: req.user, info: req.authInfo })
  })
  app.post('/code', strategy.requestOtp(), (req, res) => {
    res.status(202).json(req.otpRequest)
  })
  app.post('/switch', strategy.keepFresh(setup.keepFresh), strategy.switchAccount(), show)
  app.post('/logout', (req, res, next) => {
    req.logout((error) => (error ? next(error) : res.sendStatus(204)))
  })
  app.post('/basket', (req, res) => {
    sessionOf(req)['basket'] = 'a basket'
    res.sendStatus(204)
  })
  app.get('/me', show)
  app.get('/fresh', strategy.keepFresh(setup.keepFresh), show)
  setup.routes?.(app, strategy)
  app.use(errorHandler(errors))
  return app
}

const show: RequestHandler = (req, res) => {
  const { id, basket, passport } = sessionOf(req)
  const user = (req as unknown as Record<string, unknown>)['shopper'] ?? req.user ?? null
  res.json({
    user,
    stored: (passport as { user?: unknown } | undefined)?.user ?? null,
    sessionId: id,
    basket,
  })
}

function sessionOf(req: Request): Record<string, unknown> {
  return req.session as unknown as Record<string, unknown>
}
