import { ElasticPathSimulator, type Dialect, type SimulatorOptions } from '../../lib/testing'
import {
  ADA,
  at,
  claimsOf,
  compareResponses,
  openStore,
  useFakeClock,
  type Client,
  type Reply,
} from './support'

compareResponses()

const BOB = 'bob@example.com'

describe('tokenClaims', () => {
  test.each<[Dialect['tokenClaims'], RegExp, string, string]>([
    ['seconds', /^[\w-]+\.[\w-]+\.[\w-]+$/, 'exp', 'number'],
    ['iso', /^[\w-]+\.[\w-]+\.[\w-]+$/, 'exp', 'string'],
    ['absent', /^[\w-]+\.[\w-]+\.[\w-]+$/, 'jti', 'string'],
    ['opaque', /^[\w-]+~[\w-]+$/, 'exp', 'undefined'],
  ])('issues tokens of the form %s that are accepted and expire', async (tokenClaims, form, claim, type) => {
    const { simulator, client } = await openStore({ tokenClaims })
    const token = await client.signIn()
    expect(token).toMatch(form)
    expect(typeof at(claimsOf(token), claim)).toBe(type)
    if (tokenClaims === 'absent') expect(Object.keys(claimsOf(token) as object)).toEqual(['jti'])
    expect((await client.accounts(token)).status).toBe(200)
    expect((await client.accounts(token.slice(0, -4) + 'AAAA')).status).toBe(401)
    simulator.advance(86_400)
    await client.authenticate()
    expect((await client.accounts(token)).status).toBe(401)
  })
})

describe('expiry', () => {
  afterEach(() => jest.useRealTimers())

  test.each<[string, number, (client: Client, otp: string, token: string) => Promise<Reply>, number, number]>(
    [
      ['an access token', 3600, (client) => client.settings(), 200, 401],
      ['an account token', 1200, (client, _, token) => client.accounts(token), 200, 401],
      ['a code', 600, (client, otp) => client.exchange(otp), 201, 400],
    ],
  )('ends the validity of %s after exactly %i seconds', async (_, lifetime, send, before, after) => {
    useFakeClock()
    jest.setSystemTime(Date.parse('2030-01-01T00:00:00Z'))
    const { simulator, client } = await openStore({ reusableCodes: true, accountTokenLifetime: 1200 })
    const token = await client.signIn()
    const otp = simulator.issueCode(ADA)
    simulator.advance(lifetime - 0.001)
    expect((await send(client, otp, token)).status).toBe(before)
    simulator.advance(0.001)
    expect((await send(client, otp, token)).status).toBe(after)
  })

  test('of a requested code is in its event', async () => {
    const { simulator, client } = await openStore({ codeLifetime: 90 })
    await client.askForCode()
    const [event] = simulator.mailbox
    expect(Date.parse(event?.expires ?? '') - Date.parse(event?.createdAt ?? '')).toBe(90_000)
  })
})

describe('codes', () => {
  test('are kept up to 10 for each member', async () => {
    const { simulator, client } = await openStore({ newCodeInvalidatesOld: false })
    const codes = Array.from({ length: 11 }, () => simulator.issueCode(ADA))
    expect((await client.exchange(codes[0] ?? '')).status).toBe(400)
    expect((await client.exchange(codes[1] ?? '')).status).toBe(201)
    expect([simulator.lastCode(ADA), simulator.lastCode(BOB)]).toEqual([codes[10], undefined])
  })

  test('work more than once until they expire if `reusableCodes` is true', async () => {
    const { simulator, client } = await openStore({ reusableCodes: true })
    const otp = simulator.issueCode(ADA)
    expect([(await client.exchange(otp)).status, (await client.exchange(otp)).status]).toEqual([201, 201])
    simulator.advance(600)
    expect((await client.exchange(otp)).status).toBe(400)
  })

  test('stay valid after a new code if `newCodeInvalidatesOld` is false', async () => {
    const { simulator, client } = await openStore({ newCodeInvalidatesOld: false })
    const [older, newer] = [simulator.issueCode(ADA), simulator.issueCode(ADA)]
    expect(simulator.lastCode(ADA)).toBe(newer)
    expect([(await client.exchange(older)).status, (await client.exchange(newer)).status]).toEqual([201, 201])
    expect((await client.exchange(older)).status).toBe(400)
  })

  test.each([
    [2, 201],
    [3, 400],
  ])('return after %i wrong attempts out of 3: %i', async (attempts, status) => {
    const { simulator, client } = await openStore({ codeAttempts: 3 })
    const otp = simulator.issueCode(ADA)
    for (let i = 0; i < attempts; i++) await client.exchange('wrong1')
    expect((await client.exchange(otp)).status).toBe(status)
    expect((await client.exchange(simulator.issueCode(ADA))).status).toBe(201)
  })

  test('sign in regardless of the purpose in the request', async () => {
    const { simulator, client } = await openStore()
    await client.askForCode(ADA, { purpose: 'reset_password' })
    expect((await client.exchange(simulator.mailbox[0]?.otp ?? '')).status).toBe(201)
  })
})

