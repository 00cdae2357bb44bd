import { inspect } from 'node:util'
import { PasswordlessOtpStrategy, Strategy } from '../lib'

const clientId = 'client-id'
const construct = (options: unknown, verify?: unknown) => () =>
  new PasswordlessOtpStrategy(options as never, verify as never)

describe('An invalid option', () => {
  const region = 'useast.api.elasticpath.com'
  const invalid: Record<string, unknown[]> = {
    clientId: [undefined, '', 42, 'client-id\n', ' client-id', 'client id', 'clïent'],
    clientSecret: ['', 42, 'secret\n', 'secret\r\n', ' secret'],
    passwordProfileId: ['', 'id\n', 'i d'],
    authenticationRealmId: [7, 'id ', 'half a character: \ud800'],
    baseUrl: [
      '',
      'not a url',
      '/relative',
      42,
      `http://${region}`,
      'http://127.0.0.1.example.com',
      'http://127.0.0.1.1:3000/',
    ],
    'baseUrl ': [
      `ftp://${region}`,
      `https://user:password@${region}`,
      `https://user@${region}`,
      `https://:pass@${region}`,
    ],
    'baseUrl  ': [`https://${region}/?a=b`, `https://${region}/#a`, 'http://example.com/127.0.0.1'],
    name: ['', '  '],
    usernameField: ['', 'proof'],
    otpField: ['username', 'account_id', 'proof'],
    accountField: [[], 'proof'],
    normalizeUsername: ['trim'],
    normalizeOtp: [true],
    selectAccount: ['last', true],
    requireAccount: ['yes'],
    passReqToCallback: [1],
    messages: ['no', { wrong_code: 'No.' }, { invalid_credentials: 42 }],
    limiter: [{}, { consume: () => undefined }, { reward: () => undefined }, 'memory', true, null],
    requestLimiter: [null, { reward: () => undefined }, { consume: () => undefined }],
    uniformResponseTime: [-1, NaN, Infinity, 2 ** 31, '1000'],
    headers: [
      [],
      new Headers({ a: 'b' }),
      new Map([['a', 'b']]),
      'a: b',
      { 'a b': 'c' },
      { a: 'b\n' },
      { a: 1 },
      { Authorization: 'Bearer x' },
      { Host: 'x' },
    ],
    timeout: [0, -1, NaN, Infinity, 2 ** 31, '1000'],
    dispatcher: [{}, { dispatch: true }, { request: () => undefined }],
  }
  const rows = Object.entries(invalid).flatMap(([option, values]) =>
    values.map((value) => [option.trim(), value] as const),
  )

  test.each(rows)('%s of %j throws a TypeError that names it', (option, value) => {
    const attempt = construct({ clientId, [option]: value })
    expect(attempt).toThrow(TypeError)
    const named = value === 'proof' ? 'otpField' : option
    expect(attempt).toThrow(new RegExp(`^PasswordlessOtpStrategy: ${named}\\b[^ ]* (is|must|has) `))
    expect(attempt).not.toThrow(/secret\W*$|password@|pass@/)
  })

  test.each(['clientId', 'clientSecret', 'passwordProfileId', 'authenticationRealmId'])(
    '%s that is a name or has a line end says so',
    (option) => {
      for (const value of ['made-with-echo\n', 'Password profile 1']) {
        expect(construct({ clientId, [option]: value })).toThrow(
          `${option} must be an ASCII id or secret without spaces. Look for a line end at its end`,
        )
      }
    },
  )

  test('limiter without the required methods throws limiter_unsuitable', () => {
    const attempt = construct({ clientId, limiter: new Set() })
    expect(attempt).toThrow('limiter must have the methods consume and reward, but Set does not')
    expect(attempt).toThrow(expect.objectContaining({ code: 'limiter_unsuitable' }) as Error)
  })

  test.each([
    [{ clientId, clientID: 'x' }, 'unknown option clientID. Did you mean clientId?'],
    [{ clientid: 'x' }, 'unknown option clientid. Did you mean clientId?'],
    [{ clientId, webhook: 'x' }, 'unknown option webhook. The options are clientId, clientSecret, baseUrl'],
    [{ clientId, messages: { wrong_code: 'No.' } }, 'The codes are missing_credentials, invalid_credentials'],
    [undefined, 'options must be an object with a clientId'],
    [null, 'options must be an object with a clientId'],
    ['client-id', 'options must be an object with a clientId'],
    [{ clientId, clientSecret: 'hush-hush', timeout: -1 }, /^(?!.*hush-hush)/],
  ])('in %j throws a TypeError that says what is wrong', (options, message) => {
    expect(construct(options)).toThrow(TypeError)
    expect(construct(options)).toThrow(message)
  })

  test('verify throws a TypeError if it is not a function', () => {
    expect(construct({ clientId }, 'verify')).toThrow(
      new TypeError('PasswordlessOtpStrategy: verify must be a function'),
    )
  })
})

describe('A valid option', () => {
  test.each([
    { baseUrl: 'http://localhost:3000' },
    { baseUrl: 'http://127.255.255.254:3000/path' },
    { baseUrl: 'http://[::1]:3000' },
    { baseUrl: new URL('https://euwest.api.elasticpath.com') },
    { timeout: 1 },
    { timeout: 2 ** 31 - 1 },
    { uniformResponseTime: 0 },
    { limiter: false as const, requestLimiter: false as const },
    { headers: { 'X-REQUEST-STORE-ID': 'a store' } },
    { name: undefined, timeout: undefined, limiter: undefined, messages: { invalid_credentials: undefined } },
  ])('is accepted: %j', async (options) => {
    const strategy = new Strategy({ clientId, ...options })
    expect(strategy.name).toBe('passwordless-otp')
    await strategy.close()
  })

  test('name sets the name, and printing a strategy shows no secret', async () => {
    const strategy = new PasswordlessOtpStrategy({ clientId, clientSecret: 'hush-hush', name: 'otp' })
    expect(strategy.name).toBe('otp')
    const printed = [inspect(strategy, { depth: Infinity, showHidden: true }), JSON.stringify(strategy)]
    expect(printed.join()).not.toContain('hush-hush')
    await strategy.close()
  })
})
