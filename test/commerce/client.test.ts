import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { ElasticPathError } from '../../lib'
import type { Call } from '../../lib/testing'
import { ADA, bodyOf, openShop, type Shop } from '../support/shop'

type Struck = Extract<Call, 'exchange' | 'access_token' | 'account_settings' | 'password_profiles'>
const CALLS: Struck[] = ['exchange', 'access_token', 'account_settings', 'password_profiles']

/** The one error that a shop was handed. */
function errorOf({ errors }: Shop): ElasticPathError {
  const [error] = errors
  if (errors.length === 1 && error instanceof ElasticPathError) return error
  throw new Error(`Not one ElasticPathError: ${inspect(errors)}`)
}

/** Everything that Elastic Path was sent or holds, and that no log may. */
function secretsOf(shop: Shop): string[] {
  const bearers = shop.simulator.requests.map(({ headers }) =>
    (headers.authorization ?? '').replace('Bearer ', ''),
  )
  const code = shop.simulator.lastCode(ADA) ?? ''
  return [...bearers, code, ADA, encodeURIComponent(ADA), shop.simulator.clientSecret].filter(
    (secret) => secret !== '',
  )
}

function expectNoSecrets(shop: Shop): void {
  expect(shop.errors).not.toEqual([])
  const shown = inspect(shop.errors, { depth: null, showHidden: true, maxStringLength: null })
  for (const secret of secretsOf(shop)) expect(shown).not.toContain(secret)
  // Nor an account token.
  expect(shown).not.toMatch(/eyJ[\w-]+\./)
}

/** An access token that the store takes, as it issues it. */
async function issueToken({ simulator }: Shop): Promise<{ access_token: string }> {
  const body = new URLSearchParams({ grant_type: 'implicit', client_id: simulator.clientId })
  const reply = await fetch(`${simulator.url}/oauth/access_token`, { method: 'POST', body })
  return (await reply.json()) as { access_token: string }
}

