import { ElasticPathSimulator, type Call, type Fault, type SimulatorOptions } from '../../lib/testing'
import { settingsOf, Shell, type Situation } from './support'

const MEMBER = 'test.member@example.com'
const OTHER_CASE = 'Test.Member@Example.com'
const UNKNOWN = 'nobody.here@example.com'
const NO_ACCOUNT = 'no.account@example.com'
const PROFILE = '11111111-1111-4111-8111-111111111111'
const SECRET = 'the-secret-of-the-webhook'
const USERNAMES = [MEMBER, OTHER_CASE, UNKNOWN, NO_ACCOUNT]
const ALL = [
  '--username',
  MEMBER,
  '--other-case',
  OTHER_CASE,
  '--unknown',
  UNKNOWN,
  '--no-account',
  NO_ACCOUNT,
]

let shell: Shell
let simulator: ElasticPathSimulator

beforeEach(() => {
  shell = new Shell()
})

afterEach(async () => {
  await simulator.stop()
  shell.close()
})

async function open(options: SimulatorOptions = {}): Promise<Record<string, string>> {
  simulator = await ElasticPathSimulator.start({
    members: [{ username: MEMBER }, { username: NO_ACCOUNT, accounts: 0 }],
    ...options,
  })
  return { ...settingsOf(simulator), EPCC_WEBHOOK_SECRET: SECRET }
}

/** Reads codes in an inbox and types them, as a person does: here with a hyphen and in capitals. */
function inbox(question: string): string {
  const username = /^Code that arrived for (\S+)/.exec(question)?.[1]
  if (username !== undefined)
    return (simulator.lastCode(username) ?? '').toUpperCase().replace(/^(...)/, '$1-')
  return question.startsWith('Start?') ? 'y' : ''
}

interface Answered {
  code: number
  out: string
  answers: { id: string; status: string; answer: string; advice?: string }[]
  requests: number
}

/** Receives the codes by webhook, and reads the JSON. */
async function probe(env: Record<string, string>, argv: readonly string[] = ALL): Promise<Answered> {
  const { code, out } = await listen(env, argv, (url) => simulator.deliverTo({ url, secretKey: SECRET }))
  return { code, out, ...(JSON.parse(out) as Pick<Answered, 'answers' | 'requests'>) }
}

/** Runs a probe with a webhook, whose URL is known before the first request. */
async function listen(env: Record<string, string>, argv: readonly string[], onUrl: (url: string) => void) {
  const ended = shell.run(['probe', ...argv, '--listen', '0', '--yes', '--json'], { env })
  void shell.stderr.shows(/http:\/\/127\.0\.0\.1:\d+/).then(([url]) => onUrl(url))
  return ended
}

const find = ({ answers }: Answered, id: string) => answers.find((answer) => answer.id === id)

