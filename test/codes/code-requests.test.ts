import { controlClock, MINUTE, pass, SECOND } from '../support/clock'
import { ADA, collectDiagnostics, nextDiagnostic, openShop, type ShopSetup } from '../support/shop'

/** A limiter that remembers its keys. */
function limiter(reward: () => Promise<unknown> = () => Promise.resolve()) {
  const consume = jest.fn((_key: string) => Promise.resolve({ consumedPoints: 1, msBeforeNext: 90_500 }))
  return { consume, reward: jest.fn(reward) }
}

async function openTimedShop(setup: ShopSetup = {}) {
  controlClock()
  return openShop(setup)
}

describe('code requests', () => {
  it.each([
    ['at the same moment', 0, 1],
    ['29 seconds apart', 29 * SECOND, 1],
    ['30 seconds apart', 30 * SECOND, 2],
  ])('sends one request to Elastic Path for double taps: two %s are %d', async (_case, apart, count) => {
    const { simulator, strategy } = await openTimedShop()
    const first = strategy.createOtpRequest(ADA)
    if (apart > 0) await first
    if (apart > 0) await pass(apart)
    await Promise.all([first, strategy.createOtpRequest(` ${ADA.toUpperCase()}`)])
    expect(simulator.count('otp_request')).toBe(count)
  })

  it('resolve before the look-ups that only an unknown username causes', async () => {
    const { simulator, strategy } = await openShop()
    await strategy.createOtpRequest('grace@example.com')
    simulator.fault('otp_request', { status: 404 })
    const held = simulator.hold('account_settings')
    const told = nextDiagnostic({ operation: 'code-request', outcome: 'error' })
    await strategy.createOtpRequest(ADA)
    await held.arrived
    held.release()
    expect(await told).toMatchObject({ code: 'request_refused', upstreamStatus: 404 })
  })

  it('are limited to five in 15 minutes, and a sign-in changes nothing', async () => {
    const { simulator, strategy, submit } = await openTimedShop()
    for (let i = 0; i < 5; i++) {
      await strategy.createOtpRequest(ADA)
      await pass(MINUTE)
    }
    await submit({ otp: simulator.lastCode(ADA) }).expect(200)

    const sixth = {
      code: 'too_many_attempts',
      status: 429,
      retryAfter: 600,
      headers: { 'Retry-After': '600' },
    }
    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject(sixth)
    expect(simulator.count('otp_request')).toBe(5)
    await pass(10 * MINUTE)
    await strategy.createOtpRequest(ADA)
    expect(simulator.count('otp_request')).toBe(6)
  })

  it.each([
    ['are refunded after an outage', { status: 503 }, 'upstream_error', 'upstream_error'],
    [
      'are counted if the answer is unreadable, because the code may be in the mail',
      'truncated',
      'bad_answer',
      'too_many_attempts',
    ],
    [
      'are counted if there is no answer, because the code may be in the mail',
      'hang',
      'timeout',
      'too_many_attempts',
    ],
  ] as const)('%s', async (_case, fault, code, sixth) => {
    const { simulator, strategy } = await openTimedShop()
    await strategy.ready()
    simulator.fault('otp_request', fault, { times: Infinity })
    for (const expected of [code, code, code, code, code, sixth]) {
      const arrived = expected === 'too_many_attempts' ? undefined : simulator.nextRequest('otp_request')
      const rejected = expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({ code: expected })
      await arrived
      if (fault === 'hang') await pass(10 * SECOND)
      await rejected
    }
  })

  it('fail together if they share a request, and the next one is sent again', async () => {
    const { simulator, strategy } = await openTimedShop()
    simulator.fault('otp_request', { status: 500 })
    const results = await Promise.allSettled([1, 2].map(() => strategy.createOtpRequest(ADA)))
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await strategy.createOtpRequest(ADA)
    expect(simulator.count('otp_request')).toBe(2)
  })

  it('goes on for others if the client that sent it leaves', async () => {
    const { simulator, strategy, browser } = await openShop()
    const held = simulator.hold('otp_request')
    const leaving = browser().post('/code').send({ username: ADA })
    const aborted = nextDiagnostic({ code: 'request_aborted' })
    const left = leaving.then(
      () => 'served',
      () => 'left',
    )
    await held.arrived
    const joined = strategy.createOtpRequest(ADA)
    leaving.abort()
    await Promise.race([aborted, left])
    held.release()
    await joined
    expect(simulator.count('otp_request')).toBe(1)
  })

  it('give a session a ticket, keep it for a double tap, and give three sessions one', async () => {
    const { strategy } = await openTimedShop()
    const sessions = [{}, {}, {}, {}]
    for (const session of sessions) await strategy.createOtpRequest(ADA, { session })
    const kept = structuredClone(sessions[0])
    await strategy.createOtpRequest(ADA, { session: sessions[0] })

    expect(sessions.map((session) => Object.keys(session).length)).toEqual([1, 1, 1, 0])
    expect(sessions[0]).toEqual(kept)
    expect(kept).toMatchObject({
      'passport-elasticpath-otp': { ticket: { username: ADA, expires: Date.now() + 10 * MINUTE } },
    })
    await expect(strategy.createOtpRequest(ADA, { session: null })).resolves.toBeUndefined()
  })

  it('leave a session its ticket if others took the last grants, and replace it if there is one', async () => {
    const { strategy } = await openTimedShop()
    const session = {}
    const ask = async (asking: object) => {
      await strategy.createOtpRequest(ADA, { session: asking })
      await pass(30 * SECOND)
    }
    await ask(session)
    const first = structuredClone(session)
    await ask(session)
    const second = structuredClone(session)
    expect(second).not.toEqual(first)
    await ask({})
    await ask(session)
    expect(session).toEqual(second)
  })

  it('answer alike and are reported beyond 500 in progress', async () => {
    const messages = collectDiagnostics()
    const { simulator, strategy } = await openShop()
    // All of them wait for the same access token.
    const held = simulator.hold('access_token', { times: 1 })
    simulator.fault('access_token', { status: 400 })
    const all = Promise.allSettled(
      Array.from({ length: 500 }, (_, i) => strategy.createOtpRequest(`shopper-${i}`)),
    )
    const overloaded = nextDiagnostic({ code: 'overloaded' })

    await strategy.createOtpRequest(ADA)

    expect(await overloaded).toMatchObject({ operation: 'code-request', outcome: 'error' })
    held.release()
    expect((await all).filter(({ status }) => status === 'fulfilled')).toEqual([])
    // Nothing was sent for it, so the next request is no double tap.
    await strategy.createOtpRequest(ADA)
    expect(simulator.lastCode(ADA)).toEqual(expect.any(String))
    expect(messages.filter(({ code }) => code === 'overloaded')).toHaveLength(1)
  })

  it('ask the requestLimiter of the app, which sees no username', async () => {
    const requestLimiter = limiter()
    const { strategy, simulator } = await openShop({ options: { requestLimiter } })
    simulator.fault('otp_request', { status: 503 })
    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({ code: 'upstream_error' })

    const [[key] = ['']] = requestLimiter.consume.mock.calls
    expect(key).not.toContain('ada')
    expect(requestLimiter.reward.mock.calls).toEqual([[key, 1]])

    requestLimiter.consume.mockRejectedValueOnce({ consumedPoints: 6, msBeforeNext: 90_500 })
    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({ retryAfter: 91 })
    requestLimiter.consume.mockRejectedValueOnce(new Error('redis://secret'))
    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({
      code: 'limiter_failed',
      message: expect.not.stringContaining('secret') as string,
    })
  })

  it('do not hide an outage if the limiter cannot refund it', async () => {
    const requestLimiter = limiter(() => Promise.reject(new Error('down')))
    const { strategy, simulator } = await openShop({ options: { requestLimiter } })
    simulator.fault('otp_request', { status: 503 })
    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({ code: 'upstream_error' })
  })
})

