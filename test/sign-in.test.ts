import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { Request } from 'express'
import { ACCOUNT_TOKEN_HEADER, type AccountSummary, type PasswordlessOtpUser, type VerifyDone } from '../lib'
import { nextMessage, until } from './support/journey'
import { ADA, bodyOf, openShop } from './support/shop'
import { Client } from './testing/support'

afterEach(() => {
  jest.restoreAllMocks()
})

function someAccounts(count: number) {
  return Array.from({ length: count }, (_, i) => ({ id: randomUUID(), name: `Account ${i + 1}` }))
}

describe('signing in', () => {
  test('a form signs in, and the session keeps the shopper', async () => {
    const { agent, simulator } = await openShop()
    const browser = agent()
    const reply = await browser
      .post('/login')
      .type('form')
      .send({ username: ADA, otp: simulator.issueCode(ADA) })
    const { user } = bodyOf(reply)
    expect(user.username).toBe(ADA)
    expect(user.account?.token).toBeTruthy()
    expect((await browser.get('/me')).body).toEqual({ user })
  })

  test('JSON signs in, with the first page of accounts in the info and no token there', async () => {
    const accounts = someAccounts(3)
    const { agent, simulator } = await openShop({ store: { members: [{ username: ADA, accounts }] } })
    const reply = await agent()
      .post('/login')
      .send({ username: ADA, otp: simulator.issueCode(ADA) })
    const { user, info } = bodyOf(reply)
    expect(user.account?.id).toBe(accounts[0]?.id)
    expect(user).not.toHaveProperty('selectionToken')
    expect(info).toEqual({ accounts, totalAccounts: 3 })
  })

  test('the user is as Passport puts it on req.user, and the info on req.authInfo', async () => {
    const { agent, simulator } = await openShop()
    const reply = await agent()
      .post('/plain/login')
      .send({ username: ADA, otp: simulator.issueCode(ADA) })
    const { user, info } = bodyOf(reply)
    expect(Object.keys(user).sort()).toEqual(['account', 'accountMemberId', 'username'])
    expect(info.totalAccounts).toBe(1)
  })

  test('the account token is accepted by Elastic Path', async () => {
    const { signIn, simulator } = await openShop()
    const { user } = bodyOf(await signIn())
    const client = new Client(simulator)
    await client.authenticate()
    const headers = { [ACCOUNT_TOKEN_HEADER]: user.account?.token ?? '' }
    const reply = await client.send('/v2/accounts', { headers })
    expect(reply.status).toBe(200)
    expect(reply.text).toContain(user.account?.id)
  })

  test('an address in capitals and a code with spaces sign in', async () => {
    const { agent, simulator } = await openShop()
    const otp = simulator.issueCode(ADA)
    const reply = await agent()
      .post('/login')
      .send({ username: ' Ada@Example.COM ', otp: ` ${otp.slice(0, 3)} ${otp.slice(3)} ` })
    expect(bodyOf(reply).user.username).toBe(ADA)
  })

  test('a username that is no address is known by its capitals', async () => {
    const { signIn, simulator } = await openShop({ store: { members: [{ username: 'Buyer-7' }] } })
    const otp = simulator.issueCode('Buyer-7')
    expect(bodyOf(await signIn({ username: ' Buyer-7 ', otp })).user.username).toBe('Buyer-7')
    expect((await signIn({ username: 'buyer-7', otp: 'any' })).status).toBe(401)
  })

  test('a client secret and named fields sign in', async () => {
    const { agent, simulator } = await openShop({
      options: { clientSecret: 'simulator-client-secret', usernameField: 'email', otpField: 'code' },
    })
    const reply = await agent()
      .post('/login')
      .send({ email: ADA, code: simulator.issueCode(ADA) })
    expect(reply.status).toBe(200)
    expect(simulator.requests[0]?.body).toMatchObject({ grant_type: 'client_credentials' })
  })

  test.each([{ wrapAccessToken: true }, { expiresFormat: 'epoch' as const }, { omitAccountMemberId: true }])(
    'a store that speaks %p signs in alike',
    async (store) => {
      const { signIn } = await openShop({ store })
      const { user } = bodyOf(await signIn())
      expect(user.accountMemberId).toBeTruthy()
      expect(Date.parse(user.account?.expires ?? '')).toBeGreaterThan(Date.now())
    },
  )

  test('a hundred first sign-ins at once cost one access token and one discovery', async () => {
    const members = Array.from({ length: 100 }, (_, i) => ({ username: `shopper-${i}@example.com` }))
    const { signIn, simulator } = await openShop({ store: { members } })
    const replies = await Promise.all(members.map(({ username }) => signIn({ username })))
    expect(replies.map((reply) => bodyOf(reply).user.username)).toEqual(
      members.map(({ username }) => username),
    )
    expect(simulator.count('access_token')).toBe(1)
    expect(simulator.count('account_settings')).toBe(1)
    expect(simulator.count('password_profiles')).toBe(1)
    expect(simulator.count('exchange')).toBe(100)
  })
})