describe('the access token', () => {
  test('is renewed where it is refused, and the request sent once more', async () => {
    const shop = await openShop()
    bodyOf(await shop.signIn())
    shop.simulator.revokeAccessTokens()
    shop.simulator.clearRequests()
    bodyOf(await shop.signIn())
    const { requests } = shop.simulator
    expect(requests.map(({ call }) => call)).toEqual(['exchange', 'access_token', 'exchange'])
    expect(requests[0]?.status).toBe(401)
    expect(requests[2]?.headers.authorization).not.toBe(requests[0]?.headers.authorization)
    expect(shop.errors).toEqual([])
  })

  test('that ends between two sign-ins is renewed before it is refused', async () => {
    const shop = await openShop({ store: { accessTokenLifetime: 3600 } })
    bodyOf(await shop.signIn())
    const later = Date.now() + 3_599_000
    const clock = jest.spyOn(Date, 'now').mockReturnValue(later)
    try {
      bodyOf(await shop.signIn())
    } finally {
      clock.mockRestore()
    }
    expect(shop.simulator.count('access_token')).toBe(2)
    expect(shop.simulator.count('exchange')).toBe(2)
  })

  test.each([
    ['expires_in', () => ({ expires_in: 100 })],
    ['expires alone', () => ({ expires: Math.floor(Date.now() / 1000) + 100 })],
  ])('lives as long as %s says', async (_name, life) => {
    const shop = await openShop()
    const { access_token } = await issueToken(shop)
    shop.simulator.fault('access_token', { status: 200, body: { access_token, ...life() } })
    bodyOf(await shop.signIn())
    shop.simulator.clearRequests()
    const now = Date.now()
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now + 85_000)
    try {
      bodyOf(await shop.signIn())
      expect(shop.simulator.count('access_token')).toBe(0)
      clock.mockReturnValue(now + 95_000)
      bodyOf(await shop.signIn())
      expect(shop.simulator.count('access_token')).toBe(1)
    } finally {
      clock.mockRestore()
    }
  })

  test.each([
    ['no token', { expires_in: 100 }],
    ['an empty token', { access_token: '', expires_in: 100 }],
    ['a token with a line break', { access_token: 'a\nb', expires_in: 100 }],
    ['a token of 9000 characters', { access_token: 'a'.repeat(9000), expires_in: 100 }],
    ['no end', { access_token: 'a' }],
    ['an end in words', { access_token: 'a', expires_in: '100' }],
    ['an end in the past', { access_token: 'a', expires_in: -1 }],
  ])('with %s is an answer that is not of the documented shape', async (_name, body) => {
    const shop = await openShop()
    shop.simulator.fault('access_token', { status: 200, body })
    expect((await shop.signIn()).status).toBe(502)
    expect(errorOf(shop)).toMatchObject({ code: 'bad_answer', upstreamStatus: 200 })
    expect(errorOf(shop).message).toContain('POST /oauth/access_token')
  })

  test('refused for fifty sign-ins at once is renewed once', async () => {
    const members = Array.from({ length: 50 }, (_, i) => ({ username: `shopper-${i}@example.com` }))
    const shop = await openShop({ store: { members } })
    await shop.strategy.ready()
    shop.simulator.revokeAccessTokens()
    shop.simulator.clearRequests()
    const replies = await Promise.all(members.map(({ username }) => shop.signIn({ username })))
    expect(replies.map(({ status }) => status)).toEqual(members.map(() => 200))
    expect(shop.simulator.count('access_token')).toBe(1)
  })

  test('refused always is an error after one renewal', async () => {
    const shop = await openShop()
    shop.simulator.fault('exchange', 'refused_bearer', { times: Infinity })
    const reply = await shop.signIn()
    expect(reply.status).toBe(500)
    expect(errorOf(shop)).toMatchObject({ code: 'access_token_refused', status: 500, upstreamStatus: 401 })
    expect(shop.simulator.count('exchange')).toBe(2)
    expect(shop.simulator.count('access_token')).toBe(2)
    expectNoSecrets(shop)
    shop.simulator.clearFaults()
    bodyOf(await shop.signIn())
  })

  test.each([{ clientId: 'another-client' }, { clientSecret: 'wrong-secret' }])(
    'that a client with %p does not get is an error that says what to check',
    async (options) => {
      const shop = await openShop({ options })
      expect((await shop.signIn()).status).toBe(500)
      expect(errorOf(shop)).toMatchObject({ code: 'client_refused', status: 500 })
      expect(errorOf(shop).message).toMatch(/POST \/oauth\/access_token.*clientId/)
      expect(inspect(shop.errors, { depth: null })).not.toContain('wrong-secret')
      expect(shop.simulator.count('exchange')).toBe(0)
    },
  )
})

