import { controlClock, deferred, pass, SECOND } from '../support/clock'
import {
  ADA,
  bodyOf,
  collectDiagnostics,
  nextDiagnostic,
  openShop,
  pageOf,
  type Agent,
  type Page,
  type ShopSetup,
} from '../support/shop'
import { openActiveShopper, SECOND as SECOND_ACCOUNT, SessionStore } from './support'
import { compareErrors } from '../support/errors'

compareErrors()

afterEach(() => jest.restoreAllMocks())

// As long as ADA.
const UNKNOWN = 'eve@example.com'

/** A shop that responds to code requests one second after they arrive. */
async function openTimedShop(setup: ShopSetup = {}) {
  controlClock()
  let begun = deferred()
  const shop = await openShop({
    ...setup,
    options: {
      uniformResponseTime: SECOND,
      normalizeUsername: (typed) => (begun.resolve(), typed),
      ...setup.options,
    },
  })
  await shop.strategy.ready()
  const { simulator } = shop

  /** Requests a code. Checks that the response comes after a second, and not before. */
  const request = async (agent: Agent, username: string, isSent = true) => {
    begun = deferred()
    const arrived = isSent ? simulator.nextRequest('otp_request') : begun.promise
    let served = false
    const response = agent
      .post('/code')
      .send({ username })
      .then((one) => ((served = true), one))
    await Promise.all([begun.promise, arrived])
    await pass(SECOND - 1)
    // A whole request passes in the meantime.
    await pageOf(shop.browser())
    expect(served).toBe(false)
    await pass(1)
    return response
  }
  return { ...shop, request }
}

/** What a stranger sees of a response. Cookies, dates and hashes are random. */
function visible({ status, headers, text }: Awaited<ReturnType<Agent['get']>>): object {
  const { 'set-cookie': cookie, date, etag, ...rest } = headers as Record<string, unknown>
  return {
    status,
    rest,
    length: text.length,
    hasCookie: cookie !== undefined,
    date: typeof date,
    etag: typeof etag,
  }
}

