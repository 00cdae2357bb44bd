import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler, type Request } from 'express'
import session from 'express-session'
import { Passport } from 'passport'
import supertest from 'supertest'
import {
  otpWebhook,
  PasswordlessOtpStrategy,
  type KeepFreshOptions,
  type OtpDelivery,
  type PasswordlessOtpStrategyOptions,
  type PasswordlessOtpUser,
  type SignInInfo,
} from '../../lib'
import { ElasticPathSimulator, type SimulatorOptions } from '../../lib/testing'

export const ADA = 'ada@example.com'
export const SECRET_KEY = 'the-integrations-secret-key'

export interface JourneyOptions {
  store?: SimulatorOptions
  strategy?: Partial<PasswordlessOtpStrategyOptions>
  keepFresh?: KeepFreshOptions
  deliver?: (delivery: OtpDelivery) => unknown
}

/** What the shop's page `/me` tells of a session. */
export interface Me {
  user: PasswordlessOtpUser | undefined
  stored: PasswordlessOtpUser | undefined
  sessionId: string
  basket: string | undefined
}

export type Agent = ReturnType<typeof supertest.agent>

type Session = session.Session & { basket?: string; passport?: { user?: PasswordlessOtpUser } }

const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  jest.useRealTimers()
  for (const close of open.splice(0).reverse()) await close()
})

/** A store with one member, Ada, and a shop whose sign-in is the strategy's. Both are closed after the test. */
export async function openJourney(options: JourneyOptions = {}) {
  const simulator = await ElasticPathSimulator.start({ members: [{ username: ADA }], ...options.store })
  open.push(() => simulator.stop())
  const strategy = new PasswordlessOtpStrategy({
    clientId: simulator.clientId,
    baseUrl: simulator.url,
    ...options.strategy,
  })
  open.push(() => strategy.close())
  const url = await listen(shop(strategy, options))
  simulator.deliverTo({ url: `${url}/webhooks/otp`, secretKey: SECRET_KEY, retryDelay: 1 })

  /** A browser of its own, with its own cookies. */
  const browser = (): Agent => supertest.agent(url)

  /** A browser that Ada has signed in with, and what the sign-in answered with. */
  async function signIn(fields: Record<string, unknown> = {}) {
    const agent = browser()
    const reply = await agent
      .post('/login')
      .send({ username: ADA, otp: simulator.issueCode(ADA), ...fields })
      .expect(200)
    const { user, info } = reply.body as { user: PasswordlessOtpUser; info: SignInInfo }
    return { agent, user, info }
  }
  return { simulator, strategy, url, browser, signIn }
}

export async function me(agent: Agent): Promise<Me> {
  const reply = await agent.get('/me').expect(200)
  return reply.body as Me
}

/** The next message of the diagnostics channel. */
export function nextMessage(): Promise<unknown> {
  return new Promise((resolve) => {
    subscribe('passport-elasticpath-otp', function listen(message) {
      unsubscribe('passport-elasticpath-otp', listen)
      resolve(message)
    })
  })
}

/** What is ready to go on has gone on. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Waits for what has to come, and is the error of the test where it does not come in time. */
export async function until(come: () => boolean): Promise<void> {
  const start = process.hrtime.bigint()
  while (!come()) {
    if (process.hrtime.bigint() - start > 4_000_000_000n) throw new Error(`Never came: ${come.toString()}`)
    await turn()
  }
}

/** Stops the clock that Date reads, and nothing else: sockets and timers go on. */
export function holdDate(): void {
  jest.useFakeTimers({
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  })
}

export function passSeconds(seconds: number): void {
  jest.setSystemTime(Date.now() + seconds * 1000)
}

/** Serves an app until the end of the test. */
export async function listen(app: express.Express): Promise<string> {
  const server: Server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(() => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    return closed
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function shop(strategy: PasswordlessOtpStrategy, options: JourneyOptions): express.Express {
  const passport = new Passport()
  passport.use(strategy)
  passport.serializeUser(strategy.serializeUser)
  passport.deserializeUser(strategy.deserializeUser)

  const app = express()
  app.post(
    '/webhooks/otp',
    otpWebhook({ secretKey: SECRET_KEY, deliver: options.deliver ?? (() => undefined) }),
  )
  app.use(express.json())
  app.use(session({ secret: 'a test', resave: false, saveUninitialized: false }))
  app.use(passport.session())
  app.post('/code', strategy.requestOtp(), (req, res) => {
    res.status(202).json(req.otpRequest)
  })
  app.post(
    '/login',
    passport.authenticate(strategy.name, { keepSessionInfo: true }) as express.RequestHandler,
    (req, res) => {
      res.json({ user: req.user, info: req.authInfo })
    },
  )
  app.post('/switch', strategy.switchAccount(), (req, res) => {
    res.json(describe(req))
  })
  app.post('/logout', (req, res, next) => {
    req.logout((error) => {
      if (error) next(error)
      else res.sendStatus(200)
    })
  })
  app.post('/basket', (req, res) => {
    sessionOf(req).basket = 'a basket'
    res.sendStatus(204)
  })
  app.get('/me', (req, res) => {
    res.json(describe(req))
  })
  app.get('/fresh', strategy.keepFresh(options.keepFresh), (req, res) => {
    res.json(describe(req))
  })
  app.use(tellOfError)
  return app
}

const tellOfError: ErrorRequestHandler = (error: Error & Record<string, unknown>, _req, res, _next) => {
  res.set((error['headers'] as Record<string, string> | undefined) ?? {})
  res
    .status(Number(error['status'] ?? 500))
    .json({ code: error['code'], message: error.message, retryAfter: error['retryAfter'] })
}

function describe(req: Request): Me {
  const { id, basket, passport } = sessionOf(req)
  return {
    user: req.user as PasswordlessOtpUser | undefined,
    stored: passport?.user,
    sessionId: id,
    basket,
  }
}

function sessionOf(req: Request): Session {
  return req.session
}
