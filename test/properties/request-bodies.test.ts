import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import fc from 'fast-check'
import { Passport } from 'passport'
import { PasswordlessOtpStrategy } from '../../lib'
import {
  ADA,
  entry,
  FakeCommerce,
  json,
  PROFILE,
  REALM,
  TOKENS,
  tokenList,
  WRONG_CODE,
  ACCESS_TOKEN,
  type Asked,
} from './commerce'
import { nextOf, signIn } from './requests'
import { anyJson, expectSafe, holds, holdsAtOnce, mangled, mangledBytes, nasty, serve } from './support'

const CODE = 'abd1g5'
const FIRST = entry('first')
const SECOND = entry('second')
const USER = {
  accountMemberId: 'member-of-ada',
  username: ADA,
  account: { id: 'first', name: 'Account first', token: FIRST.token, expires: FIRST.expires },
}

/** A store of which Ada is a member; a strategy for it; and all that the strategy asked for. */
function openStore() {
  const exchanges: string[] = []
  const asked: Asked[] = []
  const commerce = new FakeCommerce((request) => {
    if (request.path === '/oauth/access_token') return json(200, ACCESS_TOKEN)
    asked.push(request)
    if (!request.path.startsWith(TOKENS)) return { status: 202, body: '' }
    const { data } = JSON.parse(request.body) as { data: Record<string, unknown> }
    if (data['authentication_mechanism'] !== 'passwordless') return json(201, tokenList([FIRST, SECOND]))
    exchanges.push(request.body)
    const good = data['username'] === ADA && data['one_time_password_token'] === CODE
    return good ? json(201, tokenList([FIRST, SECOND])) : json(400, WRONG_CODE)
  })
  const strategy = new PasswordlessOtpStrategy({
    clientId: 'a-client',
    passwordProfileId: PROFILE,
    authenticationRealmId: REALM,
    requestLimiter: { consume: () => Promise.resolve(), delete: () => Promise.resolve() },
    dispatcher: commerce,
  })
  return { strategy, asked, exchanges }
}

/** What a body's field holds, where that is the plain text of a field of its own. */
function plain(body: unknown, field: string, longest: number): string | undefined {
  if (body === null || typeof body !== 'object') return undefined
  const value: unknown = Object.getOwnPropertyDescriptor(body, field)?.value
  return typeof value === 'string' && value.length <= longest && value.trim() !== ''
    ? value.trim()
    : undefined
}

function usernameIn(body: unknown): string | undefined {
  const typed = plain(body, 'username', 1024)
  return typed?.includes('@') ? typed.toLowerCase() : typed
}

/** What the design says a sign-in with this body comes to. */
function expected(body: unknown): string {
  const username = usernameIn(body)
  const otp = plain(body, 'otp', 128)?.replace(/\s/g, '')
  const named = body !== null && typeof body === 'object' && Object.hasOwn(body, 'account_id')
  const accountId = plain(body, 'account_id', 256)
  const noneNamed =
    !named || ['', null].some((none) => (body as Record<string, unknown>)['account_id'] === none)
  if (username === undefined || !otp || (!noneNamed && accountId === undefined)) return 'missing_credentials'
  if (username !== ADA || otp !== CODE) return 'invalid_credentials'
  if (noneNamed || accountId === 'first') return 'first'
  return accountId === 'second' ? 'second' : 'account_not_found'
}

const STATUS: Record<string, number> = {
  missing_credentials: 400,
  invalid_credentials: 401,
  account_not_found: 403,
  first: 200,
  second: 200,
}

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constant(''), fc.constant('x'.repeat(2000)))
const around = (right: string): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(right) },
    fc.constantFrom(
      ` ${right}\t`,
      right.toUpperCase(),
      [right],
      { 0: right, length: 1 },
      `${right}\u0000`,
      `${right} x`,
    ),
    text,
    nasty,
  )
const nearBody = fc.record(
  {
    username: around(ADA),
    otp: fc.oneof(around(CODE), fc.constantFrom('abd 1g5', ' a b d1g5\n', 'abd1g5\ud800')),
    account_id: fc.oneof(around('second'), fc.constantFrom('', 'first', ' first ', 'stranger')),
  },
  { requiredKeys: [] },
)
const prototyped = nearBody.map((fields) => JSON.parse(`{"__proto__":${JSON.stringify(fields)}}`) as unknown)
const body: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: nearBody },
  { weight: 2, arbitrary: mangled({ username: ADA, otp: CODE, account_id: 'second' }) },
  prototyped,
  nearBody.map((fields) => Object.assign(Object.create(null) as object, fields)),
  nearBody.map((fields) => Object.create(fields) as unknown),
  nearBody.map((fields) => [fields]),
  nearBody.map((fields) => Object.entries(fields)),
  anyJson,
  fc.anything({
    withNullPrototype: true,
    withMap: true,
    withTypedArray: true,
    withBigInt: true,
    withDate: true,
  }),
)

