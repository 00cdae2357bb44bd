import { once } from 'node:events'
import { request } from 'node:http'
import cookieSession from 'cookie-session'
import type { RequestHandler } from 'express'
import type { SessionData } from 'express-session'
import type { PasswordlessOtpUser } from '../../lib'
import { controlClock, deferred, MINUTE, pass } from '../support/clock'
import { ADA, bodyOf, collectDiagnostics, openSecondShop, openShop, pageOf, type Page, type ShopSetup } from '../support/shop'
import { SessionStore } from '../support/session-store'

const FIRST = { id: 'first', name: 'First' }
const SECOND = { id: 'second', name: 'Second' }
const STORE = { members: [{ username: ADA, accounts: [FIRST, SECOND] }], accountTokenLifetime: 1800 }

// How a session gets a new user. The tokens are in the second half of their life.
const WAYS = ['switch', 'renewal'] as const
type Way = (typeof WAYS)[number]

/** A shop with a session store of the test's own. Ada is signed in, and her token is due for a renewal. */
async function openSession(setup: ShopSetup = {}) {
  controlClock()
  const sessions = new SessionStore()
  const shop = await openShop({ store: STORE, sessions, ...setup })
  const { agent, user } = await shop.signIn()
  await pass(20 * MINUTE)
  // The switch alone is tested: the harness's keepFresh in front of it finds nothing to renew.
  const start = (way: Way) =>
    way === 'switch'
      ? agent.post('/only-switch').send({ account_id: SECOND.id }).then((response) => response)
      : agent.get('/fresh').then((response) => response)
  return { ...shop, sessions, agent, user, start }
}

/** The switch without `keepFresh` in front of it, and a page that fills a Map. */
const routes: ShopSetup['routes'] = (app, strategy) => {
  app.post('/only-switch', strategy.switchAccount(), (req, res) => res.json({ user: req.user }))
  app.post('/map', (req, res) => {
    const held = req.session as unknown as { map?: Map<string, number> }
    held.map = new Map([...(held.map ?? []), ['seen', held.map?.size ?? 0]])
    res.json([...held.map])
  })
}

/** The status and code that a way gives if the session cannot be used. A renewal serves the page. */
const failed = (way: Way) =>
  way === 'switch' ? { status: 500, body: { code: 'session_failed' } } : { status: 200 }

const tokenOf = (user: PasswordlessOtpUser | null | undefined) => user?.account?.token
const usersIn = (sessions: SessionStore) => sessions.contents.flatMap(({ passport }) => passport?.user ?? [])

describe.each(WAYS)('the session at a %s', (way) => {
  it('keeps its id and its other contents, and is saved before the response', async () => {
    const { agent, start, sessions } = await openSession({ routes })
    await agent.post('/basket')
    const before = await pageOf(agent)

    const response = await start(way)

    const { user } = bodyOf<Page>(response)
    expect(usersIn(sessions)).toEqual([user])
    const after = await pageOf(agent)
    expect(after).toEqual({ ...before, user, stored: user })
    expect(tokenOf(after.user)).not.toBe(tokenOf(before.user))
  })

  it('keeps what other requests put into it during the call to Elastic Path, a Map included', async () => {
    const { agent, start, simulator } = await openSession({ routes })
    await agent.post('/map')
    const held = simulator.hold('renewal')
    const response = start(way)
    await held.arrived

    await agent.post('/basket')
    await agent.post('/map')
    held.release()
    await response

    expect(await pageOf(agent)).toMatchObject({ basket: 'a basket' })
    expect(bodyOf(await agent.post('/map'))).toEqual([['seen', 1]])
  })

  it('keeps what another request of the shopper stored before the last read', async () => {
    const { agent, start, sessions } = await openSession({ routes })
    // The reads are: loading, at the start, and before the write.
    sessions.beforeRead(3, () => agent.post('/basket').then())

    await start(way)

    expect(await pageOf(agent)).toMatchObject({ basket: 'a basket' })
  })

  it('stays signed out if the shopper signs out in the meantime', async () => {
    const { agent, start, simulator, sessions, user } = await openSession({ routes })
    const held = simulator.hold('renewal')
    const response = start(way)
    await held.arrived

    await agent.post('/logout').expect(204)
    held.release()

    expect(await response).toMatchObject(
      way === 'switch' ? { status: 401, body: { code: 'not_signed_in' } } : { status: 200, body: { user } },
    )
    expect(usersIn(sessions)).toEqual([])
  })

  it.each<[string, (read: SessionStore['get']) => SessionStore['get']]>([
    ['fails', () => (_id, done) => done(new Error('redis://secret@host'))],
    ['throws', () => fail],
    ['rejects', () => () => Promise.reject(new Error('down'))],
    ['never responds', () => () => undefined],
    ['responds twice', (read) => (id, done) => [done(new Error('down')), read(id, done)]],
  ])('stays signed out if the shopper signs out while a read %s', async (_case, breakRead) => {
    const { agent, start, sessions, simulator, user } = await openSession({ routes })
    const { get } = sessions
    const held = simulator.hold('renewal')
    const response = start(way)
    await held.arrived
    await agent.post('/logout').expect(204)
    const broken = deferred()
    sessions.get = (id, done) => (broken.resolve(), breakRead(get)(id, done))

    held.release()
    await broken.promise
    await pass(2000)

    const { status, body } = await response
    sessions.get = get
    expect({ status, body: body as unknown }).toMatchObject(failed(way))
    if (way === 'renewal') expect(bodyOf<Page>({ body }).user).toEqual(user)
    expect(JSON.stringify(body)).not.toContain('secret')
    expect(usersIn(sessions)).toEqual([])
  })

  it.each<[string, SessionStore['set']]>([
    ['fails', (_id, _session, done) => done?.(new Error('disk full'))],
    ['throws', fail],
  ])('is as before if saving it %s', async (_case, set) => {
    const { agent, start, sessions, user } = await openSession({ routes })
    const original = sessions.set
    sessions.set = (id, session, done) => {
      sessions.set = original
      return set(id, session, done)
    }

    const response = start(way)

    expect(await response).toMatchObject(failed(way))
    expect((await pageOf(agent)).stored).toEqual(user)
  })

  it('stays signed out if the shopper signs out while saving it fails', async () => {
    const { agent, start, sessions } = await openSession({ routes })
    const { set } = sessions
    sessions.set = (_id, _session, done) => {
      sessions.set = set
      void agent.post('/logout').then(() => done?.(new Error('down')))
    }

    expect(await start(way)).toMatchObject(failed(way))
    expect(usersIn(sessions)).toEqual([])
  })

  it('keeps what this request put into it, unless another request changed the same key', async () => {
    const { agent, start, simulator } = await openSession({
      routes: (app, strategy) => {
        app.use(['/only-switch', '/fresh'], (req, _res, next) => {
          Object.assign(req.session, { mine: 'mine', basket: 'mine' })
          next()
        })
        routes(app, strategy)
        app.get('/fresh-too', strategy.keepFresh(), (req, res) => res.json({ user: req.user }))
        app.get('/all', (req, res) => res.json(req.session))
      },
    })
    const held = simulator.hold('renewal')
    const response = way === 'switch' ? start(way) : agent.get('/fresh-too').then()
    await held.arrived
    await agent.post('/basket')
    held.release()
    await response

    expect(bodyOf(await agent.get('/all'))).toMatchObject({ basket: 'a basket', ...(way === 'switch' ? { mine: 'mine' } : {}) })
  })
})

function fail(): never {
  throw new Error('no store')
}
