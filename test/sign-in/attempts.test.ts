import cookieSession from 'cookie-session'
import type { RequestHandler } from 'express'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { controlClock, deferred, MINUTE, pass, SECOND } from '../support/clock'
import {
  ADA,
  createStrategy,
  GRACE,
  nextDiagnostic,
  openShop,
  SECRET_KEY,
  type ShopSetup,
} from '../support/shop'
import { authenticate, servicesBehind } from './support'
import { compareErrors } from '../support/errors'

compareErrors()

const WINDOW = 15 * MINUTE
const guess = { username: ADA, otp: 'wrong1' }
const limiterOf = (points: number) => new RateLimiterMemory({ points, duration: 900 })

const cookieOf = ({ headers }: Response): string =>
  headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ')

/** A browser: posts a form, keeps cookies and returns the status. It is quicker than supertest. */
function visitor(url: string, cookie = '') {
  return async (path: '/code' | '/login', fields: object): Promise<number> => {
    const headers = { 'content-type': 'application/json', cookie }
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(fields) })
    await response.arrayBuffer()
    cookie = cookieOf(response) || cookie
    return response.status
  }
}

/** The cookie of a session in a cookie that has requested a code. */
async function cookieWithTicket(url: string): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  return cookieOf(
    await fetch(`${url}/code`, { method: 'POST', headers, body: JSON.stringify({ username: ADA }) }),
  )
}

const times = <T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)))

describe('Without any option', () => {
  test.each([1, 50])('300 guesses, %i at once, cost ten exchanges', async (atOnce) => {
    const { simulator } = await openShop()
    const strategy = createStrategy(simulator)
    for (let i = 0; i < 300; i += atOnce) await times(atOnce, () => authenticate(strategy, { body: guess }))
    expect(simulator.count('exchange')).toBe(10)
    const { fail } = await authenticate(strategy, { body: { ...guess, otp: simulator.issueCode(ADA) } })
    expect(fail).toMatchObject([{ code: 'too_many_attempts', retryAfter: expect.any(Number) as number }, 429])
  })

  test('spellings of one username share their attempts, and other usernames have their own', async () => {
    const { submit, simulator } = await openShop()
    const spellings = ['buyer', 'BUYER', 'ｂｕｙｅｒ', 'bu\u0301yer', 'bu\u200byer', 'buyer\0']
    for (const username of spellings) await times(3, () => submit({ username, otp: 'wrong1' }))
    expect(simulator.count('exchange')).toBe(10)
    await submit({ username: 'buyer-2', otp: 'wrong1' }).expect(401)
  })
})

