import { ElasticPathSimulator, type CodeEvent } from '../../lib/testing'
import { ADA, at, detailOf, openStore, TOKENS } from './support'

const UNKNOWN_UUID = 'c5687352-d102-46fd-b85e-256f10574019'

describe('access tokens', () => {
  test('an implicit one comes bare, and lives an hour (facts 2 and 3)', async () => {
    const { simulator, client } = await openStore()
    const { status, json } = await client.authenticate()
    const expires = Math.floor(simulator.now().getTime() / 1000) + 3600
    expect(status).toBe(200)
    expect(json).toMatchObject({ token_type: 'Bearer', identifier: 'implicit', expires_in: 3600 })
    expect(Math.abs(Number(at(json, 'expires')) - expires)).toBeLessThan(60)
  })

  test('one for client credentials is as good', async () => {
    const { simulator, client } = await openStore()
    const reply = await client.authenticate({
      grant_type: 'client_credentials',
      client_secret: simulator.clientSecret,
    })
    expect(reply.json).toMatchObject({ identifier: 'client_credentials' })
    expect((await client.settings()).status).toBe(200)
  })

  test('one can come in `data`, as documented (fact 2)', async () => {
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
  ])('there is none for %s', async (_, form, status) => {
    const { client } = await openStore()
    expect((await client.authenticate(form)).status).toBe(status)
  })

  test('there is none for JSON: the request is a form', async () => {
    const { simulator, client } = await openStore()
    const body = { grant_type: 'implicit', client_id: simulator.clientId }
    expect((await client.send('/oauth/access_token', { method: 'POST', body })).status).toBe(400)
  })

  test.each(['', 'Bearer ', 'Bearer nonsense', 'Basic abc', 'Bearer a-b-c', 'Bearer zzzzzzzzz-ab-cd'])(
    'calls with the authorization %p are refused in the words of fact 5',
    async (authorization) => {
      const { client } = await openStore()
      const reply = await client.send(TOKENS, { method: 'POST', headers: { authorization }, body: {} })
      expect(reply.status).toBe(401)
      expect(reply.json).toEqual({ errors: [{ status: 401, title: 'Unable to validate access token' }] })
    },
  )

  test('an access token ends when it says', async () => {
    const { simulator, client } = await openStore()
    simulator.advance(3590)
    expect((await client.settings()).status).toBe(200)
    simulator.advance(10)
    expect((await client.settings()).status).toBe(401)
  })

  test('revoked access tokens are refused, and new ones are taken', async () => {
    const { simulator, client } = await openStore()
    simulator.revokeAccessTokens()
    expect((await client.settings()).status).toBe(401)
    await client.authenticate()
    expect((await client.settings()).status).toBe(200)
  })
})

