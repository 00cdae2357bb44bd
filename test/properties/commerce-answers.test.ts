import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import fc from 'fast-check'
import { Agent } from 'undici'
import { PasswordlessOtpStrategy, type PasswordlessOtpUser } from '../../lib'
import {
  ACCESS_TOKEN,
  ADA,
  BEARER,
  entry,
  FakeCommerce,
  MEMBER,
  PROFILE,
  PROFILES,
  REALM,
  SETTINGS,
  tokenList,
  tokenOf,
  TOKENS,
  TYPE,
  type Answer,
} from './commerce'
import { signIn, type End } from './requests'
import {
  anyJson,
  dig,
  expectSafe,
  holds,
  holdsAtOnce,
  isObject,
  isText,
  mangled,
  mangledBytes,
} from './support'

type Call = 'access_token' | 'account_settings' | 'password_profiles' | 'exchange' | 'renewal' | 'otp_request'
const CALLS: Call[] = [
  'access_token',
  'account_settings',
  'password_profiles',
  'exchange',
  'renewal',
  'otp_request',
]

const CODE = 'abdxgq'
const SECRET = 'client-secret-of-the-shop'
const FIRST = entry('first')
const SECOND = entry('second')
const LIST = tokenList([FIRST, SECOND])
const USER: PasswordlessOtpUser = {
  accountMemberId: MEMBER,
  username: ADA,
  account: { id: 'second', name: 'Second', token: tokenOf('held'), expires: SECOND.expires },
}
const SECRETS = [ADA, CODE, SECRET, BEARER, FIRST.token, SECOND.token, tokenOf('held'), 'adalovelace']

const RIGHT: Record<Call, { status: number; body: unknown }> = {
  access_token: { status: 200, body: ACCESS_TOKEN },
  account_settings: { status: 200, body: SETTINGS },
  password_profiles: { status: 200, body: PROFILES },
  exchange: { status: 201, body: LIST },
  renewal: { status: 201, body: LIST },
  otp_request: { status: 202, body: { data: { type: 'one_time_password_token_request', username: ADA } } },
}

function callOf(path: string, body: string): Call {
  if (path.endsWith('/oauth/access_token')) return 'access_token'
  if (path.endsWith('/account-authentication')) return 'account_settings'
  if (path.endsWith('/one-time-password-token-request')) return 'otp_request'
  if (path.includes('/password-profiles')) return 'password_profiles'
  return path.includes(TOKENS) && body.includes('"passwordless"') ? 'exchange' : 'renewal'
}

const right = (call: Call): Answer => ({ status: RIGHT[call].status, body: JSON.stringify(RIGHT[call].body) })

/** What a strategy does so that the call is made. */
async function act(strategy: PasswordlessOtpStrategy, call: Call): Promise<End> {
  if (call === 'access_token' || call === 'password_profiles' || call === 'exchange') {
    const [end, ...others] = await signIn(strategy, { username: ADA, otp: CODE })
    expect(others).toEqual([])
    if (end) return end
    throw new Error('The sign-in came to no end')
  }
  try {
    if (call === 'renewal')
      return { how: 'success', user: await strategy.renewAccount(USER), info: undefined }
    await strategy.createOtpRequest(ADA)
    return { how: 'success', user: undefined, info: undefined }
  } catch (error) {
    return { how: 'error', error }
  }
}

const named = (call: Call) => ({
  ...(call === 'password_profiles' || call === 'account_settings' ? {} : { passwordProfileId: PROFILE }),
  ...(call === 'account_settings' ? {} : { authenticationRealmId: REALM }),
  clientId: 'a-client',
  clientSecret: SECRET,
  timeout: 400,
})

const isToken = (value: unknown): value is string =>
  isText(value) && value.length <= 8192 && /^[!-~]+$/.test(value)

function momentOf(value: unknown): number {
  if (typeof value === 'number') return new Date(value * 1000).getTime()
  const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?$/
  return typeof value === 'string' && iso.test(value) ? Date.parse(value) : NaN
}

