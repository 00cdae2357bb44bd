import { exchangeCode, findAccount, renewTokens } from '../../lib/commerce/account-tokens'
import type { PageWindow } from '../../lib/commerce/token-page'
import type { ElasticPathSimulator, Fault } from '../../lib/testing'
import { HELD, holdTime, inContext, openStore } from './support'
import type { Commerce } from '../../lib/commerce/commerce'
import { Context } from '../../lib/context'
import { compareErrors } from '../support/errors'

compareErrors()

const TYPE = 'account_management_authentication_token'
const LATER = '2999-01-01T00:00:00Z'
const FIRST = { limit: 25, offset: 0 }
const REALM_GONE = 'the authorization realm for the token could not be found'

let simulator: ElasticPathSimulator
let commerce: Commerce
beforeEach(async () => {
  ;({ simulator, commerce } = await openStore())
})

afterEach(() => jest.restoreAllMocks())

const renew = (window: PageWindow = FIRST) =>
  inContext((context) => renewTokens(commerce.client, context, HELD, 'a member', window))
const exchange = () =>
  inContext((context) =>
    exchangeCode(commerce.client, context, { passwordProfileId: 'profile', username: 'ada', otp: 'abd1g5' }),
  )
const respond = (body: unknown, headers: Record<string, string> = {}) =>
  simulator.fault('renewal', { status: 200, body, headers }, { times: Infinity })

const entry = (fields: object = {}) => ({
  type: TYPE,
  account_id: 'an account',
  account_name: 'Fernley',
  token: 'new',
  expires: LATER,
  ...fields,
})
const page = (data: unknown, meta: object = {}) => ({
  data,
  meta: { account_member_id: 'a member', results: { total: 1 }, ...meta },
})
const many = (count: number) => Array.from({ length: count }, (_, i) => entry({ account_id: `account ${i}` }))
/** A token with claims, as Elastic Path's are. */
const tokenOf = (claims: object) => `head.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sign`

describe('a page of account tokens', () => {
  test.each<[string, unknown]>([
    ['without a body', ''],
    ['that is null', 'null'],
    ['without a list', page(undefined)],
    ['whose list is an object', page({ length: 0 })],
    ['with an entry of null', page([null])],
    ['with an entry that is a list', page([[]])],
    ['with an invalid second entry', page([entry(), {}], { results: { total: 2 } })],
    ['with an account without an id', page([entry({ account_id: undefined })])],
    ['with an account whose id is empty', page([entry({ account_id: '' })])],
    ['with an account whose id is a number', page([entry({ account_id: 7 })])],
    ['with an account without a name', page([entry({ account_name: undefined })])],
    ['without a token', page([entry({ token: undefined })])],
    ['with a token that does not fit a header', page([entry({ token: 'a\nb' })])],
    ['without an expiry', page([entry({ expires: undefined })])],
    ['whose expiry is in words', page([entry({ expires: 'until 2999-01-01T00:00:00Z' })])],
    ['whose expiry is no day', page([entry({ expires: '2999-13-41T00:00:00Z' })])],
    ['whose expiry is out of range', page([entry({ expires: 1e15 })])],
    ['with a token of another type', page([entry({ type: 'account_member' })])],
    ['whose total is a string', page([entry()], { results: { total: '1' } })],
    ['without a total in its results', page([entry()], { results: {} })],
    ['whose results are null', page([entry()], { results: null })],
    ['whose total is not an integer', page([entry()], { results: { total: 1.5 } })],
    ['whose total is smaller than the page', page([entry()], { results: { total: 0 } })],
    ['whose total is negative', page([], { results: { total: -1 } })],
    ['that is empty although there are more', page([], { results: { total: 3 } })],
    ['that is full and without a total', page(many(25), { results: undefined })],
    ['of another member, by its meta', page([entry()], { account_member_id: 'another' })],
    ['whose member is a number', page([entry()], { account_member_id: 7 })],
    ['of another member, by its token', { data: [entry({ token: tokenOf({ sub: 'another' }) })] }],
  ])('%s is rejected with bad_answer', async (_what, body) => {
    respond(body)
    await expect(renew()).rejects.toMatchObject({
      code: 'bad_answer',
      upstreamStatus: 200,
      message:
        "Elastic Path's response to POST /v2/account-members/tokens does not have the documented shape.",
    })
  })

  test.each<[string, unknown]>([
    ['with everything', page([entry()])],
    ['without types', page([entry({ type: undefined })])],
    ['without results', page([entry()], { results: undefined })],
    ['without a member', page([entry()], { account_member_id: undefined })],
    ['with the member in its token only', { data: [entry({ token: tokenOf({ sub: 'a member' }) })] }],
  ])('%s is accepted', async (_what, body) => {
    respond(body)
    expect(await renew()).toMatchObject({
      accountMemberId: 'a member',
      tokens: [{ id: 'an account' }],
      total: 1,
    })
  })

  test('without a total is the last if it is not full', async () => {
    respond(page(many(2), { results: undefined }))
    expect(await renew({ limit: 25, offset: 24 })).toMatchObject({ total: 26 })
  })

  test('that is empty ends a search in a list that became shorter', async () => {
    respond(page([], { results: { total: 1 } }))
    const first = { accountMemberId: 'a member', tokens: [{ id: 'x', name: 'X', ...HELD }], total: 10_000 }
    expect(await findAccount(first, (window) => renew(window), 'another')).toBeUndefined()
    expect(simulator.count('renewal')).toBeLessThan(10)
  })
})

