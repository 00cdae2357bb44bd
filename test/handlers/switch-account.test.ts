import { randomUUID } from 'node:crypto'
import { ADA, holdDate, me, openJourney, passSeconds, until } from '../support/journey'

const FIRST = { id: randomUUID(), name: 'First' }
const SECOND = { id: randomUUID(), name: 'Second' }
const TWO = { members: [{ username: ADA, accounts: [FIRST, SECOND] }] }

describe('switchAccount', () => {
  test('lets the shopper act for another account from now on', async () => {
    const { signIn } = await openJourney({ store: TWO })
    const { agent, user } = await signIn()

    const reply = await agent.post('/switch').send({ account_id: SECOND.id }).expect(200)

    expect(user.account).toMatchObject(FIRST)
    expect(reply.body).toMatchObject({ user: { account: SECOND } })
    expect((await me(agent)).user?.account).toMatchObject(SECOND)
  })

  test('keeps the session, its id and its other contents', async () => {
    const { signIn } = await openJourney({ store: TWO })
    const { agent } = await signIn()
    await agent.post('/basket').expect(204)
    const before = await me(agent)

    await agent.post('/switch').send({ account_id: SECOND.id }).expect(200)

    const { sessionId, basket } = await me(agent)
    expect({ sessionId, basket }).toEqual({ sessionId: before.sessionId, basket: 'a basket' })
  })

  test('keeps what parallel requests put into the session while it was under way', async () => {
    const { simulator, signIn } = await openJourney({ store: TWO })
    const { agent } = await signIn()
    simulator.fault('renewal', { delay: 200 })
    const switched = agent
      .post('/switch')
      .send({ account_id: SECOND.id })
      .then(({ status }) => status)
    await until(() => simulator.count('renewal') > 0)
    await agent.post('/basket').expect(204)

    expect(await switched).toBe(200)
    expect(await me(agent)).toMatchObject({ basket: 'a basket', user: { account: SECOND } })
  })

  test('a shopper of 250 accounts gets a code by mail, signs in, and chooses one, with the basket of before', async () => {
    let mailed: (otp: string) => void
    const mail = new Promise<string>((resolve) => (mailed = resolve))
    const { simulator, browser } = await openJourney({
      store: { members: [{ username: ADA, accounts: 250 }] },
      strategy: { selectAccount: 'sole' },
      deliver: ({ otp }) => mailed(otp),
    })
    const last = simulator.setAccounts(ADA, 250).accounts.page(249, 1)[0]
    const agent = browser()
    await agent.post('/basket').expect(204)

    await agent.post('/code').send({ username: ADA }).expect(202)
    const signedIn = await agent
      .post('/login')
      .send({ username: ADA, otp: await mail })
      .expect(200)
    await agent.post('/switch').send({ account_id: last?.id }).expect(200)

    expect(signedIn.body).toMatchObject({
      user: { account: null, selectionToken: { token: expect.any(String) as string } },
      info: { totalAccounts: 250 },
    })
    const { user, stored, basket } = await me(agent)
    expect(user?.account).toMatchObject({ ...last })
    expect(user).not.toHaveProperty('selectionToken')
    expect(stored).not.toHaveProperty('selectionToken')
    expect(basket).toBe('a basket')
  })

  test.each([
    ['an error', { status: 500 }, 502],
    ['nonsense', 'html', 502],
    ['something half valid', 'half_valid', 502],
    ['a refused token', { status: 401 }, 401],
    ['no answer', 'hang', 504],
  ] as const)('changes nothing where Commerce answers with %s', async (_name, fault, status) => {
    const { simulator, signIn } = await openJourney({ store: TWO, strategy: { timeout: 500 } })
    const { agent } = await signIn()
    const before = await me(agent)
    simulator.fault('renewal', fault, { times: Infinity })

    await agent.post('/switch').send({ account_id: SECOND.id }).expect(status)

    expect(await me(agent)).toEqual(before)
  })

  test('answers 401 where nobody is signed in', async () => {
    const { simulator, browser } = await openJourney({ store: TWO })

    const reply = await browser().post('/switch').send({ account_id: SECOND.id })

    expect([reply.status, reply.body]).toMatchObject([401, { code: 'not_signed_in' }])
    expect(simulator.requests).toEqual([])
  })

  test("answers 403 to a stranger's account, and changes nothing", async () => {
    const { simulator, signIn } = await openJourney({ store: TWO })
    const stranger = simulator.addMember({ username: 'eve@example.com' }).accounts.page(0, 1)[0]
    const { agent } = await signIn()
    const before = await me(agent)

    const reply = await agent.post('/switch').send({ account_id: stranger?.id })

    expect([reply.status, reply.body]).toMatchObject([403, { code: 'account_not_found' }])
    expect(await me(agent)).toEqual(before)
  })

  test.each([
    ['no body', undefined],
    ['no id', {}],
    ['an empty id', { account_id: '' }],
    ['an array', { account_id: [SECOND.id] }],
    ['an object', { account_id: { id: SECOND.id } }],
    ['an id of 300 characters', { account_id: 'a'.repeat(300) }],
  ])('answers 400 to %s, and changes nothing', async (_name, body) => {
    const { signIn } = await openJourney({ store: TWO })
    const { agent } = await signIn()
    const before = await me(agent)

    const reply = await agent.post('/switch').send(body)

    expect([reply.status, reply.body]).toMatchObject([400, { code: 'missing_credentials' }])
    expect(await me(agent)).toEqual(before)
  })

  test('answers 403 to a member who has left the account', async () => {
    const { simulator, signIn } = await openJourney({ store: TWO })
    const { agent } = await signIn()
    simulator.setAccounts(ADA, [FIRST])

    await agent.post('/switch').send({ account_id: SECOND.id }).expect(403)
  })
})

