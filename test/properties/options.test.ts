import fc from 'fast-check'
import { PasswordlessOtpStrategy, type PasswordlessOtpStrategyOptions } from '../../lib'
import {
  ACCESS_TOKEN,
  ADA,
  entry,
  FakeCommerce,
  json,
  PROFILE,
  PROFILES,
  SETTINGS,
  tokenList,
} from './commerce'
import { signIn } from './requests'
import { expectSafe, holds, nasty } from './support'

const commerce = new FakeCommerce(({ path }) => {
  if (path.endsWith('/oauth/access_token')) return json(200, ACCESS_TOKEN)
  if (path.includes('/v2/account-members/tokens')) return json(201, tokenList([entry('first')]))
  if (path.endsWith('/account-authentication')) return json(200, SETTINGS)
  if (path.includes('/password-profiles?')) return json(200, PROFILES)
  return { status: 202, body: '' }
})
const limiter = { consume: () => Promise.resolve(), delete: () => Promise.resolve() }

const OPTIONS = {
  clientId: 'a-client',
  clientSecret: 'a-secret',
  baseUrl: 'https://store.example.com',
  passwordProfileId: PROFILE,
  authenticationRealmId: 'a-realm',
  name: 'codes',
  usernameField: 'user',
  otpField: 'code',
  accountField: 'account',
  normalizeUsername: (username: string) => username,
  selectAccount: 'sole',
  requireAccount: false,
  passReqToCallback: true,
  messages: { no_account: 'None' },
  limiter,
  requestLimiter: limiter,
  timeout: 1000,
  dispatcher: commerce,
}
const NAMES = Object.keys(OPTIONS)

const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: nasty },
  fc.constantFrom(...Object.values(OPTIONS)),
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withTypedArray: true,
  }),
  fc.constantFrom<unknown[]>(
    Symbol('x'),
    () => 'first',
    new Date(NaN),
    /x/,
    new URL('https://a.example.com/b'),
  ),
  fc.webUrl({ validSchemes: ['http', 'https', 'ftp'], withQueryParameters: true, withFragments: true }),
  fc.constantFrom(
    'http://localhost',
    'http://127.0.0.1:1/a/',
    'http://[::1]',
    'HTTPS://A.example.com',
    'https://u:p@a.example.com',
  ),
  fc.constantFrom<unknown[]>(1, 0.5, 2 ** 31 - 1, 2 ** 31, NaN, Infinity, '1000', -1),
  fc.constantFrom<unknown[]>(
    { no_account: 'x' },
    { no_account: 1 },
    { unknown: 'x' },
    [],
    ['x'],
    { consume: 1 },
    new Map(),
  ),
)

const given = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom(...NAMES), value).map(([name, any]) => ({ [name]: any })),
  },
  fc
    .array(fc.tuple(fc.constantFrom(...NAMES), value), { maxLength: 6 })
    .map((pairs) => Object.fromEntries(pairs) as Record<string, unknown>),
  fc.tuple(fc.string({ minLength: 1 }), value).map(([name, any]) => Object.fromEntries([[name, any]])),
)

test('any options make a strategy that works, or a TypeError that names one of them', async () => {
  await holds(given, 8000, async (more) => {
    const options = { clientId: 'a-client', dispatcher: commerce, ...more } as PasswordlessOtpStrategyOptions
    let strategy: PasswordlessOtpStrategy
    try {
      strategy = new PasswordlessOtpStrategy(options)
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError)
      const named = /^PasswordlessOtpStrategy: ([^]*)$/.exec((error as Error).message)?.[1] ?? ''
      expect([
        named,
        Object.keys(more)
          .concat('otpField')
          .some((name) => named.startsWith(name)),
      ]).toEqual([named, true])
      return
    }
    // A dispatcher or a function that only looks like one is the app's own to get right.
    if (options.dispatcher !== commerce || typeof options.selectAccount === 'function') return
    if (options.normalizeUsername && options.normalizeUsername !== OPTIONS.normalizeUsername) return
    expect(strategy.name).toBe(options.name ?? 'passwordless-otp')
    const body = Object.fromEntries([
      [options.usernameField ?? 'username', ADA],
      [options.otpField ?? 'otp', 'abd1g5'],
    ])
    const ends = await signIn(strategy, body)
    expect(ends).toHaveLength(1)
    const [end] = ends
    if (end?.how === 'error') {
      // A named profile that the store does not have, or a time too short, is told of, and nothing else.
      expectSafe(end.error, [ADA])
      expect(['timeout', 'limiter_failed', 'app_timeout']).toContain(end.error.code)
    } else expect(end?.how).toBe('success')
    await strategy.createOtpRequest(ADA).catch((error: unknown) => expectSafe(error, [ADA]))
    await strategy.close()
  })
})

test('anything that is no options object is a TypeError', async () => {
  const none = fc.oneof(fc.string(), fc.integer(), fc.constantFrom(null, undefined, true, [], {}))
  await holds(none, 200, (options) => {
    expect(() => new PasswordlessOtpStrategy(options as never)).toThrow(TypeError)
  })
})
