import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { inspect } from 'node:util'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import session, { MemoryStore } from 'express-session'
import { Passport } from 'passport'
import { Pool } from 'undici'
import {
  type ElasticPathError,
  PasswordlessOtpStrategy,
  type DiagnosticMessage,
  type PasswordlessOtpStrategyOptions,
  type PasswordlessOtpUser,
} from '../../lib'
import { ElasticPathSimulator } from '../../lib/testing'
import { ALL_DOORS, OLD_TOKEN, WORKS, type Door } from './rules'

/** One request of one shopper, and all that became of it. */
export interface Attempt {
  door: Door
  username: string
  otp?: string
  /** In the words of the rules. */
  outcome: string
  /** How often the strategy ended it. */
  ends: number
  error?: unknown
  /** What the shopper's browser, or the caller of a promise, was given. */
  body: string
  messages: DiagnosticMessage[]
  /** ms */
  took: number
  /** What it left of a session that should be as it was, or should be new. */
  problems: string[]
}

type Session = session.SessionData & { passport?: { user?: PasswordlessOtpUser } }
type App = (req: IncomingMessage, res: ServerResponse) => unknown

const CHANNEL = 'passport-elasticpath-otp'
const LATER_PAGE = 101
/** The shoppers of each door: as many at once as there are, but for the first, who comes when the fault is over. */
export const SHOPPERS = 5

/** Whose request is being worked on, so that a diagnostics message finds it. */
const current = new AsyncLocalStorage<Attempt>()

/** Hands each diagnostics message to the attempt that it is about; returns what ends it. */
export function listenToDiagnostics(): () => void {
  const listener = (message: unknown): void => {
    current.getStore()?.messages.push(message as DiagnosticMessage)
  }
  subscribe(CHANNEL, listener)
  return () => void unsubscribe(CHANNEL, listener)
}