describe('An attempt', () => {
  test('is not limited if the limiter is off', async () => {
    const { submit, simulator } = await openShop({ options: { limiter: false } })
    await times(12, () => submit(guess).expect(401))
    expect(simulator.count('exchange')).toBe(12)
  })

  test("is counted by the app's limiter, which sees no username", async () => {
    const limiter = limiterOf(1)
    const consume = jest.spyOn(limiter, 'consume')
    const { submit } = await openShop({ options: { limiter } })
    await submit(guess).expect(401)
    await submit().expect(429)
    expect(consume.mock.calls.map(([key]) => key)).toEqual([
      expect.stringMatching(/^sign-in:[\w-]{43}$/),
      consume.mock.calls[0]?.[0],
    ])
  })

  test.each([{ status: 503 }, 'html', 'truncated', { status: 403 }, { rateLimited: 60 }] as const)(
    'is given back if Elastic Path fails with %j',
    async (fault) => {
      const { submit, simulator, errors } = await openShop({ options: { limiter: limiterOf(1) } })
      simulator.fault('exchange', fault, { times: 3 })
      for (let i = 0; i < 3; i++) await submit()
      expect(errors).toHaveLength(3)
      await submit(guess).expect(401)
      await submit(guess).expect(429)
    },
  )

  test('is given back if Elastic Path does not respond', async () => {
    controlClock()
    const { submit, simulator } = await openShop({ options: { limiter: limiterOf(1) } })
    const held = simulator.hold('exchange')
    const response = submit(guess).then(({ status }) => status)
    await held.arrived
    await pass(10 * SECOND)
    expect(await response).toBe(504)
    held.release()
    await submit().expect(200)
  })

  test('is not given back if the client leaves before the response, because it could be a guess', async () => {
    const { submit, simulator } = await openShop({ options: { limiter: limiterOf(1) } })
    const held = simulator.hold('exchange')
    const leaving = submit(guess)
    leaving.end(() => undefined)
    await held.arrived
    const left = nextDiagnostic({ operation: 'sign-in', code: 'request_aborted' })
    leaving.abort()
    await left
    held.release()
    await submit().expect(429)
  })

  test('with a right code is given back alone, whichever account it names', async () => {
    const { submit } = await openShop({ options: { limiter: limiterOf(2) } })
    await submit(guess).expect(401)
    for (let i = 0; i < 3; i++) await submit({ account_id: 'strange' }).expect(403)
    for (let i = 0; i < 3; i++) await submit().expect(200)
    await submit(guess).expect(401)
    await submit().expect(429)
  })

  const result = { consumedPoints: 1, msBeforeNext: 1000 }
  const secret = new Error('redis://user:hush-hush@cache is down')
  test.each([
    ['fails', () => Promise.reject(secret), 'limiter_failed'],
    [
      'throws',
      () => {
        throw secret
      },
      'limiter_failed',
    ],
    ['does not count', () => Promise.resolve({}), 'limiter_unsuitable'],
  ])('fails and is not allowed if the limiter %s', async (_what, consume, code) => {
    const limiter = { consume: consume as () => Promise<typeof result>, reward: () => Promise.resolve() }
    const { submit, simulator, errors } = await openShop({ options: { limiter } })
    await submit().expect(500)
    expect(errors).toMatchObject([{ code }])
    expect(String((errors[0] as Error).stack)).not.toContain('hush-hush')
    expect(simulator.requests).toEqual([])
  })

  test('is an error if the limiter does not respond for a second', async () => {
    controlClock()
    const asked = deferred()
    const consume = () => new Promise<never>(() => asked.resolve())
    const { submit } = await openShop({ options: { limiter: { consume, reward: () => Promise.resolve() } } })
    const response = submit().then(({ body }) => body as unknown)
    await asked.promise
    await pass(1000)
    expect(await response).toMatchObject({
      code: 'limiter_failed',
      message: expect.stringContaining('within 1000 ms') as unknown,
    })
  })

  test.each([
    () => Promise.reject(secret),
    () => {
      throw secret
    },
  ])('that the limiter cannot give back changes neither a success nor an outage: %p', async (reward) => {
    const limiter = { consume: () => Promise.resolve(result), reward }
    const { submit, simulator } = await openShop({ options: { limiter } })
    await submit().expect(200)
    simulator.fault('exchange', { status: 503 })
    await submit().expect(502, /upstream_error/)
  })
})

