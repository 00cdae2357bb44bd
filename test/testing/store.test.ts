import { ElasticPathSimulator, type CodeEvent } from '../../lib/testing'
import { ADA, at, compareResponses, detailOf, openStore, TOKENS } from './support'

compareResponses()

const UNKNOWN_UUID = 'c5687352-d102-46fd-b85e-256f10574019'

// The numbers of facts refer to docs/elastic-path-facts.md.
describe('access tokens', () => {
  test('are returned without `data` and expire after an hour (facts 2 and 3)', async () => {
    const { simulator, client } = await openStore()
    const { status, json } = await client.authenticate()
    const expires = Math.floor(simulator.now().getTime() / 1000) + 3600
    expect(status).toBe(200)
    expect(json).toMatchObject({ token_type: 'Bearer', identifier: 'implicit', expires_in: 3600 })
    expect(Math.abs(Number(at(json, 'expires')) - expires)).toBeLessThan(60)
  })

  test('are issued for the grant client_credentials', async () => {
    const { simulator, client } = await openStore()
    const reply = await client.authenticate({
      grant_type: 'client_credentials',
      client_secret: simulator.clientSecret,
    })
    expect(reply.json).toMatchObject({ identifier: 'client_credentials' })
    expect((await client.settings()).status).toBe(200)
  })

  test('are wrapped in `data`, as documented, if `wrapAccessToken` is true (fact 2)', async () => {
    const { client } = await openStore({ wrapAccessToken: true })
    expect(Object.keys((await client.authenticate()).json as object)).toEqual(['data'])
    expect((await client.settings()).status).toBe(200)
  })

  test.each([
    ['a wrong client id', { client_id: 'other' }, 401],
    ['a wrong client secret', { grant_type: 'client_credentials', client_secret: 'wrong' }, 401],
    ['no client secret', { grant_type: 'client_credentials' }, 401],
    ['a grant that does not exist', { grant_type: 'refresh_token' }, 400],
    ['no grant', { grant_type: '' }, 400],
  ])('are not issued for %s', async (_, form, status) => {
    const { client } = await openStore()
    expect((await client.authenticate(form)).status).toBe(status)
  })

  test('are not issued for a JSON body, only for a form', async () => {
    const { simulator, client } = await openStore()
    const body = { grant_type: 'implicit', client_id: simulator.clientId }
    expect((await client.send('/oauth/access_token', { method: 'POST', body })).status).toBe(400)
  })

  test.each(['', 'Bearer ', 'Bearer nonsense', 'Basic abc', 'Bearer a-b-c', 'Bearer zzzzzzzzz-ab-cd'])(
    'are required: the header authorization: %p gets a 401 with a status that is a number (fact 5)',
    async (authorization) => {
      const { client } = await openStore()
      const reply = await client.send(TOKENS, { method: 'POST', headers: { authorization }, body: {} })
      expect(reply.status).toBe(401)
      expect(reply.json).toEqual({ errors: [{ status: 401, title: 'Unable to validate access token' }] })
    },
  )

  test('expire when `expires` says so', async () => {
    const { simulator, client } = await openStore()
    simulator.advance(3590)
    expect((await client.settings()).status).toBe(200)
    simulator.advance(10)
    expect((await client.settings()).status).toBe(401)
  })

  test('are refused after they were revoked, and new ones are accepted', async () => {
    const { simulator, client } = await openStore()
    simulator.revokeAccessTokens()
    expect((await client.settings()).status).toBe(401)
    await client.authenticate()
    expect((await client.settings()).status).toBe(200)
  })
})