describe('failing', () => {
  test.each([400, 401] as const)(
    'a wrong code that Elastic Path answers with %p costs one exchange',
    async (wrongCodeStatus) => {
      const { signIn, simulator, errors } = await openShop({ store: { wrongCodeStatus } })
      const reply = await signIn({ otp: '000000x' })
      expect(reply.status).toBe(401)
      expect(reply.body).toMatchObject({ code: 'invalid_credentials' })
      expect(simulator.count('exchange')).toBe(1)
      expect(simulator.count('access_token')).toBe(1)
      expect(errors).toEqual([])
    },
  )

  test('a username that nobody has fails like a wrong code', async () => {
    const { signIn } = await openShop()
    const known = await signIn({ otp: 'wrong' })
    const unknown = await signIn({ username: 'nobody@example.com', otp: 'wrong' })
    expect(unknown.status).toBe(401)
    expect(unknown.body).toEqual(known.body)
  })

  test('a code works once', async () => {
    const { signIn, simulator } = await openShop()
    const otp = simulator.issueCode(ADA)
    expect((await signIn({ otp })).status).toBe(200)
    expect((await signIn({ otp })).status).toBe(401)
  })

  test("Passport's own answer to a wrong code is 401, and does not say when to come back", async () => {
    const { agent } = await openShop()
    const reply = await agent().post('/plain/login').send({ username: ADA, otp: 'wrong' })
    expect(reply.status).toBe(401)
    expect(reply.headers).not.toHaveProperty('retry-after')
  })

  test('a member of no account is not signed in', async () => {
    const { signIn } = await openShop({ store: { members: [{ username: ADA, accounts: 0 }] } })
    const reply = await signIn()
    expect(reply.status).toBe(403)
    expect(reply.body).toEqual({
      code: 'no_account',
      message: 'You do not belong to an account of this shop yet.',
    })
  })

  test('a member of no account is signed in where requireAccount is false', async () => {
    const { signIn } = await openShop({
      store: { members: [{ username: ADA, accounts: 0 }] },
      options: { requireAccount: false },
    })
    const { user, info } = bodyOf(await signIn())
    expect(user.account).toBeNull()
    expect(user).not.toHaveProperty('selectionToken')
    expect(info).toEqual({ accounts: [], totalAccounts: 0 })
  })

  test('messages of the app replace the English ones', async () => {
    const { signIn, agent } = await openShop({
      options: { messages: { invalid_credentials: 'Falscher Code.' } },
    })
    expect((await signIn({ otp: 'wrong' })).body).toEqual({
      code: 'invalid_credentials',
      message: 'Falscher Code.',
    })
    const other: unknown = (await agent().post('/login').send({})).body
    expect(other).toMatchObject({ message: expect.stringContaining('Please') as unknown })
  })

  const long = 'x'.repeat(100_000)
  const bad: [string, object][] = [
    ['nothing', {}],
    ['no code', { username: ADA }],
    ['no username', { otp: '123456' }],
    ['an empty code', { username: ADA, otp: '' }],
    ['spaces', { username: '  ', otp: '  ' }],
    ['an array', [ADA, '123456']],
    ['arrays', { username: [ADA], otp: ['123456'] }],
    ['a code in an array', { username: ADA, otp: ['123456'] }],
    ['a code in an object', { username: ADA, otp: { toString: '123456' } }],
    ['a numeric code', { username: ADA, otp: 123456 }],
    ['a boolean code', { username: ADA, otp: true }],
    ['a null code', { username: ADA, otp: null }],
    ['a numeric username', { username: 1, otp: '123456' }],
    ['a username of 100 kB', { username: long, otp: '123456' }],
    ['a code of 100 kB', { username: ADA, otp: long }],
    ['an account of 100 kB', { username: ADA, otp: '123456', account_id: long }],
    ['an account in an array', { username: ADA, otp: '123456', account_id: ['a'] }],
  ]
  test.each(bad)('a request with %s is 400 and asks Elastic Path nothing', async (_what, body) => {
    const { agent, simulator, errors } = await openShop()
    const reply = await agent().post('/login').send(body)
    expect(reply.status).toBe(400)
    expect(reply.body).toMatchObject({ code: 'missing_credentials' })
    expect(simulator.requests).toEqual([])
    expect(errors).toEqual([])
  })

  test.each([
    ['/login', `{"__proto__":{"username":"${ADA}","otp":"123456"}}`],
    ['/bare/login', `{"username":"${ADA}","otp":"123456"}`],
    [`/login?username=${ADA}&otp=123456`, '{}'],
  ])('POST %s with %s is 400 and asks Elastic Path nothing', async (path, body) => {
    const { agent, simulator } = await openShop()
    const reply = await agent().post(path).type('json').send(body)
    expect(reply.status).toBe(400)
    expect(reply.body).toMatchObject({ code: 'missing_credentials' })
    expect(simulator.requests).toEqual([])
  })

  test('a username of 1,024 characters is taken as it is, and one more is 400', async () => {
    const username = 'x'.repeat(1024)
    const { signIn } = await openShop({ store: { members: [{ username }, { username: `${username}x` }] } })
    expect((await signIn({ username })).status).toBe(200)
    expect((await signIn({ username: `${username}x` })).status).toBe(400)
  })

  test('an account id with spaces around it is the id', async () => {
    const accounts = someAccounts(2)
    const { signIn } = await openShop({ store: { members: [{ username: ADA, accounts }] } })
    const { user } = bodyOf(await signIn({ account_id: ` ${accounts[1]?.id} ` }))
    expect(user.account?.id).toBe(accounts[1]?.id)
  })

  test('a form with __proto__ or nested fields is 400', async () => {
    const { agent, simulator } = await openShop()
    for (const form of ['__proto__[username]=a&__proto__[otp]=1', 'username[a]=b&otp[]=1']) {
      const reply = await agent().post('/login').type('form').send(form)
      expect(reply.status).toBe(400)
    }
    expect(simulator.requests).toEqual([])
  })
})