test('a switch does not undo a sign-out that ended while it was under way', async () => {
  const { simulator, browser } = await openJourney({ store: TWO })
  const login = await browser()
    .post('/login')
    .send({ username: ADA, otp: simulator.issueCode(ADA) })
  // The cookie of before stays in the hands of whoever has it.
  const cookie = login.get('Set-Cookie')?.[0]?.split(';')[0] ?? ''
  simulator.fault('renewal', { delay: 400 })
  const before = simulator.count('renewal')
  const switching = browser()
    .post('/switch')
    .set('Cookie', cookie)
    .send({ account_id: SECOND.id })
    .then((answer) => answer)
  while (simulator.count('renewal') === before) await new Promise((resolve) => setImmediate(resolve))
  await browser().post('/logout').set('Cookie', cookie).expect(200)

  expect(await switching).toMatchObject({ status: 401, body: { code: 'not_signed_in' } })
  const { body } = (await browser().get('/me').set('Cookie', cookie)) as { body: unknown }
  expect(body).not.toHaveProperty('user')
})

test("another member's list, as out of a cache in between, switches and renews nobody", async () => {
  const { simulator, strategy, signIn } = await openJourney({ store: TWO })
  const eve = simulator.addMember({ username: 'eve@example.com', accounts: [FIRST] })
  const { agent, user } = await signIn()
  const before = await me(agent)
  const token = {
    account_id: SECOND.id,
    account_name: 'Second',
    token: 'of-eve',
    expires: user.account?.expires,
  }
  const body = { meta: { account_member_id: eve.id, results: { total: 1 } }, data: [token] }
  simulator.fault('renewal', { status: 201, body }, { times: Infinity })

  const reply = await agent.post('/switch').send({ account_id: SECOND.id })

  expect([reply.status, reply.body]).toMatchObject([502, { code: 'bad_answer' }])
  expect(await me(agent)).toEqual(before)
  await expect(strategy.listAccounts(user)).rejects.toMatchObject({ code: 'bad_answer' })
})