describe('usernameCase', () => {
  test.each([
    ['sensitive', 400, 0],
    ['insensitive', 201, 1],
  ] as const)('makes usernames %s', async (usernameCase, status, codes) => {
    const { simulator, client } = await openStore({ usernameCase })
    await client.askForCode('ADA@example.com')
    expect(simulator.mailbox).toHaveLength(codes)
    const otp = simulator.issueCode(ADA)
    expect((await client.exchange(otp, { username: 'Ada@Example.com' })).status).toBe(status)
  })
})

describe('delays', () => {
  afterEach(() => jest.useRealTimers())

  test.each([
    [ADA, 100],
    ['nobody@example.com', 900],
  ])('postpone the response to the code request for %s by %i ms', async (username, delay) => {
    useFakeClock()
    const { simulator, client } = await openStore({ otpRequestDelay: { known: 100, unknown: 900 } })
    const arrived = simulator.nextRequest('otp_request')
    const reply = client.askForCode(username)
    await arrived
    jest.advanceTimersByTime(delay - 1)
    expect(simulator.requests[0]?.status).toBeUndefined()
    jest.advanceTimersByTime(1)
    expect((await reply).status).toBe(202)
  })
})

describe('configure', () => {
  test('changes only the named settings, for new requests', async () => {
    const { simulator, client } = await openStore()
    simulator.configure({ wrongCodeStatus: 401, accountTokenLifetime: 60 })
    expect((await client.exchange('wrong1')).status).toBe(401)
    const timeout = 'account_management_authentication_token_timeout_secs'
    expect(at((await client.settings()).json, 'data', timeout)).toBe(60)
    const token = await client.signIn()
    simulator.advance(60)
    expect((await client.renew(token)).status).toBe(401)
  })

  test.each([
    [{ codeLifetme: 1 }, 'Unknown option of configure: codeLifetme'],
    [{ port: 1 }, 'Unknown option of configure: port'],
    [{ codeAttempts: 0 }, 'codeAttempts must be a number from 1 to Infinity, not 0'],
    [{ codeAttempts: '3' }, 'codeAttempts must be a number from 1 to Infinity, not 3'],
    [{ cartExpiryDays: 366 }, 'cartExpiryDays must be a number from 1 to 365, not 366'],
    [{ codeLifetime: 0 }, 'codeLifetime must be a positive number of seconds, not 0'],
    [{ codeLifetime: '60' }, 'codeLifetime must be a positive number of seconds, not 60'],
    [{ codeLifetime: Infinity }, 'codeLifetime must be a positive number of seconds, not Infinity'],
    [{ otpRequestDelay: { know: 1 } }, 'Unknown option of otpRequestDelay: know'],
    [{ usernameCase: 'folded' }, 'usernameCase must be one of sensitive, insensitive, not folded'],
  ])('throws for %j', async (changes, message) => {
    const { simulator } = await openStore()
    expect(() => simulator.configure(changes as object)).toThrow(message)
  })
})

