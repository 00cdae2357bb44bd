import { EnvFile } from '../env-file'
import { CliError, Interrupted, UsageError } from '../errors'
import { COMMAND, COMMON, parseFlags, wholeNumber, type Command, type Flags } from '../flags'
import type { Io } from '../io'
import { APPLICATION_KEYS, readSettings, requireClientId, STORE_FLAGS, type Settings } from '../settings'
import { Store } from '../store'
import { Terminal } from '../terminal'
import { packageVersion } from '../version'
import { Inbox, Listener, type CodeSource } from './codes'
import { Lab, NoAnswer, type Usernames } from './lab'
import { MOST_REQUESTS, Pace } from './pace'
import { QUESTIONS, type Question } from './questions'

const FLAGS = {
  ...STORE_FLAGS,
  username: {
    type: 'string',
    value: 'USERNAME',
    help: 'A member with an account, whose mail you can read. A test member.',
  },
  'other-case': {
    type: 'string',
    value: 'USERNAME',
    help: 'The same username in other upper and lower case.',
  },
  unknown: { type: 'string', value: 'USERNAME', help: 'A username that no member has.' },
  'no-account': {
    type: 'string',
    value: 'USERNAME',
    help: 'A member who belongs to no account, whose mail you can read.',
  },
  listen: {
    type: 'string',
    value: 'PORT',
    help: 'Receive the codes as a webhook on this port, through your tunnel.',
  },
  yes: { type: 'boolean', short: 'y', help: 'Start without asking.' },
  ...COMMON,
} as const satisfies Flags

type ProbeFlags = ReturnType<typeof parseFlags<typeof FLAGS>>

export const command: Command = {
  name: 'probe',
  summary: 'Finds out at your store what Elastic Path does not document.',
  description: [
    `Requests codes and tries right and wrong ones: at most ${MOST_REQUESTS} requests, one a second, after asking.`,
    'It prints a report without secrets and usernames, and which options follow from it.',
  ].join('\n'),
  flags: FLAGS,
  examples: [
    'probe --username test@example.com',
    'probe --username test@example.com --other-case Test@Example.com --unknown nobody@example.com',
    'probe --username test@example.com --listen 4011 --yes --json',
  ],
}

interface Result {
  readonly id: string
  readonly question: string
  readonly status: 'answered' | 'skipped'
  readonly answer: string
  readonly advice?: string
}