describe('the lifetime of a token', () => {
  beforeEach(holdTime)

  test.each<[string, object, Record<string, string>, number]>([
    ['is exp - iat', { token: tokenOf({ iat: 1_000, exp: 1_300 }) }, {}, 300],
    [
      'is the time from the header Date to expires, if the claims are ISO strings',
      {
        token: tokenOf({ iat: '2026-01-01T00:00:00Z', exp: '2026-01-01T00:05:00Z' }),
        expires: '2027-01-01T00:05:00Z',
      },
      { date: 'Fri, 01 Jan 2027 00:00:00 GMT' },
      300,
    ],
    [
      'is that too if the token is no JWT, and expires is a number',
      { token: 'opaque', expires: Date.UTC(2027, 0, 1, 0, 5) / 1000 },
      { date: 'Fri, 01 Jan 2027 00:00:00 GMT' },
      300,
    ],
    [
      'is by the clock of this machine if Date is invalid',
      { expires: '2028-01-01T00:05:00Z' },
      { date: 'today' },
      300,
    ],
  ])('%s', async (_what, fields, headers, lifetime) => {
    jest.setSystemTime(Date.UTC(2028, 0, 1))
    respond(page([entry(fields)]), headers)
    const { tokens } = await renew()
    expect(tokens[0]).toMatchObject({ received: Date.UTC(2028, 0, 1), lifetime })
  })
})