/** Every connection that this process opens, so that it can be seen to be gone. */
export function watchSockets() {
  const sockets = new Set<Socket>()
  const listener = (message: unknown): void => {
    const { socket } = message as { socket: Socket }
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
  subscribe('net.client.socket', listener)
  return {
    /** Those that are open to a port. A socket that is being closed has a moment to be. */
    async openTo(port: number): Promise<number> {
      const open = () => [...sockets].filter((socket) => socket.remotePort === port)
      for (let turn = 0; open().length > 0 && turn < 100; turn++) await new Promise(setImmediate)
      return open().length
    },
    stop: () => void unsubscribe('net.client.socket', listener),
  }
}

/**
 * A store, and a shop before it whose shoppers signed in before anything went wrong. What goes wrong happens to the
 * strategy that the shop uses afterwards.
 */
export class Shop {
  private app: App = (_req, res) => res.writeHead(503).end()
  private readonly attempts = new Map<string, Attempt>()
  private readonly cookies = new Map<string, { cookie: string; id: string }>()
  private readonly sessions = new MemoryStore()
  private readonly session = session({
    secret: 'a test',
    store: this.sessions,
    resave: false,
    saveUninitialized: false,
  })
  private readonly server = createServer((req, res) => void this.app(req, res))
  private browsers: Pool | undefined
  private sent = 0

  private constructor(readonly simulator: ElasticPathSimulator) {}

  static async open(): Promise<Shop> {
    const usernames = (door: Door) => Array.from({ length: SHOPPERS }, (_, n) => usernameOf(door, n))
    const members = ALL_DOORS.flatMap((door) =>
      usernames(door).map((username) => ({ username, accounts: accountsOf(door) })),
    )
    const simulator = await ElasticPathSimulator.start({ members, accountTokenLifetime: 1800 })
    const shop = new Shop(simulator)
    shop.server.listen(0, '127.0.0.1')
    await once(shop.server, 'listening')
    shop.browsers = new Pool(`http://127.0.0.1:${(shop.server.address() as AddressInfo).port}`)
    const before = new PasswordlessOtpStrategy({ clientId: simulator.clientId, baseUrl: simulator.url })
    shop.use(before)
    for (const door of ALL_DOORS.filter(needsUser)) {
      for (const username of usernames(door)) await shop.open(username)
    }
    await before.close()
    return shop
  }

  /** A strategy for the store, or for another place that should be one; the shop uses it from now on. */
  begin(options: Partial<PasswordlessOtpStrategyOptions> = {}): PasswordlessOtpStrategy {
    const { clientId, clientSecret, url } = this.simulator
    const strategy = new PasswordlessOtpStrategy({ clientId, clientSecret, baseUrl: url, ...options })
    this.use(strategy)
    // A token of a later second is another one.
    this.simulator.advance(1)
    this.simulator.clearRequests()
    return strategy
  }

  /** The n-th shopper comes by a door. Ends when the shopper, or the caller of a promise, has an answer. */
  async visit(strategy: PasswordlessOtpStrategy, door: Door, n: number): Promise<Attempt> {
    const username = usernameOf(door, n)
    const attempt: Attempt = {
      door,
      username,
      outcome: 'no end',
      ends: 0,
      body: '',
      messages: [],
      took: 0,
      problems: [],
    }
    if (door.startsWith('sign-in')) attempt.otp = this.simulator.issueCode(username)
    if (door === 'sign-in with a wrong code') attempt.otp = 'wrong1'
    const began = performance.now()
    await this.knock(strategy, attempt)
    attempt.took = performance.now() - began
    return attempt
  }

  /** What no error, message or answer may hold. */
  secrets(attempts: readonly Attempt[]): string[] {
    const people = attempts.flatMap(({ username, otp }) => [
      username,
      encodeURIComponent(username),
      otp ?? '',
    ])
    const sent = this.simulator.requests.flatMap(({ headers }) => [
      (headers.authorization ?? '').replace('Bearer ', ''),
      String(headers['ep-account-management-authentication-token'] ?? ''),
    ])
    const all = [...people, ...sent, this.simulator.clientSecret]
    return [...new Set(all)].filter((secret) => secret !== '')
  }

  async close(): Promise<void> {
    await this.browsers?.destroy()
    const closed = once(this.server, 'close')
    this.server.close()
    this.server.closeAllConnections()
    await closed
    await this.simulator.stop()
  }

  private async open(username: string): Promise<void> {
    const otp = this.simulator.issueCode(username)
    const reply = await this.send('POST', '/login', { username, otp })
    if (reply.status !== 200) throw new Error(`Not signed in before: ${reply.status} ${reply.body}`)
    const cookie = reply.cookie?.split(';')[0] ?? ''
    this.cookies.set(username, { cookie, id: reply.body })
  }

  private async knock(strategy: PasswordlessOtpStrategy, attempt: Attempt): Promise<void> {
    const { door, username, otp } = attempt
    switch (door) {
      case 'sign-in':
      case 'sign-in with a wrong code':
        return this.ask(attempt, '/login', { username, otp })
      case 'sign-in to an account of a later page': {
        const { accounts } = this.simulator.setAccounts(username, LATER_PAGE)
        return this.ask(attempt, '/login', {
          username,
          otp,
          account_id: accounts.page(LATER_PAGE - 1, 1)[0]?.id,
        })
      }
      case 'requestOtp':
        return this.ask(attempt, '/code', { username })
      case 'switchAccount':
        return this.switch(attempt)
      case 'keepFresh':
        return this.renew(attempt)
      case 'createOtpRequest':
        return settle(attempt, () => strategy.createOtpRequest(username))
      case 'listAccounts': {
        const user = await this.userOf(username)
        return settle(attempt, () => strategy.listAccounts(user))
      }
      case 'renewAccount': {
        const user = await this.userOf(username)
        return settle(attempt, () => strategy.renewAccount(user))
      }
      case 'ready':
        return settle(attempt, () => strategy.ready())
    }
  }

  private async switch(attempt: Attempt): Promise<void> {
    const before = await this.stored(attempt.username)
    const other = this.accountsOf(before).find(({ id }) => id !== userIn(before).account?.id)
    await this.ask(attempt, '/switch', { account_id: other?.id })
    const after = await this.stored(attempt.username)
    if (attempt.outcome === WORKS) {
      if (userIn(after).account?.id !== other?.id) attempt.problems.push('the session was not switched')
    } else if (inspect(after, { depth: null }) !== inspect(before, { depth: null })) {
      attempt.problems.push('a switch that failed changed the session')
    }
  }

  private async renew(attempt: Attempt): Promise<void> {
    const before = await this.stored(attempt.username)
    await this.ask(attempt, '/fresh')
    // A page waits two seconds for a renewal, and the renewal goes on: it has told of itself when it has ended.
    const patience = performance.now() + 5000
    while (attempt.messages.length === 0 && performance.now() < patience) await new Promise(setImmediate)
    const after = await this.stored(attempt.username)
    if (attempt.outcome !== WORKS) return
    if (userIn(after).account?.token !== userIn(before).account?.token) return
    attempt.outcome = OLD_TOKEN
    if (inspect(after, { depth: null }) !== inspect(before, { depth: null })) {
      attempt.problems.push('a renewal that failed changed the session')
    }
  }

  private async ask(attempt: Attempt, path: string, body?: object): Promise<void> {
    const id = String(this.sent++)
    this.attempts.set(id, attempt)
    const reply = await this.send(body ? 'POST' : 'GET', path, body, {
      'x-attempt': id,
      cookie: this.cookies.get(attempt.username)?.cookie ?? '',
    })
    this.attempts.delete(id)
    attempt.body = reply.body
    attempt.outcome = reply.status < 300 ? WORKS : `${reply.status} ${reply.body.split(' ')[0]}`
  }

  private async send(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: string; cookie: string | undefined }> {
    if (!this.browsers) throw new Error('The shop is not open')
    const response = await this.browsers.request({
      method,
      path,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body && { body: JSON.stringify(body) }),
    })
    const cookie = response.headers['set-cookie']
    return {
      status: response.statusCode,
      body: await response.body.text(),
      cookie: Array.isArray(cookie) ? cookie[0] : cookie,
    }
  }

  private async stored(username: string): Promise<Session> {
    const { id } = this.cookies.get(username) ?? { id: '' }
    return new Promise((resolve, reject) => {
      this.sessions.get(id, (error, found) => {
        if (found) resolve(found)
        else reject(new Error('A session is gone', { cause: error }))
      })
    })
  }

  private async userOf(username: string): Promise<PasswordlessOtpUser> {
    return userIn(await this.stored(username))
  }

  private accountsOf(stored: Session): readonly { id: string }[] {
    return this.simulator.setAccounts(userIn(stored).username, 2).accounts.page(0, 2)
  }

  private use(strategy: PasswordlessOtpStrategy): void {
    const passport = new Passport()
    passport.use(strategy)
    passport.serializeUser(strategy.serializeUser)
    passport.deserializeUser(strategy.deserializeUser)

    const app = express()
    app.set('env', 'test')
    app.use((req, _res, next) => {
      const attempt = this.attempts.get(req.get('x-attempt') ?? '')
      if (attempt) current.run(attempt, next)
      else next()
    })
    app.use(express.json())
    app.use(this.session)
    app.use(passport.session())
    app.post('/login', (req, res, next) => {
      const answer = (error: unknown, user: unknown, info: unknown, status: unknown): void => {
        countEnd()
        if (error) next(error)
        else if (!user) res.status(Number(status)).send(`${(info as { code: string }).code} `)
        else
          req.logIn(user, (failed: unknown) => {
            if (failed) next(failed)
            else res.send(req.session.id)
          })
      }
      const authenticate = passport.authenticate(strategy.name, answer) as RequestHandler
      void authenticate(req, res, next)
    })
    app.post('/code', counted(strategy.requestOtp()), (_req, res) => void res.status(202).end())
    app.post('/switch', counted(strategy.switchAccount()), (_req, res) => void res.end())
    app.get('/fresh', counted(strategy.keepFresh()), (_req, res) => void res.end())
    app.use(tellOfError)
    this.app = app as App
  }
}