/** @returns 0 if at least one question has an answer. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const flags = parseFlags(command.name, FLAGS, argv)
  const settings = readSettings(flags, io, await EnvFile.open(io.cwd))
  requireClientId(settings)
  const terminal = new Terminal(io, flags.json === true)
  let source: CodeSource | undefined
  try {
    const usernames = await readUsernames(flags, terminal)
    source = await openSource(flags, settings, io, terminal)
    if (!flags.yes && !(await agrees(terminal, settings, usernames))) return 1
    return await probe(io, settings, terminal, source, usernames, flags.json === true)
  } finally {
    await source?.close()
    terminal.close()
  }
}

async function readUsernames(flags: ProbeFlags, terminal: Terminal): Promise<Usernames> {
  const asks = terminal.canAsk && flags.username === undefined
  const member =
    flags.username ?? (asks ? await terminal.ask('Username of a test member with an account') : '')
  if (member === '')
    throw new UsageError(
      '--username is missing.',
      'Pass the username of a test member whose mail you can read.',
    )
  const optional = async (flag: string | undefined, question: string) => {
    const answer = flag ?? (asks ? await terminal.ask(`${question} (Enter to skip)`) : '')
    return answer === '' ? undefined : answer
  }
  const otherCase = await optional(flags['other-case'], 'The same username in other upper and lower case')
  const unknown = await optional(flags.unknown, 'A username that no member has')
  const withoutAccount = await optional(flags['no-account'], 'A member who belongs to no account')
  if (otherCase !== undefined && (otherCase === member || otherCase.toLowerCase() !== member.toLowerCase())) {
    throw new UsageError('--other-case must differ from --username in upper and lower case only.')
  }
  // Elastic Path may treat usernames that differ in upper and lower case only as the same.
  const names = [member, unknown, withoutAccount].flatMap((username) => username?.toLowerCase() ?? [])
  if (new Set(names).size < names.length) {
    throw new UsageError(
      '--username, --unknown and --no-account must differ in more than upper and lower case.',
    )
  }
  return { member, otherCase, unknown, withoutAccount }
}

async function openSource(
  flags: ProbeFlags,
  settings: Settings,
  io: Io,
  terminal: Terminal,
): Promise<CodeSource> {
  if (flags.listen === undefined) {
    if (terminal.canAsk) return new Inbox(terminal)
    throw new UsageError(
      'Not a terminal, so nobody can type the codes.',
      'Run it on a terminal, or add --listen with a port.',
    )
  }
  if (settings.webhookSecret === undefined) {
    throw new UsageError(
      '--listen needs EPCC_WEBHOOK_SECRET, the secret of the integration.',
      `Run: npx ${COMMAND} setup`,
    )
  }
  const listener = await Listener.open(
    io,
    wholeNumber('listen', flags.listen, 0, 65_535),
    settings.webhookSecret,
  )
  const ready = `Listening for codes at ${listener.url}, at any path.`
  if (flags.json) io.stderr.write(`${ready}\n`)
  else terminal.line(ready)
  return listener
}

async function agrees(terminal: Terminal, settings: Settings, usernames: Usernames): Promise<boolean> {
  const { member, otherCase, unknown, withoutAccount } = usernames
  const others = [otherCase, unknown, withoutAccount].filter((username) => username !== undefined)
  const lines = [
    `This probes ${settings.baseUrl.origin} with at most ${MOST_REQUESTS} requests, one a second.`,
    `- It requests up to seven codes for ${member}, and you type those that arrive or receive them with --listen.`,
    '- It signs in with some, and makes up to 17 wrong attempts. The store may lock this member for a while.',
    `- Other usernames that it sends: ${others.length === 0 ? 'none' : others.join(', ')}.`,
    '- It changes no setting.',
  ]
  for (const line of lines) terminal.line(line)
  if (!terminal.canAsk)
    throw new UsageError('Not a terminal, so probe cannot ask.', 'Add --yes to start without asking.')
  if (await terminal.confirm('Start?')) return true
  terminal.line('Nothing was sent.')
  return false
}

async function probe(
  io: Io,
  settings: Settings,
  terminal: Terminal,
  source: CodeSource,
  usernames: Usernames,
  asJson: boolean,
): Promise<number> {
  const pace = new Pace(io)
  const store = new Store(settings, io, { pace: () => pace.wait(), retries: false })
  const { member, otherCase, unknown, withoutAccount } = usernames
  for (const username of [member, otherCase, unknown, withoutAccount]) store.hide(username)
  const token =
    (await store.authenticate('implicit')) ??
    (settings.clientSecret && (await store.authenticate('client_credentials')))
  if (!token) {
    throw new CliError(
      'Elastic Path refuses an access token to this client id.',
      `Run: npx ${COMMAND} doctor. ${APPLICATION_KEYS}`,
    )
  }
  const lab = new Lab(io, store, source, await findProfile(store, settings), pace, usernames)
  lab.accessTokenLifetime = token.lifetime
  const results: Result[] = []
  for (const question of QUESTIONS) {
    terminal.working(question.question)
    const result = await answer(question, lab)
    results.push({ ...result, answer: store.redact(result.answer) })
    terminal.line(
      `${result.status === 'answered' ? '✓' : '-'} ${question.question} ${store.redact(result.answer)}`,
    )
  }
  const isAnswered = results.some(({ id, status }) => status === 'answered' && id !== 'token_lifetimes')
  if (asJson)
    io.stdout.write(`${JSON.stringify({ ok: isAnswered, requests: pace.sent, answers: results })}\n`)
  else printReport(terminal, io, settings, pace.sent, results)
  return isAnswered ? 0 : 1
}

/** @throws CliError unless exactly one password profile, or the one of the settings, signs in with codes. */
async function findProfile(store: Store, settings: Settings): Promise<{ realmId: string; id: string }> {
  const { passwordProfileId: named } = settings
  const realmId = settings.authenticationRealmId ?? (await store.accountSettings()).realmId
  if (realmId !== undefined) {
    const [profile, other] = (await store.profiles(realmId)).filter(
      ({ id, issuesCodes }) => issuesCodes && (named === undefined || id === named),
    )
    if (profile && !other) return { realmId, id: profile.id }
  }
  throw new CliError('No password profile was found that signs in with codes.', `Run: npx ${COMMAND} doctor`)
}

async function answer({ id, question, ask }: Question, lab: Lab): Promise<Result> {
  try {
    return { id, question, status: 'answered', ...(await ask(lab)) }
  } catch (error) {
    if (error instanceof Interrupted) throw error
    if (error instanceof NoAnswer || error instanceof CliError)
      return { id, question, status: 'skipped', answer: error.message }
    throw error
  }
}

function printReport(
  terminal: Terminal,
  io: Io,
  settings: Settings,
  requests: number,
  results: readonly Result[],
): void {
  terminal.line()
  terminal.line('The report, to paste into an issue. It contains neither secrets nor usernames:')
  terminal.line()
  terminal.line(`### probe of ${settings.baseUrl.hostname}`)
  terminal.line()
  terminal.line(`${COMMAND} ${packageVersion()}, Node ${io.nodeVersion}, ${requests} requests`)
  terminal.line()
  for (const { question, status, answer, advice } of results) {
    terminal.line(`- **${question}** ${status === 'skipped' ? `Not answered. ${answer}` : answer}`)
    if (advice !== undefined) terminal.line(`  What follows: ${advice}`)
  }
}