describe('choosing an account', () => {
  const accounts = someAccounts(250)
  const store = { members: [{ username: ADA, accounts }] }

  test('the account asked for is found on a later page', async () => {
    const { signIn, simulator } = await openShop({ store })
    const wanted = accounts[240]
    const { user } = bodyOf(await signIn({ account_id: wanted?.id ?? '' }))
    expect(user.account).toMatchObject({ id: wanted?.id, name: wanted?.name })
    expect(user).not.toHaveProperty('selectionToken')
    expect(simulator.count('exchange')).toBe(1)
  })

  test('the account asked for costs no further page where it is on the first, and few where it is on the second', async () => {
    const many = someAccounts(2000)
    const { signIn, simulator } = await openShop({ store: { members: [{ username: ADA, accounts: many }] } })
    bodyOf(await signIn({ account_id: many[99]?.id ?? '' }))
    expect(simulator.count('renewal')).toBe(0)
    bodyOf(await signIn({ account_id: many[100]?.id ?? '' }))
    expect(simulator.count('renewal')).toBeLessThanOrEqual(8)
  })

  test('a list that ends with a full page is not asked for more', async () => {
    const members = [{ username: ADA, accounts: 200 }]
    const { signIn, simulator } = await openShop({ store: { members } })
    expect((await signIn({ account_id: randomUUID() })).status).toBe(403)
    expect(simulator.count('renewal')).toBe(1)
  })

  test('a list that is empty, and long by its own word, is no list, and not the shopper at fault', async () => {
    const { signIn, simulator } = await openShop({ store })
    const meta = { account_member_id: randomUUID(), results: { total: 30 } }
    for (const fields of [{}, { account_id: randomUUID() }]) {
      simulator.fault('exchange', { status: 200, body: { data: [], meta } })
      const reply = await signIn(fields)
      expect([reply.status, reply.body]).toEqual([502, { error: 'bad_answer' }])
    }
    expect(simulator.count('renewal')).toBe(0)
  })

  test.each(['', null])('an account of %p is none, and the first one is chosen', async (account_id) => {
    const { agent, simulator } = await openShop({ store })
    const reply = await agent()
      .post('/login')
      .send({ username: ADA, otp: simulator.issueCode(ADA), account_id })
    expect(bodyOf(reply).user.account?.id).toBe(accounts[0]?.id)
  })

  test("an account of somebody else's is 403, after no more pages than there are", async () => {
    const { signIn, simulator, errors } = await openShop({ store })
    const reply = await signIn({ account_id: randomUUID() })
    expect(reply.status).toBe(403)
    expect(reply.body).toMatchObject({ code: 'account_not_found' })
    expect(simulator.count('exchange')).toBe(1)
    expect(simulator.count('renewal')).toBe(2)
    expect(errors).toEqual([])
  })

  test('an account asked for by a member of none is 403', async () => {
    const { signIn, simulator } = await openShop({
      store: { members: [{ username: ADA, accounts: 0 }] },
      options: { requireAccount: false },
    })
    const reply = await signIn({ account_id: randomUUID() })
    expect(reply.status).toBe(403)
    expect(reply.body).toMatchObject({ code: 'account_not_found' })
    expect(simulator.count('renewal')).toBe(0)
  })

  test('a form whose account is left empty signs in as if it were not there', async () => {
    const { signIn } = await openShop({ store })
    expect(bodyOf(await signIn({ account_id: '' })).user.account?.id).toBe(accounts[0]?.id)
  })

  test("'first' takes the first account in one exchange", async () => {
    const { signIn, simulator } = await openShop({ store, options: { selectAccount: 'first' } })
    const { user, info } = bodyOf(await signIn())
    expect(user.account?.id).toBe(accounts[0]?.id)
    expect(info).toEqual({ accounts: accounts.slice(0, 25), totalAccounts: 250 })
    expect(simulator.count('renewal')).toBe(0)
  })

  test("'sole' takes the only account", async () => {
    const { signIn } = await openShop({ options: { selectAccount: 'sole' } })
    expect(bodyOf(await signIn()).user.account).not.toBeNull()
  })

  test("'sole' leaves a choice to the shopper, and the session renews and switches meanwhile", async () => {
    const { signIn, strategy } = await openShop({ store, options: { selectAccount: 'sole' } })
    const { user } = bodyOf(await signIn())
    expect(user.account).toBeNull()
    expect(user.selectionToken?.token).toBeTruthy()
    const chosen = await strategy.selectAccount(user, accounts[240]?.id ?? '')
    expect(chosen.account?.id).toBe(accounts[240]?.id)
    expect(chosen).not.toHaveProperty('selectionToken')
  })

  test.each([0, 99, 100, 249])('a function gets all accounts, and chooses number %p', async (index) => {
    const seen: AccountSummary[] = []
    const selectAccount = (all: AccountSummary[], req: Request) => {
      seen.push(...all)
      expect(req.path).toBe('/login')
      return Promise.resolve(all[index]?.id)
    }
    const { signIn, simulator } = await openShop({ store, options: { selectAccount } })
    expect(bodyOf(await signIn()).user.account?.id).toBe(accounts[index]?.id)
    expect(seen).toEqual(accounts)
    // Two more pages, and the chosen one again where it was not the first.
    expect(simulator.count('renewal')).toBe(index < 100 ? 2 : 3)
  })

  test('a function gets seven pages in their order, also where one comes late', async () => {
    const many = someAccounts(650)
    const seen: AccountSummary[] = []
    const selectAccount = (all: AccountSummary[]) => {
      seen.push(...all)
      return all[649]?.id
    }
    const { signIn, simulator } = await openShop({
      store: { members: [{ username: ADA, accounts: many }] },
      options: { selectAccount },
    })
    simulator.fault('renewal', { delay: 100 })
    expect(bodyOf(await signIn()).user.account?.id).toBe(many[649]?.id)
    expect(seen).toEqual(many)
  })

  test('a function that answers undefined leaves the choice to the shopper', async () => {
    const { signIn } = await openShop({ store, options: { selectAccount: () => undefined } })
    const { user } = bodyOf(await signIn())
    expect(user.account).toBeNull()
    expect(user.selectionToken).toBeDefined()
  })

  test('a function that answers with a stranger id is 403', async () => {
    const { signIn } = await openShop({ store, options: { selectAccount: () => 'stranger' } })
    const reply = await signIn()
    expect(reply.status).toBe(403)
    expect(reply.body).toMatchObject({ code: 'account_not_found' })
  })

  test('a function that answers with a number is an error, and is not asked where the request names an account', async () => {
    const { signIn, errors } = await openShop({
      store,
      options: { selectAccount: () => 42 as unknown as string },
    })
    expect((await signIn()).status).toBe(500)
    expect(errors).toEqual([expect.any(TypeError)])
    expect(errors[0]).toMatchObject({ message: expect.stringContaining('id of an account') as unknown })
    expect((await signIn({ account_id: accounts[1]?.id ?? '' })).status).toBe(200)
  })
})

