import { inspect } from 'node:util'
import { PasswordlessOtpStrategy, Strategy } from '../lib'

const clientId = 'client-id'

function construct(options: unknown, verify?: unknown): () => unknown {
  return () => new PasswordlessOtpStrategy(options as never, verify as never)
}

describe('an option that makes no sense is a TypeError that names it', () => {
  const nonsense: [string, unknown][] = [
    ['clientId', undefined],
    ['clientId', ''],
    ['clientId', 42],
    ['clientSecret', ''],
    ['clientSecret', 42],
    ['baseUrl', 'not a url'],
    ['baseUrl', '/relative'],
    ['baseUrl', 42],
    ['baseUrl', 'http://useast.api.elasticpath.com'],
    ['baseUrl', 'http://127.0.0.1.example.com'],
    ['baseUrl', 'ftp://useast.api.elasticpath.com'],
    ['baseUrl', 'https://user:password@useast.api.elasticpath.com'],
    ['baseUrl', 'https://user@useast.api.elasticpath.com'],
    ['baseUrl', 'https://:password@useast.api.elasticpath.com'],
    ['baseUrl', 'https://useast.api.elasticpath.com/?a=b'],
    ['baseUrl', 'https://useast.api.elasticpath.com/#a'],
    ['baseUrl', 'http://127.0.0.1.1:3000/'],
    ['baseUrl', 'http://example.com/127.0.0.1'],
    ['passwordProfileId', ''],
    ['authenticationRealmId', 7],
    ['authenticationRealmId', 'half a character: \ud800'],
    ['name', ''],
    ['usernameField', ''],
    ['otpField', 'username'],
    ['accountField', []],
    ['otpField', 'account_id'],
    ['name', '  '],
    ['normalizeUsername', 'trim'],
    ['selectAccount', 'last'],
    ['selectAccount', true],
    ['requireAccount', 'yes'],
    ['passReqToCallback', 1],
    ['messages', 'no'],
    ['messages', { wrong_code: 'No.' }],
    ['messages', { invalid_credentials: 42 }],
    ['limiter', {}],
    ['limiter', { consume: () => undefined }],
    ['limiter', { delete: () => undefined }],
    ['limiter', 'memory'],
    ['requestLimiter', null],
    ['requestLimiter', { delete: () => undefined }],
    ['requestLimiter', { consume: () => undefined }],
    ['timeout', 0],
    ['timeout', -1],
    ['timeout', NaN],
    ['timeout', Infinity],
    ['timeout', 2 ** 31],
    ['timeout', '1000'],
    ['dispatcher', {}],
    ['dispatcher', { dispatch: true }],
    ['dispatcher', { request: () => undefined }],
  ]
  test.each(nonsense)('%s: %p', (option, value) => {
    const attempt = construct({ clientId, [option]: value })
    expect(attempt).toThrow(TypeError)
    expect(attempt).toThrow(option)
    // Which option, and what it must be.
    expect(attempt).toThrow(/^PasswordlessOtpStrategy: [\w.]+ (is required:|must|knows) \w+/)
  })

  test('none is shown by what prints a strategy', () => {
    const strategy = new PasswordlessOtpStrategy({ clientId, clientSecret: 'hush-hush' })
    const printed = [inspect(strategy, { depth: Infinity, showHidden: true }), JSON.stringify(strategy)]
    expect(printed.join()).not.toContain('hush-hush')
  })

  test('a misspelt one is told the names that there are, and so is a failure code', () => {
    expect(construct({ clientId, clientID: 'x' })).toThrow('clientId, clientSecret, baseUrl')
    expect(construct({ clientId, messages: { wrong_code: 'No.' } })).toThrow(
      'missing_credentials, invalid_credentials',
    )
  })
})

test.each([undefined, null, 'client-id', 42])(
  'options of %p are a TypeError that asks for a clientId',
  (options) => {
    const attempt = construct(options)
    expect(attempt).toThrow(TypeError)
    expect(attempt).toThrow('PasswordlessOtpStrategy needs an options object with a clientId')
  },
)

test('a verify that is no function is a TypeError', () => {
  const attempt = construct({ clientId }, 'verify')
  expect(attempt).toThrow(TypeError)
  expect(attempt).toThrow('verify')
})

test('no message of a TypeError repeats the client secret', () => {
  expect(construct({ clientId, clientSecret: 'hush-hush', timeout: -1 })).toThrow(/^(?!.*hush-hush)/)
})

test.each([
  'http://localhost:3000',
  'http://127.0.0.1:3000',
  'http://127.255.255.254:3000',
  'http://[::1]:3000',
])('plain HTTP is good enough for %s', async (baseUrl) => {
  await new PasswordlessOtpStrategy({ clientId, baseUrl }).close()
})

test.each([1, 2 ** 31 - 1])('a timeout of %p milliseconds is taken', async (timeout) => {
  await new PasswordlessOtpStrategy({ clientId, timeout }).close()
})

test('a clientId is enough, and the name is passwordless-otp', async () => {
  const strategy = new Strategy({ clientId })
  expect(strategy.name).toBe('passwordless-otp')
  await strategy.close()
})

test('options that are undefined take their defaults', async () => {
  const strategy = new PasswordlessOtpStrategy({
    clientId,
    name: undefined,
    timeout: undefined,
    baseUrl: undefined,
    messages: { invalid_credentials: undefined },
  })
  expect(strategy.name).toBe('passwordless-otp')
  await strategy.close()
})

test('the name and a URL object are taken as given', async () => {
  const strategy = new PasswordlessOtpStrategy({
    clientId,
    name: 'otp',
    baseUrl: new URL('https://euwest.api.elasticpath.com'),
  })
  expect(strategy.name).toBe('otp')
  await strategy.close()
})
