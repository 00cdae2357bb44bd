import fc from 'fast-check'
import { PasswordlessOtpStrategy, type PasswordlessOtpStrategyOptions } from '../../lib'
import { ADA, openShop } from '../support/shop'
import { expectSafe, holds, nasty, signIn } from './support'

const limiter = {
  consume: () => Promise.resolve({ consumedPoints: 1, msBeforeNext: 1 }),
  reward: () => Promise.resolve(),
}
const OPTIONS = {
  clientSecret: 'a-secret',
  authenticationRealmId: 'a-realm',
  name: 'codes',
  usernameField: 'user',
  otpField: 'code',
  accountField: 'account',
  selectAccount: 'sole',
  requireAccount: false,
  passReqToCallback: true,
  messages: { no_account: 'None' },
  limiter,
  requestLimiter: false,
  uniformResponseTime: 0,
  headers: { 'X-REQUEST-STORE-ID': 'a-store' },
  timeout: 1000,
}
const NAMES = [
  ...Object.keys(OPTIONS),
  'clientId',
  'baseUrl',
  'passwordProfileId',
  'dispatcher',
  'normalizeOtp',
]

const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: nasty },
  fc.constantFrom<unknown[]>(
    ...Object.values(OPTIONS),
    { consume: 1 },
    { unknown: 'x' },
    new Map(),
    Symbol('x'),
  ),
  fc.constantFrom<unknown[]>(0.5, 2 ** 31 - 1, 2 ** 31, NaN, Infinity, '1000', -1, new Date(NaN), /x/),
  fc.constantFrom('http://localhost', 'http://[::1]', 'HTTPS://A.example.com', 'https://u:p@a.example.com'),
  fc.webUrl({ validSchemes: ['http', 'https', 'ftp'], withQueryParameters: true, withFragments: true }),
  fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
)
const given = fc.oneof(
  fc.array(fc.tuple(fc.constantFrom(...NAMES), value), { minLength: 1, maxLength: 4 }),
  fc.tuple(fc.string({ minLength: 1 }), value).map((pair) => [pair]),
)

test('any options make a strategy that signs in or says why not, or a TypeError that names one of them', async () => {
  const { simulator } = await openShop()
  await holds(given, 4000, async (pairs) => {
    const more = Object.fromEntries(pairs) as Partial<PasswordlessOtpStrategyOptions>
    const store = { clientId: simulator.clientId, baseUrl: simulator.url }
    let strategy: PasswordlessOtpStrategy
    try {
      strategy = new PasswordlessOtpStrategy({ ...store, ...more, uniformResponseTime: 0 })
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError)
      const [, complaint = ''] = /^PasswordlessOtpStrategy: ([^]*)$/.exec((error as Error).message) ?? []
      const named = [...Object.keys(more), 'otpField'].some((name) =>
        complaint.replace('unknown option ', '').startsWith(name),
      )
      expect([complaint, named]).toEqual([complaint, true])
      return
    }
    expect(strategy.name).toBe(more.name ?? 'passwordless-otp')
    // The test sends no requests to other stores.
    if (more.baseUrl === undefined && more.timeout === undefined) {
      const body = {
        [more.usernameField ?? 'username']: ADA,
        [more.otpField ?? 'otp']: simulator.issueCode(ADA),
      }
      const ends = await signIn(strategy, body)
      expect(ends).toHaveLength(1)
      if (ends[0]?.how === 'error') {
        expectSafe(ends[0].error, [ADA])
        expect(ends[0].error.status).toBe(500)
      }
    }
    await strategy.close()
  })
})
