import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type NextFunction, type Request, type Response } from 'express'
import session, { MemoryStore } from 'express-session'
import passport from 'passport'
import request from 'supertest'
import { PasswordlessOtpStrategy, type PasswordlessOtpStrategyOptions, type VerifyFunction } from '../../lib'
import { ElasticPathSimulator, type SimulatorOptions } from '../../lib/testing'

export const ADA = 'ada@example.com'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()))
})

export interface ShopSetup {
  store?: SimulatorOptions
  options?: Partial<PasswordlessOtpStrategyOptions>
  /** A function of any of verify's forms. */
  verify?: (...args: never[]) => unknown
}

export type Shop = Awaited<ReturnType<typeof openShop>>

/** A store with one member, Ada, and a shop before it on a socket of its own. Both are closed after the test. */
export async function openShop({ store, options, verify }: ShopSetup = {}) {
  const simulator = await ElasticPathSimulator.start({ members: [{ username: ADA }], ...store })
  closers.push(() => simulator.stop())
  const strategy = new PasswordlessOtpStrategy(
    { clientId: simulator.clientId, baseUrl: simulator.url, ...options },
    verify as VerifyFunction | undefined,
  )
  closers.push(() => strategy.close())
  const sessions = new MemoryStore()
  const errors: unknown[] = []
  const server = createServer(createApp(strategy, sessions, errors))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    simulator,
    strategy,
    url,
    /** What was handed to `next(err)`. */
    errors,
    /** A browser with cookies of its own. */
    agent: () => request.agent(url),
    /** One try to sign Ada in with a form, by a new code unless the fields say otherwise. */
    signIn: (fields: Record<string, string> = {}) =>
      request
        .agent(url)
        .post('/login')
        .type('form')
        .send({
          username: ADA,
          otp: fields['otp'] ?? simulator.issueCode(fields['username'] ?? ADA),
          ...fields,
        }),
    /** The sessions as they are stored. */
    storedSessions: () =>
      new Promise<string[]>((resolve, reject) => {
        sessions.all((error: unknown, all) => {
          if (error) reject(new Error('No sessions', { cause: error }))
          else resolve(Object.values(all ?? {}).map((one) => JSON.stringify(one)))
        })
      }),
  }
}

function createApp(strategy: PasswordlessOtpStrategy, sessions: MemoryStore, errors: unknown[]) {
  const auth = new passport.Passport()
  auth.use(strategy)
  auth.serializeUser(strategy.serializeUser)
  auth.deserializeUser(strategy.deserializeUser)

  const app = express()
  app.set('env', 'test')
  // Without a parser, as an app that forgot one.
  app.post('/bare/login', login)
  app.use(express.json({ limit: '1mb' }), express.urlencoded({ extended: true, limit: '1mb' }))
  app.use(session({ secret: 'test', store: sessions, resave: false, saveUninitialized: false }))
  app.use(auth.session() as express.RequestHandler)
  app.post('/login', login)
  // Passport's own answer to a failure, without a callback.
  app.post('/plain/login', auth.authenticate(strategy.name) as express.RequestHandler, (req, res) => {
    res.json({ user: req.user, info: req.authInfo })
  })
  app.get('/me', (req, res) => {
    res.json({ user: req.user ?? null })
  })
  app.use((error: unknown, _req: Request, res: Response, _next: NextFunction) => {
    errors.push(error)
    const { status, code, headers, retryAfter } = (error ?? {}) as Record<string, unknown>
    res.status(typeof status === 'number' ? status : 500)
    if (headers) res.set(headers as Record<string, string>)
    res.json({ error: code ?? String(error), retryAfter })
  })
  return app

  function login(req: Request, res: Response, next: NextFunction): void {
    const answer = (error: unknown, user: unknown, info: unknown, status: unknown): void => {
      if (error) {
        next(error)
      } else if (user) {
        req.logIn(user, (failed: unknown) => {
          if (failed) next(failed)
          else res.json({ user, info })
        })
      } else {
        res.status(typeof status === 'number' ? status : 401).json(info ?? {})
      }
    }
    const authenticate = auth.authenticate(strategy.name, answer) as express.RequestHandler
    void authenticate(req, res, next)
  }
}

/** The body of a shop's answer to a sign-in that went well. */
export interface SignedInBody {
  user: {
    accountMemberId: string
    username: string
    account: { id: string; name: string; token: string; expires: string } | null
    selectionToken?: { token: string; expires: string }
  }
  info: { accounts: { id: string; name: string }[]; totalAccounts: number }
}

export function bodyOf(response: { status: number; body: unknown; text: string }): SignedInBody {
  if (response.status !== 200) throw new Error(`Not signed in: ${response.status} ${response.text}`)
  return response.body as SignedInBody
}