describe('what goes wrong at Elastic Path is not the shopper’s mistake', () => {
  test.each([
    ['Username', 401],
    ['OneTimePasswordToken', 401],
    ['PasswordProfileId', 500],
  ] as const)('422 on %s is %i', async (field, status) => {
    const shop = await openShop()
    const detail = `Key: 'Request.${field}' Error:Field validation for '${field}' failed: field '${field}' on the 'required' tag`
    const body = { errors: [{ status: '422', title: 'Validation Error', detail }] }
    shop.simulator.fault('exchange', { status: 422, body })
    const reply = await shop.signIn()
    expect(reply.status).toBe(status)
    expect(shop.simulator.count('exchange')).toBe(1)
    if (status === 500) {
      expect(errorOf(shop)).toMatchObject({ code: 'request_refused', upstreamStatus: 422 })
      expect(errorOf(shop).message).toContain('passwordProfileId')
    } else {
      expect(reply.body).toMatchObject({ code: 'invalid_credentials' })
    }
  })

  test.each([
    ['nothing in particular', 'Validation failed.'],
    [
      'the code and the profile',
      "field 'OneTimePasswordToken' on the 'required' tag; field 'PasswordProfileID' on the 'must_be_uuid' tag.",
    ],
  ])('422 on %s is not called a wrong code', async (_name, detail) => {
    const shop = await openShop()
    const body = { errors: [{ status: '422', title: 'Unprocessable Entity', detail }] }
    shop.simulator.fault('exchange', { status: 422, body })
    expect((await shop.signIn()).status).toBe(500)
    expect(errorOf(shop)).toMatchObject({ code: 'request_refused', upstreamStatus: 422 })
  })

  test.each(['truncated', 'reset'] as const)(
    'an exchange that is %s after its effect is not sent again',
    async (fault) => {
      const shop = await openShop()
      shop.simulator.fault('exchange', fault, { times: Infinity, afterEffect: true })
      expect((await shop.signIn()).status).toBe(502)
      expect(shop.simulator.count('exchange')).toBe(1)
      expectNoSecrets(shop)
    },
  )

  test.each([
    [
      'nothing',
      '',
      500,
      'request_refused',
      /^Elastic Path answered 403 to POST \/v2\/account-members\/tokens\./,
    ],
    [
      'JSON of another shape',
      '{"message":"no"}',
      500,
      'request_refused',
      /^Elastic Path answered 403 to POST/,
    ],
    ['a list of no errors', '{"errors":[]}', 500, 'request_refused', /^Elastic Path answered 403 to POST/],
    [
      'an error without words',
      '{"errors":[{}]}',
      500,
      'request_refused',
      /^Elastic Path answered 403 to POST/,
    ],
    [
      'its own words',
      '{"errors":[{"title":"Forbidden"}]}',
      500,
      'request_refused',
      / 403 \(Forbidden\) to POST/,
    ],
    ["a proxy's page", '<html>no</html>', 502, 'bad_answer', /^Elastic Path answered 403 to POST \S+$/],
    [
      'errors that are none',
      '{"errors":["no"]}',
      502,
      'bad_answer',
      /^Elastic Path answered 403 to POST \S+$/,
    ],
  ])('a 403 with %s', async (_name, body, status, code, message) => {
    const shop = await openShop()
    shop.simulator.fault('exchange', { status: 403, body, headers: { 'content-type': 'application/json' } })
    expect((await shop.signIn()).status).toBe(status)
    expect(errorOf(shop)).toMatchObject({ code, upstreamStatus: 403 })
    expect(errorOf(shop).message).toMatch(message)
  })

  test('words of Elastic Path that quote what was sent are not in the error', async () => {
    const shop = await openShop()
    const otp = shop.simulator.issueCode(ADA)
    const quote = `${ADA} ${otp}`
    const body = { errors: [{ status: '403', title: quote, detail: quote }] }
    shop.simulator.fault('exchange', { status: 403, body })
    expect((await shop.signIn({ otp })).status).toBe(500)
    expectNoSecrets(shop)
  })

  test.each([
    ['a title', (code: string) => ({ title: code })],
    ['a complaint', (code: string) => ({ detail: `field 'OtpToken' on the '${code}' tag` })],
  ])('a code of letters only is not in the error where %s quotes it', async (_name, quoting) => {
    const shop = await openShop()
    const otp = 'abcdef'
    shop.simulator.fault('exchange', { status: 403, body: { errors: [quoting(otp)] } })
    expect((await shop.signIn({ otp })).status).toBe(500)
    expect(errorOf(shop).message).not.toContain(otp)
  })

  test('connections that were closed while idle cost nobody a sign-in', async () => {
    const shop = await openShop()
    bodyOf(await shop.signIn())
    shop.simulator.dropConnections()
    bodyOf(await shop.signIn())
    expect(shop.errors).toEqual([])
  })

  test('a store that is gone is 502', async () => {
    const shop = await openShop()
    const otp = shop.simulator.issueCode(ADA)
    await shop.simulator.stop()
    expect((await shop.signIn({ otp })).status).toBe(502)
    expect(errorOf(shop).code).toBe('unreachable')
    expectNoSecrets(shop)
  })
})