test('any body signs in exactly where it holds the right username and code as plain text, and asks once', async () => {
  const { strategy, exchanges } = openStore()
  await holds(body, 20_000, async (given) => {
    exchanges.length = 0
    const ends = await signIn(strategy, given)
    expect(ends).toHaveLength(1)
    const [end] = ends
    const outcome = expected(given)
    expect(exchanges.length).toBe(outcome === 'missing_credentials' ? 0 : 1)
    if (outcome === 'first' || outcome === 'second') {
      expect(end).toMatchObject({ how: 'success', user: { username: ADA, account: { id: outcome } } })
    } else {
      expect(end).toMatchObject({ how: 'fail', status: STATUS[outcome], info: { code: outcome } })
      expect(JSON.stringify(end)).not.toContain(CODE)
    }
  })
})

test('any body asks for a code exactly where it holds a username as plain text, and never breaks', async () => {
  const { strategy, asked } = openStore()
  const handler = strategy.requestOtp()
  const seen = new Set<string>()
  await holdsAtOnce(
    body,
    4000,
    async (given) => {
      const req = { body: given, headers: {} }
      const error = await nextOf(handler, req)
      const username = usernameIn(given)
      if (username === undefined) {
        expectSafe(error, [CODE])
        expect(error.status).toBe(400)
        return
      }
      expect(error).toBeUndefined()
      expect(req).toHaveProperty('otpRequest', { username })
      seen.add(username)
    },
    2000,
  )
  // Each username once within half a minute, however many asked for it.
  expect(asked.length).toBe(seen.size)
})

test('any body switches exactly to the account that it names as plain text', async () => {
  const { strategy } = openStore()
  const handler = strategy.switchAccount()
  await holds(body, 5000, async (given) => {
    const req = { body: given, headers: {}, user: structuredClone(USER) }
    const error = await nextOf(handler, req)
    const accountId = plain(given, 'account_id', 256)
    if (accountId === 'first' || accountId === 'second') {
      expect(error).toBeUndefined()
      expect(req.user.account).toMatchObject({ id: accountId })
      return
    }
    expectSafe(error, [FIRST.token, SECOND.token])
    expect(error.status).toBe(accountId === undefined ? 400 : 403)
    expect(req.user).toEqual(USER)
  })
})

