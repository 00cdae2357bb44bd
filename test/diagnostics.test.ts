import type { DiagnosticMessage } from '../lib'
import { deferred } from './support/clock'
import {
  ADA,
  collectDiagnostics,
  nextDiagnostic,
  openShop,
  SECRET_KEY,
  type Shop,
  type ShopSetup,
} from './support/shop'

const fail = () => {
  throw new Error('The database is down')
}
const shortLived = { store: { accountTokenLifetime: 1800 } }

type Act = (shop: Shop) => Promise<unknown>

const signIn =
  (fields = {}): Act =>
  async ({ submit }) =>
    submit(fields)
const signInDuring =
  (fault: Parameters<Shop['simulator']['fault']>[1]): Act =>
  async ({ simulator, submit }) => {
    simulator.fault('exchange', fault, { times: 2 })
    await submit()
  }
const post =
  (path: string, body: object, secret = ''): Act =>
  async ({ browser }) =>
    browser().post(path).set('X-Moltin-Secret-Key', secret).send(body)
const signedIn =
  (body: object): Act =>
  async (shop) => {
    const { agent, user } = await shop.signIn()
    await agent.post('/switch').send({ account_id: user.account?.id, ...body })
  }
const renew =
  (status?: number): Act =>
  async (shop) => {
    const { agent } = await shop.signIn()
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 1_200_000)
    if (status) shop.simulator.fault('renewal', { status })
    await Promise.all([1, 2, 3].map(() => agent.get('/fresh').expect(200)))
  }
const callMethods: Act = async (shop) => {
  const { user } = await shop.signIn()
  await shop.strategy.listAccounts(user)
  await shop.strategy.selectAccount(user, user.account?.id ?? '')
}

afterEach(() => {
  jest.restoreAllMocks()
})

describe('The diagnostics channel', () => {
  test.each<[string, Act, string, number, ShopSetup?]>([
    ['a sign-in', signIn(), 'sign-in success', 1],
    ['a wrong code', signIn({ otp: 'wrong1' }), 'sign-in failure invalid_credentials', 1],
    [
      'a refusal by verify',
      signIn(),
      'sign-in failure refused_by_verify',
      1,
      { verify: () => Promise.resolve(null) },
    ],
    ['an outage', signInDuring({ status: 500 }), 'sign-in error upstream_error 500', 1],
    ['no response of Elastic Path', signInDuring('reset'), 'sign-in error unreachable', 2],
    ['an error of the app', signIn(), 'sign-in error app_error', 1, { options: { selectAccount: fail } }],
    ['a code request', post('/code', { username: ADA }), 'code-request success', 1],
    ['a code request without a username', post('/code', {}), 'code-request failure missing_credentials', 0],
    ['a switch', signedIn({}), 'switch success', 1],
    ['a switch by a method', callMethods, 'switch success', 1],
    ['a switch to a strange account', signedIn({ account_id: 'x' }), 'switch failure account_not_found', 1],
    ['a switch without an account', signedIn({ account_id: '' }), 'switch failure missing_credentials', 0],
    ['a switch without a user', post('/switch', { account_id: 'x' }), 'switch failure not_signed_in', 0],
    ['a renewal for parallel requests', renew(), 'renewal success', 1, shortLived],
    ['a renewal that fails', renew(401), 'renewal failure account_token_refused 401', 1, shortLived],
    [
      'another event',
      post('/webhooks/otp', { triggered_by: 'x' }, SECRET_KEY),
      'delivery success ignored_event',
      0,
    ],
    ['a wrong secret', post('/webhooks/otp', {}, 'wrong'), 'delivery error wrong_secret', 0],
    ['a malformed event', post('/webhooks/otp', {}, SECRET_KEY), 'delivery error bad_event', 0],
  ])('gets one message about %s', async (_what, act, expected, calls, setup = {}) => {
    const messages = collectDiagnostics()
    const shop = await openShop(setup)
    await shop.strategy.ready()
    await act(shop)
    const told = messages.filter(({ operation }) => operation !== 'sign-in' || expected.startsWith('sign-in'))
    const texts = told.map(({ operation, outcome, code = '', upstreamStatus = '' }) =>
      `${operation} ${outcome} ${code} ${upstreamStatus}`.trim(),
    )
    expect([texts, told[0]?.calls]).toEqual([[expected], calls])
  })

  test('gets the calls of the first sign-in, and those of a double tap once', async () => {
    const messages = collectDiagnostics()
    const { submit, strategy, simulator } = await openShop()
    await submit().expect(200)
    await Promise.all([strategy.createOtpRequest(ADA), strategy.createOtpRequest(ADA)])
    expect(messages).toHaveLength(3)
    expect(messages.reduce((sum, { calls }) => sum + calls, 0)).toBe(simulator.requests.length)
  })

  test('gets no message about a page that needs no renewal', async () => {
    const { signIn } = await openShop()
    const { agent } = await signIn()
    const messages = collectDiagnostics()
    await agent.get('/fresh').expect(200)
    expect(messages).toEqual([])
  })

  test('gets messages about a delivery that fails', async () => {
    const shop = await openShop({ deliver: fail })
    shop.simulator.deliverTo({ url: `${shop.url}/webhooks/otp`, secretKey: SECRET_KEY })
    const failed = nextDiagnostic({ operation: 'delivery', code: 'delivery_failed' })
    await shop.strategy.createOtpRequest(ADA)
    expect(await failed).toMatchObject({ outcome: 'error' })
  })

  test('gets the duration in milliseconds, and no username, code, token or secret', async () => {
    const startedAt = performance.now()
    const messages: DiagnosticMessage[] = collectDiagnostics()
    const mailed = deferred<string>()
    const shop = await openShop({
      options: { clientSecret: 'simulator-client-secret' },
      deliver: ({ otp }) => mailed.resolve(otp),
    })
    const { simulator, browser, submit, signIn } = shop
    simulator.deliverTo({ url: `${shop.url}/webhooks/otp`, secretKey: SECRET_KEY })
    const delivered = nextDiagnostic({ operation: 'delivery' })
    await browser().post('/code').send({ username: ADA }).expect(202)
    const otp = await mailed.promise
    await delivered
    await submit({ otp: 'wrong1' }).expect(401)
    const { agent, user } = await signIn()
    await agent.post('/switch').send({ account_id: user.account?.id }).expect(200)
    await shop.strategy.renewAccount(user)
    simulator.fault('exchange', { status: 500, body: { errors: [{ detail: `${ADA} ${otp}` }] } })
    await submit({ otp }).expect(502)

    const operations = ['code-request', 'delivery', 'sign-in', 'switch', 'renewal']
    expect(new Set(messages.map(({ operation }) => operation as string))).toEqual(new Set(operations))
    const secrets = [ADA, otp, 'wrong1', user.account?.token, user.account?.id, user.accountMemberId]
    const text = JSON.stringify(messages)
    for (const secret of [...secrets, simulator.clientSecret, SECRET_KEY]) expect(text).not.toContain(secret)
    for (const { duration } of messages) {
      expect(duration).toBeGreaterThan(0)
      expect(duration).toBeLessThan(performance.now() - startedAt)
    }
  })
})
