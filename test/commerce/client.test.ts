import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { renewTokens } from '../../lib/commerce/account-tokens'
import { Context } from '../../lib/context'
import type { Commerce } from '../../lib/commerce/commerce'
import { afterTest, HELD, holdTime, inContext, openCommerce, openStore } from './support'
import { compareErrors } from '../support/errors'

compareErrors()

const get = (commerce: Commerce, context: Context) =>
  commerce.client.require(
    context,
    { method: 'GET', path: '/v2/settings/account-authentication', repeatable: true, parse: (json) => json },
    'Check it.',
  )
const token = (commerce: Commerce) => inContext((context) => commerce.accessToken.get(context))

describe('the access token', () => {
  test('is fetched once for fifty calls, and once more if all of them are refused', async () => {
    const { simulator, commerce } = await openStore()
    const fifty = () =>
      Promise.all(Array.from({ length: 50 }, () => inContext((context) => get(commerce, context))))
    await fifty()
    simulator.revokeAccessTokens()
    await fifty()
    expect(simulator.count('access_token')).toBe(2)
  })

  test.each<[string, () => object, Record<string, string>]>([
    ['expires_in', () => ({ expires_in: 100 }), {}],
    [
      'expires, by Elastic Path’s clock',
      () => ({ expires: 1_000_100 }),
      { date: new Date(1_000_000_000).toUTCString() },
    ],
    ['expires, wrapped in data', () => ({ data: { access_token: 'token', expires_in: 100 } }), {}],
  ])(
    'is renewed after 90 %% of the lifetime in %s, even if the clock is changed',
    async (_what, fields, headers) => {
      holdTime()
      const { simulator, commerce } = await openStore()
      const body = { access_token: 'token', ...fields() }
      simulator.fault('access_token', { status: 200, body, headers }, { times: Infinity })
      await token(commerce)
      jest.setSystemTime(Date.now() - 1_200_000)
      jest.advanceTimersByTime(89_000)
      await token(commerce)
      expect(simulator.count('access_token')).toBe(1)
      jest.advanceTimersByTime(2_000)
      await token(commerce)
      expect(simulator.count('access_token')).toBe(2)
    },
  )

  test.each([
    { expires_in: 100 },
    { access_token: '', expires_in: 100 },
    { access_token: 'a\nb', expires_in: 100 },
    { access_token: 'a' },
    { access_token: 'a', expires_in: '100' },
    { access_token: 'a', expires_in: -1 },
  ])('of %j is rejected with bad_answer', async (body) => {
    const { simulator, commerce } = await openStore()
    simulator.fault('access_token', { status: 200, body })
    await expect(token(commerce)).rejects.toMatchObject({ code: 'bad_answer', upstreamStatus: 200 })
  })

  test.each([{ clientId: 'another' }, { clientSecret: 'wrong-secret' }])(
    'is refused to %j',
    async (options) => {
      const { commerce } = await openStore(options)
      await expect(token(commerce)).rejects.toMatchObject({
        code: 'client_refused',
        message: expect.stringMatching(/^(?!.*wrong-secret).*Check clientId and clientSecret/) as string,
      })
    },
  )

  test('is refused by a baseUrl with a path that does not exist', async () => {
    const { simulator } = await openStore()
    const commerce = openCommerce({ baseUrl: `${simulator.url}/v2` })
    await expect(token(commerce)).rejects.toMatchObject({
      code: 'client_refused',
      message: expect.stringContaining('Check baseUrl') as string,
    })
  })
})