describe('Strangers', () => {
  beforeEach(() => controlClock())
  // With SHOPPERS=25 --testTimeout=120000, the tests show 100 of 100.
  const count = Number(process.env['SHOPPERS'] ?? 1)
  const members = Array.from({ length: count }, (_, i) => ({ username: `shopper-${i}@example.com` }))
  const end = () => Date.now() + 10 * MINUTE

  const proofOf = (strategy: Parameters<typeof servicesBehind>[0], username: string, until = end()) => {
    const { proofs } = servicesBehind(strategy)
    proofs.addKey(SECRET_KEY)
    return proofs.make(username, until)
  }

  test.each([
    ['the browser that asked before them', true],
    ['another device with the proof of the newest mail, although they asked first', false],
  ])('cannot keep %s from signing in, every time in four windows', async (_who, shopperAsks) => {
    const { url, strategy, simulator } = await openShop({ store: { members } })
    const statuses: number[] = []
    /** Some strangers have no session, some asked for another username, and some for this one. */
    async function attack(username: string, i: number): Promise<void> {
      const session = i < 2 ? undefined : {}
      const asked = i < 5 && shopperAsks ? GRACE : username
      await strategy.createOtpRequest(asked, { session }).catch(() => undefined)
      for (let n = 0; n < 4; n++) await authenticate(strategy, { body: { username, otp: 'wrong1' }, session })
    }
    for (let window = 0; window < 4; window++) {
      const shoppers = members.map(({ username }) => ({ username, post: visitor(url) }))
      if (shopperAsks) await Promise.all(shoppers.map(({ username, post }) => post('/code', { username })))
      await pass(31 * SECOND)
      for (const { username, post } of shoppers) {
        await times(10, (i) => attack(username, i))
        const proof = shopperAsks ? undefined : proofOf(strategy, username)
        statuses.push(await post('/login', { username, otp: simulator.lastCode(username), proof }))
      }
      await pass(WINDOW)
    }
    expect(statuses).toEqual(Array.from({ length: 4 * count }, () => 200))
  })

  const sessionInCookie: RequestHandler = (req, res, next) => {
    cookieSession({ name: 'shop', keys: ['a test'] })(req, res, () => {
      // Passport begins a new session at a sign-in, which cookie-session cannot.
      const resolve = { value: (done: () => void) => done() }
      Object.defineProperties(req.session, { regenerate: resolve, save: resolve })
      next()
    })
  }

  test('share no exchange, but one session in a cookie exchanges a code once', async () => {
    const { url, simulator } = await openShop({ sessionMiddleware: sessionInCookie })
    const post = visitor(url)
    await post('/code', { username: ADA })
    const fields = { username: ADA, otp: simulator.lastCode(ADA) }
    const held = simulator.hold('exchange')
    const both = [post('/login', fields), post('/login', fields)]
    await held.arrived
    held.release()
    expect(await Promise.all(both)).toEqual([200, 200])
    expect(simulator.count('exchange')).toBe(1)
  })

  test('that only send a cookie have no session in it', async () => {
    const { url } = await openShop({ sessionMiddleware: sessionInCookie })
    expect(await visitor(url, 'shop=forged')('/login', guess)).toBe(401)
  })

  test.each<[string, ShopSetup]>([
    ['sessions in a store', {}],
    ['sessions in cookies', { sessionMiddleware: sessionInCookie }],
  ])('get 25 exchanges in each window together, and one of them 15, with %s', async (_kind, setup) => {
    const { url, simulator } = await openShop(setup)
    const exchanged = async (work: () => Promise<unknown>) => {
      const before = simulator.count('exchange')
      await work()
      return simulator.count('exchange') - before
    }
    for (let window = 0; window < 2; window++) {
      const guessAndReplay = async (i: number, guesses: number) => {
        const stranger = visitor(url)
        await stranger('/code', { username: ADA })
        for (let n = 0; n < guesses; n++)
          await stranger('/login', { ...guess, otp: `wrong${n}`, proof: `forged${i}` })
      }
      expect(await exchanged(() => guessAndReplay(0, 16))).toBe(15)
      const others = async () => {
        await times(5, (i) => guessAndReplay(i, 6))
        await pass(31 * SECOND)
        await times(5, (i) => guessAndReplay(i, 6))
      }
      expect(await exchanged(others)).toBe(10)
      await pass(WINDOW)
    }
  })

  test('cannot take the ticket of a shopper who asks for another code', async () => {
    const { url, simulator } = await openShop()
    const [shopper, ...strangers] = Array.from({ length: 3 }, () => visitor(url))
    for (const post of [shopper, ...strangers, shopper]) {
      await post?.('/code', { username: ADA })
      await pass(31 * SECOND)
    }
    await times(40, () => visitor(url)('/login', guess))
    expect(await shopper?.('/login', { username: ADA, otp: simulator.lastCode(ADA) })).toBe(200)
  })

  test('cannot use the cookie of a session whose code was right', async () => {
    const { url, simulator } = await openShop({ sessionMiddleware: sessionInCookie })
    const cookie = await cookieWithTicket(url)
    const otp = simulator.lastCode(ADA)
    expect(await visitor(url, cookie)('/login', { username: ADA, otp })).toBe(200)
    const before = simulator.count('exchange')
    for (let i = 0; i < 20; i++) await visitor(url, cookie)('/login', guess)
    expect(simulator.count('exchange') - before).toBe(10)
  })

  test.each<[string, ShopSetup]>([
    ['in a store', {}],
    ['in a cookie', { sessionMiddleware: sessionInCookie }],
  ])('cannot refuse the second press of a shopper whose session is %s', async (_where, setup) => {
    const { url, simulator } = await openShop(setup)
    const cookie = await cookieWithTicket(url)
    await times(10, () => visitor(url)('/login', guess))
    const fields = { username: ADA, otp: simulator.lastCode(ADA) }
    for (let press = 0; press < 2; press++) expect(await visitor(url, cookie)('/login', fields)).toBe(200)
    expect(simulator.count('exchange')).toBe(11)
  })

  test.each([
    ['forged', () => `${end().toString(36)}.${'A'.repeat(43)}`],
    ['expired', (strategy: Parameters<typeof servicesBehind>[0]) => proofOf(strategy, ADA, Date.now())],
    ['foreign', (strategy: Parameters<typeof servicesBehind>[0]) => proofOf(strategy, GRACE)],
    ['malformed', () => ['a proof']],
  ])('have no attempts of their own by a %s proof', async (_kind, make) => {
    const { submit, simulator, strategy } = await openShop()
    const proof = make(strategy)
    for (let i = 0; i < 12; i++) await submit({ ...guess, proof })
    expect(simulator.count('exchange')).toBe(10)
  })
})