describe('probe on a terminal', () => {
  it('explains, asks, takes typed codes, and prints a report without usernames and secrets', async () => {
    const env = await open()

    const { code, out } = await shell.run(['probe', ...ALL], { env, answer: inbox })

    expect(code).toBe(0)
    expect(out).toContain('at most 40 requests, one a second')
    const report = out.slice(out.indexOf('### probe of'))
    expect(report).toContain('- **Does a code work twice?** No. The second exchange got 400.\n')
    expect(report).toContain('- **Does a new code invalidate the old one?** Yes.')
    expect(report.match(/^- \*\*/gm)).toHaveLength(8)
    expect(report).not.toContain('Not answered')
    for (const secret of [...USERNAMES, SECRET, simulator.clientSecret, simulator.clientId]) {
      expect(report.toLowerCase()).not.toContain(secret.toLowerCase())
    }
    for (const { otp } of simulator.mailbox) expect(report).not.toContain(otp)
  })

  it.each([
    [800, 0, 'Leave uniformResponseTime at its default.'],
    [0, 801, 'Raise uniformResponseTime above 1500,'],
    [1200, 300, 'Raise uniformResponseTime above 2000,'],
  ])('advises uniformResponseTime if members take %i ms and others %i ms', async (known, other, advice) => {
    const env = await open()
    const slow: typeof fetch = (input, init) => {
      const body = typeof init?.body === 'string' ? init.body : ''
      if (body.includes('token_request')) shell.clock.advance(body.includes(UNKNOWN) ? other : known)
      return fetch(input, init)
    }

    const { out } = await shell.run(['probe', ...ALL], { env, answer: inbox, fetch: slow })

    expect(out).toContain(`Median times: ${other} ms of 3 for it, ${known} ms of 4 for a member.`)
    expect(out).toContain(advice)
  })

  it('finds out that the second request brings the same code, which is typed in capitals', async () => {
    const env = await open()
    const answer = (question: string) => (question.startsWith('Start?') ? 'YES' : 'AB 12-CD')

    const { out } = await shell.run(['probe', '--username', MEMBER], { env, answer })

    expect(out).toContain('invalidate the old one? The second request brought the same code again.')
    expect(sent('one_time_password_token')).toContain('ab12cd')
  })

  it.each(['n', 'no', ''])('sends nothing if the answer is "perhaps" and then "%s"', async (no) => {
    const env = await open()
    const answers = ['perhaps', no]

    const { code, out } = await shell.run(['probe', ...ALL], { env, answer: () => answers.shift() })

    expect(code).toBe(1)
    expect(out.match(/Start\?/g)).toHaveLength(2)
    expect(out).toContain('Nothing was sent.')
    expect(simulator.requests).toEqual([])
  })

  it('asks for the usernames that are not given, and never sends another', async () => {
    const env = await open()
    const answer = (question: string) =>
      question.startsWith('Username of a test member') ? MEMBER : inbox(question)

    const { out } = await shell.run(['probe'], { env, answer })

    expect(out).toContain('Not answered. Pass --unknown with a username that no member has.')
    expect(new Set(sent('username'))).toEqual(new Set([MEMBER]))
  })

  it('goes on without an answer when no code arrives', async () => {
    const env = await open()
    const answer = (question: string) => (question.startsWith('Start?') ? 'y' : '')

    const { code, out } = await shell.run(['probe', '--username', MEMBER, '--unknown', UNKNOWN], {
      env,
      answer,
    })

    expect(code).toBe(0)
    expect(out).toContain('Does a code work twice? No code arrived.')
    expect(out).toContain('What does an unknown username get? 202.')
  })
})

const sent = (field: 'username' | 'one_time_password_token') =>
  simulator.requests.flatMap(
    ({ body }) => (body as { data?: Record<string, string> } | undefined)?.data?.[field] ?? [],
  )

const FINDINGS: readonly [
  name: string,
  options: SimulatorOptions,
  id: string,
  answer: RegExp,
  advice?: RegExp,
][] = [
  ['codes work once', { otpRequestStatus: 201 }, 'reuse', /^No\. .* got 400\.$/],
  ['codes work again', { reusableCodes: true }, 'reuse', /^Yes\./, /sends a code once/],
  [
    'a new code invalidates the old one',
    {},
    'newer_code',
    /^Yes\. The older code got 400, the newer one was/,
  ],
  ['both codes work', { newCodeInvalidatesOld: false }, 'newer_code', /^No\./, /requestLimiter/],
  ['a wrong attempt uses the code up', { codeAttempts: 1 }, 'newer_code', /^Both codes were refused/],
  ['usernames are case-sensitive', {}, 'username_case', /^Yes\. .* got 400/, /normalizeUsername/],
  ['usernames are not case-sensitive', { usernameCase: 'insensitive' }, 'username_case', /^No\./],
  [
    'unknown usernames get the same',
    {},
    'unknown_username',
    /^202\. Median times: 0 ms of 3 for it, 0 ms of \d+ for a member\. So few prove nothing\.$/,
    /uniformResponseTime at its default/,
  ],
  ['unknown usernames get 404', { unknownUsernameStatus: 404 }, 'unknown_username', /^404\./],
  ['members of no account sign in', {}, 'no_account', /^201 with an empty list\.$/, /requireAccount/],
  [
    'attempts are unlimited',
    {},
    'wrong_attempts',
    /^After more than 9, if at all\. .* got 400\.$/,
    /limiter/,
  ],
  ['five attempts are allowed', { codeAttempts: 5 }, 'wrong_attempts', /^After 5 to 9\./, /limiter/],
  ['three attempts are allowed', { codeAttempts: 3 }, 'wrong_attempts', /^After 3 to 4\./, /limiter/],
  ['one attempt is allowed', { codeAttempts: 1 }, 'wrong_attempts', /^After 1 to 2\.$/, /new code/],
  ['wrong codes get 401', { wrongCodeStatus: 401 }, 'wrong_attempts', /Each wrong attempt got 401/],
  ['deliveries are quick', {}, 'deliveries', /^Median 0\.0 s, longest 0\.0 s, of 6\.$/],
  ['tokens live long', {}, 'token_lifetimes', /^Access tokens: 3600 s\. Account tokens: 86400 s\.$/],
  ['account tokens live two hours', { accountTokenLifetime: 7200 }, 'token_lifetimes', /7200 s/, /keepFresh/],
  ['account tokens live longer', { accountTokenLifetime: 7201 }, 'token_lifetimes', /7201 s/, /^$/],
  ['account tokens say nothing', { tokenClaims: 'opaque' }, 'token_lifetimes', /Account tokens: unknown/],
  ['account tokens have no times', { tokenClaims: 'absent' }, 'token_lifetimes', /tokens: unknown/],
]