describe('a rate limit', () => {
  beforeEach(holdTime)

  test.each([
    ['3600', 3600],
    [new Date(Date.UTC(2030, 0, 1, 1)).toUTCString(), 3600],
    ['99999999999', 2 ** 31],
    ['soon', 1],
    ['in 12', 1],
    ['12 seconds', 1],
  ])('with Retry-After %p that exceeds the timeout is rate_limited with %i', async (header, retryAfter) => {
    jest.setSystemTime(Date.UTC(2030, 0, 1))
    const { simulator, commerce } = await openStore()
    await token(commerce)
    simulator.fault('account_settings', { status: 429, headers: { 'retry-after': header } })
    const call = inContext((context) => get(commerce, context), 900)
    await expect(call).rejects.toMatchObject({ code: 'rate_limited', status: 503, retryAfter })
  })

  test('without a wait backs off exponentially', async () => {
    const { simulator, commerce } = await openStore()
    await token(commerce)
    simulator.fault('account_settings', { rateLimited: 0 }, { times: 3 })
    const context = new Context(5000)
    const waits: number[] = []
    const wait = context.wait.bind(context)
    context.wait = (milliseconds) => {
      waits.push(milliseconds)
      const waited = wait(milliseconds)
      jest.advanceTimersByTime(milliseconds)
      return waited
    }
    await get(commerce, context)
    context.end()
    expect(waits).toEqual([100, 200, 400])
  })

  test('counts as time that Elastic Path used', async () => {
    const { simulator, commerce } = await openStore()
    await token(commerce)
    simulator.fault('account_settings', { rateLimited: 1 })
    const context = new Context(2000)
    const wait = context.wait.bind(context)
    const blamed = new Promise<unknown>((resolve) => {
      context.wait = (milliseconds) => {
        const waited = wait(milliseconds)
        jest.advanceTimersByTime(milliseconds)
        void waited.then(() => {
          context.callApp('verify', () => new Promise(() => undefined)).catch(resolve)
          jest.advanceTimersByTime(1000)
        })
        return waited
      }
    })
    get(commerce, context).catch(() => undefined)
    expect(await blamed).toMatchObject({
      code: 'timeout',
      message:
        'Elastic Path did not respond within 2000 ms (option timeout): Elastic Path 1000 ms, verify 1000 ms.',
    })
  })
})

test('any 401 is about the access token if the request has no code and no account token', async () => {
  const { simulator, commerce } = await openStore()
  simulator.fault('account_settings', { status: 401, body: { errors: [{ title: 'Unauthorized' }] } })
  await inContext((context) => get(commerce, context))
  expect(simulator.count('access_token')).toBe(2)
})

test('every request has the headers of the option `headers`, including the one for the access token', async () => {
  const { simulator, commerce } = await openStore({ headers: { 'X-REQUEST-STORE-ID': 'store' } })
  await inContext((context) => get(commerce, context))
  expect(simulator.requests.map(({ headers }) => headers['x-request-store-id'])).toEqual(['store', 'store'])
})

describe('a clock', () => {
  const NOW = Date.UTC(2030, 0, 1)
  const jwt = (iat: number) =>
    `h.${Buffer.from(JSON.stringify({ sub: 'm', iat: iat / 1000, exp: iat / 1000 + 300 })).toString('base64url')}.s`

  test.each<[string, number, string, string, RegExp | undefined]>([
    ['310 s ahead, by iat', 310, jwt(NOW), 'invalid', /310 seconds ahead of/],
    ['310 s behind, by iat', -310, jwt(NOW), 'invalid', /310 seconds behind/],
    ['310 s ahead, by the header Date', 310, 'opaque', new Date(NOW).toUTCString(), /310 seconds ahead of/],
    ['60 s ahead', 60, jwt(NOW), 'invalid', undefined],
  ])('that is %s is reported once', async (_what, seconds, held, date, message) => {
    holdTime()
    jest.setSystemTime(NOW + seconds * 1000)
    const messages: unknown[] = []
    const listen = (published: unknown): void => void messages.push(published)
    subscribe('passport-elasticpath-otp', listen)
    afterTest(() => Promise.resolve(unsubscribe('passport-elasticpath-otp', listen)))
    const { simulator, commerce } = await openStore()
    const entry = { account_id: 'a', account_name: 'A', token: held, expires: '2999-01-01T00:00:00Z' }
    const body = { data: [entry], meta: { account_member_id: 'm', results: { total: 1 } } }
    simulator.fault('renewal', { status: 200, body, headers: { date } }, { times: Infinity })
    for (let i = 0; i < 2; i++) {
      await inContext((context) => renewTokens(commerce.client, context, HELD, 'm', { limit: 25, offset: 0 }))
    }
    const warning = { operation: 'warning', outcome: 'error', code: 'clock_skew', duration: 0, calls: 0 }
    const expected = { ...warning, message: expect.stringMatching(message ?? /./) as string }
    expect(messages).toEqual(message ? [expected] : [])
  })
})