describe('a code request', () => {
  test('returns 202 without a body, and adds the code to the mailbox (facts 18 to 21)', async () => {
    const { simulator, client } = await openStore({ members: [{ username: 'ada', email: ADA, name: 'Ada' }] })
    const reply = await client.askForCode('ada')
    expect([reply.status, reply.text]).toEqual([202, ''])
    expect(simulator.mailbox).toEqual([
      {
        eventId: expect.any(String) as string,
        username: 'ada',
        email: ADA,
        name: 'Ada',
        otp: expect.stringMatching(/^[a-z0-9]{6}$/) as string,
        purpose: 'passwordless_authentication',
        passwordProfileId: simulator.passwordProfileId,
        createdAt: expect.any(String) as string,
        expires: expect.any(String) as string,
      },
    ])
    expect(simulator.lastCode('ada')).toBe(simulator.mailbox[0]?.otp)
    expect((await client.exchange(simulator.lastCode('ada') ?? '', { username: 'ada' })).status).toBe(201)
  })

  test('calls listeners and resolves `nextCode`', async () => {
    const { simulator, client } = await openStore()
    const heard: CodeEvent[] = []
    const off = simulator.on('code', (event) => heard.push(event))
    const next = simulator.nextCode(ADA)
    await client.askForCode()
    expect(await next).toBe(simulator.mailbox[0])
    off()
    await client.askForCode()
    expect(heard).toEqual([simulator.mailbox[0]])
  })

  test('that does not arrive before the simulator stops rejects `nextCode`', async () => {
    const { simulator } = await openStore()
    const next = simulator.nextCode()
    await simulator.stop()
    await expect(next).rejects.toThrow('stopped')
    await expect(simulator.nextCode()).rejects.toThrow('stopped')
  })

  test('returns 201 with a body that does not contain the code if `otpRequestStatus` is 201', async () => {
    const { simulator, client } = await openStore({ otpRequestStatus: 201 })
    const reply = await client.askForCode()
    expect(reply.status).toBe(201)
    expect(at(reply.json, 'data')).toMatchObject({ type: 'one_time_password_token_request', username: ADA })
    expect(reply.text).not.toContain(simulator.lastCode(ADA))
  })

  test.each([202, 400, 404] as const)(
    'for an unknown username returns the configured %p and creates no code (fact 19)',
    async (status) => {
      const { simulator, client } = await openStore({ unknownUsernameStatus: status })
      expect((await client.askForCode('nobody@example.com')).status).toBe(status)
      expect(simulator.mailbox).toEqual([])
    },
  )

  test.each([
    ['Type', { type: 'one-time-password-token-request' }],
    ['Username', { username: '' }],
    ['Purpose', { purpose: 'passwordless' }],
  ])('returns 422 that names %s if the field is invalid (fact 18)', async (name, fields) => {
    const { simulator, client } = await openStore()
    const reply = await client.askForCode(ADA, fields)
    expect(reply.status).toBe(422)
    expect(detailOf(reply)).toContain(`field '${name}'`)
    expect(simulator.mailbox).toEqual([])
  })

  test('returns 400 if `data` is missing', async () => {
    const { client } = await openStore()
    const body = {
      type: 'one_time_password_token_request',
      username: ADA,
      purpose: 'passwordless_authentication',
    }
    expect((await client.send(client.otpRequestPath(), { method: 'POST', body })).status).toBe(400)
  })

  test.each([{ realmId: UNKNOWN_UUID }, { profileId: UNKNOWN_UUID }])('returns 404 for %p', async (ids) => {
    const { client } = await openStore()
    expect((await client.askForCode(ADA, {}, client.otpRequestPath(ids))).status).toBe(404)
  })

  test('returns 422 if the password profile does not issue codes (fact 17)', async () => {
    const off = { id: UNKNOWN_UUID, oneTimePasswords: false }
    const { simulator, client } = await openStore({ passwordProfiles: [off] })
    const reply = await client.askForCode(ADA, {}, client.otpRequestPath({ profileId: UNKNOWN_UUID }))
    expect(reply.status).toBe(422)
    expect(simulator.mailbox).toEqual([])
    expect(() => simulator.passwordProfileId).toThrow('No password profile')
  })
})

describe('the settings', () => {
  test('contain the id of the realm (fact 16) and the lifetime of account tokens (fact 12)', async () => {
    const { simulator, client } = await openStore({ accountTokenLifetime: 1200 })
    expect(at((await client.settings()).json, 'data')).toMatchObject({
      account_management_authentication_token_timeout_secs: 1200,
      relationships: {
        authentication_realm: { data: { id: simulator.realmId, type: 'authentication_realm' } },
      },
    })
  })
})