describe('over the wire', () => {
  const errors: unknown[] = []
  const { strategy, exchanges } = openStore()

  beforeAll(async () => {
    const passport = new Passport()
    passport.use(strategy)
    const authenticate = passport.authenticate(strategy.name, { session: false }) as RequestHandler
    const answer: RequestHandler = (req, res) => {
      res.json({ account: (req.user as typeof USER).account.id })
    }
    const tell: ErrorRequestHandler = (error: { status?: number }, _req, res, _next) => {
      errors.push(error)
      res.sendStatus(error.status ?? 500)
    }
    const app = express()
    app.use(express.json(), express.urlencoded({ extended: true }))
    app.post('/login', authenticate, answer)
    app.post('/switch', (req, _res, next) => {
      req.user = structuredClone(USER)
      next()
    })
    app.post('/switch', strategy.switchAccount(), answer)
    app.use(tell)
    const pool = await serve(app)
    post = async (path, type, bytes) => {
      const { statusCode, body: stream } = await pool.request({
        path,
        method: 'POST',
        headers: { 'content-type': type },
        body: bytes,
      })
      return { status: statusCode, text: await stream.text() }
    }
  })

  let post: (path: string, type: string, bytes: string | Buffer) => Promise<{ status: number; text: string }>

  const jsonText = fc.oneof(
    { weight: 6, arbitrary: nearBody.map((fields) => JSON.stringify(fields)) },
    prototyped.map((fields) => JSON.stringify(fields)),
    fc.tuple(nearBody, nearBody).map((both) => JSON.stringify(both)),
    mangled({ username: ADA, otp: CODE }).map((fields) => JSON.stringify(fields)),
    anyJson.map((any) => JSON.stringify(any)),
    fc.nat(20_000).map((deep) => '['.repeat(deep) + ']'.repeat(deep)),
    fc.nat(10_000).map((deep) => '{"username":'.repeat(deep / 2) + '1' + '}'.repeat(deep / 2)),
    // Twice the same key: the last one counts, as everywhere in JSON.
    fc.constantFrom(
      `{"username":"${ADA}","otp":"nope","otp":"${CODE}"}`,
      `{"username":"${ADA}","otp":"${CODE}","otp":"nope"}`,
      `{"username":"${ADA}","otp":"${CODE}","__proto__":null,"constructor":{"prototype":{}}}`,
    ),
  )
  const jsonBytes = fc.oneof(
    { weight: 3, arbitrary: jsonText.map((given) => Buffer.from(given)) },
    mangledBytes(JSON.stringify({ username: ADA, otp: CODE, account_id: 'second' })),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  )

  /** What the parser makes of it: undefined where it refuses it itself. */
  function parsed(bytes: Buffer): { body: unknown } | undefined {
    const given = bytes.toString('utf8')
    if (bytes.length === 0) return { body: undefined }
    if (!/^[\x20\t\n\r]*[[{]/.test(given)) return undefined
    try {
      return { body: JSON.parse(given) as unknown }
    } catch {
      return undefined
    }
  }

  test('any JSON, or what passes for it, signs in exactly where it is right, and is never answered 5xx', async () => {
    let codes = 0
    await holdsAtOnce(jsonBytes, 10_000, async (bytes) => {
      const { status, text } = await post('/login', 'application/json', bytes)
      const given = parsed(bytes)
      const outcome = given ? expected(given.body) : 'missing_credentials'
      if (outcome !== 'missing_credentials') codes++
      expect([bytes.toString(), status]).toEqual([bytes.toString(), STATUS[outcome]])
      if (status === 200) expect(JSON.parse(text)).toEqual({ account: outcome })
      else expect(text).not.toContain(CODE)
    })
    expect(exchanges.length).toBe(codes)
    // The parser's own.
    expect(errors.splice(0).every((error) => (error as { type?: string }).type !== undefined)).toBe(true)
  })

  test('any JSON switches only to an account that it names', async () => {
    await holdsAtOnce(jsonBytes, 4000, async (bytes) => {
      const { status } = await post('/switch', 'application/json', bytes)
      const accountId = plain(parsed(bytes)?.body, 'account_id', 256)
      const named = accountId === 'first' || accountId === 'second'
      expect(status).toBe(named ? 200 : accountId === undefined ? 400 : 403)
    })
    errors.length = 0
  })

  const key = fc.oneof(
    fc.constantFrom('username', 'otp', 'account_id', 'username[]', 'otp[0]', 'otp[a]', 'username[__proto__]'),
    fc.constantFrom('__proto__[username]', 'constructor[prototype][otp]', '__proto__', 'toString', '', ']['),
    fc.string(),
  )
  const value = fc.oneof(fc.constantFrom(ADA, CODE, ` ${ADA}`, 'second', ''), fc.string({ unit: 'grapheme' }))
  const form = fc.oneof(
    fc.constant([
      ['username', ADA],
      ['otp', CODE],
    ]),
    fc
      .array(fc.tuple(key, value), { maxLength: 6 })
      .map((more) => [['username', ADA], ...more, ['otp', CODE]]),
    fc.array(fc.tuple(key, value), { maxLength: 6 }),
  )
  const formBytes = fc.oneof(
    {
      weight: 3,
      arbitrary: form.map((pairs) =>
        Buffer.from(new URLSearchParams(pairs as [string, string][]).toString()),
      ),
    },
    mangledBytes(`username=${ADA}&otp=${CODE}`),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  )

  test('any form signs in only where it holds the right username and code, once each', async () => {
    await holdsAtOnce(formBytes, 10_000, async (bytes) => {
      const { status } = await post('/login', 'application/x-www-form-urlencoded', bytes)
      expect([200, 400, 401, 403]).toContain(status)
      const fields = new URLSearchParams(bytes.toString('utf8'))
      const right =
        fields.getAll('username').length === 1 &&
        fields.getAll('otp').length === 1 &&
        ['first', 'second'].includes(expected(Object.fromEntries(fields)))
      const odd = [...fields.keys()].some((name) => /[[\].]|^$/.test(name))
      if (status === 200) expect([bytes.toString(), right]).toEqual([bytes.toString(), true])
      else if (!odd && status !== 400) expect(right).toBe(false)
    })
    errors.length = 0
  })
})
