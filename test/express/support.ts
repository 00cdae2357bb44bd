import { deserialize, serialize } from 'node:v8'
import { Store, type SessionData } from 'express-session'
import type { PasswordlessOtpUser } from '../../lib'
import { controlClock, MINUTE, pass } from '../support/clock'
import { ADA, bodyOf, openShop, type ShopSetup, type SignedIn } from '../support/shop'

export const FIRST = { id: 'first', name: 'First' }
export const SECOND = { id: 'second', name: 'Second' }
export const STORE = { members: [{ username: ADA, accounts: [FIRST, SECOND] }], accountTokenLifetime: 1800 }

/** How a session gets a new user. */
export const WAYS = ['switch', 'renewal'] as const
export type Way = (typeof WAYS)[number]

/** A shop with a session store of the test's own. Ada is signed in, and her token is due for a renewal. */
export async function openActiveShopper({ fields, ...setup }: ShopSetup & { fields?: object } = {}) {
  controlClock()
  const sessions = new SessionStore()
  const shop = await openShop({
    sessions,
    ...setup,
    store: { ...STORE, ...setup.store },
    routes(app, strategy) {
      setup.routes?.(app, strategy)
      // The harness's own has keepFresh in front of it.
      app.post('/only-switch', strategy.switchAccount(), (req, res) => res.json({ user: req.user }))
    },
  })
  const agent = shop.browser()
  const signedIn = await shop.submit({ ...fields }, agent).expect(200)
  const { user } = bodyOf<SignedIn>(signedIn)
  // For the pages of other processes.
  const cookie = cookieOf(signedIn)
  await pass(20 * MINUTE)
  shop.simulator.clearRequests()
  const start = (way: Way) =>
    way === 'switch'
      ? agent
          .post('/only-switch')
          .send({ account_id: SECOND.id })
          .then((response) => response)
      : agent.get('/fresh').then((response) => response)
  return { ...shop, sessions, agent, cookie, user, start }
}

/** The session cookie that a response sets. */
export function cookieOf(response: { get(name: 'Set-Cookie'): string[] | undefined }): string {
  return response.get('Set-Cookie')?.[0]?.split(';')[0] ?? ''
}

/** The response of a way to an error. A renewal still serves the page. */
export function failed(way: Way, status = 500, code = 'session_failed'): object {
  return way === 'switch' ? { status, body: { code } } : { status: 200 }
}

export function tokenOf(user: PasswordlessOtpUser | null | undefined): string | undefined {
  return user?.account?.token ?? user?.selectionToken?.token
}

type Done<T> = (error: unknown, result?: T) => void

/**
 * A session store that processes share. Tests replace its methods to make it slow or to break it. It serializes more
 * than JSON, such as a Map.
 */
export class SessionStore extends Store {
  private readonly written = new Map<string, Buffer[]>()

  override get = (id: string, done: Done<SessionData | null>): unknown => this.read(id, 0, done)

  override set = (id: string, session: SessionData, done?: Done<void>): unknown => {
    const data = { ...session, cookie: JSON.parse(JSON.stringify(session.cookie)) as unknown }
    this.written.set(id, [serialize(data), ...(this.written.get(id) ?? [])].slice(0, 2))
    return setImmediate(() => done?.(null))
  }

  override destroy = (id: string, done?: Done<void>): unknown => {
    this.written.delete(id)
    return setImmediate(() => done?.(null))
  }

  override touch = (_id: string, _session: SessionData, done?: Done<void>): unknown => done?.(null)

  /** Reads a session as it was some writes ago, as from a replica. */
  read(id: string, writesAgo: number, done: Done<SessionData | null>): unknown {
    const found = this.written.get(id)?.[writesAgo]
    return setImmediate(() => done(null, found ? (deserialize(found) as SessionData) : null))
  }

  /** The users that the store holds. */
  get users(): unknown[] {
    return [...this.written.values()].flatMap(([latest]) => {
      const session = latest && (deserialize(latest) as { passport?: { user?: unknown } })
      return session?.passport?.user ?? []
    })
  }

  /** Replaces the read with this number, counted from now. */
  onRead(number: number, read: SessionStore['get']): void {
    const { get } = this
    let reads = 0
    this.get = (id, done) => (++reads === number ? read(id, done) : get(id, done))
  }
}
