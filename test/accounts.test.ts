import { ADA, openShop, type ShopSetup } from './support/shop'

const FIRST = { id: 'first', name: 'First' }
const SECOND = { id: 'second', name: 'Second' }

async function openSignedIn(setup: ShopSetup = {}, accounts: number | object[] = [FIRST, SECOND]) {
  const store = { members: [{ username: ADA, accounts: accounts as never }], ...setup.store }
  const shop = await openShop({ ...setup, store })
  const { user } = await shop.signIn()
  shop.simulator.clearRequests()
  return { ...shop, user }
}

const NONE: ShopSetup = { options: { requireAccount: false } }
const SOLE: ShopSetup = { options: { selectAccount: 'sole' } }

/** A user of a class of the app's own. */
class Shopper {
  declare account: { name: string } | null
  greet(): string {
    return `Hello, ${this.account?.name}`
  }
}

describe('listAccounts', () => {
  it.each([
    ['a page', {}, { limit: 1, offset: 1 }, [SECOND]],
    ['the first page by default', {}, undefined, [FIRST, SECOND]],
    ['the accounts of a shopper who still has to choose', SOLE, undefined, [FIRST, SECOND]],
    ['nothing beyond the end', { store: { omitAccountMemberId: true } }, { offset: 5 }, []],
  ])('returns %s, without tokens', async (_case, setup, page, accounts) => {
    const { strategy, user } = await openSignedIn(setup)
    expect(await strategy.listAccounts(user, page)).toEqual({ accounts, total: 2 })
  })

  it('returns a hundred accounts at most', async () => {
    const { strategy, user } = await openSignedIn({}, 101)
    const { accounts, total } = await strategy.listAccounts(user, { limit: 100 })
    expect([accounts.length, total]).toEqual([100, 101])
  })

  it.each([{ limit: 0 }, { limit: 101 }, { limit: 1.5 }, { limit: NaN }, { offset: -1 }, { offset: 0.5 }])(
    'rejects %j with a RangeError that names the parameter',
    async (page) => {
      const { strategy, user } = await openSignedIn()
      const [name] = Object.keys(page)
      const message = expect.stringContaining(`listAccounts: ${name} must be`) as string
      await expect(strategy.listAccounts(user, page)).rejects.toMatchObject({ name: 'RangeError', message })
    },
  )
})

describe('selectAccount', () => {
  it('returns a new user with the account, and keeps class, methods and fields of the app', async () => {
    const { strategy, user } = await openSignedIn()
    const shopper = Object.assign(new Shopper(), user, { theme: 'dark' })
    const before = structuredClone(user)

    const switched = await strategy.selectAccount(shopper, SECOND.id)

    expect([switched.greet(), switched.theme, shopper.greet()]).toEqual([
      'Hello, Second',
      'dark',
      'Hello, First',
    ])
    expect(user).toEqual(before)
  })

  it('finds the last of 1,000 accounts in at most eleven calls', async () => {
    const { simulator, strategy, user } = await openSignedIn({}, 1000)
    const [last] = simulator.setAccounts(ADA, 1000).accounts.page(999, 1)
    const { account } = await strategy.selectAccount(user, last?.id ?? '')
    expect(account).toMatchObject({ ...last })
    expect(simulator.requests.length).toBeLessThanOrEqual(11)
  })

  it("rejects an account that is not the member's", async () => {
    const { strategy, user } = await openSignedIn()
    const rejected = { code: 'account_not_found', status: 403 }
    await expect(strategy.selectAccount(user, 'another')).rejects.toMatchObject(rejected)
  })
})

describe('renewAccount', () => {
  it.each([
    ['of the same account', {}, { account: FIRST }],
    ['for the choice of an account', SOLE, { account: null }],
  ])('returns a user with a new token %s', async (_case, setup, expected) => {
    const { simulator, strategy, user } = await openSignedIn(setup)
    simulator.advance(60)
    const renewed = await strategy.renewAccount(user)
    expect(renewed).toMatchObject(expected)
    const [held, earlier] = [renewed, user].map(({ account, selectionToken }) => account ?? selectionToken)
    expect(Date.parse(held?.expires ?? '')).toBeGreaterThan(Date.parse(earlier?.expires ?? ''))
    await expect(strategy.selectAccount(renewed, SECOND.id)).resolves.toMatchObject({ account: SECOND })
  })

  it.each([
    [400, 'account_token_refused', 401],
    [401, 'account_token_refused', 401],
    [403, 'request_refused', 500],
    [503, 'upstream_error', 502],
  ])('rejects if Elastic Path returns %d', async (upstreamStatus, code, status) => {
    const { simulator, strategy, user } = await openSignedIn()
    simulator.fault('renewal', { status: upstreamStatus })
    await expect(strategy.renewAccount(user)).rejects.toMatchObject({ code, status, upstreamStatus })
  })

  it.each([
    ['acts for an account', {}],
    ['still has to choose', SOLE],
  ])('rejects with account_not_found for a member of no account who %s', async (_case, setup) => {
    const { simulator, strategy, user } = await openSignedIn(setup)
    const body = { data: [], meta: { account_member_id: user.accountMemberId, results: { total: 0 } } }
    simulator.fault('renewal', { status: 201, body })
    await expect(strategy.renewAccount(user)).rejects.toMatchObject({
      code: 'account_not_found',
      status: 403,
    })
  })
})