describe('A shopper', () => {
  test('with a proof has five separate attempts, for any spelling of the username', async () => {
    const { submit, simulator, strategy } = await openShop()
    const { proofs } = servicesBehind(strategy)
    proofs.addKey(SECRET_KEY)
    const proof = proofs.make(ADA.toUpperCase(), Date.now() + MINUTE)
    for (let i = 0; i < 20; i++) await submit({ ...guess, proof })
    expect(simulator.count('exchange')).toBe(15)
    await submit({ proof: proofs.make(ADA, Date.now() + 2 * MINUTE) }).expect(200)
  })

  test('whose code was right gets a new code at once, while others wait half a minute', async () => {
    const { browser, submit, simulator } = await openShop()
    const agent = browser()
    const ask = (asking = browser()) => asking.post('/code').send({ username: ADA }).expect(202)
    await ask(agent)
    await submit({ otp: simulator.lastCode(ADA) }, agent).expect(200)
    await ask()
    expect(simulator.count('otp_request')).toBe(1)
    await ask(agent)
    expect(simulator.count('otp_request')).toBe(2)
  })
})

describe('A sign-in that Elastic Path is not asked about', () => {
  test.each([
    ['missing_credentials', { username: ADA }, 400],
    ['too_many_attempts', guess, 429],
  ])('is refused at once with %s', async (code, body, status) => {
    controlClock()
    const { simulator } = await openShop()
    const limiter = limiterOf(0)
    const strategy = createStrategy(simulator, { options: { uniformResponseTime: 1000, limiter } })
    expect((await authenticate(strategy, { body })).fail).toMatchObject([{ code }, status])
  })
})

describe('A wrong code', () => {
  test.each([0, 120, 150, 999, 1500])(
    'is refused a second after its request, if Elastic Path takes %i ms',
    async (duration) => {
      controlClock()
      const { simulator } = await openShop()
      const strategy = createStrategy(simulator, { options: { uniformResponseTime: 1000 } })
      await strategy.ready()
      const held = simulator.hold('exchange')
      const startedAt = performance.now()
      const refused = authenticate(strategy, { body: guess }).then(({ fail }) => ({
        fail,
        after: performance.now() - startedAt,
      }))
      await held.arrived
      await pass(duration)
      const judged = nextDiagnostic({ operation: 'sign-in', code: 'invalid_credentials' })
      held.release()
      expect((await judged).duration).toBe(duration)
      await pass(2000)
      expect(await refused).toMatchObject({
        fail: [{ code: 'invalid_credentials' }, 401],
        after: Math.max(1000, duration),
      })
    },
  )
})
