import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import cookieSession from 'cookie-session'
import type { Request, RequestHandler } from 'express'
import expressSession, { type SessionData } from 'express-session'
import passport from 'passport'
import type { PasswordlessOtpUser } from '../../lib'
import { deferred, HOUR, pass, SECOND as ONE_SECOND } from '../support/clock'
import { bodyOf, pageOf, type Page, type ShopSetup } from '../support/shop'
import { failed, openActiveShopper, SECOND, SessionStore, tokenOf, WAYS } from './support'
import { compareErrors, recordError } from '../support/errors'

compareErrors()

type Done = (error: unknown, result?: unknown) => void

/** Pages that put something into the session. */
const routes: ShopSetup['routes'] = (app, strategy) => {
  app.post('/map', (req, res) => {
    const held = req.session as unknown as { map?: Map<string, number> }
    held.map = new Map([...(held.map ?? []), ['seen', held.map?.size ?? 0]])
    res.json([...held.map])
  })
  app.post('/fresh-basket', strategy.keepFresh(), (req, res) => {
    Object.assign(req.session, { basket: 'a basket' })
    res.sendStatus(204)
  })
}

describe.each(WAYS)('the session at a %s', (way) => {
  it('keeps its id and its other contents, and is saved before the response', async () => {
    const { agent, start, sessions } = await openActiveShopper({ routes })
    await agent.post('/basket')
    const before = await pageOf(agent)

    const response = await start(way)

    const { user } = bodyOf<Page>(response)
    expect(sessions.users).toEqual([user])
    const after = await pageOf(agent)
    expect(after).toEqual({ ...before, user, stored: user })
    expect(tokenOf(after.user)).not.toBe(tokenOf(before.user))
  })

  it('keeps what other requests put into it during the call to Elastic Path, a Map included', async () => {
    const { agent, start, simulator } = await openActiveShopper({ routes })
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

  // The reads are: when the session is loaded, at the start of the handler, and before the write.
  it.each([
    ['keeps what another request stored before the last read', 0, 'a basket'],
    [
      'loses at most the last write of another request if the last read is from a replica that lags',
      1,
      undefined,
    ],
  ])('%s', async (_case, lag, basket) => {
    const { agent, start, sessions } = await openActiveShopper({ routes })
    await agent.post('/map')
    sessions.onRead(3, (id, done) => void agent.post('/basket').then(() => sessions.read(id, lag, done)))

    const { user } = bodyOf<Page>(await start(way))

    const page = await pageOf(agent)
    expect([page.user, page.basket]).toEqual([user, basket])
    expect(bodyOf(await agent.post('/map'))).toEqual([['seen', 1]])
  })

  it.each<[string, (read: SessionStore['get']) => SessionStore['get']]>([
    ['finds no session', (read) => read],
    [
      'reports ENOENT',
      (read) => (id, done) => read(id, (error, found) => done(error ?? (found ? null : missing), found)),
    ],
  ])('stays signed out if the shopper signs out in the meantime, and the store %s', async (_case, wrap) => {
    const { sessions, ...setup } = longLived()
    sessions.get = wrap(sessions.get)
    const { agent, start, simulator } = await openActiveShopper(setup)
    await agent.post('/basket')
    const { sessionId } = await pageOf(agent)
    const held = simulator.hold('renewal')
    const response = start(way)
    await held.arrived

    await agent.post('/logout').expect(204)
    held.release()

    expect(await response).toMatchObject(
      way === 'switch'
        ? { status: 401, body: { code: 'not_signed_in' } }
        : { status: 200, body: { user: null, stored: null } },
    )
    expect(bodyOf(await response)).not.toHaveProperty('basket')
    // The browser has the cookie of a new session.
    expect((await response).headers).not.toHaveProperty('set-cookie')
    expect(await stored(sessions, sessionId)).toBeNull()
    expect(sessions.users).toEqual([])
  })

  it.each<[string, (read: SessionStore['get']) => SessionStore['get']]>([
    ['fails', () => (_id, done) => done(new Error('redis://secret@host'))],
    ['fails with a string', () => (_id, done) => done('redis://secret@host')],
    ['throws', () => fail],
    ['rejects', () => () => Promise.reject(new Error('down'))],
    ['never responds', () => () => undefined],
    [
      'responds twice',
      (read) => (id, done) => {
        done(new Error('down'))
        return read(id, done)
      },
    ],
  ])('stays signed out if the shopper signs out while a read %s', async (_case, breakRead) => {
    const { agent, start, sessions, simulator, user } = await openActiveShopper({ routes })
    const { get } = sessions
    const held = simulator.hold('renewal')
    const response = start(way)
    await held.arrived
    await agent.post('/logout').expect(204)
    const broken = deferred()
    sessions.get = (id, done) => {
      broken.resolve()
      return breakRead(get)(id, done)
    }

    held.release()
    await broken.promise
    await pass(2000)

    const { status, body } = (await response) as { status: number; body: unknown }
    sessions.get = get
    expect({ status, body }).toMatchObject(failed(way))
    if (way === 'renewal') expect(bodyOf<Page>({ body }).user).toEqual(user)
    expect(JSON.stringify(body)).not.toContain('secret')
    expect(sessions.users).toEqual([])
  })

  it.each<[string, (save: SessionStore['set']) => SessionStore['set']]>([
    ['fails', () => (_id, _session, done) => done?.(new Error('redis://secret@host'))],
    ['fails with a string', () => (_id, _session, done) => done?.('redis://secret@host')],
    ['throws', () => fail],
    [
      'fails after it was written',
      (save) => (id, kept, done) => save(id, kept, () => done?.(new Error('down'))),
    ],
  ])('is as before if saving it %s', async (_case, breakSave) => {
    const { agent, start, sessions, user } = await openActiveShopper({ routes })
    const original = sessions.set
    sessions.set = (id, session, done) => {
      sessions.set = original
      return breakSave(original)(id, session, done)
    }

    const response = start(way)

    expect(await response).toMatchObject(failed(way))
    expect((await response).text).not.toContain('secret')
    expect((await pageOf(agent)).stored).toEqual(user)
  })

  it('keeps what another request stores while saving it fails', async () => {
    const { agent, start, sessions } = await openActiveShopper({ routes })
    const { set } = sessions
    sessions.set = (_id, _session, done) => {
      sessions.set = set
      void agent.post('/basket').then(() => done?.(new Error('down')))
    }

    expect(await start(way)).toMatchObject(failed(way))
    expect((await pageOf(agent)).basket).toBe('a basket')
  })

  it.each<[string, (sessions: SessionStore) => void]>([
    ['fails', () => undefined],
    ['and reading it fail', (sessions) => (sessions.get = (_id, done) => done(new Error('down')))],
  ])('stays signed out if the shopper signs out while saving it %s', async (_case, breakRead) => {
    const { agent, start, sessions } = await openActiveShopper({ routes })
    const { get, set } = sessions
    sessions.set = (_id, _session, done) => {
      sessions.set = set
      void agent.post('/logout').then(() => {
        breakRead(sessions)
        done?.(new Error('down'))
      })
    }

    expect(await start(way)).toMatchObject(failed(way))
    sessions.get = get
    expect(sessions.users).toEqual([])
  })

  it('stays signed out if the shopper signs out while saving it takes longer than the timeout', async () => {
    const { agent, start, sessions } = await openActiveShopper({ routes })
    const { set } = sessions
    const signedOut = deferred()
    sessions.set = () => {
      sessions.set = set
      void agent.post('/logout').then(() => signedOut.resolve())
    }
    const response = start(way)
    await signedOut.promise

    await pass(10 * ONE_SECOND)

    expect(await response).toMatchObject(failed(way, 500, 'app_timeout'))
    expect(sessions.users).toEqual([])
  })

  it('keeps what this request put into it, unless another request changed the same key', async () => {
    const own: RequestHandler = (req, _res, next) => {
      Object.assign(req.session, { mine: 'mine', basket: 'mine' })
      next()
    }
    const { agent, simulator } = await openActiveShopper({
      routes(app, strategy) {
        app.post('/own/switch', own, strategy.switchAccount(), (_req, res) => res.sendStatus(204))
        app.post('/own/renewal', own, strategy.keepFresh(), (_req, res) => res.sendStatus(204))
        app.get('/session', (req, res) => res.json(req.session))
      },
    })
    const held = simulator.hold('renewal')
    const response = agent.post(`/own/${way}`).send({ account_id: SECOND.id }).then()
    await held.arrived
    await agent.post('/basket')
    held.release()
    await response

    expect(bodyOf(await agent.get('/session'))).toMatchObject({ mine: 'mine', basket: 'a basket' })
  })

  it.each<[string, (user: PasswordlessOtpUser) => object]>([
    ['no session', () => ({})],
    ['a session that is null', () => ({ session: null })],
    ['a session without Passport', () => ({ session: {} })],
    ['a session of a guest', () => ({ session: { passport: {} } })],
    ['a session of a guest in a store', () => ({ ...inStore({ passport: {} }), session: { passport: {} } })],
    ['a session in no store', (user) => ({ session: { passport: { user } } })],
    [
      'a store without get',
      (user) => ({ session: { passport: { user } }, sessionID: 'id', sessionStore: {} }),
    ],
    [
      'a save that calls nothing',
      (user) => ({ session: { passport: { user }, save: () => Promise.resolve() } }),
    ],
    ['a save that calls back twice', (user) => ({ session: { passport: { user }, save: callTwice } })],
    [
      'the default Passport instance',
      (user) => ({ session: { passport: { user } }, _sessionManager: sessionManager }),
    ],
  ])('puts the new user on the request with %s', async (_case, session) => {
    const { strategy, user } = await openActiveShopper()
    const req = { user, body: { account_id: SECOND.id }, ...session(user) }
    const handler = way === 'switch' ? strategy.switchAccount() : strategy.keepFresh()

    expect(await callHandler(handler, req)).toBeUndefined()

    expect(tokenOf(req.user)).not.toBe(tokenOf(user))
    const { passport: stored } = (req as { session?: { passport?: { user?: unknown } } }).session ?? {}
    if (stored?.user) expect(stored.user).toEqual(req.user)
  })

  it.each<[string, object]>([
    ['rejects', { save: () => Promise.reject(new Error('down')) }],
    [
      'rejects with a code',
      { save: () => Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' })) },
    ],
    ['fails with text', { save: (done: (error: unknown) => void) => done('redis://user:password@host') }],
    ['throws', { save: fail }],
  ])('changes nothing if a save without a session store %s', async (_case, broken) => {
    const { strategy, user } = await openActiveShopper()
    const req = { user, body: { account_id: SECOND.id }, session: { passport: { user }, ...broken } }
    const handler = way === 'switch' ? strategy.switchAccount() : strategy.keepFresh()

    const error = await callHandler(handler, req)

    expect(error).toEqual(way === 'switch' ? expect.objectContaining({ code: 'session_failed' }) : undefined)
    expect(req).toMatchObject({ user, session: { passport: { user } } })
  })

  it('works in a cookie', async () => {
    const { agent, start, user } = await openActiveShopper({
      sessionMiddleware: [cookieSession({ secret: 'a test' }), completeSession] as unknown as RequestHandler,
    })

    const response = await start(way)

    const page = await pageOf(agent)
    expect(page.stored).toEqual(bodyOf<Page>(response).user)
    expect(tokenOf(page.user)).not.toBe(tokenOf(user))
  })

  it('ends with an error at the timeout, or serves the page, if saving it never ends', async () => {
    const { strategy, user } = await openActiveShopper()
    const saving = deferred()
    const session = { passport: { user }, save: () => saving.resolve() }
    const req = { user, body: { account_id: SECOND.id }, session }
    const ended = callHandler(way === 'switch' ? strategy.switchAccount() : strategy.keepFresh(), req)
    await saving.promise

    await pass(10 * ONE_SECOND)

    expect(await ended).toEqual(
      way === 'switch' ? expect.objectContaining({ code: 'app_timeout' }) : undefined,
    )
    if (way === 'switch') expect(req.user).toEqual(user)
    else expect(tokenOf(req.user)).not.toBe(tokenOf(user))
    expect(session.passport.user).toEqual(req.user)
  })
})

describe('the session at a renewal that verify refuses', () => {
  it('keeps its id if it is new and the user comes from elsewhere', async () => {
    let blocked = false
    const { strategy, user } = await openActiveShopper({ verify: (user) => !blocked && user })
    blocked = true
    const req = { user, ...inStore(null), session: { basket: 'a basket' } }

    await callHandler(strategy.keepFresh(), req)

    expect(req).toMatchObject({ user: undefined, sessionID: 'id', session: { basket: 'a basket' } })
  })

  it.each<[string, SessionStore['get']]>([
    ['fails', (_id, done) => done(new Error('down'))],
    ['never responds', () => undefined],
  ])('is signed out, and so is the page, if a read %s', async (_case, get) => {
    let blocked = false
    const verify = (user: object) => !blocked && user
    const { agent, sessions, start } = await openActiveShopper({ verify })
    blocked = true
    const broken = deferred()
    // The reads are: when the session is loaded, at the start of the handler, and before the sign-out.
    sessions.onRead(3, (id, done) => {
      broken.resolve()
      return get(id, done)
    })
    const response = start('renewal')
    await broken.promise
    await pass(2 * ONE_SECOND)

    expect(bodyOf<Page>(await response)).toMatchObject({ user: null, stored: null })
    expect(sessions.users).toEqual([])
    expect((await pageOf(agent)).user).toBeNull()
  })

  it('is not created again if the shopper signs out in the meantime', async () => {
    let blocked = false
    const { sessions, ...setup } = longLived()
    const verify = (user: object) => !blocked && user
    const { agent, start, simulator } = await openActiveShopper({ ...setup, verify })
    blocked = true
    await agent.post('/basket')
    const { sessionId } = await pageOf(agent)
    const held = simulator.hold('renewal')
    const response = start('renewal')
    await held.arrived
    await agent.post('/logout').expect(204)

    held.release()

    expect(bodyOf(await response)).toMatchObject({ user: null, stored: null })
    expect((await response).headers).not.toHaveProperty('set-cookie')
    expect(await stored(sessions, sessionId)).toBeNull()
  })
})

describe('the session at a switch', () => {
  it.each(['serializeUser', 'deserializeUser'] as const)(
    'stays as it is, and the error names %s, if that never ends',
    async (name) => {
      const { strategy, user } = await openActiveShopper()
      const called = deferred()
      const instance = {
        serializeUser: (_user: unknown, _req: unknown, done: Done) => done(null, 'key'),
        deserializeUser: (_key: unknown, _req: unknown, done: Done) => done(null, user),
        [name]: () => called.resolve(),
      }
      const session = { passport: { user } }
      const req = {
        user,
        body: { account_id: SECOND.id },
        session,
        _passport: { instance },
        _sessionManager: {},
      }
      const ended = callHandler(strategy.switchAccount(), req)
      await called.promise

      await pass(10 * ONE_SECOND)

      expect(await ended).toMatchObject({
        code: 'app_timeout',
        message: expect.stringContaining(`The app's own ${name} did not finish`) as string,
      })
      expect(req).toMatchObject({ user, session: { passport: { user } } })
    },
  )

  it('is as before if saving it is reported too late', async () => {
    const { agent, start, sessions, user } = await openActiveShopper()
    const { set } = sessions
    const saved = deferred()
    sessions.set = (id, session) => {
      sessions.set = set
      return set(id, session, () => saved.resolve())
    }
    const response = start('switch')
    await saved.promise

    await pass(10 * ONE_SECOND)

    expect(await response).toMatchObject(failed('switch', 500, 'app_timeout'))
    expect((await pageOf(agent)).stored).toEqual(user)
  })

  it('keeps what this request changes between keepFresh and the switch', async () => {
    const change: RequestHandler = (req, _res, next) => {
      Object.assign(req.session, { basket: 'mine' })
      next()
    }
    const { agent, simulator } = await openActiveShopper({
      routes(app, strategy) {
        const handlers = [strategy.keepFresh(), change, strategy.switchAccount()]
        app.post('/changed-switch', ...handlers, (_req, res) => res.sendStatus(204))
      },
    })
    const held = simulator.hold('renewal', { times: 1 })
    const response = agent.post('/changed-switch').send({ account_id: SECOND.id }).then()
    await held.arrived
    await agent.post('/basket')
    held.release()

    expect((await response).status).toBe(204)
    expect((await pageOf(agent)).basket).toBe('mine')
  })

  it('keeps what another request adds while both wait two seconds for a renewal', async () => {
    const { agent, simulator } = await openActiveShopper({ routes })
    const renewal = simulator.hold('renewal', { times: 1 })
    const switching = simulator.hold('renewal', { after: 1 })
    const basket = agent.post('/fresh-basket').then()
    const switched = agent.post('/switch').send({ account_id: SECOND.id }).then()
    await renewal.arrived

    await pass(2 * ONE_SECOND)
    await basket
    await switching.arrived
    switching.release()
    await switched
    renewal.release()

    expect(await pageOf(agent)).toMatchObject({ basket: 'a basket', user: { account: SECOND } })
  })

  it('keeps what another request adds while the body arrives, because the body is read before the session', async () => {
    const { browser, cookie, url } = await openActiveShopper()
    const body = JSON.stringify({ account_id: SECOND.id })
    const headers = {
      cookie,
      expect: '100-continue',
      'content-type': 'application/json',
      'content-length': body.length,
    }
    const switching = request(`${url}/switch`, { method: 'POST', headers })
    switching.flushHeaders()
    // The app handles the request now.
    await once(switching, 'continue')
    await browser().post('/basket').set('Cookie', cookie)

    switching.end(body)
    const [response] = (await once(switching, 'response')) as [IncomingMessage]
    response.resume()

    expect(response.statusCode).toBe(200)
    expect(bodyOf(await browser().get('/me').set('Cookie', cookie))).toMatchObject({
      basket: 'a basket',
      user: { account: SECOND },
    })
  })
})

function fail(): never {
  throw new Error('no store')
}

/** The error of a store in files for a session that does not exist. */
const missing = Object.assign(new Error('no such file'), { code: 'ENOENT' })

/** Sessions whose cookies are sent with each change, because they have a maximum age. */
function longLived() {
  const sessions = new SessionStore()
  const options = { secret: 'a test', resave: false, saveUninitialized: false }
  const sessionMiddleware = expressSession({ ...options, store: sessions, cookie: { maxAge: HOUR } })
  return { sessions, sessionMiddleware }
}

/** What a store holds under the id of a session. */
function stored(sessions: SessionStore, id: string): Promise<SessionData | null | undefined> {
  return new Promise((resolve) => void sessions.read(id, 0, (_error, found) => resolve(found)))
}

function callTwice(done: () => void): void {
  done()
  done()
}

/** A request's session as it is in its store. */
function inStore(stored: object | null): object {
  return {
    sessionID: 'id',
    sessionStore: { get: (_id: string, done: (error: null, found: unknown) => void) => done(null, stored) },
  }
}

const { _sm: sessionManager } = passport as unknown as { _sm: unknown }
passport.serializeUser((user, done) => done(null, user))
passport.deserializeUser<Express.User>((user, done) => done(null, user))

/** What Passport expects of a session, and cookie-session does not have. */
const completeSession: RequestHandler = (req, _res, next) => {
  const callBack = (done: () => void): void => done()
  for (const method of ['regenerate', 'save']) {
    Object.defineProperty(req.session, method, { value: callBack, configurable: true })
  }
  next()
}

/** Calls a handler with a request of another framework. Resolves with what it passed to `next`. */
function callHandler(handler: RequestHandler, req: object): Promise<unknown> {
  return new Promise((resolve) => {
    const next = (error?: unknown): void => {
      recordError(error)
      resolve(error)
    }
    void handler(req as Request, {} as never, next)
  })
}