describe('functions of the app', () => {
  test('selectAccount that never answers is the app at fault', async () => {
    const { signIn, errors } = await openShop({
      options: { timeout: 500, selectAccount: () => new Promise<string>(() => undefined) },
    })
    const reply = await signIn()
    expect(reply.status).toBe(500)
    expect(errors[0]).toMatchObject({
      message: expect.stringContaining('selectAccount did not finish') as unknown,
    })
    expect(reply.body).toMatchObject({ error: 'app_timeout' })
  })

  test('a limiter that never answers is the app at fault, and no free pass', async () => {
    const never = () => new Promise<never>(() => undefined)
    const { signIn, simulator, errors } = await openShop({
      options: { timeout: 500, limiter: { consume: never, delete: never } },
    })
    expect((await signIn()).body).toMatchObject({ error: 'app_timeout' })
    expect(errors[0]).toMatchObject({ message: expect.stringContaining('limiter did not finish') as unknown })
    expect(simulator.requests).toEqual([])
  })

  const failure = new Error('Broken')
  const fail = () => {
    throw failure
  }
  test.each([
    { selectAccount: fail },
    { selectAccount: () => Promise.reject(failure) },
    { normalizeUsername: fail },
  ])('that throw are errors of their own: %p', async (options) => {
    const { signIn, errors } = await openShop({ options })
    expect((await signIn()).status).toBe(500)
    expect(errors[0]).toBe(failure)
  })
})