describe('asking for a code', () => {
  test('is answered 202 without a body, and the code is in the mailbox (facts 18 to 21)', async () => {
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

  test('tells a listener and whoever waits for the next code', async () => {
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

  test('a code that nobody gets any more is awaited in vain', async () => {
    const { simulator } = await openStore()
    const next = simulator.nextCode()
    await simulator.stop()
    await expect(next).rejects.toThrow('stopped')
    await expect(simulator.nextCode()).rejects.toThrow('stopped')
  })

  test('can be answered 201 with a body, which has no code in it', async () => {
    const { simulator, client } = await openStore({ otpRequestStatus: 201 })
    const reply = await client.askForCode()
    expect(reply.status).toBe(201)
    expect(at(reply.json, 'data')).toMatchObject({ type: 'one_time_password_token_request', username: ADA })
    expect(reply.text).not.toContain(simulator.lastCode(ADA))
  })

  test.each([202, 400, 404] as const)(
    'for an unknown username can be %p, and makes no code (fact 19)',
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
  ])('is refused where %s is wrong (fact 18)', async (name, fields) => {
    const { simulator, client } = await openStore()
    const reply = await client.askForCode(ADA, fields)
    expect(reply.status).toBe(422)
    expect(detailOf(reply)).toContain(`field '${name}'`)
    expect(simulator.mailbox).toEqual([])
  })

  test('is refused without `data`', async () => {
    const { client } = await openStore()
    const body = {
      type: 'one_time_password_token_request',
      username: ADA,
      purpose: 'passwordless_authentication',
    }
    expect((await client.send(client.otpRequestPath(), { method: 'POST', body })).status).toBe(400)
  })

  test.each([{ realmId: UNKNOWN_UUID }, { profileId: UNKNOWN_UUID }])('is a 404 at %p', async (where) => {
    const { client } = await openStore()
    expect((await client.askForCode(ADA, {}, client.otpRequestPath(where))).status).toBe(404)
  })

  test('is refused at a profile that issues none (fact 17)', async () => {
    const off = { id: UNKNOWN_UUID, oneTimePasswords: false }
    const { simulator, client } = await openStore({ passwordProfiles: [off] })
    const reply = await client.askForCode(ADA, {}, client.otpRequestPath({ profileId: UNKNOWN_UUID }))
    expect(reply.status).toBe(422)
    expect(simulator.mailbox).toEqual([])
    expect(() => simulator.passwordProfileId).toThrow('No password profile')
  })
})

describe('settings and password profiles', () => {
  test('the settings name the realm (fact 16) and the lifetime of account tokens (fact 12)', async () => {
    const { simulator, client } = await openStore({ accountTokenLifetime: 1200 })
    expect(at((await client.settings()).json, 'data')).toMatchObject({
      account_management_authentication_token_timeout_secs: 1200,
      relationships: {
        authentication_realm: { data: { id: simulator.realmId, type: 'authentication_realm' } },
      },
    })
  })

  test('a profile says whether it issues codes (fact 17)', async () => {
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

  test('profiles are paged', async () => {
    const { client } = await openStore({ passwordProfiles: Array.from({ length: 30 }, () => ({})) })
    const { json } = await client.passwordProfiles('?page[offset]=25')
    expect(at(json, 'data')).toHaveLength(5)
    expect(at(json, 'meta', 'results', 'total')).toBe(30)
    expect((await client.passwordProfiles('?page[limit]=101')).status).toBe(400)
  })

  test('another realm is a 404', async () => {
    const { client } = await openStore()
    expect((await client.passwordProfiles('', UNKNOWN_UUID)).status).toBe(404)
  })
})

describe('accounts', () => {
  test('are those of the member whose token is held (fact 6)', async () => {
    const members = [{ username: ADA, accounts: 2 }, { username: 'bob@example.com' }]
    const { client } = await openStore({ members })
    const { status, json } = await client.accounts(await client.signIn())
    expect(status).toBe(200)
    expect(at(json, 'data')).toMatchObject([
      { type: 'account', name: 'Account 1' },
      { type: 'account', name: 'Account 2' },
    ])
  })

  test('one is found by its id, and that of another member is not', async () => {
    const { simulator, client } = await openStore()
    const bob = simulator.addMember({ username: 'bob@example.com' })
    const token = await client.signIn()
    const { json } = await client.accounts(token)
    const id = String(at(json, 'data', 0, 'id'))
    expect(at((await client.accounts(token, `/${id}`)).json, 'data', 'id')).toBe(id)
    expect((await client.accounts(token, `/${bob.accounts.page(0, 1)[0]?.id ?? ''}`)).status).toBe(404)
  })

  test('are refused without a held token, and with one that has ended', async () => {
    const { simulator, client } = await openStore()
    const token = await client.signIn()
    expect((await client.accounts(undefined)).status).toBe(403)
    simulator.advance(86_400)
    await client.authenticate()
    expect((await client.accounts(token)).status).toBe(401)
  })
})

describe('a store that cannot be is refused when it is set up', () => {
  test.each([
    ['two members of one username', { members: [{ username: ADA }, { username: ADA }] }],
    [
      'two members of one id',
      {
        members: [
          { id: 'a', username: 'a' },
          { id: 'a', username: 'b' },
        ],
      },
    ],
    ['a member without a username', { members: [{ username: '' }] }],
    ['more accounts than Commerce has for a member', { members: [{ username: ADA, accounts: 10_001 }] }],
    [
      'two accounts of one id',
      {
        members: [
          {
            username: ADA,
            accounts: [
              { id: 'a', name: '' },
              { id: 'a', name: '' },
            ],
          },
        ],
      },
    ],
    ['a profile id that is no UUID', { passwordProfiles: [{ id: 'mine' }] }],
    ['a lifetime of nothing', { codeLifetime: 0 }],
    ['a webhook that is no HTTP', { webhook: { url: 'ftp://example.com', secretKey: '' } }],
  ])('%s', async (_, options) => {
    await expect(ElasticPathSimulator.start(options)).rejects.toThrow()
  })

  test.each([
    [{ membres: [] }, /^membres is not an option of the simulator; they are port, host, .*wrongCodeStatus/],
    [{ wrongCodeStatus: 500 }, /^wrongCodeStatus must be one of 400, 401, not 500$/],
    [{ expiresFormat: 'unix' }, /^expiresFormat must be one of iso, epoch, not unix$/],
  ])('%p, with what there is instead', async (options, message) => {
    await expect(ElasticPathSimulator.start(options as never)).rejects.toThrow(message)
  })

  test('but not an option of undefined, which is the default', async () => {
    const { simulator } = await openStore({ wrongCodeStatus: undefined, members: undefined } as never)
    expect(simulator.url).toMatch(/^http:/)
  })

  test('a port that is taken', async () => {
    const { simulator } = await openStore()
    await expect(ElasticPathSimulator.start({ port: Number(new URL(simulator.url).port) })).rejects.toThrow(
      'EADDRINUSE',
    )
  })

  test('a code for nobody, and a clock that goes back', async () => {
    const { simulator } = await openStore()
    expect(() => simulator.issueCode('nobody')).toThrow('addMember')
    expect(() => simulator.advance(-1)).toThrow(RangeError)
  })
})

test('errors have a status of the type that is asked for (fact 5)', async () => {
  const strings = await openStore({ errorStatusType: 'string' })
  const numbers = await openStore({ errorStatusType: 'number' })
  strings.simulator.revokeAccessTokens()
  expect(at((await strings.client.settings()).json, 'errors', 0, 'status')).toBe('401')
  expect(at((await numbers.client.exchange('wrong1')).json, 'errors', 0, 'status')).toBe(400)
})
