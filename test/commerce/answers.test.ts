import {
  PasswordlessOtpStrategy,
  type PasswordlessOtpStrategyOptions,
  type PasswordlessOtpUser,
} from '../../lib'
import { ElasticPathSimulator, type Call } from '../../lib/testing'

const ADA = 'ada@example.com'
const TYPE = 'account_management_authentication_token'
const LATER = '2999-01-01T00:00:00Z'
const MEMBER: PasswordlessOtpUser = {
  accountMemberId: 'a member',
  username: ADA,
  account: { id: 'an account', name: 'Fernley', token: 'held', expires: LATER },
}

let simulator: ElasticPathSimulator
const strategies: PasswordlessOtpStrategy[] = []

beforeEach(async () => {
  simulator = await ElasticPathSimulator.start({ members: [{ username: ADA }] })
})

afterEach(async () => {
  for (const strategy of strategies.splice(0)) await strategy.close()
  await simulator.stop()
})

function open(options: Partial<PasswordlessOtpStrategyOptions> = {}): PasswordlessOtpStrategy {
  const strategy = new PasswordlessOtpStrategy({
    clientId: simulator.clientId,
    baseUrl: simulator.url,
    ...options,
  })
  strategies.push(strategy)
  return strategy
}

function answer(call: Call, body: unknown, status = 200): void {
  simulator.fault(call, { status, body }, { times: Infinity })
}

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
/** A token that says whose it is, as Elastic Path's do. */
const tokenOf = (member: string) =>
  `head.${Buffer.from(JSON.stringify({ sub: member })).toString('base64url')}.sign`

