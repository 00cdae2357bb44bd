import { ADA, at, claimsOf, compareResponses, detailOf, openStore, TOKEN_TYPE, TOKENS } from './support'

compareResponses()

const UNKNOWN_UUID = 'c5687352-d102-46fd-b85e-256f10574019'

// The numbers of facts refer to docs/elastic-path-facts.md.
describe('the exchange of a code', () => {
  test('returns the response of the documentation (fact 7)', async () => {
    const { simulator, client } = await openStore({ members: [] })
    const member = simulator.addMember({ username: ADA, accounts: [{ name: 'Personal Account' }] })
    const reply = await client.exchange(simulator.issueCode(ADA))
    const [account] = member.accounts.page(0, 1)
    const list = `${simulator.url}${TOKENS}?page[offset]=0&page[limit]=25`
    expect(reply.status).toBe(201)
    expect(reply.json).toEqual({
      meta: {
        account_member_id: member.id,
        page: { limit: 25, offset: 0, current: 1, total: 1 },
        results: { total: 1 },
      },
      data: [
        {
          account_name: 'Personal Account',
          account_id: account?.id,
          token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) as string,
          type: TOKEN_TYPE,
          expires: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        },
      ],
      links: { current: list, first: list, last: list, next: 'null', prev: 'null' },
    })
  })

  test('returns a token with the documented claims, whose `exp` matches `expires` (fact 12)', async () => {
    const { simulator, client } = await openStore({ accountTokenLifetime: 900 })
    const { json } = await client.exchange(simulator.issueCode(ADA))
    const claims = claimsOf(at(json, 'data', 0, 'token'))
    const expires = new Date(String(at(json, 'data', 0, 'expires'))).getTime()
    expect(claims).toEqual({
      account_member_self_management: 'disabled',
      ancestors: '',
      exp: Math.floor(expires / 1000),
      iat: Math.floor(expires / 1000) - 900,
      realm_id: simulator.realmId,
      scope: at(json, 'data', 0, 'account_id'),
      store_id: expect.any(String) as string,
      sub: at(json, 'meta', 'account_member_id'),
    })
  })

  test('accepts a code once (fact 15)', async () => {
    const { simulator, client } = await openStore()
    const otp = simulator.issueCode(ADA)
    expect((await client.exchange(otp)).status).toBe(201)
    expect((await client.exchange(otp)).status).toBe(400)
  })

  test('accepts a code once if two requests arrive at the same time', async () => {
    const { simulator, client } = await openStore()
    const otp = simulator.issueCode(ADA)
    const replies = await Promise.all([client.exchange(otp), client.exchange(otp)])
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 400])
  })

  test('refuses a code after ten minutes (fact 21)', async () => {
    const { simulator, client } = await openStore()
    const early = simulator.issueCode(ADA)
    simulator.advance(590)
    expect((await client.exchange(early)).status).toBe(201)
    const late = simulator.issueCode(ADA)
    simulator.advance(600)
    expect((await client.exchange(late)).status).toBe(400)
  })

  test('refuses a code after a newer one was issued', async () => {
    const { simulator, client } = await openStore()
    const older = simulator.issueCode(ADA)
    const newer = simulator.issueCode(ADA)
    expect((await client.exchange(older)).status).toBe(400)
    expect((await client.exchange(newer)).status).toBe(201)
  })

  test('accepts the right code after a wrong one', async () => {
    const { simulator, client } = await openStore()
    const otp = simulator.issueCode(ADA)
    await client.exchange('wrong1')
    expect((await client.exchange(otp)).status).toBe(201)
  })

  test('refuses a code of another member', async () => {
    const { simulator, client } = await openStore({
      members: [{ username: ADA }, { username: 'bob@example.com' }],
    })
    const otp = simulator.issueCode(ADA)
    expect((await client.exchange(otp, { username: 'bob@example.com' })).status).toBe(400)
  })

  test('refuses a code of another password profile', async () => {
    const { simulator, client } = await openStore({ passwordProfiles: [{}, { id: UNKNOWN_UUID }] })
    const otp = simulator.issueCode(ADA)
    expect((await client.exchange(otp, { password_profile_id: UNKNOWN_UUID })).status).toBe(400)
    expect((await client.exchange(otp)).status).toBe(201)
  })

  test.each([
    ['a wrong code', { one_time_password_token: 'wrong1' }],
    ['an unknown username', { username: 'nobody@example.com' }],
    ['a username in other letters (fact 14)', { username: 'Ada@example.com' }],
    ['a wrong password profile', { password_profile_id: UNKNOWN_UUID }],
  ])('returns 400 without the reason for %s (fact 8)', async (_, fields) => {
    const { simulator, client } = await openStore()
    const reply = await client.exchange(simulator.issueCode(ADA), fields)
    expect(reply.status).toBe(400)
    expect(reply.json).toEqual({
      errors: [{ status: '400', title: 'Bad Request', detail: 'authentication failed' }],
    })
  })

  test('returns the documented 401 for a wrong code if `wrongCodeStatus` is 401 (fact 8)', async () => {
    const { client } = await openStore({ wrongCodeStatus: 401 })
    const reply = await client.exchange('wrong1')
    expect(reply.status).toBe(401)
    expect(reply.json).toEqual({ errors: [{ status: '401', title: 'Unauthorized' }] })
  })

  test('refuses a code if its password profile does not issue codes', async () => {
    const off = { id: UNKNOWN_UUID, oneTimePasswords: false }
    const { simulator, client } = await openStore({ passwordProfiles: [off, {}] })
    const otp = simulator.issueCode(ADA, UNKNOWN_UUID)
    expect((await client.exchange(otp, { password_profile_id: UNKNOWN_UUID })).status).toBe(400)
  })

  test('names all invalid fields and their tags in one line (fact 9)', async () => {
    const { client } = await openStore()
    const reply = await client.exchange('wrong1', { username: '', password_profile_id: 'mine' })
    expect(reply.status).toBe(422)
    expect(reply.json).toEqual({
      errors: [
        {
          status: '422',
          title: 'Unprocessable Entity',
          detail:
            "Validation failed: field 'Username' on the 'cannot_be_empty' tag; field 'PasswordProfileID' on the 'must_be_uuid' tag.",
        },
      ],
    })
  })

  test.each([
    ['Type', 'type', 'account-management-authentication-token'],
    ['AuthenticationMechanism', 'authentication_mechanism', 'one_time'],
    ['Username', 'username', undefined],
    ['Username', 'username', 42],
    ['PasswordProfileID', 'password_profile_id', undefined],
    ['PasswordProfileID', 'password_profile_id', ['x']],
    ['PasswordProfileID', 'password_profile_id', `x${UNKNOWN_UUID}`],
    ['PasswordProfileID', 'password_profile_id', `${UNKNOWN_UUID}0`],
    ['OneTimePasswordToken', 'one_time_password_token', ''],
    ['OneTimePasswordToken', 'one_time_password_token', { $ne: 1 }],
  ])('returns 422 that names %s if %s is %p (fact 9)', async (name, field, value) => {
    const { simulator, client } = await openStore()
    const reply = await client.exchange(simulator.issueCode(ADA), { [field]: value })
    expect(reply.status).toBe(422)
    expect(detailOf(reply)).toMatch(new RegExp(`^Validation failed: field '${name}' on the '\\w+' tag\\.$`))
  })

  test('returns an empty list to a member without accounts (fact 10)', async () => {
    const { simulator, client } = await openStore({ members: [{ username: ADA, accounts: 0 }] })
    const { status, json } = await client.exchange(simulator.issueCode(ADA))
    expect(status).toBe(201)
    expect(at(json, 'data')).toEqual([])
    expect(at(json, 'meta')).toMatchObject({
      account_member_id: expect.any(String) as string,
      results: { total: 0 },
    })
  })

  test('returns `expires` in seconds since the epoch if `expiresFormat` is epoch (fact 12)', async () => {
    const { simulator, client } = await openStore({ expiresFormat: 'epoch' })
    const { json } = await client.exchange(simulator.issueCode(ADA))
    expect(at(json, 'data', 0, 'expires')).toBe(at(claimsOf(at(json, 'data', 0, 'token')), 'exp'))
  })

  test('leaves out `account_member_id` if `omitAccountMemberId` is true (fact 11)', async () => {
    const { simulator, client } = await openStore({ omitAccountMemberId: true })
    const { json } = await client.exchange(simulator.issueCode(ADA))
    expect(at(json, 'meta')).not.toHaveProperty('account_member_id')
  })
})