describe('password profiles', () => {
  test('contain whether they issue codes (fact 17)', async () => {
    const { client } = await openStore({
      passwordProfiles: [
        { name: 'Codes', usernameFormat: 'email' },
        { name: 'Passwords', oneTimePasswords: false },
      ],
    })
    expect(at((await client.passwordProfiles()).json, 'data')).toMatchObject([
      {
        type: 'password_profile',
        name: 'Codes',
        username_format: 'email',
        enable_one_time_password_token: true,
      },
      {
        type: 'password_profile',
        name: 'Passwords',
        username_format: 'any',
        enable_one_time_password_token: false,
      },
    ])
  })

  test('are listed in pages', async () => {
    const { client } = await openStore({ passwordProfiles: Array.from({ length: 30 }, () => ({})) })
    const { json } = await client.passwordProfiles('?page[offset]=25')
    expect(at(json, 'data')).toHaveLength(5)
    expect(at(json, 'meta', 'results', 'total')).toBe(30)
    expect((await client.passwordProfiles('?page[limit]=101')).status).toBe(400)
  })

  test('of an unknown realm return 404', async () => {
    const { client } = await openStore()
    expect((await client.passwordProfiles('', UNKNOWN_UUID)).status).toBe(404)
  })
})

describe('accounts', () => {
  test('are those of the member that the account token belongs to (fact 6)', async () => {
    const members = [{ username: ADA, accounts: 2 }, { username: 'bob@example.com' }]
    const { client } = await openStore({ members })
    const { status, json } = await client.accounts(await client.signIn())
    expect(status).toBe(200)
    expect(at(json, 'data')).toMatchObject([
      { type: 'account', name: 'Account 1' },
      { type: 'account', name: 'Account 2' },
    ])
  })

  test('are found by their id, except for those of other members', async () => {
    const { simulator, client } = await openStore()
    const bob = simulator.addMember({ username: 'bob@example.com' })
    const token = await client.signIn()
    const { json } = await client.accounts(token)
    const id = String(at(json, 'data', 0, 'id'))
    expect(at((await client.accounts(token, `/${id}`)).json, 'data', 'id')).toBe(id)
    expect((await client.accounts(token, `/${bob.accounts.page(0, 1)[0]?.id ?? ''}`)).status).toBe(404)
  })

  test('that a member has left are not found by the ids that they had', async () => {
    const { simulator, client } = await openStore({ members: [{ username: ADA, accounts: 2 }] })
    const [first, second] = simulator.members[0]?.accounts.page(0, 2) ?? []
    const token = await client.signIn()
    expect((await client.accounts(token, `/${second?.id ?? ''}`)).status).toBe(200)
    simulator.setAccounts(ADA, 1)
    expect((await client.accounts(token, `/${second?.id ?? ''}`)).status).toBe(404)
    expect((await client.accounts(token, `/${first?.id ?? ''}`)).status).toBe(200)
  })

  test('with names are listed in pages', async () => {
    const accounts = ['A', 'B', 'C'].map((name) => ({ id: name.toLowerCase(), name }))
    const { client } = await openStore({ members: [{ username: ADA, accounts }] })
    const token = await client.signIn()
    const page = await client.accounts(token, '?page[limit]=1&page[offset]=1')
    expect(at(page.json, 'data')).toMatchObject([{ id: 'b', name: 'B', legal_name: 'B' }])
    expect((await client.accounts(token, '?page[limit]=101')).status).toBe(400)
  })

  test('are refused after the member has left the account of the token, or was removed', async () => {
    const { simulator, client } = await openStore({ members: [{ username: ADA, accounts: 2 }] })
    const { json } = await client.exchange(simulator.issueCode(ADA))
    const statusOf = async (i: number) => (await client.accounts(String(at(json, 'data', i, 'token')))).status
    simulator.setAccounts(ADA, 1)
    expect([await statusOf(0), await statusOf(1)]).toEqual([200, 401])
    simulator.removeMember(ADA)
    expect([await statusOf(0), await statusOf(1)]).toEqual([401, 401])
  })

  test.each(['', '/x'])(
    'are refused at /v2/accounts%s if the account token is missing or expired',
    async (path) => {
      const { simulator, client } = await openStore()
      const token = await client.signIn()
      expect((await client.accounts(undefined, path)).status).toBe(403)
      simulator.advance(86_400)
      await client.authenticate()
      expect((await client.accounts(token, path)).status).toBe(401)
    },
  )
})