describe('the methods for accounts', () => {
  test('a page beyond the list is empty, also where it does not say whose it is', async () => {
    const { strategy, signIn } = await openJourney({ store: { ...TWO, omitAccountMemberId: true } })
    const { user } = await signIn()

    expect(await strategy.listAccounts(user, { offset: 5 })).toEqual({ accounts: [], total: 2 })
  })

  test('a member of 10,000 accounts signs in to the last one in 101 calls at most', async () => {
    const { simulator, signIn } = await openJourney({
      store: { members: [{ username: ADA, accounts: 10_000 }] },
    })
    const last = simulator.setAccounts(ADA, 10_000).accounts.page(9999, 1)[0]

    const { user } = await signIn({ account_id: last?.id })

    expect(user.account).toMatchObject({ ...last })
    expect(simulator.count('exchange')).toBe(1)
    expect(simulator.count('exchange') + simulator.count('renewal')).toBeLessThanOrEqual(101)
  })

  test('a member of 10,000 accounts switches to the last one in 101 calls at most', async () => {
    const { simulator, strategy, signIn } = await openJourney({
      store: { members: [{ username: ADA, accounts: 10_000 }] },
    })
    const last = simulator.setAccounts(ADA, 10_000).accounts.page(9999, 1)[0]
    const { user } = await signIn()
    simulator.clearRequests()

    const switched = await strategy.selectAccount(user, last?.id ?? '')

    expect(switched.account).toMatchObject({ ...last })
    expect(simulator.requests.length).toBeLessThanOrEqual(101)
  })

  test('selectAccount leaves the user that it was given as it was', async () => {
    const { strategy, signIn } = await openJourney({ store: TWO })
    const { user } = await signIn()
    const before = structuredClone(user)

    await strategy.selectAccount(user, SECOND.id)

    expect(user).toEqual(before)
  })

  test('selectAccount keeps what the app added to its user', async () => {
    const { strategy, signIn } = await openJourney({ store: TWO })
    const { user } = await signIn()

    const switched = await strategy.selectAccount({ ...user, theme: 'dark' }, SECOND.id)

    expect(switched).toMatchObject({ theme: 'dark', account: SECOND })
  })

  test("selectAccount rejects a stranger's account", async () => {
    const { strategy, signIn } = await openJourney({ store: TWO })
    const { user } = await signIn()

    await expect(strategy.selectAccount(user, randomUUID())).rejects.toMatchObject({
      code: 'account_not_found',
      status: 403,
    })
  })

  test('listAccounts gives a page without tokens, and the total', async () => {
    const { strategy, signIn } = await openJourney({ store: TWO })
    const { user } = await signIn()

    const page = await strategy.listAccounts(user, { limit: 1, offset: 1 })

    expect(page).toEqual({ accounts: [SECOND], total: 2 })
  })

  test('listAccounts lists for a shopper who has yet to choose', async () => {
    const { strategy, signIn } = await openJourney({ store: TWO, strategy: { selectAccount: 'sole' } })
    const { user } = await signIn()

    expect(await strategy.listAccounts(user)).toEqual({ accounts: [FIRST, SECOND], total: 2 })
  })

  test('listAccounts of a member of no account is empty', async () => {
    const { strategy, signIn } = await openJourney({
      store: { members: [{ username: ADA, accounts: 0 }] },
      strategy: { requireAccount: false },
    })
    const { user } = await signIn()

    expect(await strategy.listAccounts(user)).toEqual({ accounts: [], total: 0 })
  })

  test.each([{ limit: 0 }, { limit: 101 }, { limit: 1.5 }, { limit: NaN }, { offset: -1 }, { offset: 0.5 }])(
    'listAccounts rejects the page %j with a RangeError that names what is wrong',
    async (page) => {
      const { strategy, signIn } = await openJourney()
      const { user } = await signIn()

      const listed = strategy.listAccounts(user, page)

      await expect(listed).rejects.toThrow(RangeError)
      await expect(listed).rejects.toThrow(`listAccounts: ${Object.keys(page).join()} must be`)
    },
  )

  test('listAccounts gives a hundred at a time', async () => {
    const { strategy, signIn } = await openJourney({ store: { members: [{ username: ADA, accounts: 101 }] } })
    const { user } = await signIn()

    const { accounts, total } = await strategy.listAccounts(user, { limit: 100 })

    expect([accounts.length, total]).toEqual([100, 101])
  })

  test('selectAccount finds no account of a member of none, and asks nobody', async () => {
    const { simulator, strategy, signIn } = await openJourney({
      store: { members: [{ username: ADA, accounts: 0 }] },
      strategy: { requireAccount: false },
    })
    const { user } = await signIn()
    simulator.clearRequests()

    await expect(strategy.selectAccount(user, SECOND.id)).rejects.toMatchObject({ code: 'account_not_found' })
    expect(simulator.requests).toEqual([])
  })

  test('renewAccount gives a shopper who has yet to choose a new token for the choice', async () => {
    const { simulator, strategy, signIn } = await openJourney({
      store: TWO,
      strategy: { selectAccount: 'sole' },
    })
    const { user } = await signIn()
    simulator.advance(60)

    const renewed = await strategy.renewAccount(user)

    expect(renewed).toMatchObject({ accountMemberId: user.accountMemberId, username: ADA, account: null })
    expect(Date.parse(renewed.selectionToken?.expires ?? '')).toBeGreaterThan(
      Date.parse(user.selectionToken?.expires ?? ''),
    )
    await expect(strategy.selectAccount(renewed, SECOND.id)).resolves.toMatchObject({ account: SECOND })
  })

  test('renewAccount answers with a new token for the same account', async () => {
    const { simulator, strategy, signIn } = await openJourney({ store: TWO })
    const { user } = await signIn({ account_id: SECOND.id })
    simulator.advance(60)

    const renewed = await strategy.renewAccount(user)

    expect(renewed.account).toMatchObject(SECOND)
    expect(Date.parse(renewed.account?.expires ?? '')).toBeGreaterThan(
      Date.parse(user.account?.expires ?? ''),
    )
  })

  test('renewAccount rejects with 401 for a token that does not count any more', async () => {
    const { simulator, strategy, signIn } = await openJourney()
    const { user } = await signIn()
    simulator.revokeAccountTokens()

    await expect(strategy.renewAccount(user)).rejects.toMatchObject({
      code: 'account_token_refused',
      status: 401,
      upstreamStatus: 401,
    })
  })

  test('renewAccount rejects with 403 for a shopper who has yet to choose and belongs to no account any more', async () => {
    const { simulator, strategy, signIn } = await openJourney({
      store: TWO,
      strategy: { selectAccount: 'sole' },
    })
    const { user } = await signIn()
    const none = { data: [], meta: { account_member_id: user.accountMemberId, results: { total: 0 } } }
    simulator.fault('renewal', { status: 201, body: none })

    await expect(strategy.renewAccount(user)).rejects.toMatchObject({
      code: 'account_not_found',
      status: 403,
    })
  })

  test('renewAccount answers a member of no account with the user as it is', async () => {
    const { simulator, strategy, signIn } = await openJourney({
      store: { members: [{ username: ADA, accounts: 0 }] },
      strategy: { requireAccount: false },
    })
    const { user } = await signIn()
    simulator.clearRequests()

    expect(await strategy.renewAccount(user)).toEqual(user)
    expect(simulator.requests).toEqual([])
  })

  test('renewAccount tells the developer where the client may not renew', async () => {
    const { simulator, strategy, signIn } = await openJourney()
    const { user } = await signIn()
    simulator.fault('renewal', { status: 403 })

    await expect(strategy.renewAccount(user)).rejects.toMatchObject({
      code: 'request_refused',
      status: 500,
      upstreamStatus: 403,
      message: expect.stringContaining('clientId') as string,
    })
  })

  test.each([400, 401])(
    'renewAccount takes a %i for a token that does not count any more',
    async (status) => {
      const { simulator, strategy, signIn } = await openJourney()
      const { user } = await signIn()
      simulator.fault('renewal', { status })

      await expect(strategy.renewAccount(user)).rejects.toMatchObject({
        code: 'account_token_refused',
        upstreamStatus: status,
      })
    },
  )

  test('ready resolves where the store is set up', async () => {
    const { strategy } = await openJourney()

    await expect(strategy.ready()).resolves.toBeUndefined()
  })

  test('ready rejects with what is wrong', async () => {
    const { strategy } = await openJourney({ store: { passwordProfiles: [{ oneTimePasswords: false }] } })

    await expect(strategy.ready()).rejects.toMatchObject({ code: 'password_profile_not_found', status: 500 })
  })
  test('ready lists the profiles that there are where the one that is named is not among them', async () => {
    const id = randomUUID()
    const missing = randomUUID()
    const { strategy } = await openJourney({
      store: { passwordProfiles: [{ id, name: 'Retail' }] },
      strategy: { passwordProfileId: missing },
    })

    await expect(strategy.ready()).rejects.toMatchObject({
      code: 'password_profile_not_found',
      message: expect.stringContaining(
        `no password profile ${missing}. Set passwordProfileId to one of: ${id} (Retail)`,
      ) as string,
    })
  })

  test('ready names the setting where the profile that is named issues no codes', async () => {
    const id = randomUUID()
    const { strategy } = await openJourney({
      store: { passwordProfiles: [{ id, name: 'Retail', oneTimePasswords: false }, {}] },
      strategy: { passwordProfileId: id },
    })

    await expect(strategy.ready()).rejects.toMatchObject({
      code: 'password_profile_not_found',
      message: expect.stringMatching(
        new RegExp(`${id} \\(Retail\\) .*enable_one_time_password_token`),
      ) as string,
    })
  })

  test('ready sees a profile that was found and replaced, and finds the new one at the next try', async () => {
    const [old, young] = [randomUUID(), randomUUID()]
    const { simulator, strategy } = await openJourney({ store: { passwordProfiles: [{ id: young }] } })
    const profile = (id: string) => ({ id, name: 'Retail', enable_one_time_password_token: true })
    const total = { meta: { results: { total: 1 } } }
    simulator.fault('password_profiles', { status: 200, body: { data: [profile(old)], ...total } })
    holdDate()
    await strategy.ready()
    passSeconds(60)

    await expect(strategy.ready()).rejects.toMatchObject({ code: 'password_profile_not_found' })

    await expect(strategy.ready()).resolves.toBeUndefined()
  })

  test('ready says where the store has no password profile at all', async () => {
    const { simulator, strategy } = await openJourney()
    simulator.fault('password_profiles', { status: 200, body: { data: [] } })

    await expect(strategy.ready()).rejects.toMatchObject({
      code: 'password_profile_not_found',
      message: expect.stringContaining('It has no password profile') as string,
    })
  })

  test('ready names the first twenty profiles of many', async () => {
    const passwordProfiles = Array.from({ length: 21 }, (_, i) => ({ name: `Profile ${i + 1}.` }))
    const { strategy } = await openJourney({ store: { passwordProfiles } })

    await expect(strategy.ready()).rejects.toMatchObject({
      code: 'password_profile_ambiguous',
      message: expect.stringMatching(/Profile 20\.\), …$/) as string,
    })
  })

  test.each([
    ['none', { data: {} }],
    ['null', { data: { relationships: { authentication_realm: { data: null } } } }],
  ])('ready says what to set where the account settings name a realm of %s', async (_name, body) => {
    const { simulator, strategy } = await openJourney()
    simulator.fault('account_settings', { status: 200, body })

    await expect(strategy.ready()).rejects.toMatchObject({
      code: 'realm_not_found',
      status: 500,
      message: expect.stringMatching(/Commerce Manager.*authenticationRealmId/) as string,
    })
  })
})
