import { EventEmitter } from 'node:events'
import express, { type RequestHandler } from 'express'
import { Passport } from 'passport'
import { Strategy as CustomStrategy } from 'passport-custom'
import supertest from 'supertest'
import { ADA, createStrategy, nextDiagnostic, openShop } from '../support/shop'
import { authenticate } from './support'

const used = {
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what limiters reject with
  consume: () => Promise.reject({ consumedPoints: 11, msBeforeNext: 899_001 }),
  reward: () => Promise.resolve(),
}

describe('The header Retry-After', () => {
  const guess = { username: ADA, otp: 'wrong1' }

  test("goes with Passport's own 429, and not with its 401", async () => {
    const limited = await openShop({ options: { limiter: used } })
    await limited.browser().post('/plain/login').send(guess).expect(429).expect('Retry-After', '900')
    const { browser } = await openShop()
    const { headers } = await browser().post('/plain/login').send(guess).expect(401)
    expect(headers).not.toHaveProperty('retry-after')
  })

  test("goes with a callback's 429, and keeps what the callback set", async () => {
    const { submit, strategy } = await openShop({ options: { limiter: used } })
    const message = 'Too many attempts. Wait a moment, then try again.'
    const info = { code: 'too_many_attempts', message, retryAfter: 900 }
    await submit().expect(429, info).expect('Retry-After', '900')
    await supertest(appOf(strategy, (res) => res.status(429).set('Retry-After', '5').end()))
      .post('/')
      .send(guess)
      .expect('Retry-After', '5')
  })

  test.each<[string, object, number]>([
    ['the redirect of failureRedirect', { failureRedirect: '/login' }, 302],
    ['the page of a second strategy that signs in', {}, 200],
  ])('does not go with %s', async (_what, options, status) => {
    const { strategy } = await openShop({ options: { limiter: used } })
    const passport = new Passport()
      .use(strategy)
      .use('second', new CustomStrategy((_req, done) => done(null, { id: 1 })))
    const strategies = status === 302 ? [strategy.name] : [strategy.name, 'second']
    const app = express().use(express.json())
    app.post(
      '/',
      passport.authenticate(strategies, { session: false, ...options }) as RequestHandler,
      (_req, res) => void res.sendStatus(200),
    )
    const { headers } = await supertest(app).post('/').send(guess).expect(status)
    expect(headers).not.toHaveProperty('retry-after')
  })

  function appOf(strategy: Parameters<typeof authenticate>[0], answer: (res: express.Response) => unknown) {
    const passport = new Passport().use(strategy)
    return express().use(express.json(), (req, res, next) => {
      void (passport.authenticate(strategy.name, () => answer(res)) as RequestHandler)(req, res, next)
    })
  }
})

describe("A request that is not Express's own", () => {
  const open = async (options = {}) => {
    const { simulator } = await openShop()
    const strategy = createStrategy(simulator, { options })
    return { simulator, strategy, body: { username: ADA, otp: simulator.issueCode(ADA) } }
  }

  test.each<[string, object]>([
    ['only a body', {}],
    ['the response of Koa or Lambda', { res: { statusCode: 404, headersSent: false } }],
  ])('signs in with %s', async (_what, rest) => {
    const { strategy, body } = await open()
    const { success } = await authenticate(strategy, { body, ...rest })
    expect(success).toMatchObject([{ username: ADA }, { totalAccounts: 1 }])
    const { fail } = await authenticate(strategy, { body: {}, ...rest })
    expect(fail).toStrictEqual([{ code: 'missing_credentials', message: expect.any(String) as string }, 400])
  })

  test('gets the seconds to wait with the info', async () => {
    const { strategy, body } = await open({ limiter: used })
    const { fail } = await authenticate(strategy, {
      body,
      res: { headersSent: true, writeHead: () => undefined },
    })
    expect(fail).toMatchObject([{ code: 'too_many_attempts', retryAfter: 900 }, 429])
  })

  test('has an error if its success throws, and no next that could receive it', async () => {
    const { strategy, body } = await open()
    const thrown = new Error('The session is full')
    const success = () => {
      throw thrown
    }
    expect(await authenticate(strategy, { body }, { success })).toEqual({ error: [thrown] })
    const next = new Promise(
      (resolve) => void authenticate(strategy, { body: {}, next: resolve }, { fail: success }),
    )
    expect(await next).toBe(thrown)
  })

  test('does not keep close() waiting if its response throws when a listener is removed', async () => {
    const { strategy, body } = await open()
    const off = () => {
      throw new Error('not supported')
    }
    await authenticate(strategy, { body, res: { on: () => undefined, off } })
    await strategy.close()
  })

  test('removes its listeners from a socket, which other requests will use', async () => {
    const { strategy, body } = await open()
    const socket = new EventEmitter()
    await authenticate(strategy, { body, socket })
    await authenticate(strategy, { body: { username: ADA, otp: 'wrong1' }, socket })
    expect(socket.eventNames()).toEqual([])
  })

  test.each([
    ['its response closes, and not its socket', { res: new EventEmitter(), socket: new EventEmitter() }],
    ['its socket closes, if its response is no emitter', { res: {}, socket: new EventEmitter() }],
  ])('ends when %s', async (_what, { res, socket }) => {
    const { strategy, body, simulator } = await open()
    const held = simulator.hold('exchange')
    const ended = authenticate(strategy, { body, res, socket })
    await held.arrived
    const [closing, other] = res instanceof EventEmitter ? [res, socket] : [socket, undefined]
    expect(other?.eventNames() ?? []).toEqual([])
    const told = nextDiagnostic({ operation: 'sign-in', code: 'request_aborted' })
    closing.emit('close')
    await told
    expect(await ended).toMatchObject({ error: [{ code: 'request_aborted', status: 499 }] })
  })

  test('gets its own outcome, although the strategy object is used for two requests at once', async () => {
    const { strategy, simulator, body } = await open()
    const held = simulator.hold('exchange')
    const first = authenticateWith(strategy, body)
    await held.arrived
    const second = authenticateWith(strategy, {})
    held.release()
    expect([await first, await second]).toEqual(['success', 'fail'])
  })

  /** Passport does not copy a strategy that is passed as an object. */
  function authenticateWith(strategy: Parameters<typeof authenticate>[0], body: object): Promise<string> {
    return new Promise((resolve) => {
      const outcomes = {
        success: () => resolve('success'),
        fail: () => resolve('fail'),
        error: () => resolve('error'),
      }
      Object.assign(strategy, outcomes)
      strategy.authenticate.call(strategy as never, { body } as never, {})
    })
  }
})

describe('The messages of failures', () => {
  test("are the app's own, and English for those that it leaves out", async () => {
    const { submit } = await openShop({ options: { messages: { invalid_credentials: 'Falscher Code.' } } })
    await submit({ otp: 'wrong1' }).expect(401, { code: 'invalid_credentials', message: 'Falscher Code.' })
    await submit({ otp: '' }).expect(400, /Enter your username/)
  })
})