describe('the session', () => {
  test.each([1, 10_000])('is under 2 kB for a member of %p accounts', async (accounts) => {
    const { signIn, storedSessions } = await openShop({ store: { members: [{ username: ADA, accounts }] } })
    bodyOf(await signIn())
    const [stored = '', ...others] = await storedSessions()
    expect(others).toEqual([])
    expect(stored).toContain(ADA)
    expect(Buffer.byteLength(stored)).toBeLessThan(2000)
  })

  test.each(['first', 'sole'] as const)('signs out when the token of %p has ended', async (selectAccount) => {
    const members = [{ username: ADA, accounts: 2 }]
    const { agent, simulator } = await openShop({ store: { members }, options: { selectAccount } })
    const browser = agent()
    await browser.post('/login').send({ username: ADA, otp: simulator.issueCode(ADA) })
    expect((await browser.get('/me')).body).toMatchObject({ user: { username: ADA } })
    const late = Date.now() + 86_401_000
    jest.spyOn(Date, 'now').mockReturnValue(late)
    expect((await browser.get('/me')).body).toEqual({ user: null })
  })

  test('signs out at the moment at which its token ends', async () => {
    const { strategy, signIn } = await openShop()
    const { user } = bodyOf(await signIn())
    const end = Date.parse(user.account?.expires ?? '')
    const restored = (now: number) => {
      jest.spyOn(Date, 'now').mockReturnValue(now)
      return new Promise((resolve) => strategy.deserializeUser(user, (_error, found) => resolve(found)))
    }
    expect(await restored(end - 1)).toBe(user)
    expect(await restored(end)).toBe(false)
  })

  test('signs out where its token could not go out in a header', async () => {
    const { strategy } = await openShop()
    const account = { id: 'c', name: 'd', token: 'a token\r\nx: y', expires: '2999-01-01T00:00:00Z' }
    const user = await new Promise((resolve) => {
      strategy.deserializeUser({ accountMemberId: 'a', username: 'b', account }, (error, found) =>
        resolve(error ?? found),
      )
    })
    expect(user).toBe(false)
  })

  test.each([[{}], [null], ['ada'], [{ accountMemberId: 'a', username: 'b', account: { id: 'c' } }]])(
    'signs out where it holds %p',
    async (stored) => {
      const { strategy } = await openShop()
      const user = await new Promise((resolve) => {
        strategy.deserializeUser(stored, (error, found) => resolve(error ?? found))
      })
      expect(user).toBe(false)
    },
  )
})

describe('a user of the app’s own', () => {
  const held = { token: 'token', expires: new Date(Date.now() + 60_000).toISOString() }
  const account = { id: 'account', name: '', ...held }
  const user = { accountMemberId: 'member', username: ADA, account }
  const serialize = async (one: unknown) => {
    const { strategy } = await openShop()
    return new Promise<{ error: unknown; kept: unknown }>((resolve) => {
      strategy.serializeUser(one, (error, kept) => resolve({ error, kept }))
    })
  }

  test.each([
    user,
    { ...user, role: 'buyer' },
    { ...user, account: null },
    { ...user, account: null, selectionToken: held },
  ])('goes to the session where it holds what the strategy gave: %j', async (one) => {
    const { error, kept } = await serialize(one)
    expect(error).toBeNull()
    expect(kept).toBe(one)
  })

  test.each([
    ['another object', { id: 42 }],
    ['an array', [user]],
    ['a string', 'ada'],
    ['no member', { ...user, accountMemberId: '' }],
    ['no username', { ...user, username: undefined }],
    ['no account', { ...user, account: undefined }],
    ['an account without an id', { ...user, account: { ...account, id: '' } }],
    ['an account without a name', { ...user, account: { ...account, name: undefined } }],
    ['an account without a token', { ...user, account: { ...account, token: '' } }],
    ['an account without an end', { ...user, account: { ...account, expires: undefined } }],
    ['an account whose end is no moment', { ...user, account: { ...account, expires: 'soon' } }],
    ['an account whose end is a number', { ...user, account: { ...account, expires: 4_000_000_000 } }],
    ['an account whose end is a Date', { ...user, account: { ...account, expires: new Date() } }],
    ['a token that waits for a choice and is none', { ...user, account: null, selectionToken: 'token' }],
  ])('is an error that says what to keep where it is %s', async (_what, one) => {
    expect((await serialize(one)).error).toMatchObject({
      code: 'unexpected_user',
      status: 500,
      message: expect.stringContaining(
        'keep accountMemberId, username, account and selectionToken',
      ) as unknown,
    })
  })

  test.each([undefined, null, false])('that is %p is nobody signed in', async (one) => {
    expect((await serialize(one)).error).toMatchObject({ code: 'not_signed_in', status: 401 })
  })
})

