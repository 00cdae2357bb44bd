import {
  isHeldToken,
  isRenewalDue,
  isToken,
  lifetimeOf,
  readClaims,
  remainingLife,
  type HeldToken,
} from '../lib/token'
import { collectDiagnostics, openShop, pageOf } from './support/shop'
import { controlClock, HOUR, MINUTE, pass, SECOND } from './support/clock'

const NOW = Date.parse('2030-01-01T00:00:00Z')
const jwt = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`
const held: HeldToken = { token: 'a.token', expires: '2030-01-01T01:00:00Z', received: NOW, lifetime: 3600 }

beforeEach(() => controlClock(NOW))

describe('A held token', () => {
  test.each([
    ['numbers in its claims', jwt({ iat: 1000, exp: 1300 }), 300],
    ['ISO strings in its claims', jwt({ iat: '2030-01-01T00:00:00Z', exp: '2030-01-01T00:05:00Z' }), 3600],
    ['claims in the wrong order', jwt({ iat: 1300, exp: 1000 }), 3600],
    ['only an end in its claims', jwt({ exp: 1300 }), 3600],
    ['no claims', jwt({}), 3600],
    ['claims that are no object', jwt('claims'), 3600],
    ['no JWT as its text', 'opaque', 3600],
  ])('with %s has a lifetime', (_what, token, lifetime) => {
    // This machine's clock differs from Elastic Path's by a day.
    const expires = new Date(NOW - 24 * HOUR + HOUR).toISOString()
    expect(lifetimeOf(expires, readClaims(token), () => NOW - 24 * HOUR)).toBe(lifetime)
  })

  test('that has expired has a remaining lifetime of 0', () => {
    expect(lifetimeOf(new Date(NOW).toISOString(), readClaims('opaque'), () => NOW + 1)).toBe(0)
  })

  test.each([
    [0, HOUR],
    [HOUR - 1, 1],
    [HOUR, 0],
    [2 * HOUR, 0],
    // The clock was set back.
    [-20 * MINUTE, HOUR],
  ])('%i ms after it was received has %i ms left', (age, left) => {
    jest.setSystemTime(NOW + age)
    expect(remainingLife(held)).toBe(left)
  })

  test.each([
    [600, 50 * MINUTE],
    // Not before the second half of its life.
    [3600, 30 * MINUTE],
    [86_400, 30 * MINUTE],
  ])('is due for renewal within %i seconds after %i ms', (within, due) => {
    jest.setSystemTime(NOW + due - 1)
    expect(isRenewalDue(held, within)).toBe(false)
    jest.setSystemTime(NOW + due)
    expect(isRenewalDue(held, within)).toBe(true)
  })

  test.each<[string, unknown]>([
    ['text that no header can carry', { ...held, token: 'a token\r\nx: y' }],
    ['an empty token', { ...held, token: '' }],
    ['an end that is no date', { ...held, expires: 'soon' }],
    ['a Date as its end', { ...held, expires: new Date() }],
    ['no time of receipt', { ...held, received: undefined }],
    ['no lifetime', { ...held, lifetime: NaN }],
    ['a negative lifetime', { ...held, lifetime: -1 }],
    ['nothing', null],
  ])('is not one with %s', (_what, value) => {
    expect(isHeldToken(held)).toBe(true)
    expect(isHeldToken(value)).toBe(false)
  })

  test('has bounded text, and names its member', () => {
    expect([isToken('x'.repeat(8192)), isToken('x'.repeat(8193))]).toEqual([true, false])
    expect(
      [jwt({ sub: 'member' }), jwt({ sub: 1 }), 'opaque'].map((token) => readClaims(token).member),
    ).toEqual(['member', undefined, undefined])
  })
})

describe('A session', () => {
  test.each([
    ['ahead of', -310, 'seconds'],
    ['behind', 310, 'seconds'],
    ['ahead of', -310, 'iso'],
    ['behind', 310, 'absent'],
    ['ahead of', -310, 'opaque'],
  ] as const)(
    "lives as long as its token if the clock is %s Elastic Path's (%i s, claims: %s), which is reported once",
    async (side, clockSkew, tokenClaims) => {
      const messages = collectDiagnostics()
      const { signIn } = await openShop({ store: { accountTokenLifetime: 300, clockSkew, tokenClaims } })
      const { agent } = await signIn()
      await signIn()
      // Elastic Path's own clock decides whether a renewal is accepted, so no page may renew before the second half.
      await pass(149 * SECOND)
      expect((await pageOf(agent, '/fresh')).user).not.toBeNull()
      await pass(150 * SECOND)
      expect((await pageOf(agent)).user).not.toBeNull()
      await pass(SECOND)
      expect((await pageOf(agent)).user).toBeNull()
      const reports = messages.filter(({ operation }) => operation !== 'sign-in')
      expect(reports).toMatchObject([
        {
          operation: 'warning',
          code: 'clock_skew',
          message: expect.stringContaining(` seconds ${side} Elastic Path's`) as unknown,
        },
      ])
    },
  )

  test('asks for a new code half a minute after the last one, although the clock was set back', async () => {
    const { browser, simulator } = await openShop()
    const ask = () => browser().post('/code').send({ username: 'ada@example.com' }).expect(202)
    await ask()
    jest.setSystemTime(NOW - 20 * MINUTE)
    await ask()
    expect(simulator.count('otp_request')).toBe(1)
    await pass(30 * SECOND)
    await ask()
    expect(simulator.count('otp_request')).toBe(2)
  })
})