describe('requestOtp', () => {
  it.each<[string, NonNullable<ShopSetup['store']>, string]>([
    ['takes 120 ms and 150 ms', { otpRequestDelay: { unknown: 120, known: 150 } }, ''],
    ['takes 600 ms and 900 ms', { otpRequestDelay: { unknown: 600, known: 900 } }, ''],
    ['takes 120 ms and 5 s', { otpRequestDelay: { unknown: 120, known: 5000 } }, ''],
    ['never responds for known ones', {}, 'hang'],
    ['refuses unknown ones with 400', { unknownUsernameStatus: 400 }, ''],
    ['refuses unknown ones with 404', { unknownUsernameStatus: 404 }, ''],
    ['refuses unknown ones with 404 and a look-up fails', { unknownUsernameStatus: 404 }, 'look-up'],
    ['refuses unknown ones with 422', {}, '422'],
  ])('responds alike to known and unknown usernames if Elastic Path %s', async (_case, store, fault) => {
    const { simulator, browser, request } = await openTimedShop({ store })
    const seen: object[][] = []

    for (const username of [ADA, UNKNOWN]) {
      const agent = browser()
      const isKnown = username === ADA
      const responses: object[] = []
      // A code, resent four times, and two more.
      for (let i = 0; i < 7; i++) {
        if (fault === 'hang' && isKnown) simulator.fault('otp_request', 'hang')
        if (fault === '422' && !isKnown) simulator.fault('otp_request', { status: 422 })
        if (fault === 'look-up' && !isKnown && i === 0) simulator.fault('account_settings', { status: 500 })
        responses.push(visible(await request(agent, username, i < 5)))
        await pass(31 * SECOND)
      }
      seen.push(responses)
      simulator.clearFaults()
    }

    expect(seen[0]).toEqual(seen[1])
    expect(seen[0]?.[6]).toMatchObject({ status: 429, rest: { 'retry-after': expect.any(String) as string } })
  })

  it('names the missing middleware if the body was not parsed', async () => {
    const { strategy } = await openShop()
    const error = await new Promise((resolve) => {
      strategy.requestOtp()({ headers: {} } as never, {} as never, resolve)
    })
    expect(error).toMatchObject({
      code: 'missing_credentials',
      status: 400,
      message: expect.stringContaining('Use express.urlencoded() or express.json()') as string,
    })
  })

  it('responds to a double tap, and to another browser that joins, after a second as well', async () => {
    const { simulator, browser, request } = await openTimedShop()
    const agent = browser()
    const first = visible(await request(agent, ADA))

    expect(visible(await request(agent, ADA, false))).toMatchObject({ status: 202 })
    expect(visible(await request(browser(), ADA, false))).toEqual(first)
    expect(simulator.count('otp_request')).toBe(1)
  })

  it('reports an outage after a second if it is known by then, and to diagnostics if it is later', async () => {
    const messages = collectDiagnostics()
    const { simulator, browser, request } = await openTimedShop()
    simulator.fault('otp_request', { status: 503 })
    const agent = browser()
    const failed = nextDiagnostic({ operation: 'code-request', outcome: 'error' })
    const early = agent.post('/code').send({ username: ADA }).then()
    await failed
    await pass(SECOND)
    expect(await early).toMatchObject({ status: 502, body: { code: 'upstream_error' } })

    const held = simulator.hold('otp_request')
    simulator.fault('otp_request', { status: 503 })
    expect((await request(agent, ADA)).status).toBe(202)
    const late = nextDiagnostic({ operation: 'code-request', outcome: 'error' })
    held.release()
    expect(await late).toMatchObject({ code: 'upstream_error', upstreamStatus: 503 })
    expect(messages.filter(({ outcome }) => outcome === 'success')).toHaveLength(1)
  })

  it('reports a refusal to diagnostics and once to the log, and ready says what is wrong', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
    const { simulator, browser, strategy } = await openShop()
    await strategy.ready()
    simulator.replaceRealm({ passwordProfiles: [{ oneTimePasswords: false }] })

    for (const username of [ADA, UNKNOWN]) {
      const refused = nextDiagnostic({ operation: 'code-request', outcome: 'error' })
      await browser().post('/code').send({ username }).expect(202)
      expect(await refused).toHaveProperty('code', 'password_profile_not_found')
    }

    await expect(strategy.ready()).rejects.toMatchObject({ code: 'password_profile_not_found' })
    expect(warn.mock.calls).toEqual([
      [
        expect.stringMatching(
          /Nobody gets a code\. No password profile of the realm has one-time passwords turned on\./,
        ),
        { code: 'PASSPORT_EP_PASSWORD_PROFILE' },
      ],
    ])
  })

  it('stores the ticket in the session before it responds', async () => {
    const sessions = new SessionStore()
    const { set } = sessions
    const saved = deferred()
    let save = (): unknown => undefined
    sessions.set = (id, session, done) => {
      save = () => set(id, session, done)
      saved.resolve()
    }
    const { browser } = await openShop({ sessions })
    let served = false
    const agent = browser()
    const response = agent
      .post('/code')
      .send({ username: ADA })
      .then((one) => ((served = true), one))
    await saved.promise
    await pageOf(browser())
    expect(served).toBe(false)
    sessions.set = set
    save()

    expect(bodyOf(await response)).toEqual({ username: ADA })
    sessions.get = (id, done) =>
      sessions.read(id, 0, (error, found) => {
        expect(found).toHaveProperty(['passport-elasticpath-otp', 'ticket', 'username'], ADA)
        done(error, found)
      })
    await pageOf(agent)
    expect.hasAssertions()
  })

  it.each<[string, (agent: Agent) => Promise<unknown>, object | null]>([
    ['a sign-out', (agent) => agent.post('/logout').then(), null],
    [
      'a switch',
      (agent) => agent.post('/only-switch').send({ account_id: SECOND_ACCOUNT.id }).then(),
      { account: expect.objectContaining(SECOND_ACCOUNT) as object },
    ],
  ])('does not undo %s that ends while the limiter is asked', async (_case, act, user) => {
    const asked = deferred()
    const answer = deferred<{ consumedPoints: number; msBeforeNext: number }>()
    const requestLimiter = {
      consume: () => (asked.resolve(), answer.promise),
      reward: () => Promise.resolve(),
    }
    const { agent, cookie, browser } = await openActiveShopper({ options: { requestLimiter } })
    const response = agent.post('/code').send({ username: ADA }).then()
    await asked.promise
    await act(agent)

    answer.resolve({ consumedPoints: 1, msBeforeNext: 1 })

    expect(await response).toMatchObject({ status: 202 })
    const page = bodyOf<Page>(await browser().get('/me').set('Cookie', cookie))
    expect([page.user, page.stored]).toEqual(
      user ? [expect.objectContaining(user), expect.objectContaining(user)] : [null, null],
    )
  })

  it.each([
    ['an error', new Error('redis://secret')],
    ['a string', 'redis://secret'],
  ])('fails, without details of the store, if saving the session fails with %s', async (_case, error) => {
    const sessions = new SessionStore()
    sessions.set = (_id, _session, done) => done?.(error)
    const { browser } = await openShop({ sessions })

    const response = await browser().post('/code').send({ username: ADA })

    expect(response).toMatchObject({ status: 500, body: { code: 'session_failed' } })
    expect(response.text).not.toContain('secret')
  })

  it.each<[string, unknown]>([
    ['no body', undefined],
    ['no username', {}],
    ['an empty username', { username: ' ' }],
    ['a username in an array', { username: [ADA] }],
    ['a username in an object', { username: { $gt: '' } }],
    ['a username of 255 characters', { username: 'a'.repeat(255) }],
    ['a username in __proto__', `{"__proto__":{"username":"${ADA}"}}`],
  ])('refuses %s with 400 and sends nothing', async (_case, body) => {
    const { simulator, browser } = await openShop()

    const response = await browser()
      .post(`/code?username=${ADA}`)
      .type('json')
      .send(body as object)

    expect(response).toMatchObject({ status: 400, body: { code: 'missing_credentials' } })
    expect(simulator.requests).toEqual([])
  })

  it.each([undefined, 'route', new Error('no alphabet')])(
    'is an error if normalizeUsername throws %p',
    async (thrown) => {
      const normalizeUsername = () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- values that Express's next ignores
        throw thrown
      }
      const { simulator, browser } = await openShop({ options: { normalizeUsername } })

      await browser().post('/code').send({ username: ADA }).expect(500)
      expect(simulator.requests).toEqual([])
    },
  )
})
