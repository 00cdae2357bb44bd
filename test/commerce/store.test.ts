import { exchangeCode } from '../../lib/commerce/account-tokens'
import type { Commerce } from '../../lib/commerce/commerce'
import { requestAgain, requestCode } from '../../lib/commerce/otp-requests'
import { ElasticPathError } from '../../lib/errors'
import { ADA, holdTime, inContext, openStore } from './support'
import { compareErrors } from '../support/errors'

compareErrors()

const REALM_GONE = 'the authorization realm for the token could not be found'

const ask = (commerce: Commerce, username = ADA) =>
  inContext(async (context) => {
    const { client, store } = commerce
    const refused = await requestCode(client, store, context, username)
    return refused && requestAgain(client, store, context, username, refused)
  })
const check = (commerce: Commerce) => inContext((context) => commerce.store.check(context))
const exchange = (commerce: Commerce, passwordProfileId: string) =>
  inContext((context) =>
    exchangeCode(commerce.client, context, { passwordProfileId, username: ADA, otp: 'x' }),
  )

describe('the account settings', () => {
  const settings = (realm: unknown) => ({
    data: { relationships: { authentication_realm: { data: realm } } },
  })

  test.each<[string, unknown, string]>([
    ['that are empty', '', 'bad_answer'],
    ['without settings', {}, 'bad_answer'],
    ['that are a list', { data: [] }, 'bad_answer'],
    ['whose realm has no id', settings({}), 'bad_answer'],
    ['whose realm has a number as id', settings({ id: 7 }), 'bad_answer'],
    ['whose realm has a path as id', settings({ id: 'realm/other' }), 'bad_answer'],
    ['whose realm has a long id', settings({ id: 'r'.repeat(257) }), 'bad_answer'],
    ['without a realm', settings(null), 'realm_not_found'],
    ['that do not mention a realm', { data: {} }, 'realm_not_found'],
  ])('%s are rejected with %s', async (_what, body, code) => {
    const { simulator, commerce } = await openStore()
    simulator.fault('account_settings', { status: 200, body })
    await expect(check(commerce)).rejects.toMatchObject({ code })
  })
})

describe('the list of password profiles', () => {
  const profile = (fields: object = {}) => ({
    id: 'profile-1',
    name: 'Shoppers',
    enable_one_time_password_token: true,
    ...fields,
  })
  const list = (data: unknown, results: unknown = { total: 1 }) => ({ data, meta: { results } })
  const off = { enable_one_time_password_token: false }

  test.each<[string, unknown, string, RegExp]>([
    ['that is empty text', '', 'bad_answer', /password-profiles does not have/],
    ['that is an object', list({ length: 0 }), 'bad_answer', /password-profiles does not have/],
    ['with a profile without an id', list([profile({ id: undefined })]), 'bad_answer', /./],
    ['with a profile whose id is a sentence', list([profile({ id: 'a profile' })]), 'bad_answer', /./],
    ['with a profile whose name is a number', list([profile({ name: 7 })]), 'bad_answer', /./],
    [
      'with a profile whose setting is text',
      list([profile({ enable_one_time_password_token: 'yes' })]),
      'bad_answer',
      /./,
    ],
    ['without a total', list([profile()], {}), 'bad_answer', /./],
    ['that is empty', list([], { total: 0 }), 'password_profile_not_found', /It has no password profile\.$/],
    [
      'without codes',
      list([profile({ id: 'off', name: 'Old\nand\u2028long' + 'n'.repeat(200), ...off })]),
      'password_profile_not_found',
      /It has: off \(Old and longn{88}\)\.$/,
    ],
    [
      'with a profile without a name',
      list([profile({ name: undefined, ...off })]),
      'password_profile_not_found',
      /It has: profile-1 \(\)\.$/,
    ],
    [
      'with several',
      list(
        Array.from({ length: 21 }, (_, i) => profile({ id: `p${i}` })),
        { total: 21 },
      ),
      'password_profile_ambiguous',
      /Set passwordProfileId to one of: p0 \(Shoppers\), .*p19 \(Shoppers\), …$/,
    ],
  ])('%s is rejected with %s', async (_what, body, code, message) => {
    const { simulator, commerce } = await openStore()
    simulator.fault('password_profiles', { status: 200, body })
    await expect(check(commerce)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    })
  })

  test('is read page by page, and ends with an empty page', async () => {
    const { simulator, commerce } = await openStore()
    simulator.fault('password_profiles', {
      status: 200,
      body: list([profile({ id: 'other', ...off })], { total: 9 }),
    })
    simulator.fault('password_profiles', { status: 200, body: list([profile()], { total: 9 }) })
    simulator.fault('password_profiles', { status: 200, body: list([], { total: 9 }) })
    await check(commerce)
    const requests = simulator.requests.filter(({ call }) => call === 'password_profiles')
    expect(requests.map(({ query }) => query['page[offset]'])).toEqual(['0', '1', '2'])
  })

  test('is not needed if the profile is an option', async () => {
    const { commerce } = await openStore({ passwordProfileId: 'named', authenticationRealmId: 'realm' })
    expect(await inContext((context) => commerce.store.passwordProfileId(context))).toBe('named')
    await expect(check(commerce)).rejects.toMatchObject({ code: 'request_refused' })
  })
})