describe('the renewal with an account token (fact 13)', () => {
  test('returns the whole list with new full lifetimes, and uses up no code', async () => {
    const { simulator, client } = await openStore({ members: [{ username: ADA, accounts: 3 }] })
    const token = await client.signIn()
    simulator.advance(80_000)
    await client.authenticate()
    const otp = simulator.issueCode(ADA)
    const { status, json } = await client.renew(token)
    expect(status).toBe(201)
    expect(at(json, 'data')).toHaveLength(3)
    const expires = new Date(String(at(json, 'data', 2, 'expires'))).getTime()
    expect(Math.round((expires - simulator.now().getTime()) / 60_000)).toBe(1440)
    expect((await client.exchange(otp)).status).toBe(201)
  })

  test('accepts a renewed token after the first token has expired', async () => {
    const { simulator, client } = await openStore()
    const first = await client.signIn()
    simulator.advance(80_000)
    await client.authenticate()
    const second = String(at((await client.renew(first)).json, 'data', 0, 'token'))
    simulator.advance(80_000)
    await client.authenticate()
    expect((await client.renew(first)).status).toBe(401)
    expect((await client.renew(second)).status).toBe(201)
  })

  test.each([
    ['missing', () => undefined],
    ['malformed', () => 'nonsense'],
    ['without a signature', (token: string) => token.slice(0, token.lastIndexOf('.') + 1)],
    ['signed with another key', (token: string) => token.slice(0, -4) + 'AAAA'],
    ['longer', (token: string) => `${token}A`],
    ['in text', (token: string) => `x${token}`],
  ])('returns 401 if the account token is %s', async (_, change) => {
    const { client } = await openStore()
    const reply = await client.renew(change(await client.signIn()))
    expect(reply.status).toBe(401)
    expect(reply.json).toEqual({ errors: [{ status: '401', title: 'Unauthorized' }] })
  })

  test('refuses a token of another store', async () => {
    const [mine, other] = [await openStore(), await openStore()]
    expect((await mine.client.renew(await other.client.signIn())).status).toBe(401)
  })

  test('refuses revoked account tokens', async () => {
    const { simulator, client } = await openStore()
    const token = await client.signIn()
    simulator.revokeAccountTokens()
    expect((await client.renew(token)).status).toBe(401)
  })

  test('lists the other accounts if the member has left the account of the token', async () => {
    const { simulator, client } = await openStore()
    const token = await client.signIn()
    simulator.setAccounts(ADA, [{ name: 'Another' }])
    const { json } = await client.renew(token)
    expect(at(json, 'data', 0, 'account_name')).toBe('Another')
    expect((await client.accounts(token)).status).toBe(401)
  })

  test.each<[boolean, object, number, string | undefined]>([
    [false, { token: 'x' }, 400, 'the account token belongs in the header'],
    [true, { token: 'x' }, 201, undefined],
    [true, { type: 'x' }, 422, "Validation failed: field 'Type' on the 'oneof' tag."],
    [true, { type: undefined }, 422, "Validation failed: field 'Type' on the 'oneof' tag."],
  ])(
    'with a token in the header (%p) and %j in the body returns %i',
    async (isHeld, fields, status, detail) => {
      const { client } = await openStore()
      const token = await client.signIn()
      const reply = await client.renew(isHeld ? token : undefined, '', { ...fields })
      expect([reply.status, detailOf(reply)]).toEqual([status, detail])
    },
  )
})