/** Facts 7, 10, 11 and 12: the list of an answer, or undefined where any of it is not as it must be. */
function readList(json: unknown, memberNeeded: boolean) {
  const data = dig(json, 'data')
  if (!Array.isArray(data)) return undefined
  const good = data.every(
    (one) =>
      isText(dig(one, 'account_id')) &&
      typeof dig(one, 'account_name') === 'string' &&
      isToken(dig(one, 'token')) &&
      [undefined, TYPE].includes(dig(one, 'type') as string | undefined) &&
      !Number.isNaN(momentOf(dig(one, 'expires'))),
  )
  const results = dig(json, 'meta', 'results')
  const total = results === undefined ? data.length : dig(results, 'total')
  if (!good || !Number.isSafeInteger(total) || (total as number) < data.length) return undefined
  // A first page is empty only where there is nothing.
  if (data.length === 0 && total !== 0) return undefined
  const said = dig(json, 'meta', 'account_member_id')
  if (said !== undefined && !isText(said)) return undefined
  const member = said ?? subjectOf(dig(data[0], 'token'))
  return member === undefined && memberNeeded
    ? undefined
    : { entries: data as unknown[], member, promisesMore: (total as number) > data.length }
}

function subjectOf(token: unknown): string | undefined {
  try {
    const claims = Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()
    const subject = dig(JSON.parse(claims), 'sub')
    return isText(subject) ? subject : undefined
  } catch {
    return undefined
  }
}

/** What a whole answer comes to, by the tables of the design; the outcome's kind, code and account. */
function judge(call: Call, status: number, text: string): string[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  if (status >= 200 && status < 300) return judgeSuccess(call, json, text)
  if (status === 429) return ['rate_limited']
  if (status >= 500) return ['upstream_error']
  if (![400, 401, 403, 404, 409, 422].includes(status)) return ['bad_answer']
  const errors = dig(json, 'errors')
  const listed = Array.isArray(errors) && errors.length > 0
  if (listed ? !errors.every(isObject) : status < 403 || (text !== '' && json === undefined))
    return ['bad_answer']
  const said = (field: string): string[] =>
    listed ? errors.map((error) => dig(error, field)).filter(isText) : []
  const words = [...said('title'), ...said('detail')]
  const complained = said('detail')
    .join('; ')
    .match(/(?<=field ')\w+(?=' on the '\w+' tag)/g)
  if (call === 'access_token') return ['client_refused']
  // Where nothing else goes along that a 401 could be about, it is about the access token in whatever words.
  const ofNothingElse = call !== 'exchange' && call !== 'renewal'
  if (status === 401 && (ofNothingElse || words.some((said) => /access token/i.test(said))))
    return ['access_token_refused']
  if (call === 'exchange') {
    const typed =
      complained?.every((field) => /^(username|one_?time_?password_?token)$/i.test(field)) === true
    return [status <= 401 || (status === 422 && typed) ? 'invalid_credentials' : 'request_refused']
  }
  if (call === 'renewal') return [status <= 401 ? 'account_token_refused' : 'request_refused']
  if (call === 'otp_request') {
    // A 404 may mean the username or the setup: the list of profiles is asked.
    if (status === 400 || status === 404) return ['success']
    const typed = complained?.every((field) => /^username$/i.test(field)) === true
    return [status === 422 && typed ? 'success' : 'request_refused']
  }
  return ['request_refused']
}