describe('the request for a code', () => {
  test.each<[number, unknown]>([
    [202, ''],
    [201, { data: { token: 'secret' } }],
  ])('resolves with nothing after %i', async (status, body) => {
    const { simulator, commerce } = await openStore()
    simulator.fault('otp_request', { status, body })
    expect(await ask(commerce)).toBeUndefined()
  })

  test.each<[number, unknown]>([
    [400, { errors: [{ title: 'Bad Request' }] }],
    [400, '<html>Blocked</html>'],
    [404, ''],
    [404, '<html>Not Found</html>'],
    [422, { errors: [{ detail: "field 'Username' on the 'required' tag" }] }],
    [422, { errors: [{ detail: "field 'Type' on the 'oneof' tag" }] }],
    [403, { errors: [{ detail: REALM_GONE }] }],
  ])('resolves with an error for diagnostics after %i with %j', async (status, body) => {
    const { simulator, commerce } = await openStore()
    simulator.fault('otp_request', { status, body }, { times: Infinity })
    const error = await ask(commerce)
    expect(error).toBeInstanceOf(ElasticPathError)
    expect(error).toMatchObject({ code: 'request_refused', upstreamStatus: status })
    expect(simulator.count('otp_request')).toBe(1)
  })

  test.each<[number, unknown, string]>([
    [202, '<html>', 'bad_answer'],
    [403, { errors: [{ title: 'Forbidden' }] }, 'request_refused'],
    [503, '', 'upstream_error'],
  ])('rejects after %i with %j', async (status, body, code) => {
    const { simulator, commerce } = await openStore()
    simulator.fault('otp_request', { status, body })
    await expect(ask(commerce)).rejects.toMatchObject({ code })
  })

  test('rejects if it cannot get an access token, also with 400', async () => {
    const { simulator, commerce } = await openStore()
    simulator.fault('access_token', { status: 400, body: { errors: [{}] } })
    await expect(ask(commerce)).rejects.toMatchObject({ code: 'client_refused' })
  })

  test.each(['account_settings', 'password_profiles'] as const)(
    'resolves with what a look-up (%s) because of a 404 finds',
    async (call) => {
      const { simulator, commerce } = await openStore()
      await check(commerce)
      simulator.fault('otp_request', { status: 404 }, { times: Infinity })
      simulator.fault(call, { status: 503 })
      expect(await ask(commerce)).toMatchObject({ code: 'upstream_error', upstreamStatus: 503 })
    },
  )

  test('looks realm and profile up again after a 404, at most once in ten seconds', async () => {
    holdTime()
    const { simulator, commerce } = await openStore()
    simulator.fault('otp_request', { status: 404 }, { times: Infinity })
    for (let i = 0; i < 3; i++) await ask(commerce)
    expect(simulator.count('account_settings')).toBe(2)
    jest.advanceTimersByTime(10_000)
    await ask(commerce)
    expect(simulator.count('account_settings')).toBe(3)
    expect(simulator.count('otp_request')).toBe(4)
  })
})

describe('a look-up after a refusal', () => {
  test('that failed fails for everybody for ten seconds, and is then repeated', async () => {
    holdTime()
    const { simulator, commerce } = await openStore()
    await check(commerce)
    jest.advanceTimersByTime(10_000)
    simulator.fault('account_settings', { status: 503 })
    const lookUp = () => inContext((context) => commerce.store.recheck(context))
    for (let i = 0; i < 2; i++) await expect(lookUp()).rejects.toMatchObject({ code: 'upstream_error' })
    jest.advanceTimersByTime(10_000)
    await lookUp()
    expect(simulator.count('account_settings')).toBe(3)
  })
})

describe('a store whose realm was replaced', () => {
  const REPLACED = { data: { relationships: { authentication_realm: { data: { id: 'old-realm' } } } } }
  const PROFILES = {
    data: [{ id: 'old-profile', name: 'Old', enable_one_time_password_token: true }],
    meta: { results: { total: 1 } },
  }

  /** A commerce that has detected a realm and a profile which no longer exist. */
  async function openReplaced() {
    const { simulator, commerce } = await openStore()
    simulator.fault('account_settings', { status: 200, body: REPLACED })
    simulator.fault('password_profiles', { status: 200, body: PROFILES })
    await check(commerce)
    return { simulator, commerce }
  }

  test('gets the code requests of everybody, each sent once more with the new ids', async () => {
    const { simulator, commerce } = await openReplaced()
    expect(await Promise.all([ask(commerce), ask(commerce), ask(commerce)])).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    expect(simulator.count('account_settings')).toBe(2)
    const paths = simulator.requests.filter(({ call }) => call === 'otp_request').map(({ path }) => path)
    expect(paths.at(-1)).not.toContain('old-realm')
  })

  test.each<[number, object, string]>([
    [404, {}, 'request_refused'],
    [400, { detail: REALM_GONE }, 'refused'],
  ])('is looked up again after an exchange with %i and %j', async (status, error, outcome) => {
    const { simulator, commerce } = await openReplaced()
    simulator.fault('exchange', { status, body: { errors: [error] } })
    const result = await exchange(commerce, 'old-profile').catch(
      (error: unknown) => (error as ElasticPathError).code,
    )
    expect(result).toBe(outcome)
    expect(await inContext((context) => commerce.store.passwordProfileId(context))).not.toBe('old-profile')
  })

  test('is not looked up again after a wrong code', async () => {
    const { simulator, commerce } = await openReplaced()
    simulator.fault('exchange', { status: 400, body: { errors: [{ detail: 'authentication failed' }] } })
    expect(await exchange(commerce, 'old-profile')).toBe('refused')
    expect(await inContext((context) => commerce.store.passwordProfileId(context))).toBe('old-profile')
  })
})