describe('a member with 10,000 accounts', () => {
  const many = { members: [{ username: ADA, accounts: 10_000 }] }

  test('gets 25 accounts by default (fact 11)', async () => {
    const { simulator, client } = await openStore(many)
    const { json } = await client.exchange(simulator.issueCode(ADA))
    expect(at(json, 'data')).toHaveLength(25)
    expect(at(json, 'meta')).toMatchObject({
      page: { limit: 25, offset: 0, current: 1, total: 400 },
      results: { total: 10_000 },
    })
    expect(at(json, 'links', 'next')).toBe(`${simulator.url}${TOKENS}?page[offset]=25&page[limit]=25`)
  })

  test('gets each account once in pages of 100', async () => {
    const { client } = await openStore(many)
    const token = await client.signIn()
    const ids = new Set<unknown>()
    for (let offset = 0; offset < 10_000; offset += 100) {
      const { json } = await client.renew(token, `?page[limit]=100&page[offset]=${offset}`)
      for (const entry of at(json, 'data') as unknown[]) ids.add(at(entry, 'account_id'))
    }
    expect(ids.size).toBe(10_000)
  })

  test('gets the same accounts from both endpoints', async () => {
    const { client } = await openStore(many)
    const token = await client.signIn()
    const query = '?page[limit]=2&page[offset]=5000'
    const [tokens, accounts] = [await client.renew(token, query), await client.accounts(token, query)]
    expect(at(tokens.json, 'data', 1, 'account_id')).toBe(at(accounts.json, 'data', 1, 'id'))
    expect(at(tokens.json, 'data', 1, 'account_name')).toBe(at(accounts.json, 'data', 1, 'name'))
  })

  test('gets a shorter last page, and an empty page after it', async () => {
    const { client } = await openStore(many)
    const token = await client.signIn()
    const last = await client.renew(token, '?page[limit]=100&page[offset]=9950')
    expect(at(last.json, 'data')).toHaveLength(50)
    expect(at(last.json, 'links', 'next')).toBe('null')
    const after = await client.renew(token, '?page[limit]=100&page[offset]=10000')
    expect(at(after.json, 'data')).toEqual([])
  })

  test.each([
    ['page[limit]=0', 0, 'null', 'null'],
    ['page[limit]=0&page[offset]=1', 0, 'null', 'page[offset]=1&page[limit]=0'],
    ['page[limit]=1&page[offset]=1', 1, 'page[offset]=2&page[limit]=1', 'page[offset]=0&page[limit]=1'],
    ['page[limit]=2&page[offset]=1', 2, 'null', 'page[offset]=0&page[limit]=2'],
    ['page[limit]=3', 3, 'null', 'null'],
    ['page[limit]=100&page[offset]=10000', 0, 'null', 'page[offset]=9900&page[limit]=100'],
  ])(
    'gets the page %s of 3 accounts with %i entries, next %s and prev %s',
    async (query, size, next, prev) => {
      const { simulator, client } = await openStore({ members: [{ username: ADA, accounts: 3 }] })
      const { json } = await client.renew(await client.signIn(), `?${query}`)
      const link = (to: string) => (to === 'null' ? to : `${simulator.url}${TOKENS}?${to}`)
      expect(at(json, 'data')).toHaveLength(size)
      expect(at(json, 'links')).toMatchObject({ next: link(next), prev: link(prev) })
    },
  )

  test.each([
    'page[limit]=101',
    'page[limit]=1e1',
    'page[offset]=1.5',
    'page[limit]=-1',
    'page[limit]=many',
    'page[offset]=-1',
    'page[offset]=10001',
    'page[limit]=',
  ])('gets a 400 for %s (fact 11), which uses up no code', async (query) => {
    const { simulator, client } = await openStore(many)
    const otp = simulator.issueCode(ADA)
    expect((await client.exchange(otp, {}, `?${query}`)).status).toBe(400)
    expect((await client.exchange(otp)).status).toBe(201)
  })
})