function usernameOf(door: Door, n: number): string {
  return `${door.replaceAll(' ', '-').toLowerCase()}-${n}@example.com`
}

const needsUser = (door: Door): boolean =>
  door === 'switchAccount' || door === 'keepFresh' || door === 'listAccounts' || door === 'renewAccount'

function accountsOf(door: Door): number {
  if (needsUser(door)) return 2
  return door === 'sign-in to an account of a later page' ? LATER_PAGE : 1
}

function userIn({ passport }: Session): PasswordlessOtpUser {
  if (passport?.user) return passport.user
  throw new Error('A session has lost its user')
}

function countEnd(): void {
  const attempt = current.getStore()
  if (attempt) attempt.ends++
}

/** A handler of which is counted how often it goes on. */
function counted(handler: RequestHandler): RequestHandler {
  return (req, res, next) =>
    handler(req, res, (error?: unknown) => {
      countEnd()
      next(error)
    })
}

/** As the README has it, with the code and the message before a shopper's eyes, which is the worst that an app can do. */
const tellOfError: ErrorRequestHandler = (error: ElasticPathError, _req, res, _next) => {
  const attempt = current.getStore()
  if (attempt) attempt.error = error
  if (error.retryAfter !== undefined) res.set('Retry-After', String(error.retryAfter))
  res.status(error.status).send(`${error.code} ${error.message}`)
}

function settle(attempt: Attempt, work: () => Promise<unknown>): Promise<void> {
  return current.run(attempt, () =>
    work().then(
      () => {
        attempt.ends++
        attempt.outcome = WORKS
      },
      (error: unknown) => {
        attempt.ends++
        attempt.error = error
        const { status, code, message } = error as Record<string, unknown>
        attempt.outcome = `${String(status)} ${String(code)}`
        attempt.body = String(message)
      },
    ),
  )
}