describe('the realm', () => {
  test('can be replaced, which invalidates its old ids and codes', async () => {
    const { simulator, client } = await openStore()
    const { realmId, passwordProfileId } = simulator
    const [path, otp] = [client.otpRequestPath(), simulator.issueCode(ADA)]
    simulator.replaceRealm({ passwordProfiles: [{ name: 'New' }] })
    expect(simulator.realmId).not.toBe(realmId)
    expect(simulator.profiles).toMatchObject([{ name: 'New', oneTimePasswords: true }])
    expect((await client.askForCode(ADA, {}, path)).status).toBe(404)
    expect((await client.passwordProfiles('', realmId)).status).toBe(404)
    expect((await client.exchange(otp, { password_profile_id: passwordProfileId })).status).toBe(400)
    await client.askForCode()
    expect((await client.exchange(simulator.lastCode(ADA) ?? '')).status).toBe(201)
  })

  test('keeps the last 1,000 password profiles', async () => {
    const passwordProfiles = Array.from({ length: 1001 }, (_, i) => ({ name: `${i}` }))
    const { simulator } = await openStore({ passwordProfiles })
    expect([simulator.profiles.length, simulator.profiles[0]?.name]).toEqual([1000, '1'])
  })

  test('has password profiles that can be changed', async () => {
    const { simulator, client } = await openStore()
    const { passwordProfileId: id } = simulator
    simulator.updateProfile(id, { oneTimePasswords: false, usernameFormat: 'email' })
    simulator.updateProfile(id, { oneTimePasswords: undefined } as object)
    expect(at((await client.passwordProfiles()).json, 'data', 0)).toMatchObject({
      username_format: 'email',
      enable_one_time_password_token: false,
    })
    expect((await client.askForCode(ADA, {}, client.otpRequestPath({ profileId: id }))).status).toBe(422)
    expect(() => simulator.updateProfile(id, { enabled: true } as object)).toThrow(
      'Unknown option of a password profile: enabled',
    )
    expect(() => simulator.updateProfile(id, { usernameFormat: 'phone' } as object)).toThrow(
      'usernameFormat must be one of any, email, not phone',
    )
    expect(() => simulator.updateProfile('x', {})).toThrow('No password profile has the id x')
  })

  test.each([
    ['are invalid', 'mine', 'must be a UUID'],
    ['have the same id', '00000000-0000-4000-8000-000000000000', 'is already in use'],
  ])('keeps its realm and password profiles if the new ones %s', async (_what, id, message) => {
    const { simulator } = await openStore()
    const { realmId, passwordProfileId } = simulator
    expect(() => simulator.replaceRealm({ passwordProfiles: [{ id }, { id }] })).toThrow(message)
    expect(simulator).toMatchObject({ realmId, passwordProfileId })
  })
})

test.each([
  { members: [{ username: ADA, mail: ADA }] },
  { members: [{ username: ADA, accounts: [{ name: 'A', accountId: 'a' }] }] },
  { passwordProfiles: [{ enabled: true }] },
  { webhook: { url: 'http://127.0.0.1:1/', secret: 'x' } },
  { carts: [{ items: [{ sku: 'mug', count: 2 }] }] },
])('the simulator names the unknown option in %j', async (options) => {
  await expect(ElasticPathSimulator.start(options as SimulatorOptions)).rejects.toThrow(
    /^Unknown option of an? .*: (mail|accountId|enabled|secret|count)\./,
  )
  const { simulator } = await openStore()
  expect(() => simulator.replaceRealm({ id: 'x' } as object)).toThrow('Unknown option of a realm: id.')
})

describe('members', () => {
  const shared = [
    { id: 'a', name: 'A' },
    { id: 'b', name: 'B' },
  ]

  test('who are removed from an account lose access to it, but can list their other accounts', async () => {
    const { simulator, client } = await openStore({ members: [{ username: ADA, accounts: shared }] })
    const { json } = await client.exchange(simulator.issueCode(ADA))
    const [a, b] = [0, 1].map((i) => String(at(json, 'data', i, 'token')))
    simulator.removeFromAccount(ADA, 'a')
    const listed = [await client.renew(a), await client.renew(b)].map((reply) =>
      at(reply.json, 'data', 0, 'account_id'),
    )
    expect(listed).toEqual(['b', 'b'])
    expect([(await client.accounts(a)).status, (await client.accounts(b)).status]).toEqual([401, 200])
    expect(() => simulator.removeFromAccount(ADA, 'a')).toThrow('does not belong to the account a')
  })

  test('who are removed cannot use their tokens or sign in', async () => {
    const { simulator, client } = await openStore({ members: [{ username: ADA }, { username: BOB }] })
    const token = await client.signIn()
    const otp = simulator.issueCode(ADA)
    simulator.removeMember(ADA)
    expect(simulator.members.map(({ username }) => username)).toEqual([BOB])
    expect([(await client.renew(token)).status, (await client.exchange(otp)).status]).toEqual([401, 400])
    expect(() => simulator.removeMember(ADA)).toThrow('No member has the username')
  })

  test('without accounts sign in and get an empty list', async () => {
    const { simulator, client } = await openStore({ members: [{ username: ADA, accounts: 0 }] })
    const { status, json } = await client.exchange(simulator.issueCode(ADA))
    expect([status, at(json, 'data')]).toEqual([201, []])
  })
})