function judgeSuccess(call: Call, json: unknown, text: string): string[] {
  // A page of something in between is no answer of Elastic Path's, and no code is on its way.
  if (call === 'otp_request') return [text === '' || json !== undefined ? 'success' : 'bad_answer']
  if (call === 'access_token') {
    const token = isObject(dig(json, 'data')) ? dig(json, 'data') : json
    const length = dig(token, 'expires_in')
    const seconds = length === undefined ? dig(token, 'expires') : length
    const lasts = Number.isFinite(seconds) && (seconds as number) >= 0
    return [isToken(dig(token, 'access_token')) && lasts ? 'first' : 'bad_answer']
  }
  if (call === 'account_settings') {
    if (!isObject(dig(json, 'data'))) return ['bad_answer']
    const realm = dig(json, 'data', 'relationships', 'authentication_realm', 'data')
    if (realm === undefined || realm === null) return ['realm_not_found']
    const id = dig(realm, 'id')
    return [isText(id) && /^[\w.-]{1,256}$/.test(id) ? 'success' : 'bad_answer']
  }
  if (call === 'password_profiles') return judgeProfiles(json)
  const list = readList(json, call === 'exchange')
  if (!list) return ['bad_answer']
  if (call === 'exchange')
    return [list.entries.length === 0 ? 'no_account' : String(dig(list.entries[0], 'account_id'))]
  // Another member's list is nobody's renewal.
  if (list.member !== undefined && list.member !== MEMBER) return ['bad_answer']
  if (list.entries.some((one) => dig(one, 'account_id') === 'second')) return ['second']
  // Where the list promises more, the same page comes again and again, which takes its time.
  return list.promisesMore ? ['account_not_found', 'timeout'] : ['account_not_found']
}

function judgeProfiles(json: unknown): string[] {
  const data = dig(json, 'data')
  if (!Array.isArray(data)) return ['bad_answer']
  const good = data.every((one) => {
    const id = dig(one, 'id')
    const enabled = dig(one, 'enable_one_time_password_token') ?? false
    return (
      isText(id) &&
      /^[\w.-]{1,256}$/.test(id) &&
      typeof (dig(one, 'name') ?? '') === 'string' &&
      typeof enabled === 'boolean'
    )
  })
  const results = dig(json, 'meta', 'results')
  const total = results === undefined ? data.length : dig(results, 'total')
  if (!good || typeof total !== 'number') return ['bad_answer']
  const issuing = data.filter((one) => dig(one, 'enable_one_time_password_token') === true)
  // Where the list promises more, the same page comes again until the promise is kept.
  if (data.length > 0 && total > data.length)
    return ['password_profile_ambiguous', 'password_profile_not_found']
  if (issuing.length === 0) return ['password_profile_not_found']
  return [issuing.length === 1 ? 'first' : 'password_profile_ambiguous']
}

/** The outcome as a word: the account, 'success' where there is none to name, or the code of a failure or an error. */
function wordFor(end: End): string {
  if (end.how === 'fail') return String(end.info.code)
  if (end.how === 'error') {
    expectSafe(end.error, SECRETS)
    return end.error.code
  }
  const user = end.user as PasswordlessOtpUser | undefined
  if (!user) return 'success'
  expect(user).toMatchObject({
    username: ADA,
    account: { token: expect.stringMatching(/^[!-~]+$/) as string },
  })
  return String(user.account?.id)
}

// A code is quoted only where one was sent.
const quoting = (call: Call): fc.Arbitrary<string> =>
  fc.constantFrom(
    'Bad Request',
    'Unauthorized',
    'Unable to validate access token',
    'authentication failed',
    ADA,
    `no code ${CODE} for ${ADA}`,
    SECRET,
    BEARER,
    FIRST.token,
    `two\nlines of ${CODE}`,
    "Validation failed: field 'Username' on the 'cannot_be_empty' tag; field 'PasswordProfileID' on the 'must_be_uuid' tag.",
    "field 'Username' on the 'required' tag",
    "field 'OneTimePasswordToken' on the 'required' tag",
    ...(call === 'exchange' ? [CODE, `field '${CODE}' on the '${CODE}' tag`] : []),
  )
const refusal = (call: Call) =>
  fc.record({
    errors: fc.array(
      fc.record(
        { status: fc.constantFrom<unknown>('400', 401, null), title: quoting(call), detail: quoting(call) },
        { requiredKeys: [] },
      ),
      { maxLength: 3 },
    ),
  })