describe('verify', () => {
  const withRole = (user: PasswordlessOtpUser) => ({ ...user, role: 'buyer' })

  const accepting: [string, (...args: never[]) => unknown, boolean?][] = [
    ['done', (user: PasswordlessOtpUser, done: VerifyDone) => done(null, withRole(user))],
    [
      'done, later',
      (user: PasswordlessOtpUser, done: VerifyDone) => void setImmediate(() => done(null, withRole(user))),
    ],
    ['a promise', (user: PasswordlessOtpUser) => Promise.resolve(withRole(user))],
    ['its value', (user: PasswordlessOtpUser) => withRole(user)],
    [
      'its value and the request',
      (req: Request, user: PasswordlessOtpUser) => ({ ...withRole(user), path: req.path }),
      true,
    ],
    [
      'a promise of nothing and done',
      (user: PasswordlessOtpUser, done: VerifyDone) => {
        done(null, withRole(user))
        return Promise.resolve()
      },
    ],
    [
      'arguments that it does not declare',
      (...args: unknown[]) => {
        const [user, done] = args as [PasswordlessOtpUser, VerifyDone]
        done(null, withRole(user))
        return Promise.resolve()
      },
    ],
    [
      'done, later, by arguments that it does not declare',
      (...args: unknown[]) => {
        const [user, done] = args as [PasswordlessOtpUser, VerifyDone]
        setImmediate(() => done(null, withRole(user)))
      },
    ],
    [
      'done, after a promise of nothing',
      (user: PasswordlessOtpUser, done: VerifyDone) => {
        setImmediate(() => done(null, withRole(user)))
        return Promise.resolve()
      },
    ],
    [
      'done, where what it returns is a timer',
      (user: PasswordlessOtpUser, done: VerifyDone) => setImmediate(() => done(null, withRole(user))),
    ],
    [
      'a promise, where it declares done',
      (user: PasswordlessOtpUser, _done: VerifyDone) => Promise.resolve(withRole(user)),
    ],
    [
      'done and the request',
      (req: Request, user: PasswordlessOtpUser, done: VerifyDone) =>
        done(null, { ...withRole(user), path: req.path }),
      true,
    ],
    [
      'a promise and the request',
      (req: Request, user: PasswordlessOtpUser) => Promise.resolve({ ...withRole(user), path: req.path }),
      true,
    ],
  ]
  test.each(accepting)("signs the app's user in by %s", async (_form, verify, passReqToCallback = false) => {
    const { signIn } = await openShop({ verify, options: { passReqToCallback } })
    const { user, info } = bodyOf(await signIn())
    expect(user).toMatchObject({ role: 'buyer', username: ADA, ...(passReqToCallback && { path: '/login' }) })
    expect(info.totalAccounts).toBe(1)
  })

  test('replaces the info', async () => {
    const { signIn } = await openShop({
      verify: (user: PasswordlessOtpUser, done: VerifyDone) => done(null, user, { scope: 'all' }),
    })
    expect(bodyOf(await signIn()).info).toEqual({ scope: 'all' })
  })

  const refusing: [string, (...args: never[]) => unknown][] = [
    [
      'done(null, false)',
      (_user: PasswordlessOtpUser, done: VerifyDone) => done(null, false, { message: 'Blocked' }),
    ],
    ['done(null)', (_user: PasswordlessOtpUser, done: VerifyDone) => done(null)],
    ['its value false', (_user: PasswordlessOtpUser) => false],
    ['no value', (_user: PasswordlessOtpUser) => undefined],
    ['a promise of false', (_user: PasswordlessOtpUser) => Promise.resolve(false)],
    ['a promise of null', (_user: PasswordlessOtpUser) => Promise.resolve(null)],
    ['a promise of undefined', (_user: PasswordlessOtpUser) => Promise.resolve(undefined)],
  ]
  test.each(refusing)('fails the sign-in by %s', async (form, verify) => {
    const { signIn, errors } = await openShop({ verify })
    const reply = await signIn()
    expect(reply.status).toBe(401)
    expect(reply.body).toEqual(form === 'done(null, false)' ? { message: 'Blocked' } : {})
    expect(errors).toEqual([])
  })

  const failure = new Error('The database is down')
  const failing: [string, (...args: never[]) => unknown][] = [
    ['done(err)', (_user: PasswordlessOtpUser, done: VerifyDone) => done(failure)],
    ['a rejection', (_user: PasswordlessOtpUser) => Promise.reject(failure)],
    [
      'throwing',
      (_user: PasswordlessOtpUser, _done: VerifyDone) => {
        throw failure
      },
    ],
  ]
  test.each(failing)('hands its own error on by %s', async (_form, verify) => {
    const { signIn, errors } = await openShop({ verify })
    expect((await signIn()).status).toBe(500)
    expect(errors).toEqual([failure])
    expect(errors[0]).toBe(failure)
  })

  // Which Express's next takes for no error, or for a word of its own.
  test.each([undefined, null, false, 0, '', 'route', 'router'])(
    'lets nobody pass where it fails with %p',
    async (thrown) => {
      const { agent, errors, simulator } = await openShop({
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        verify: (_user: PasswordlessOtpUser) => Promise.reject(thrown),
      })
      const otp = simulator.issueCode(ADA)
      expect((await agent().post('/plain/login').send({ username: ADA, otp })).status).toBe(500)
      expect(errors).toEqual([
        new TypeError(`A function of the app failed with ${inspect(thrown)} instead of an Error`),
      ])
    },
  )

  const silent: [string, (...args: never[]) => unknown][] = [
    ['done', (_user: PasswordlessOtpUser, _done: VerifyDone) => undefined],
    ['a promise', (_user: PasswordlessOtpUser) => new Promise(() => undefined)],
  ]
  test.each(silent)('that never answers by %s is the app at fault', async (_form, verify) => {
    const { signIn, errors } = await openShop({ verify, options: { timeout: 500 } })
    const reply = await signIn()
    expect(reply.status).toBe(500)
    expect(errors[0]).toMatchObject({ message: expect.stringContaining('verify did not finish') as unknown })
    expect(reply.body).toMatchObject({ error: 'app_timeout' })
  })

  test('is not asked about a wrong code', async () => {
    const verify = jest.fn((user: PasswordlessOtpUser) => Promise.resolve(user))
    const { signIn } = await openShop({ verify })
    expect((await signIn({ otp: 'wrong' })).status).toBe(401)
    expect(verify).not.toHaveBeenCalled()
  })
})

