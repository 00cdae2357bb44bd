import { ElasticPathSimulator, type SimulatorOptions } from '../../lib/testing'
import { settingsOf, Shell, type Situation } from './support'

const MEMBER = 'test.member@example.com'
const OTHER_CASE = 'Test.Member@Example.com'
const UNKNOWN = 'nobody.here@example.com'
const NO_ACCOUNT = 'no.account@example.com'
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

  it('finds out that Elastic Path is slow, and how high uniformResponseTime has to be', async () => {
    const env = await open()
    const slow: typeof fetch = (input, init) => {
      const { pathname } = new URL(input instanceof Request ? input.url : input)
      if (pathname.endsWith('/one-time-password-token-request')) shell.clock.advance(1200)
      return fetch(input, init)
    }

    const { out } = await shell.run(['probe', ...ALL], { env, answer: inbox, fetch: slow })

    expect(out).toContain('1200 ms of 3 for it')
    expect(out).toContain('Raise uniformResponseTime above 2000')
  })

  it('sends nothing if the answer is no', async () => {
    const env = await open()

    const { code, out } = await shell.run(['probe', ...ALL], { env, answer: () => 'n' })

    expect(code).toBe(1)
    expect(out).toContain('Nothing was sent.')
    expect(simulator.requests).toEqual([])
  })

  it('asks for the usernames that are not given, and never sends another', async () => {
    const env = await open()
    const answer = (question: string) =>
      question.startsWith('Username of a test member') ? MEMBER : inbox(question)

    const { out } = await shell.run(['probe'], { env, answer })

    expect(out).toContain('Not answered. Pass --unknown with a username that no member has.')
    expect(usernamesSent()).toEqual([MEMBER])
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

const usernamesSent = () => [
  ...new Set(
    simulator.requests.flatMap(({ body }) => {
      const username = (body as { data?: { username?: string } } | undefined)?.data?.username
      return username === undefined ? [] : [username]
    }),
  ),
]

const FINDINGS: readonly [
  name: string,
  options: SimulatorOptions,
  id: string,
  answer: RegExp,
  advice?: RegExp,
][] = [
  ['codes work once', {}, 'reuse', /^No\. .* got 400\.$/],
  ['codes work again', { reusableCodes: true }, 'reuse', /^Yes\./, /sends a code once/],
  [
    'a new code invalidates the old one',
    {},
    'newer_code',
    /^Yes\. The older code got 400, the newer one was accepted\.$/,
  ],
  ['both codes work', { newCodeInvalidatesOld: false }, 'newer_code', /^No\./, /requestLimiter/],
  ['a wrong attempt uses the code up', { codeAttempts: 1 }, 'newer_code', /^Both codes were refused/],
  [
    'usernames are case-sensitive',
    {},
    'username_case',
    /^Yes\. The other spelling got 400/,
    /normalizeUsername/,
  ],
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
    /^After more than 9, if at all\. Each wrong attempt got 400\.$/,
    /limiter/,
  ],
  ['five attempts are allowed', { codeAttempts: 5 }, 'wrong_attempts', /^After 5 to 9\./, /limiter/],
  ['three attempts are allowed', { codeAttempts: 3 }, 'wrong_attempts', /^After 3 to 4\./, /limiter/],
  ['one attempt is allowed', { codeAttempts: 1 }, 'wrong_attempts', /^After 1 to 2\.$/, /new code/],
  ['wrong codes get 401', { wrongCodeStatus: 401 }, 'wrong_attempts', /Each wrong attempt got 401/],
  ['deliveries are quick', {}, 'deliveries', /^Median 0\.0 s, longest 0\.0 s, of 6\.$/],
  ['tokens live long', {}, 'token_lifetimes', /^Access tokens: 3600 s\. Account tokens: 86400 s\.$/],
  [
    'account tokens are short',
    { accountTokenLifetime: 600 },
    'token_lifetimes',
    /Account tokens: 600 s/,
    /keepFresh/,
  ],
  ['account tokens say nothing', { tokenClaims: 'opaque' }, 'token_lifetimes', /Account tokens: unknown/],
]

describe('probe with a webhook', () => {
  it('sends at most 40 requests, a second apart, with no other usernames', async () => {
    const env = await open()

    const result = await probe(env)

    expect(result.code).toBe(0)
    expect(result.requests).toBe(simulator.requests.length)
    expect(simulator.requests.length).toBeLessThanOrEqual(40)
    expect(shell.clock.sleeps.filter((pause) => pause > 0 && pause <= 1000)).toHaveLength(result.requests - 1)
    expect(usernamesSent().sort()).toEqual([...USERNAMES].sort())
    expect(result.answers.every(({ status }) => status === 'answered')).toBe(true)
  })

  it('stays within 40 requests at a store that needs the most', async () => {
    const env = await open({ codeAttempts: 1, usernameCase: 'sensitive' })

    await probe(env)

    expect(simulator.requests.length).toBeLessThanOrEqual(40)
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
    simulator.on('code', () => shell.clock.advance(90_000))

    expect(find(await probe(env), 'deliveries')).toMatchObject({
      answer: 'Median 90.0 s, longest 90.0 s, of 6.',
      advice: expect.stringContaining('can take a while') as string,
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
    simulator.fault('exchange', { status: 503 })

    const result = await probe(env)

    expect(find(result, 'reuse')).toMatchObject({
      status: 'skipped',
      answer: 'Elastic Path failed with 503.',
    })
    expect(find(result, 'newer_code')).toMatchObject({ status: 'answered' })
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

  it('takes codes only with the secret, and each event once', async () => {
    const env = await open({ members: [{ username: MEMBER }] })
    let url = ''
    const statuses: number[] = []
    const post = async (headers: Record<string, string>, body: unknown) => {
      const answer = await fetch(url, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      })
      statuses.push(answer.status)
    }
    const right = { 'x-moltin-secret-key': SECRET }
    simulator.on('code', ({ otp, eventId, username }) => {
      const payload = {
        one_time_password_token: otp,
        user_authentication_password_profile_info: { username },
      }
      const event = { id: eventId, triggered_by: 'one-time-password-token-request.created', payload }
      void post({}, event)
        .then(() => post({ 'x-moltin-secret-key': 'guess' }, event))
        .then(() => post(right, { triggered_by: 'order.created' }))
        .then(() => post(right, { ...event, payload: {} }))
        .then(() => post(right, event))
        .then(() => post(right, event))
    })

    const { code, out } = await listen(env, ['--username', MEMBER], (address) => (url = address))

    expect(code).toBe(0)
    expect(statuses.slice(0, 4)).toEqual([401, 401, 204, 400])
    expect(out).toContain('The older code got 400, the newer one was accepted.')
  })
})

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
    [
      'an unknown username that is the member',
      ['--username', MEMBER, '--unknown', MEMBER],
      {},
      'must be other usernames',
    ],
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
  ])('points to doctor if %s', async (_, options, more, message) => {
    const env = { ...(await open(options)), ...more }

    const { code, err } = await shell.run(['probe', '--username', MEMBER, '--listen', '0', '--yes'], { env })

    expect(code).toBe(1)
    expect(err).toContain(message)
    expect(err).toContain('passport-elasticpath-otp doctor')
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