/** The body of an answer to a call: nearly right, or not at all. */
function bodyFor(call: Call): fc.Arbitrary<Buffer> {
  const asBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
  const good = RIGHT[call].body
  return fc.oneof(
    { weight: 6, arbitrary: mangled(good).map(asBytes) },
    { weight: 3, arbitrary: mangledBytes(JSON.stringify(good)) },
    { weight: 2, arbitrary: refusal(call).map(asBytes) },
    { weight: 1, arbitrary: refusal(call).chain(mangled).map(asBytes) },
    anyJson.map(asBytes),
    fc.constant(asBytes(good)),
    fc
      .constantFrom('', '{', 'null', '<!doctype html><h1>Bad Gateway</h1>', '[]', `${JSON.stringify(good)} x`)
      .map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  )
}

const status = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(200, 201, 202) },
  { weight: 4, arbitrary: fc.constantFrom(400, 401, 403, 404, 409, 422) },
  fc.integer({ min: 200, max: 599 }).filter((one) => one !== 429),
)
// Made once: making an arbitrary costs more than drawing from it.
const ANSWERS = CALLS.map((call) => ({ call: fc.constant(call), bytes: bodyFor(call) }))
const answered = fc.oneof(...ANSWERS.map((of) => fc.record({ ...of, status })))

test('any whole answer comes to what the design says of it, and to nothing else', async () => {
  await holds(answered, 16_000, async ({ call, status, bytes }) => {
    const commerce = new FakeCommerce(({ path, body }) =>
      callOf(path, body) === call ? { status, body: bytes } : right(callOf(path, body)),
    )
    const strategy = new PasswordlessOtpStrategy({ ...named(call), dispatcher: commerce })
    const end = await act(strategy, call)
    expect(judge(call, status, bytes.toString('utf8'))).toContain(wordFor(end))
    if (end.how === 'success' && call === 'exchange') {
      const { data } = JSON.parse(bytes.toString('utf8')) as typeof LIST
      expect((end.user as PasswordlessOtpUser).account).toMatchObject({
        token: data[0]?.token,
        name: data[0]?.account_name,
      })
    }
  })
})