describe('the exchange of a code', () => {
  const refuse = (status: number, error: object | undefined) =>
    simulator.fault('exchange', { status, body: error ? { errors: [error] } : '' })

  test.each<[number, object | undefined]>([
    [400, { status: '400', title: 'Bad Request', detail: 'authentication failed' }],
    [401, { status: 401, title: 'Unauthorized' }],
    [422, { detail: "field 'Username' on the 'required' tag" }],
    [422, { detail: "field 'OneTimePasswordToken' on the 'required' tag" }],
    ...[400, 401, 403, 404, 422].map((status): [number, object] => [status, { detail: REALM_GONE }]),
  ])('is refused by %i with %j, after one exchange', async (status, error) => {
    refuse(status, error)
    expect(await exchange()).toBe('refused')
    expect(simulator.count('exchange')).toBe(1)
    expect(simulator.count('access_token')).toBe(1)
  })

  test.each<[number, object | undefined, string]>([
    [422, { detail: "field 'PasswordProfileID' on the 'must_be_uuid' tag" }, 'request_refused'],
    [422, { detail: 'Validation failed.' }, 'request_refused'],
    [
      422,
      {
        detail: "field 'Username' on the 'required' tag; field 'PasswordProfileID' on the 'must_be_uuid' tag",
      },
      'request_refused',
    ],
    [403, { title: 'Forbidden' }, 'request_refused'],
    [403, undefined, 'request_refused'],
    [404, { title: 'Not Found' }, 'request_refused'],
    [400, undefined, 'bad_answer'],
    [418, undefined, 'bad_answer'],
    [302, undefined, 'bad_answer'],
    [503, undefined, 'upstream_error'],
  ])('with %i and %j is %s', async (status, error, code) => {
    simulator.fault('exchange', { status, body: error ? { errors: [error] } : '' })
    await expect(exchange()).rejects.toMatchObject({ code, upstreamStatus: status })
    expect(simulator.count('exchange')).toBe(1)
  })

  test.each([
    { title: 'abdg' },
    { title: 'Code ABDG unknown' },
    { detail: "field 'ada' on the 'abdg' tag" },
    { detail: "field 'Ada' on the 'required' tag" },
  ])('has no words in its error that quote what was sent: %j', async (error) => {
    refuse(403, error)
    const code = { passwordProfileId: 'profile', username: 'ada', otp: 'abdg' }
    const refused = inContext((context) => exchangeCode(commerce.client, context, code))
    await expect(refused).rejects.toMatchObject({
      message: expect.not.stringMatching(/abdg|\bada\b/i) as string,
    })
  })

  test.each(['truncated', 'reset'] as const)('that is %s after its effect is not repeated', async (fault) => {
    simulator.fault('exchange', fault, { times: Infinity, afterEffect: true })
    await expect(exchange()).rejects.toMatchObject({ status: 502 })
    expect(simulator.count('exchange')).toBe(1)
  })

  test.each<[string, Fault[]]>([
    ['at once', ['close']],
    ['after a rate limit', ['close', { rateLimited: 0 }]],
    ['after a new access token', ['close', 'refused_bearer']],
  ])('that may have arrived, and is sent again %s and refused, is no wrong code', async (_when, faults) => {
    jest.spyOn(Context.prototype, 'wait').mockResolvedValue()
    // Its connection is kept alive.
    refuse(400, { title: 'Bad Request' })
    expect(await exchange()).toBe('refused')
    for (const fault of faults) simulator.fault('exchange', fault)
    refuse(400, { title: 'Bad Request' })
    await expect(exchange()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('may be used up') as string,
    })
    expect(simulator.count('exchange')).toBe(2 + faults.length)
  })

  test('gets a new access token once, and then fails', async () => {
    simulator.fault('exchange', 'refused_bearer', { times: 2 })
    await expect(exchange()).rejects.toMatchObject({ code: 'access_token_refused', upstreamStatus: 401 })
    expect([simulator.count('exchange'), simulator.count('access_token')]).toEqual([2, 2])
  })
})

test('a renewal has no words in its error that quote the account token', async () => {
  simulator.fault('renewal', { status: 403, body: { errors: [{ title: 'Token Held Refused' }] } })
  await expect(renew()).rejects.toMatchObject({ message: expect.not.stringMatching(/held/i) as string })
})

test.each<[number, object]>([
  [400, {}],
  [401, {}],
  [404, { detail: REALM_GONE }],
])('a renewal that is refused with %i and %j means that the token is invalid', async (status, error) => {
  simulator.fault('renewal', { status, body: { errors: [error] } })
  await expect(renew()).rejects.toMatchObject({
    code: 'account_token_refused',
    status: 401,
    upstreamStatus: status,
  })
})