describe('createOtpRequest', () => {
  it.each([undefined, null, 42, {}, '\t', 'a'.repeat(255)])(
    'rejects %p and sends nothing',
    async (username) => {
      const { simulator, strategy } = await openShop({ options: { normalizeUsername: (typed) => typed } })
      const rejected = { code: 'missing_credentials', status: 400 }
      await expect(strategy.createOtpRequest(username as string)).rejects.toMatchObject(rejected)
      expect(simulator.requests).toEqual([])
    },
  )

  it.each([
    ['a username', 422],
    ['an unknown username', 404],
    ['an invalid request', 400],
  ])('resolves if Elastic Path refuses %s with %d', async (_case, status) => {
    const { simulator, strategy } = await openShop()
    simulator.fault('otp_request', { status }, { times: Infinity })
    const refused = nextDiagnostic({ operation: 'code-request', outcome: 'error' })
    await expect(strategy.createOtpRequest(ADA)).resolves.toBeUndefined()
    expect(await refused).toMatchObject({ upstreamStatus: status })
  })

  it('rejects with what to check if Elastic Path refuses the client', async () => {
    const { simulator, strategy } = await openShop()
    simulator.fault('otp_request', { status: 403 })
    const rejected = {
      code: 'request_refused',
      status: 500,
      message: expect.stringContaining('passwordProfileId') as string,
    }
    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject(rejected)
  })
})