describe('over the wire', () => {
  interface Case {
    call: Call
    status: number
    bytes: Buffer
    headers: string[]
    framing: 'length' | 'chunked' | 'close' | 'short' | 'long' | 'both' | 'twice' | 'raw'
    own: boolean
  }
  const cases = new Map<string, Case>()
  const sockets = new Set<Socket>()
  const agent = new Agent({ connections: 64 })
  let url: string
  let number = 0

  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // A client that hangs up on nonsense is right to.
    socket.on('error', () => undefined)
    let given = ''
    socket.on('data', (chunk) => {
      given += chunk.toString('latin1')
      for (;;) {
        const headEnd = given.indexOf('\r\n\r\n')
        if (headEnd < 0) return
        const length = Number(/content-length: (\d+)/i.exec(given.slice(0, headEnd))?.[1] ?? 0)
        if (given.length < headEnd + 4 + length) return
        const [, name = '', path = ''] = /^\w+ \/(case-\d+)(\S*)/.exec(given) ?? []
        const body = given.slice(headEnd + 4, headEnd + 4 + length)
        given = given.slice(headEnd + 4 + length)
        answer(socket, cases.get(name), callOf(path.replace(/\?.*/, ''), body))
      }
    })
  })

  function answer(socket: Socket, one: Case | undefined, call: Call): void {
    if (one?.call !== call) {
      const { status, body } = right(call)
      socket.write(
        `HTTP/1.1 ${status} OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${String(body)}`,
      )
      return
    }
    const { status, bytes, headers, framing } = one
    if (framing === 'raw') {
      socket.end(bytes)
      return
    }
    const chunked = `${bytes.length.toString(16)}\r\n${bytes.toString('latin1')}\r\n0\r\n\r\n`
    const lengths = {
      length: [`Content-Length: ${bytes.length}`],
      chunked: ['Transfer-Encoding: chunked'],
      close: [],
      short: [`Content-Length: ${Math.max(0, bytes.length - 3)}`],
      long: [`Content-Length: ${bytes.length + 3}`],
      both: ['Content-Length: 2', 'Transfer-Encoding: chunked'],
      twice: [`Content-Length: ${bytes.length}`, `Content-Length: ${bytes.length + 1}`],
    }
    const head = [`HTTP/1.1 ${status} Whatever`, ...lengths[framing], ...headers, '', ''].join('\r\n')
    const bodiless = status === 204 || status === 304 || status < 200
    const body =
      framing === 'chunked' || framing === 'both'
        ? bytes.length > 0
          ? chunked
          : '0\r\n\r\n'
        : bytes.toString('latin1')
    socket.write(Buffer.from(head + (bodiless ? '' : body), 'latin1'))
    if (framing !== 'length' && framing !== 'chunked') socket.end()
  }

  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    await agent.close()
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  })

  const header = fc.constantFrom(
    'Content-Type: text/html',
    'Content-Type: application/json; charset=utf-16',
    'Content-Encoding: gzip',
    'Content-Encoding: br, br',
    'Location: http://127.0.0.1:9/',
    'Set-Cookie: a=b; Path=/',
    'Retry-After: 0',
    'Retry-After: -1',
    'Retry-After: 1e9',
    'Retry-After: soon',
    'Retry-After: 99999999999999999999',
    'Retry-After: Wed, 21 Oct 2015 07:28:00 GMT',
    'Retry-After: Wed, 21 Oct 9999 07:28:00 GMT',
    'Connection: close',
    'Keep-Alive: timeout=0',
    'Keep-Alive: timeout=99999999999',
    'Upgrade: websocket',
    '__proto__: x',
    'X: \u00ff\u00fe',
    `X-Long: ${'x'.repeat(3000)}`,
  )
  const wireStatus = fc.oneof(
    { weight: 12, arbitrary: status },
    { weight: 1, arbitrary: fc.integer({ min: 100, max: 599 }) },
  )
  const framed = fc.constantFrom<Case['framing']>(
    'length',
    'length',
    'length',
    'chunked',
    'chunked',
    'close',
    'short',
    'long',
    'both',
    'twice',
    'raw',
  )
  const wireCase: fc.Arbitrary<Case> = fc.oneof(
    ...ANSWERS.map((of) =>
      fc.record({
        ...of,
        status: wireStatus,
        headers: fc.array(header, { maxLength: 3 }),
        framing: framed,
        own: fc.boolean(),
      }),
    ),
  )

  /** Whether an answer is HTTP of which the outcome can be told. */
  const isWhole = ({ framing, status }: Case): boolean =>
    framing === 'length' && status >= 200 && status !== 204 && status !== 304 && status !== 429

  test('any answer, whatever HTTP it is, ends in time, in one outcome, and signs in only where it is right', async () => {
    const judgeWire = async (one: Case): Promise<void> => {
      const name = `case-${number++}`
      cases.set(name, one)
      const strategy = new PasswordlessOtpStrategy({
        ...named(one.call),
        baseUrl: `${url}/${name}`,
        timeout: isWhole(one) ? 20_000 : 250,
        // A connection that nonsense came through is for nobody else.
        ...(one.own || !isWhole(one) ? {} : { dispatcher: agent }),
      })
      const begun = performance.now()
      const word = wordFor(await act(strategy, one.call))
      // Far above the time of a sign-in: so many run at once here, on a machine that may be busy.
      expect(performance.now() - begun).toBeLessThan(30_000)
      await strategy.close()
      cases.delete(name)
      const { call, status, framing, bytes } = one
      if (isWhole(one)) {
        expect(judge(call, status, bytes.toString('utf8'))).toContain(word)
      } else if (['first', 'second', 'success'].includes(word) && framing !== 'raw') {
        const sent = framing === 'short' ? bytes.subarray(0, -3) : bytes
        expect(judge(call, status, status === 204 ? '' : sent.toString('utf8'))).toContain(word)
      }
    }
    await holdsAtOnce(wireCase, 7000, judgeWire, 300)
  })
})