/** What a question says if Elastic Path responds with a status, after how many such requests, and how often it does. */
const TROUBLES: readonly [string, string, 'exchange' | 'otp_request', number, number, number][] = [
  ['The code that arrived was refused with 400.', 'reuse', 'exchange', 400, 0, 1],
  ['Yes. The second exchange was accepted too.', 'reuse', 'exchange', 200, 0, 2],
  ['Elastic Path failed with 500.', 'reuse', 'exchange', 500, 0, 1],
  ['The request for a code got 400.', 'reuse', 'otp_request', 400, 0, 1],
  ['Both codes were refused, with 400 and 400: a wrong', 'newer_code', 'exchange', 400, 2, 2],
  ['Both spellings were refused, with 400 and 400.', 'username_case', 'exchange', 400, 4, 2],
  ['202, 404. Median', 'unknown_username', 'otp_request', 404, 5, 1],
  ['0 ms of 3 for it, unknown of 0 for a member.', 'unknown_username', 'otp_request', 302, 0, 3],
  ['The exchange was refused with 403.', 'no_account', 'exchange', 403, 6, 1],
  ['No code arrived.', 'deliveries', 'otp_request', 400, 0, Infinity],
]

describe('probe with a webhook', () => {
  it('sends at most 40 requests, a second apart, with no other usernames', async () => {
    const env = await open()

    const result = await probe(env)

    expect(result.code).toBe(0)
    expect(result.requests).toBe(simulator.requests.length)
    expect(simulator.requests.length).toBeLessThanOrEqual(40)
    const pauses = shell.clock.sleeps.filter((pause) => pause <= 1000)
    expect(pauses).toEqual([0, ...Array<number>(result.requests - 1).fill(1000)])
    expect(new Set(sent('username'))).toEqual(new Set(USERNAMES))
    expect(result.answers.every(({ status }) => status === 'answered')).toBe(true)
  })

  it.each(
    FINDINGS.map(([name, options, id, answer, advice = /^/]) => [name, options, id, answer, advice] as const),
  )('finds out that %s', async (_, options, id, answer, advice) => {
    const result = await probe(await open(options))

    expect(find(result, id)).toMatchObject({
      status: 'answered',
      answer: expect.stringMatching(answer) as string,
    })
    expect(find(result, id)?.advice ?? '').toMatch(advice)
  })

  it('finds out how long late deliveries take', async () => {
    const env = await open()
    const times = [90, 5, 60, 7, 60, 100]
    simulator.on('code', () => shell.clock.advance(1000 * (times.shift() ?? 0)))

    expect(find(await probe(env), 'deliveries')).toMatchObject({
      answer: 'Median 60.0 s, longest 100.0 s, of 6.',
      advice: expect.stringContaining('can take a while') as string,
    })
  })

  it.each(TROUBLES)('says "%s" for the question %s', async (answer, id, call, status, after, times) => {
    const env = await open()
    simulator.fault(call, { status }, { after, times })

    expect(find(await probe(env), id)?.answer).toMatch(answer)
  })

  it('does not accept a member of accounts as one without', async () => {
    const members = [MEMBER, NO_ACCOUNT].map((username) => ({ username, accounts: 2 }))

    expect(find(await probe(await open({ members })), 'no_account')).toMatchObject({
      status: 'skipped',
      answer: 'This member belongs to accounts (2 or more).',
    })
  })

  it('tries wrong codes that look like the right one, and each of them once', async () => {
    await probe(await open())

    const codes = sent('one_time_password_token')
    expect(codes.filter((code) => !/^[0-9a-z]{6}$/.test(code))).toEqual([])
    const last = codes.slice(-10)
    expect(new Set(last).size).toBe(10)
    expect(new Set(last.map((code) => code.slice(0, -1))).size).toBe(1)
    expect(last.at(-1)).toBe(simulator.lastCode(MEMBER))
  })

  it('ends with the questions that it has when 40 requests are used up', async () => {
    const passwordProfiles = Array.from({ length: 951 }, (_, index) => ({ oneTimePasswords: index === 950 }))
    const env = await open({ passwordProfiles, codeAttempts: 1 })

    const result = await probe(env)

    expect(result.requests).toBe(40)
    expect(simulator.requests).toHaveLength(40)
    expect(find(result, 'wrong_attempts')).toMatchObject({
      status: 'skipped',
      answer: 'The 40 requests of a probe are used up.',
    })
  })

  it('finds out from which wrong attempt on the status changes', async () => {
    const env = await open()
    // The wrong attempts come last: 9 other exchanges go before the sixth of them.
    const exchanges = 2 + 2 + 2 + 1
    simulator.fault('exchange', { status: 429 }, { after: exchanges + 5, times: Infinity })

    const result = await probe(env)

    expect(find(result, 'wrong_attempts')?.answer).toBe('Wrong attempts get 400, and 429 from attempt 6 on.')
  })

  it('goes on when Elastic Path fails at a question', async () => {
    const env = await open()
    simulator.fault('exchange', { redirect: 'https://elsewhere.example/v2' })

    const result = await probe(env)

    expect(find(result, 'reuse')).toMatchObject({
      status: 'skipped',
      answer: expect.stringContaining('redirects to https://elsewhere.example. ') as string,
    })
    expect(find(result, 'newer_code')).toMatchObject({ status: 'answered' })
  })

  it('works with the profile that is set, and without implicit tokens', async () => {
    const env = await open({ passwordProfiles: [{ id: PROFILE }, {}] })
    simulator.fault('access_token', { status: 401 })

    const { code, answers } = await probe(env, ['--username', MEMBER, '--profile', PROFILE])

    expect(code).toBe(0)
    expect(answers.at(-1)?.answer).toBe('Access tokens: 3600 s. Account tokens: 86400 s.')
  })

  it('does not wait for ever for a code', async () => {
    const env = await open({ deliveryDelay: 3_600_000 })
    const ended = listen(env, ['--username', MEMBER], (url) =>
      simulator.deliverTo({ url, secretKey: SECRET }),
    )
    const off = simulator.on('answer', ({ call }) => {
      if (call === 'otp_request') void shell.clock.patient().then(() => shell.clock.advance(120_000))
    })

    const { code, out } = await ended
    off()
    expect(code).toBe(1)
    expect(out).toContain('No code arrived.')
  })
})

