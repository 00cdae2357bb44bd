import { controlClock, pass } from '../support/clock'
import {
  ADA,
  bodyOf,
  createStrategy,
  nextDiagnostic,
  openShop,
  pageOf,
  storedSessions,
  type SignedIn,
} from '../support/shop'
import { authenticate } from './support'
import { compareErrors } from '../support/errors'

compareErrors()

describe('A sign-in with a right code', () => {
  test('puts the user on the request and into the session', async () => {
    const { browser, simulator } = await openShop()
    const agent = browser()
    const fields = { username: ADA, otp: simulator.issueCode(ADA) }
    const { user, info } = bodyOf<SignedIn>(await agent.post('/login').type('form').send(fields).expect(200))
    expect(Object.keys(user).sort()).toEqual(['account', 'accountMemberId', 'strategy', 'username'])
    expect(user).toMatchObject({ username: ADA, strategy: 'passwordless-otp' })
    expect(info).toMatchObject({
      totalAccounts: 1,
      accounts: [{ id: user.account?.id, name: user.account?.name }],
    })
    expect(await pageOf(agent)).toMatchObject({ user, stored: user })
  })

  test('gets an account token that Elastic Path accepts', async () => {
    const options = { clientSecret: 'simulator-client-secret' }
    const { signIn, strategy, simulator } = await openShop({ options })
    const { user, info } = await signIn()
    expect(await strategy.listAccounts(user)).toEqual({ accounts: info.accounts, total: 1 })
    expect(simulator.requests[0]?.body).toMatchObject({ grant_type: 'client_credentials' })
  })

  test.each([{ wrapAccessToken: true }, { expiresFormat: 'epoch' as const }, { omitAccountMemberId: true }])(
    'succeeds with a store that behaves as %p',
    async (store) => {
      const { signIn } = await openShop({ store })
      const { user } = await signIn()
      expect(user.accountMemberId).not.toBe('')
      expect(Date.parse(user.account?.expires ?? '')).toBeGreaterThan(Date.now())
    },
  )

  test('costs one access token and one discovery for the first hundred sign-ins at once', async () => {
    const members = Array.from({ length: 100 }, (_, i) => ({ username: `shopper-${i}@example.com` }))
    const { signIn, simulator } = await openShop({ store: { members } })
    const users = await Promise.all(members.map(({ username }) => signIn({ username })))
    expect(users.map(({ user }) => user.username)).toEqual(members.map(({ username }) => username))
    const calls = ['access_token', 'account_settings', 'password_profiles', 'exchange'] as const
    expect(calls.map((call) => simulator.count(call))).toEqual([1, 1, 1, 100])
  })

  test.each([1, 10_000])('stores a session under 2 kB for a member of %i accounts', async (accounts) => {
    const { signIn, sessions } = await openShop({ store: { members: [{ username: ADA, accounts }] } })
    await signIn()
    const [stored = '', ...others] = await storedSessions(sessions)
    expect(others).toEqual([])
    expect(stored).toContain(ADA)
    expect(Buffer.byteLength(stored)).toBeLessThan(2000)
  })
})

describe('A refused exchange', () => {
  const realm = [400, 401, 403, 404, 422].map((status) => ({ realmNotFound: status }))
  const complaint = (field: string) => ({
    status: 422,
    body: { errors: [{ detail: `Validation failed: field '${field}' on the 'must_be_uuid' tag.` }] },
  })

  test.each([...realm, complaint('Username'), complaint('OneTimePasswordToken')])(
    'with %j is invalid_credentials',
    async (fault) => {
      const { submit, simulator, errors } = await openShop()
      simulator.fault('exchange', fault)
      await submit().expect(401, /invalid_credentials/)
      expect([simulator.count('exchange'), simulator.count('access_token'), errors]).toEqual([1, 1, []])
    },
  )

  test.each([complaint('PasswordProfileID'), { status: 403 }, { status: 404 }])(
    'with %j is an error that says what to set',
    async (fault) => {
      const { submit, simulator, errors } = await openShop()
      simulator.fault('exchange', fault)
      await submit().expect(500, /request_refused/)
      expect(errors).toMatchObject([
        {
          upstreamStatus: fault.status,
          message: expect.stringContaining('Check that passwordProfileId') as unknown,
        },
      ])
    },
  )

  test.each([400, 401] as const)(
    'with %i costs one exchange and one access token',
    async (wrongCodeStatus) => {
      const { submit, simulator, errors } = await openShop({ store: { wrongCodeStatus } })
      const message = "That code didn't work. Check it, or request a new one."
      await submit({ otp: 'wrong1' }).expect(401, { code: 'invalid_credentials', message })
      expect([simulator.count('exchange'), simulator.count('access_token'), errors]).toEqual([1, 1, []])
    },
  )

  test('looks alike for a known and for an unknown username', async () => {
    const { submit } = await openShop()
    const responses = [
      await submit({ otp: 'wrong1' }),
      await submit({ username: 'b@example.com', otp: 'wrong1' }),
    ]
    const [known, unknown] = responses.map(({ status, body, headers }) => {
      const { date: _date, ...others } = headers as Record<string, string>
      return { status, body: body as unknown, others }
    })
    expect(known).toEqual(unknown)
  })

  test('follows a code that was used', async () => {
    const { submit, simulator } = await openShop()
    const otp = simulator.issueCode(ADA)
    await submit({ otp }).expect(200)
    await submit({ otp }).expect(401)
  })
})