describe('the promise methods', () => {
  it('send nothing for a member of no account', async () => {
    const { simulator, strategy, user } = await openSignedIn(NONE, 0)
    expect(await strategy.listAccounts(user)).toEqual({ accounts: [], total: 0 })
    expect(await strategy.renewAccount(user)).toEqual(user)
    await expect(strategy.selectAccount(user, 'any')).rejects.toMatchObject({ code: 'account_not_found' })
    expect(simulator.requests).toEqual([])
  })

  it.each<[string, unknown, string]>([
    ['nobody', null, 'not_signed_in'],
    ['a value that is no user', 'ada', 'not_signed_in'],
    ["another strategy's user", { strategy: 'other' }, 'not_signed_in'],
    ['a user whose token is missing', { account: { id: 'first', name: 'First' } }, 'unexpected_user'],
  ])('reject %s', async (_case, changes, code) => {
    const { simulator, strategy, user: signedIn } = await openSignedIn()
    const user = (
      typeof changes === 'object' && changes ? { ...signedIn, ...changes } : changes
    ) as typeof signedIn
    const calls = [
      strategy.listAccounts(user),
      strategy.selectAccount(user, 'first'),
      strategy.renewAccount(user),
    ]
    for (const result of await Promise.allSettled(calls)) expect(result).toMatchObject({ reason: { code } })
    expect(simulator.requests).toEqual([])
  })
})

describe('close', () => {
  it('waits for what is in progress and refuses what comes later', async () => {
    const { simulator, strategy, user } = await openSignedIn()
    const held = simulator.hold('renewal')
    const order: string[] = []
    const renewed = strategy.renewAccount(user).then(() => order.push('renewed'))
    await held.arrived
    const closed = strategy.close().then(() => order.push('closed'))
    await expect(strategy.renewAccount(user)).rejects.toMatchObject({ code: 'strategy_closed', status: 500 })
    held.release()
    await Promise.all([renewed, closed, strategy.close()])
    expect(order).toEqual(['renewed', 'closed'])
    await expect(strategy.createOtpRequest(ADA)).rejects.toMatchObject({ code: 'strategy_closed' })
    await expect(strategy.ready()).rejects.toMatchObject({ code: 'strategy_closed' })
  })
})

describe('ready', () => {
  const [id, missing] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222']

  it('resolves if the store is set up', async () => {
    const { strategy } = await openShop()
    await expect(strategy.ready()).resolves.toBeUndefined()
  })

  it.each<[string, ShopSetup, string, RegExp]>([
    [
      'no profile issues codes',
      { store: { passwordProfiles: [{ oneTimePasswords: false }] } },
      'password_profile_not_found',
      /enable_one_time_password_token/,
    ],
    [
      'the named profile is missing',
      { store: { passwordProfiles: [{ id, name: 'Retail' }] }, options: { passwordProfileId: missing } },
      'password_profile_not_found',
      new RegExp(`no password profile ${missing}.*passwordProfileId.*${id} \\(Retail\\)`),
    ],
    [
      'the named profile issues no codes',
      {
        store: { passwordProfiles: [{ id, oneTimePasswords: false }, {}] },
        options: { passwordProfileId: id },
      },
      'password_profile_not_found',
      new RegExp(`${id} .*enable_one_time_password_token`),
    ],
    [
      'several profiles issue codes, and names the first twenty',
      { store: { passwordProfiles: Array.from({ length: 21 }, (_, i) => ({ name: `Profile ${i + 1}.` })) } },
      'password_profile_ambiguous',
      /Profile 20\.\), …$/,
    ],
  ])('rejects if %s', async (_case, setup, code, message) => {
    const { strategy } = await openShop(setup)
    await expect(strategy.ready()).rejects.toMatchObject({ code, status: 500 })
    await expect(strategy.ready()).rejects.toThrow(message)
  })

  it.each([
    ['no profile', 'password_profiles', { data: [] }, 'password_profile_not_found'],
    ['no realm', 'account_settings', { data: {} }, 'realm_not_found'],
  ] as const)('rejects if the store has %s', async (_case, call, body, code) => {
    const { simulator, strategy } = await openShop()
    simulator.fault(call, { status: 200, body })
    await expect(strategy.ready()).rejects.toMatchObject({ code, status: 500 })
  })
})