const LONG = { title: 'Forbidden', detail: `not\n\t allowed ${'x'.repeat(300)}\n` }
const DIFFERENT = '--username, --unknown and --no-account must differ in more than upper and lower case.'

describe('what probe cannot do', () => {
  it.each<[string, readonly string[], Situation, string]>([
    ['no username', [], {}, '--username is missing'],
    ['nobody to type codes', ['--username', MEMBER], {}, 'Not a terminal, so nobody can type the codes.'],
    ['nobody to ask', ['--username', MEMBER, '--listen', '0'], {}, 'Not a terminal, so probe cannot ask.'],
    [
      'no secret to listen with',
      ['--username', MEMBER, '--listen', '0'],
      { env: { EPCC_WEBHOOK_SECRET: '' } },
      '--listen needs EPCC_WEBHOOK_SECRET',
    ],
    [
      'another spelling that differs in more',
      ['--username', MEMBER, '--other-case', 'Test@example.com'],
      {},
      '--other-case must differ',
    ],
    ['the same spelling', ['--username', MEMBER, '--other-case', MEMBER], {}, '--other-case must differ'],
    ['the member as unknown', ['--username', MEMBER, '--unknown', OTHER_CASE], {}, DIFFERENT],
    ['the member without account', ['--username', MEMBER, '--no-account', OTHER_CASE], {}, DIFFERENT],
    ['a port that is none', ['--username', MEMBER, '--listen', 'x'], {}, '--listen must be a whole number'],
  ])('exits with 2 for %s', async (_, argv, { env = {} }, message) => {
    const { code, err } = await shell.run(['probe', ...argv], { env: { ...(await open()), ...env } })

    expect(code).toBe(2)
    expect(err).toContain(message)
    expect(simulator.requests).toEqual([])
  })

  it.each<[string, SimulatorOptions, Record<string, string>, string]>([
    [
      'the client id is wrong',
      {},
      { EPCC_CLIENT_ID: 'wrong', EPCC_CLIENT_SECRET: '' },
      'refuses an access token',
    ],
    ['codes are off', { passwordProfiles: [{ oneTimePasswords: false }] }, {}, 'No password profile'],
    ['two profiles have codes on', { passwordProfiles: [{}, {}] }, {}, 'No password profile'],
    [
      'the profile that is set has codes off',
      { passwordProfiles: [{ oneTimePasswords: false, id: PROFILE }, {}] },
      { EPCC_PASSWORD_PROFILE_ID: PROFILE },
      'No password profile',
    ],
  ])('points to doctor if %s', async (_, options, more, message) => {
    const env = { ...(await open(options)), ...more }

    const { code, err } = await shell.run(['probe', '--username', MEMBER, '--listen', '0', '--yes'], { env })

    expect(code).toBe(1)
    expect(err).toContain(message)
    expect(err).toContain('passport-elasticpath-otp doctor')
  })

  it.each<[string, Fault, string]>([
    [
      'account_settings',
      { status: 403, body: { errors: [LONG] } },
      `: Forbidden, not allowed ${'x'.repeat(176)}….\n`,
    ],
    [
      'account_settings',
      { status: 404, body: { errors: [{ title: '', detail: 5 }] } },
      '/account-authentication.\n',
    ],
    ['account_settings', { status: 200, body: { data: {} } }, 'No password profile was found'],
    ['account_settings', { status: 302 }, 'redirects to nowhere.'],
    ['password_profiles', { status: 200, body: { data: [null, {}] } }, 'No password profile was found'],
    ['access_token', { status: 200, body: { access_token: 5 } }, 'is not what Elastic Path'],
  ])('says what is wrong if %s gets %j', async (call, fault, message) => {
    const env = await open()
    simulator.fault(call as Call, fault)

    const { code, err } = await shell.run(['probe', '--username', MEMBER, '--listen', '0', '--yes'], { env })

    expect(code).toBe(1)
    expect(err).toContain(message)
  })

  it.each([
    ['between two requests', 1000, 1],
    ['while it waits for the code of its last question', 120_000, 3],
  ])('ends without a stack trace when it is interrupted %s', async (_, milliseconds, nth) => {
    const env = await open({ deliveryDelay: 3_600_000 })
    let count = 0
    shell.clock.onSleep = (pause) => {
      if (pause === milliseconds) count += 1
      if (count === nth) shell.stop()
      else if (pause === 120_000) queueMicrotask(() => shell.clock.advance(120_000))
    }

    const { code, out, err } = await listen(env, ['--username', MEMBER], () => undefined)

    expect(code).toBe(1)
    expect(JSON.parse(out)).toEqual({ ok: false, error: { message: 'Interrupted.' } })
    expect(err).not.toContain('AbortError')
  })

  it('ends when it is interrupted', async () => {
    const env = await open()
    const answer = (question: string) => (question.startsWith('Start?') ? 'y' : undefined)

    const { code, err } = await shell.run(['probe', '--username', MEMBER], { env, answer })

    expect(code).toBe(1)
    expect(err).toContain('Interrupted.')
  })
})