describe('A code that is submitted twice', () => {
  /** A browser that has a session with a ticket. */
  async function openShopWithSession() {
    const shop = await openShop()
    const agent = shop.browser()
    await agent.post('/code').send({ username: ADA }).expect(202)
    const held = shop.simulator.hold('exchange')
    return { ...shop, agent, held, fields: { otp: shop.simulator.issueCode(ADA) } }
  }

  test('at the same moment by one session is exchanged once, and both requests sign in', async () => {
    const { agent, submit, held, fields, simulator } = await openShopWithSession()
    const [first, second] = [submit(fields, agent), submit(fields, agent)].map((request) =>
      request.then(({ status }) => status),
    )
    await held.arrived
    held.release()
    expect(await Promise.all([first, second])).toEqual([200, 200])
    expect(simulator.count('exchange')).toBe(1)
  })

  test('by one session signs in, although the browser drops the first request', async () => {
    const { agent, submit, held, fields, simulator } = await openShopWithSession()
    const first = submit(fields, agent)
    first.end(() => undefined)
    await held.arrived
    const dropped = nextDiagnostic({ operation: 'sign-in', code: 'request_aborted' })
    first.abort()
    await dropped
    held.release()
    await submit(fields, agent).expect(200)
    expect(simulator.count('exchange')).toBe(1)
  })

  test('by one session, and is wrong, is exchanged again afterwards', async () => {
    const { agent, submit, held, simulator } = await openShopWithSession()
    held.release()
    for (const otp of ['wrong1', 'wrong1', 'wrong2']) await submit({ otp }, agent).expect(401)
    expect(simulator.count('exchange')).toBe(3)
  })

  test.each([
    ['another session', { ticket: true }],
    ['a browser without a session', { ticket: false }],
  ])('at the same moment by %s shares nothing', async (_whose, { ticket }) => {
    const { agent, browser, submit, held, fields, simulator } = await openShopWithSession()
    const stranger = browser()
    if (ticket) await stranger.post('/code').send({ username: 'b@example.com' }).expect(202)
    const first = submit(fields, agent).then(({ status }) => status)
    await held.arrived
    const secondArrived = simulator.nextRequest('exchange')
    const second = submit(fields, stranger).then(({ status }) => status)
    await secondArrived
    held.release()
    expect([await first, await second].sort()).toEqual([200, 401])
    expect(simulator.count('exchange')).toBe(2)
  })
})

describe('More exchanges than may be in progress', () => {
  test('are refused with 503, except for attempts with a ticket', async () => {
    controlClock()
    const { simulator } = await openShop()
    const strategy = createStrategy(simulator)
    const session = {}
    await strategy.createOtpRequest(ADA, { session })
    const held = simulator.hold('exchange')
    const signIn = (username: string, session?: object) =>
      authenticate(strategy, { body: { username, otp: simulator.lastCode(ADA) }, session })
    const flood = Array.from({ length: 400 }, (_, i) => signIn(`shopper-${i}@example.com`))
    expect(await signIn('one-more@example.com')).toMatchObject({
      error: [{ code: 'overloaded', status: 503, retryAfter: 1 }],
    })
    const shopper = signIn(ADA, session)
    await held.arrived
    await pass(1000)
    held.release()
    expect((await Promise.all(flood)).filter(({ fail }) => fail)).toHaveLength(400)
    expect(await shopper).toMatchObject({ success: [{ username: ADA }, {}] })
    expect(await signIn('one-more@example.com')).toMatchObject({
      fail: [{ code: 'invalid_credentials' }, 401],
    })
  })
})