describe('a list of account tokens', () => {
  test.each<[string, unknown]>([
    ['nothing', ''],
    ['null', 'null'],
    ['no list', page(undefined)],
    ['a list that is an object', page({ length: 0 })],
    ['a list that is a text', page('')],
    ['an entry of null', page([null])],
    ['an entry that is a list', page([[]])],
    ['an entry that is a text', page(['entry'])],
    ['a second entry that is none', page([entry(), {}], { results: { total: 2 } })],
    ['an account without an id', page([entry({ account_id: undefined })])],
    ['an account with an empty id', page([entry({ account_id: '' })])],
    ['an account whose id is a number', page([entry({ account_id: 7 })])],
    ['an account without a name', page([entry({ account_name: undefined })])],
    ['an account whose name is a number', page([entry({ account_name: 7 })])],
    ['no token', page([entry({ token: undefined })])],
    ['an empty token', page([entry({ token: '' })])],
    ['a token that fits no header', page([entry({ token: 'a\nb' })])],
    ['a token without an end', page([entry({ expires: undefined })])],
    ['a token whose end is null', page([entry({ expires: null })])],
    ['a token whose end is in words', page([entry({ expires: 'soon' })])],
    ['a token whose end is a moment in words', page([entry({ expires: 'until 2999-01-01T00:00:00Z' })])],
    ['a token whose end is no day', page([entry({ expires: '2999-13-41T00:00:00Z' })])],
    ['a token whose end is too far to be a moment', page([entry({ expires: 1e15 })])],
    ['a token of another type', page([entry({ type: 'account_member' })])],
    ['a token whose type is null', page([entry({ type: null })])],
    ['a total in words', page([entry()], { results: { total: '1' } })],
    ['no total', page([entry()], { results: {} })],
    ['results that are null', page([entry()], { results: null })],
    ['half an account', page([entry()], { results: { total: 1.5 } })],
    ['more accounts than there are numbers', page([entry()], { results: { total: 1e300 } })],
    ['a total below what is there', page([entry()], { results: { total: 0 } })],
    ['a total below nothing', page([], { results: { total: -1 } })],
    ['accounts that are not there', page([], { results: { total: 3 } })],
    ['a full page, and no word of how many there are', page(many(25), { results: undefined })],
    ["another member's list", page([entry()], { account_member_id: 'another' })],
    ['a member without an id', page([entry()], { account_member_id: '' })],
    ['a member whose id is a number', page([entry()], { account_member_id: 7 })],
    ["another member's token", { data: [entry({ token: tokenOf('another') })] }],
  ])('with %s is an answer that is not of the documented shape', async (_what, body) => {
    const strategy = open()
    answer('renewal', body)
    await expect(strategy.listAccounts(MEMBER)).rejects.toMatchObject({
      code: 'bad_answer',
      status: 502,
      upstreamStatus: 200,
      message: "Elastic Path's answer to POST /v2/account-members/tokens is not of the documented shape",
    })
  })

  test.each<[string, unknown]>([
    ['all of it', page([entry()])],
    ['no type', page([entry({ type: undefined })])],
    ['no results', page([entry()], { results: undefined })],
    ['no member', page([entry()], { account_member_id: undefined })],
    ['a member in its token alone', { data: [entry({ token: tokenOf('a member') })] }],
    ['nothing but the list', { data: [entry()] }],
  ])('with %s is taken', async (_what, body) => {
    const strategy = open()
    answer('renewal', body)
    expect(await strategy.listAccounts(MEMBER)).toEqual({
      accounts: [{ id: 'an account', name: 'Fernley' }],
      total: 1,
    })
  })

  test.each([
    ['a text', LATER, LATER],
    ['seconds', Date.parse(LATER) / 1000, '2999-01-01T00:00:00.000Z'],
  ])('whose tokens end at a moment in %s has it in ISO 8601', async (_what, expires, moment) => {
    const strategy = open()
    answer('renewal', page([entry({ expires })]))
    const { account } = await strategy.renewAccount(MEMBER)
    expect(account).toEqual({ id: 'an account', name: 'Fernley', token: 'new', expires: moment })
  })

  test('without a word of how many there are is whole where its page is not full', async () => {
    const strategy = open()
    simulator.fault('renewal', { status: 200, body: page(many(24), { results: undefined }) })
    expect(await strategy.listAccounts(MEMBER)).toMatchObject({ total: 24 })
    answer('renewal', page(many(2), { results: undefined }))
    expect(await strategy.listAccounts(MEMBER, { offset: 24 })).toMatchObject({ total: 26 })
  })

  test('whose further page is empty below its own total is an answer of no documented shape', async () => {
    const strategy = open()
    simulator.fault('renewal', { status: 200, body: page([entry()], { results: { total: 2 } }) })
    answer('renewal', page([], { results: { total: 2 } }))
    await expect(strategy.selectAccount(MEMBER, 'another')).rejects.toMatchObject({ code: 'bad_answer' })
  })

  test('that became shorter is looked through no further than to its first empty page', async () => {
    const strategy = open()
    simulator.fault('renewal', { status: 200, body: page([entry()], { results: { total: 10_000 } }) })
    answer('renewal', page([], { results: { total: 1 } }))
    await expect(strategy.selectAccount(MEMBER, 'another')).rejects.toMatchObject({
      code: 'account_not_found',
      message: 'The member does not belong to this account',
    })
    expect(simulator.count('renewal')).toBeLessThan(10)
  })

  test('that is empty where a choice waits says that the member belongs to no account any more', async () => {
    const strategy = open()
    const { account: _chosen, ...member } = MEMBER
    const choosing = { ...member, account: null, selectionToken: { token: 'held', expires: LATER } }
    answer('renewal', page([], { results: { total: 0 } }))
    await expect(strategy.renewAccount(choosing)).rejects.toMatchObject({
      code: 'account_not_found',
      message: 'The member belongs to no account any more',
    })
  })

  test.each([400, 401])('refused with %p is the end of the token in hand', async (status) => {
    const strategy = open()
    simulator.fault('renewal', { status })
    await expect(strategy.listAccounts(MEMBER)).rejects.toMatchObject({
      code: 'account_token_refused',
      status: 401,
      upstreamStatus: status,
      message: 'Elastic Path does not accept the account token any more: the shopper has to sign in again',
    })
  })

  test.each([
    ['the account settings', 'account_settings'],
    ['the password profiles', 'password_profiles'],
    ['the code request', 'otp_request'],
  ] as const)('a 401 in whatever words at %s is about the access token', async (_what, call) => {
    const strategy = open()
    const body = { errors: [{ status: '401', title: 'Unauthorized' }] }
    simulator.fault(call, { status: 401, body })
    await strategy.createOtpRequest(ADA)
    expect(simulator.count('access_token')).toBe(2)

    const another = open()
    simulator.fault(call, { status: 401, body }, { times: 2 })
    await expect(another.createOtpRequest(ADA)).rejects.toMatchObject({
      code: 'access_token_refused',
      upstreamStatus: 401,
    })
  })

  test('refused otherwise is for the developer, with what to check', async () => {
    const strategy = open()
    simulator.fault('renewal', { status: 403, body: { errors: [{ title: 'Forbidden' }] } })
    await expect(strategy.listAccounts(MEMBER)).rejects.toMatchObject({
      code: 'request_refused',
      message:
        'Elastic Path answered 403 (Forbidden) to POST /v2/account-members/tokens. ' +
        'Check that clientId may renew account tokens.',
    })
  })

  test('is asked for by nobody who is not signed in', async () => {
    const strategy = open()
    await expect(async () => strategy.listAccounts(undefined as never)).rejects.toMatchObject({
      code: 'not_signed_in',
      message: 'Nobody is signed in',
    })
  })
})