describe('the simulator', () => {
  const twins = (ids: object) => ({
    members: [
      { username: 'a', ...ids },
      { username: 'b', ...ids },
    ],
  })
  const HOOK = { id: 'hook', url: 'http://a' }
  const PROFILE = { id: '00000000-0000-4000-8000-000000000000' }
  const accounts = (...ids: string[]) => ({
    members: [{ username: ADA, accounts: ids.map((id) => ({ id, name: '' })) }],
  })
  test.each<[object, string]>([
    [twins({ username: ADA }), `The username ${ADA} is already in use`],
    [twins({ id: 'mine' }), 'The member id mine is already in use'],
    [{ members: [{ username: '' }] }, 'The username of a member must not be empty'],
    [
      { members: [{ username: ADA, accounts: -1 }] },
      "The number of a member's accounts must be 0 to 10000, not -1",
    ],
    [
      { members: [{ username: ADA, accounts: 10_001 }] },
      "The number of a member's accounts must be 0 to 10000, not 10001",
    ],
    [
      { members: [{ username: ADA, accounts: [{ name: '', sub: 1 }] }] },
      'Unknown option of an account: sub. Known options: id, name',
    ],
    [accounts('a', 'b', 'a'), 'Two accounts of a member have the same id'],
    [{ integrations: [HOOK, HOOK] }, 'The integration id hook is already in use'],
    [{ passwordProfiles: [PROFILE, PROFILE] }, `The password profile id ${PROFILE.id} is already in use`],
    [
      { passwordProfiles: [{ usernameFormat: 'phone' }] },
      'usernameFormat must be one of any, email, not phone',
    ],
    [{ passwordProfiles: [{ oneTimePasswords: 1 }] }, 'oneTimePasswords must be one of true, false, not 1'],
    [{ passwordProfiles: [{ id: 'mine' }] }, "A password profile's id must be a UUID, not mine"],
    [
      { passwordProfiles: [{ codes: true }] },
      'Unknown option of a password profile: codes. Known options: id, name, usernameFormat, oneTimePasswords',
    ],
    [{ webhook: { url: 'ftp://a.example' } }, 'The url of a webhook must be an http: or https: URL'],
    [{ integrations: [{ url: 'x:http:/a' }] }, 'The url of a webhook must be an http: or https: URL'],
    [{ webhook: { url: 'http://a', secretKey: 'é' } }, 'The secretKey of a webhook must be printable ASCII'],
    [{ clockSkew: NaN }, 'The clock skew must be a finite number of seconds, not NaN'],
    [{ codeLifetime: 0 }, 'codeLifetime must be a positive number of seconds, not 0'],
    [{ codeAttempts: 0 }, 'codeAttempts must be a number from 1 to Infinity, not 0'],
    [{ cartExpiryDays: 366 }, 'cartExpiryDays must be a number from 1 to 365, not 366'],
    [{ deliveryDelay: -1 }, 'deliveryDelay must be a number from 0 to 3600000, not -1'],
    [{ otpRequestDelay: { known: -1 } }, 'otpRequestDelay.known must be a number from 0 to 3600000, not -1'],
    [
      { otpRequestDelay: { unknown: 3_600_001 } },
      'otpRequestDelay.unknown must be a number from 0 to 3600000, not 3600001',
    ],
    [
      { otpRequestDelay: { all: 1 } },
      'Unknown option of otpRequestDelay: all. Known options: known, unknown',
    ],
    [{ wrapAccessToken: 'yes' }, 'wrapAccessToken must be one of false, true, not yes'],
    [{ errorStatusType: '' }, 'errorStatusType must be one of live, string, number, not '],
  ])('throws for the option %j', async (options, message) => {
    await expect(ElasticPathSimulator.start(options)).rejects.toThrow(new Error(message))
  })

  test.each([
    [
      { membres: [] },
      /^Unknown option of the simulator: membres\. Known options: port, host, .*wrongCodeStatus/,
    ],
    [{ wrongCodeStatus: 500 }, /^wrongCodeStatus must be one of 400, 401, not 500$/],
    [{ expiresFormat: 'unix' }, /^expiresFormat must be one of iso, epoch, not unix$/],
  ])('lists the known options or values if it gets %p', async (options, message) => {
    await expect(ElasticPathSimulator.start(options as never)).rejects.toThrow(message)
  })

  test('uses the default for an option with the value undefined', async () => {
    const { simulator } = await openStore({ wrongCodeStatus: undefined, members: undefined } as never)
    expect(simulator.url).toMatch(/^http:/)
  })

  test('rejects a port that is in use', async () => {
    const { simulator } = await openStore()
    await expect(ElasticPathSimulator.start({ port: Number(new URL(simulator.url).port) })).rejects.toThrow(
      'EADDRINUSE',
    )
  })

  test('accepts the smallest and the largest values', async () => {
    const { simulator } = await openStore({
      members: [0, 10_000].map((accounts) => ({ username: `has${accounts}`, accounts })),
      errorStatusType: 'live',
      otpRequestDelay: { known: 0, unknown: 3_600_000 },
      codeAttempts: 1,
      cartExpiryDays: 365,
    })
    expect(() => simulator.advance(0)).not.toThrow()
    expect(simulator.members.map(({ email, accounts }) => [email, accounts.total])).toEqual([
      ['has0@example.com', 0],
      ['has10000@example.com', 10_000],
    ])
  })

  test.each<[string, (simulator: ElasticPathSimulator) => unknown, string]>([
    [
      'a code of an unknown member',
      (one) => one.issueCode('bob'),
      'No member has the username bob. Add one with addMember.',
    ],
    [
      'a clock that moves backward',
      (one) => one.advance(-1),
      'The clock can advance by 0 seconds or more, not by -1',
    ],
    [
      'a clock that advances without end',
      (one) => one.advance(Infinity),
      'The clock can advance by 0 seconds or more, not by Infinity',
    ],
    [
      'an unknown password profile',
      (one) => one.updateProfile('x', { name: 'Mine' }),
      'No password profile has the id x',
    ],
    [
      'an unknown option of a realm',
      (one) => one.replaceRealm({ id: 'x' } as object),
      'Unknown option of a realm: id. Known options: realmId, passwordProfiles',
    ],
  ])('throws for %s', async (_, call, message) => {
    const { simulator } = await openStore()
    expect(() => call(simulator)).toThrow(new Error(message))
  })

  test('replaces the realm by one with a profile that issues codes', async () => {
    const { simulator, client } = await openStore({
      passwordProfiles: [{ name: 'Old', oneTimePasswords: false }],
    })
    const { realmId } = simulator
    simulator.replaceRealm()
    expect((await client.passwordProfiles('', realmId)).status).toBe(404)
    expect((await client.passwordProfiles()).status).toBe(200)
    expect((await client.askForCode()).status).toBe(202)
  })

  test('forgets a removed member, whatever the case of the username', async () => {
    const { simulator, client } = await openStore({ usernameCase: 'insensitive', unknownUsernameStatus: 404 })
    expect((await client.askForCode('Ada@Example.com')).status).toBe(202)
    simulator.removeMember(ADA)
    expect((await client.askForCode('Ada@Example.com')).status).toBe(404)
  })

  test.each([undefined, 2])('sends the header Retry-After if `rateLimited` is set: %p', async (seconds) => {
    const { simulator, client } = await openStore()
    simulator.fault('account_settings', { rateLimited: seconds })
    const { status, headers } = await client.settings()
    expect([status, headers.get('retry-after')]).toEqual([429, seconds === undefined ? null : '2'])
  })

  test('gives a status without a standard name the title Error', async () => {
    const { simulator, client } = await openStore()
    simulator.fault('account_settings', { status: 599 })
    expect((await client.settings()).json).toEqual({ errors: [{ title: 'Error', status: '599' }] })
  })
})

test('`errorStatusType` sets the type of the status in errors (fact 5)', async () => {
  const strings = await openStore({ errorStatusType: 'string' })
  const numbers = await openStore({ errorStatusType: 'number' })
  strings.simulator.revokeAccessTokens()
  expect(at((await strings.client.settings()).json, 'errors', 0, 'status')).toBe('401')
  expect(at((await numbers.client.exchange('wrong1')).json, 'errors', 0, 'status')).toBe(400)
})