describe('a store over its limit', () => {
  test.each(CALLS)('is 503 with Retry-After where %s would have to wait too long', async (call) => {
    const shop = await openShop()
    shop.simulator.fault(call, { rateLimited: 3600 })
    const reply = await shop.signIn()
    expect(reply.status).toBe(503)
    expect(reply.headers).toMatchObject({ 'retry-after': '3600' })
    expect(errorOf(shop)).toMatchObject({ code: 'rate_limited', status: 503, retryAfter: 3600 })
    expect(shop.simulator.count(call)).toBe(1)
    expectNoSecrets(shop)
    bodyOf(await shop.signIn())
  })

  test.each(CALLS)('signs in where %s waits for a moment', async (call) => {
    const shop = await openShop()
    shop.simulator.fault(call, { rateLimited: 0 })
    bodyOf(await shop.signIn())
    expect(shop.simulator.count(call)).toBe(2)
  })

  test('may say so by a date', async () => {
    const shop = await openShop()
    const now = Math.ceil(Date.now() / 1000) * 1000
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now)
    try {
      const headers = { 'retry-after': new Date(now + 3_600_000).toUTCString() }
      shop.simulator.fault('exchange', { status: 429, headers })
      expect((await shop.signIn()).headers).toMatchObject({ 'retry-after': '3600' })
      shop.simulator.fault('exchange', {
        status: 429,
        headers: { 'retry-after': new Date(now - 3_600_000).toUTCString() },
      })
      bodyOf(await shop.signIn())
    } finally {
      clock.mockRestore()
    }
  })

  test('is waited for as long as it says', async () => {
    const shop = await openShop()
    shop.simulator.fault('exchange', { rateLimited: 1 })
    const began = performance.now()
    bodyOf(await shop.signIn())
    expect(performance.now() - began).toBeGreaterThanOrEqual(990)
    expect(shop.simulator.count('exchange')).toBe(2)
  })
})

describe('discovery', () => {
  test('takes the one profile that issues codes', async () => {
    const id = randomUUID()
    const passwordProfiles = [{ oneTimePasswords: false }, { id }, { oneTimePasswords: false }]
    const shop = await openShop({ store: { passwordProfiles } })
    bodyOf(await shop.signIn())
    const exchange = shop.simulator.requests.find(({ call }) => call === 'exchange')
    expect(exchange?.body).toMatchObject({ data: { password_profile_id: id } })
  })

  test('of two profiles is an error that lists both', async () => {
    const passwordProfiles = [
      { id: randomUUID(), name: 'Retail' },
      { id: randomUUID(), name: 'Trade' },
    ]
    const shop = await openShop({ store: { passwordProfiles } })
    expect((await shop.signIn()).status).toBe(500)
    const { code, message } = errorOf(shop)
    expect(code).toBe('password_profile_ambiguous')
    for (const { id, name } of passwordProfiles) {
      expect(message).toContain(id)
      expect(message).toContain(name)
    }
    expect(message).toContain('passwordProfileId')
  })

  test('of no profile is an error that names enable_one_time_password_token', async () => {
    const shop = await openShop({ store: { passwordProfiles: [{ oneTimePasswords: false }] } })
    expect((await shop.signIn({ otp: '123456' })).status).toBe(500)
    expect(errorOf(shop).code).toBe('password_profile_not_found')
    expect(errorOf(shop).message).toContain('enable_one_time_password_token')
  })

  test('is not needed where the profile is named', async () => {
    const passwordProfileId = randomUUID()
    const shop = await openShop({
      store: { passwordProfiles: [{ id: passwordProfileId }] },
      options: { passwordProfileId },
    })
    bodyOf(await shop.signIn())
    expect(shop.simulator.requests.map(({ call }) => call)).toEqual(['access_token', 'exchange'])
  })
})