describe('the account settings', () => {
  const settings = (realm: unknown) => ({
    data: { relationships: { authentication_realm: { data: realm } } },
  })

  test.each<[string, unknown]>([
    ['nothing', ''],
    ['no settings', {}],
    ['a list', { data: [] }],
    ['a realm without an id', settings({})],
    ['a realm whose id is a number', settings({ id: 7 })],
    ['a realm whose id is a path', settings({ id: '../other' })],
    ['a realm whose id ends in a path', settings({ id: 'realm/other' })],
    ['a realm whose id has two lines', settings({ id: 'realm\nother' })],
    ['a realm whose id is empty', settings({ id: '' })],
    ['a realm whose id is endless', settings({ id: 'r'.repeat(257) })],
  ])('with %s are an answer that is not of the documented shape', async (_what, body) => {
    const strategy = open()
    answer('account_settings', body)
    await expect(strategy.ready()).rejects.toMatchObject({
      code: 'bad_answer',
      message: expect.stringContaining('GET /v2/settings/account-authentication') as string,
    })
  })

  test.each<[string, unknown]>([
    ['no realm', settings(null)],
    ['nothing about a realm', { data: {} }],
  ])('with %s say what to set up', async (_what, body) => {
    const strategy = open()
    answer('account_settings', body)
    await expect(strategy.ready()).rejects.toMatchObject({
      code: 'realm_not_found',
      status: 500,
      message: expect.stringMatching(/Commerce Manager, or set authenticationRealmId\.$/) as string,
    })
  })

  test('that may not be read say what to set instead', async () => {
    const strategy = open()
    simulator.fault('account_settings', { status: 403 })
    await expect(strategy.ready()).rejects.toMatchObject({
      code: 'request_refused',
      message: expect.stringContaining(
        'Set authenticationRealmId, or let clientId read the account settings.',
      ) as string,
    })
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

  test.each<[string, unknown]>([
    ['nothing', ''],
    ['no list', list(undefined)],
    ['a list that is an object', list({ length: 0 })],
    ['a profile of null', list([null])],
    ['a profile without an id', list([profile({ id: undefined })])],
    ['a profile whose id is a sentence', list([profile({ id: 'a profile' })])],
    ['a profile whose name is a number', list([profile({ name: 7 })])],
    [
      'a profile that issues codes, or so it says',
      list([profile({ enable_one_time_password_token: 'yes' })]),
    ],
    ['a total in words', list([profile()], { total: '1' })],
    ['no total', list([profile()], {})],
  ])('with %s is an answer that is not of the documented shape', async (_what, body) => {
    const strategy = open()
    answer('password_profiles', body)
    await expect(strategy.ready()).rejects.toMatchObject({
      code: 'bad_answer',
      message: expect.stringMatching(
        /GET \/v2\/authentication-realms\/\S+\/password-profiles is not/,
      ) as string,
    })
  })

  test.each<[string, unknown]>([
    ['all of it', list([profile()])],
    ['no name', list([profile({ name: undefined })])],
    ['no results', { data: [profile()] }],
    ['a profile that says nothing of codes', list([{ id: 'other' }, profile()], { total: 2 })],
  ])('with %s is taken', async (_what, body) => {
    const strategy = open()
    answer('password_profiles', body)
    await strategy.createOtpRequest(ADA).catch(() => undefined)
    const asked = simulator.requests.find(({ call }) => call === 'otp_request')
    expect(asked?.path).toContain('/password-profiles/profile-1/')
  })

  test('is read page by page, each from where the last one ended', async () => {
    const strategy = open()
    const other = profile({ id: 'other', enable_one_time_password_token: false })
    simulator.fault('password_profiles', { status: 200, body: list([other, other], { total: 3 }) })
    simulator.fault('password_profiles', { status: 200, body: list([profile()], { total: 3 }) })
    await strategy.ready()
    const asked = simulator.requests.filter(({ call }) => call === 'password_profiles')
    expect(asked.map(({ query }) => query)).toMatchObject([
      { 'page[limit]': '100', 'page[offset]': '0' },
      { 'page[limit]': '100', 'page[offset]': '2' },
    ])
  })

  test('that ends before its total is not asked for without end', async () => {
    const strategy = open()
    simulator.fault('password_profiles', { status: 200, body: list([profile()], { total: 9 }) })
    answer('password_profiles', list([], { total: 9 }))
    await strategy.ready()
    expect(simulator.count('password_profiles')).toBe(2)
  })

  test('that is empty is an error that says so', async () => {
    const strategy = open()
    answer('password_profiles', list([], { total: 0 }))
    await expect(strategy.ready()).rejects.toMatchObject({
      code: 'password_profile_not_found',
      message: expect.stringMatching(/no code can work\. It has no password profile\.$/) as string,
    })
  })

  test('of which none issues codes is an error that shows them, each on the one line of it', async () => {
    const strategy = open()
    const mute = (name: string) => profile({ id: 'mute', name, enable_one_time_password_token: false })
    answer('password_profiles', list([mute('Old\nand\u2028sad'), mute('n'.repeat(200))], { total: 2 }))
    await expect(strategy.ready()).rejects.toMatchObject({
      code: 'password_profile_not_found',
      message: expect.stringMatching(/It has: mute \(Old and sad\), mute \(n{100}\)\.$/) as string,
    })
  })

  test('of which many issue codes is an error that shows twenty', async () => {
    const strategy = open()
    const many = Array.from({ length: 21 }, (_, i) => profile({ id: `p${i}` }))
    answer('password_profiles', list(many, { total: 21 }))
    await expect(strategy.ready()).rejects.toMatchObject({
      code: 'password_profile_ambiguous',
      message: expect.stringMatching(/one of: p0 \(Shoppers\), .*p19 \(Shoppers\), …$/) as string,
    })
  })

  test('that may not be read says what to set instead', async () => {
    const strategy = open()
    simulator.fault('password_profiles', { status: 404 })
    await expect(strategy.ready()).rejects.toMatchObject({
      code: 'request_refused',
      message: expect.stringContaining('Check authenticationRealmId, or set passwordProfileId.') as string,
    })
  })
})

describe('the answer to a request for a code', () => {
  test.each<[string, unknown]>([
    ['nothing', ''],
    ['JSON', { data: {} }],
  ])('may be %s', async (_what, body) => {
    const strategy = open()
    answer('otp_request', body, 202)
    await strategy.createOtpRequest(ADA)
  })

  test("that is somebody's page is no promise of a mail", async () => {
    const strategy = open()
    answer('otp_request', '<html>', 202)
    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({ code: 'bad_answer' })
  })

  test('that does not come, as its connection broke, is not asked for again: a code may be in the mail', async () => {
    const strategy = open()
    simulator.fault('otp_request', 'reset', { times: Infinity, afterEffect: true })
    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({ code: 'unreachable' })
    expect(simulator.count('otp_request')).toBe(1)
  })
})

describe('a status that is no answer to what was asked', () => {
  test.each([300, 302, 399])(
    '%p is a redirect, which is not followed, and names the option',
    async (status) => {
      const strategy = open()
      answer('renewal', '', status)
      await expect(strategy.listAccounts(MEMBER)).rejects.toMatchObject({
        code: 'bad_answer',
        upstreamStatus: status,
        message: `Elastic Path answered ${status} to POST /v2/account-members/tokens, and redirects are not followed: check baseUrl`,
      })
    },
  )

  test.each([
    [400, 'bad_answer'],
    [418, 'bad_answer'],
    [500, 'upstream_error'],
    [599, 'upstream_error'],
  ])('%p in no words of Elastic Path is %s', async (status, code) => {
    const strategy = open()
    answer('renewal', '<html>', status)
    await expect(strategy.listAccounts(MEMBER)).rejects.toMatchObject({
      code,
      status: 502,
      upstreamStatus: status,
      message: `Elastic Path answered ${status} to POST /v2/account-members/tokens`,
    })
  })

  test.each(['soon', '12 seconds', 'in 12'])(
    '429 with a Retry-After of %p waits a second at least',
    async (header) => {
      const strategy = open({ timeout: 400 })
      simulator.fault('renewal', { status: 429, headers: { 'retry-after': header } })
      await expect(strategy.listAccounts(MEMBER)).rejects.toMatchObject({
        code: 'rate_limited',
        retryAfter: 1,
        message: 'The store is over its rate limit at Elastic Path',
      })
    },
  )
})

describe('what may be sent twice without harm', () => {
  test.each(['access_token', 'account_settings', 'password_profiles', 'renewal'] as const)(
    '%s is sent again where its connection breaks',
    async (call) => {
      const strategy = open()
      simulator.fault(call, 'reset')
      answer('renewal', page([entry()]))
      await strategy.ready()
      await strategy.listAccounts(MEMBER)
      expect(simulator.count(call)).toBe(2)
    },
  )
})