describe('the limiter', () => {
  test('stops the sixth of fifty wrong codes at once', async () => {
    const limiter = new RateLimiterMemory({ points: 5, duration: 60 })
    const { signIn, simulator } = await openShop({ options: { limiter } })
    const replies = await Promise.all(Array.from({ length: 50 }, () => signIn({ otp: 'wrong' })))
    const stopped = replies.filter(({ status }) => status === 429)
    expect(replies.filter(({ status }) => status === 401)).toHaveLength(5)
    expect(stopped).toHaveLength(45)
    expect(simulator.count('exchange')).toBe(5)
    for (const { headers, body } of stopped) {
      const { retryAfter } = body as { retryAfter: number }
      expect(retryAfter).toBeGreaterThan(0)
      expect(retryAfter).toBeLessThanOrEqual(60)
      expect(body).toMatchObject({ code: 'too_many_attempts' })
      expect((headers as Record<string, string>)['retry-after']).toBe(String(retryAfter))
    }
    expect((await signIn()).status).toBe(429)
  })

  test('stops spellings of a username together, and other usernames not', async () => {
    const limiter = new RateLimiterMemory({ points: 1, duration: 60 })
    const { signIn } = await openShop({ options: { limiter } })
    expect((await signIn({ otp: 'wrong' })).status).toBe(401)
    expect((await signIn({ username: 'ADA@example.com ', otp: 'wrong' })).status).toBe(429)
    expect((await signIn({ username: 'bob@example.com', otp: 'wrong' })).status).toBe(401)
  })

  test('sees no username', async () => {
    const keys: string[] = []
    const keep = (key: string) => Promise.resolve(keys.push(key))
    const { signIn } = await openShop({ options: { limiter: { consume: keep, delete: keep } } })
    bodyOf(await signIn())
    expect(keys).toHaveLength(2)
    expect(keys[0]).toBe(keys[1])
    expect(keys[0]).not.toContain('ada')
  })

  test('has all points back after a sign-in', async () => {
    const limiter = new RateLimiterMemory({ points: 2, duration: 60 })
    const { signIn } = await openShop({ options: { limiter } })
    for (let round = 0; round < 3; round++) {
      expect((await signIn({ otp: 'wrong' })).status).toBe(401)
      expect((await signIn()).status).toBe(200)
    }
  })

  test('stops capitals and small letters of a username together, which may be one to Elastic Path', async () => {
    const limiter = new RateLimiterMemory({ points: 1, duration: 60 })
    const { signIn } = await openShop({ options: { limiter } })
    expect((await signIn({ username: 'bob', otp: 'wrong' })).status).toBe(401)
    expect((await signIn({ username: 'BOB', otp: 'wrong' })).status).toBe(429)
  })

  test.each([
    ['is down', { status: 503 }, 502],
    ['does not answer', 'hang', 504],
    ['answers nonsense', 'html', 502],
  ] as const)('has the try back where Commerce %s, and only that', async (_what, fault, status) => {
    const limiter = new RateLimiterMemory({ points: 2, duration: 60 })
    const { signIn, simulator } = await openShop({ options: { limiter, timeout: 300 } })
    expect((await signIn({ otp: 'wrong' })).status).toBe(401)
    simulator.fault('exchange', fault, { times: 3 })
    for (let i = 0; i < 3; i++) expect((await signIn({ otp: 'wrong' })).status).toBe(status)
    expect((await signIn({ otp: 'wrong' })).status).toBe(401)
    expect((await signIn({ otp: 'wrong' })).status).toBe(429)
  })

  test('that gives no single try back, or fails at it, does not hide an outage', async () => {
    const consume = () => Promise.resolve()
    const reward = jest.fn(() => Promise.reject(new Error('redis is down')))
    for (const limiter of [
      { consume, delete: consume },
      { consume, delete: consume, reward },
    ]) {
      const { signIn, simulator } = await openShop({ options: { limiter } })
      simulator.fault('exchange', { status: 503 })
      expect((await signIn()).body).toEqual({ error: 'upstream_error' })
    }
    expect(reward).toHaveBeenCalledTimes(1)
  })

  test('keeps the try of somebody who left before the answer', async () => {
    const reward = jest.fn()
    const consume = () => Promise.resolve()
    const { agent, simulator } = await openShop({
      options: { limiter: { consume, delete: consume, reward } },
    })
    simulator.fault('exchange', 'hang')
    const told = nextMessage()
    const leaving = agent().post('/login').send({ username: ADA, otp: 'wrong' })
    leaving.end(() => undefined)
    await until(() => simulator.count('exchange') > 0)
    leaving.abort()
    expect(await told).toMatchObject({ code: 'request_aborted' })
    expect(reward).not.toHaveBeenCalled()
  })

  test('has all points back after a right code, whichever account it was for', async () => {
    const limiter = new RateLimiterMemory({ points: 1, duration: 60 })
    const { signIn } = await openShop({ options: { limiter } })
    for (let round = 0; round < 3; round++) {
      expect((await signIn({ account_id: randomUUID() })).body).toMatchObject({ code: 'account_not_found' })
    }
  })

  test('that is broken is an error and no free pass', async () => {
    const broken = () => Promise.reject(new Error('redis://user:hush-hush@cache is down'))
    const { signIn, simulator, errors } = await openShop({
      options: { limiter: { consume: broken, delete: broken } },
    })
    const reply = await signIn()
    expect(reply.status).toBe(500)
    expect(reply.body).toMatchObject({ error: 'limiter_failed' })
    expect((errors[0] as Error).message).toContain('limiter failed (Error)')
    expect(simulator.requests).toEqual([])
    expect(String((errors[0] as Error).stack)).not.toContain('hush-hush')
  })

  test('that never gives points back is the app at fault', async () => {
    const limiter = { consume: () => Promise.resolve(), delete: () => new Promise(() => undefined) }
    const { signIn, errors } = await openShop({ options: { timeout: 500, limiter } })
    expect((await signIn()).body).toMatchObject({ error: 'app_timeout' })
    expect((errors[0] as Error).message).toContain('limiter did not finish')
  })

  test('that cannot give points back is an error', async () => {
    const { signIn, errors } = await openShop({
      options: {
        limiter: {
          consume: () => Promise.resolve(),
          delete: () => Promise.reject(new Error('redis://user:hush-hush@cache is down')),
        },
      },
    })
    expect((await signIn()).body).toMatchObject({ error: 'limiter_failed' })
    expect(String((errors[0] as Error).stack)).not.toContain('hush-hush')
  })

  test.each([
    [0, 1],
    [1, 1],
    [1000, 1],
    [1001, 2],
    [59_999, 60],
  ])('whose next point is %p ms away has Retry-After: %p', async (msBeforeNext, seconds) => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the shape that limiters reject with
    const consume = () => Promise.reject({ msBeforeNext })
    const { signIn } = await openShop({ options: { limiter: { consume, delete: () => Promise.resolve() } } })
    const reply = await signIn()
    expect(reply.status).toBe(429)
    expect(reply.headers).toMatchObject({ 'retry-after': String(seconds) })
  })

  test.each([undefined, null, 'no', 42, {}, { msBeforeNext: NaN }])(
    'that rejects with %p is broken',
    async (reason) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what it is about
      const consume = () => Promise.reject(reason)
      const { signIn } = await openShop({
        options: { limiter: { consume, delete: () => Promise.resolve() } },
      })
      expect((await signIn()).body).toMatchObject({ error: 'limiter_failed' })
    },
  )
})
