import type { Observation } from './matrix'
import type { NetworkObservation } from './networks'
import { FAULTS, isShared, OLD_TOKEN, WORKS, type Door, type NamedFault, type Struck } from './rules'

interface Column {
  title: string
  call: Struck
  /** Of doors that answer alike, the one that speaks for them. */
  door: Door
}

const OWN_CALLS: Column[] = [
  { title: 'sign-in', call: 'exchange', door: 'sign-in' },
  { title: '`requestOtp`', call: 'otp_request', door: 'requestOtp' },
  { title: '`switchAccount`, `listAccounts`, `renewAccount`', call: 'renewal', door: 'switchAccount' },
  { title: '`keepFresh`', call: 'renewal', door: 'keepFresh' },
]
const SHARED_CALLS: Column[] = (['access_token', 'account_settings', 'password_profiles'] as const).map(
  (call) => ({ title: call.replace('_', ' '), call, door: 'sign-in' }),
)
const ALIKE: Door[] = ['listAccounts', 'renewAccount', 'sign-in to an account of a later page']

/** What an error means to the two people who meet it. */
const ADVICE: Record<string, { shopper: string; todo: string }> = {
  unreachable: {
    shopper:
      '"Signing in does not work right now." After a sign-in: ask for a new code, the old one may be spent.',
    todo: 'Look at the system code in the message: `baseUrl`, DNS, a firewall, a proxy. A certificate that is not trusted: pass a `dispatcher` with the CA.',
  },
  upstream_error: {
    shopper: '"Signing in does not work right now. Please try again later."',
    todo: "Watch Elastic Path's status page. Nothing to do in the shop.",
  },
  bad_answer: {
    shopper: '"Signing in does not work right now."',
    todo: 'Somebody else answers in the place of Elastic Path, or it is broken: check `baseUrl`, and the proxies in between.',
  },
  rate_limited: {
    shopper: '"Many people are signing in. Please try again in a moment." `retryAfter` says when.',
    todo: 'The store is over its limit: see what else uses it, and ask Elastic Path for more. Nothing was spent.',
  },
  timeout: {
    shopper: '"That took too long." After a sign-in: ask for a new code, the old one may be spent.',
    todo: 'Elastic Path is slow or cannot be reached. Raise `timeout` only if its answers do come.',
  },
  invalid_credentials: {
    shopper: '"That code did not work. Check it, or ask for a new one."',
    todo: 'Nothing: this is a failure, not an error.',
  },
  account_token_refused: {
    shopper: 'The page to sign in.',
    todo: 'Nothing: the token was revoked or has ended.',
  },
  client_refused: {
    shopper: '"Signing in does not work right now."',
    todo: 'Check `clientId`, `clientSecret` and the region in `baseUrl`.',
  },
  access_token_refused: {
    shopper: '"Signing in does not work right now."',
    todo: 'Check that `clientId` belongs to the store and the region behind `baseUrl`.',
  },
  request_refused: {
    shopper: '"Signing in does not work right now."',
    todo: 'The setup: the message names the call, and the option to look at.',
  },
}

export function renderPage(
  observations: readonly Observation[],
  networks: readonly NetworkObservation[],
): string {
  return `# When Elastic Path fails

What your shoppers and your log get to see when Elastic Path, or the way to it, does not work. This page is written by
the tests: \`npm run docs:faults\` makes each of these things happen, at each call, with other shoppers coming and going
meanwhile, and notes what came of it; \`npm test\` fails where it is not so any more.

What holds in every row:

- Each request ends once, within \`timeout\`. When the fault is over, the next one works; nothing has to be restarted.
- An outage is never called a wrong code, and a wrong code never an outage.
- A code goes out once, unless Elastic Path cannot have acted on it.
- A switch or a renewal that fails changes nothing in the session. \`keepFresh\` lets the shopper pass with the token in hand.
- No code, token, secret or username is in an error, in a message of the diagnostics channel, or in an answer.

Numbers are the status that the shop answers with, words the \`code\` of the error or failure; "works" is as if nothing had
been. Where it makes a difference whether something happens once or always, both are there.

## At the call that is the shopper's own

The exchange of the code, the request for one, and the renewal of an account's token. The promise methods
\`createOtpRequest\`, \`listAccounts\` and \`renewAccount\`, and a sign-in to an account of a later page, reject with the same errors.

${tableOf('Elastic Path …', OWN_CALLS, observations)}

## At the calls that are made for everyone

The access token, and what the strategy finds out once about the store. Whoever needs it and waits gets the same answer, by
sign-in, \`requestOtp\`, \`ready\` and, for the access token, \`switchAccount\`, \`listAccounts\` and \`renewAccount\`; \`keepFresh\`
lets the shopper pass. It is asked for again by whoever comes next.

${tableOf('Elastic Path …', SHARED_CALLS, observations)}

## On the way there

Each of these answers everybody alike; \`keepFresh\` lets the shopper pass.

${networkTable(networks)}

## What the log says, and what to do

${adviceTable(observations, networks)}

The messages, with \`…\` where a call, a status or a system's code stands:

${messages(observations, networks)}
`
}

function tableOf(corner: string, columns: Column[], observations: readonly Observation[]): string {
  // Rows that say the same are one.
  const rows = new Map<string, string[]>()
  const add = (name: string, cells: (string | undefined)[]): void => {
    if (cells.every((cell) => cell === undefined)) return
    const line = cells.map((cell) => cell ?? '').join(' | ')
    rows.set(line, [...(rows.get(line) ?? []), name])
  }
  for (const fault of FAULTS) {
    const before = columns.map((column) => cellOf(observations, column, fault, false))
    const after = columns.map(
      (column) => cellOf(observations, column, fault, true) ?? cellOf(observations, column, fault, false),
    )
    add(fault.name, before)
    if (after.join() !== before.join()) add(`${fault.name}, having acted`, after)
  }
  return table(
    [corner, ...columns.map(({ title }) => title)],
    [...rows].map(([line, names]) => [together(names), ...line.split(' | ')]),
  )
}

/** Names in fewer words: a status that means the same with and without words is just that, and pages stand together. */
function together(names: string[]): string {
  const WORDS = " in Elastic Path's words"
  const SILENT = ' without a word'
  const shortened = names.flatMap((name) => {
    const status = name.replace(WORDS, '').replace(SILENT, '')
    const both = names.includes(status + WORDS) && names.includes(status + SILENT)
    if (!both) return [name]
    return name.endsWith(SILENT) ? [] : [status]
  })
  const page = /^answers with a proxy's (\d+) page$/
  const pages = shortened.flatMap((name) => page.exec(name)?.[1] ?? [])
  const first = shortened.findIndex((name) => page.test(name))
  return shortened
    .map((name, at) => (at === first ? `answers with a proxy's page, ${pages.join(' or ')}` : name))
    .filter((name) => !page.test(name))
    .join('; ')
}

/** What was seen at a call; undefined where there is nothing to see. */
function cellOf(
  observations: readonly Observation[],
  { call, door }: Column,
  fault: NamedFault,
  afterEffect: boolean,
): string | undefined {
  const of = observations.filter(
    ({ cell }) => cell.call === call && cell.fault === fault && cell.afterEffect === afterEffect,
  )
  const always = of.find(({ cell }) => cell.times !== 1)
  const answer = always?.answers.get(door)
  if (!always || answer === undefined) return undefined
  for (const other of call === 'renewal' && door !== 'keepFresh' ? ALIKE : []) {
    const its = always.answers.get(other)
    if (its !== answer)
      throw new Error(`${other} answers ${its}, and ${door} ${answer}: the page needs a column more`)
  }
  const once = of.find(({ cell }) => cell.times === 1 && (isShared(call) || cell.door === door))
  const onceAnswer = once?.answers.get(door) ?? answer
  return onceAnswer === answer ? shown(answer) : `${shown(answer)}; once: ${shown(onceAnswer)}`
}

function networkTable(networks: readonly NetworkObservation[]): string {
  const rows = networks.map(({ name, answers, log }) => {
    const cells = new Set([...answers].filter(([door]) => door !== 'keepFresh').map(([, answer]) => answer))
    cells.delete(WORKS)
    const hint = /(?:Check|Its certificate)[^.:]*/.exec(log[0] ?? '')?.[0] ?? ''
    return [name, [...cells].map(shown).join(', '), shown(answers.get('keepFresh') ?? ''), hint]
  })
  return table(['There is …', 'everybody', '`keepFresh`', 'the log advises'], rows)
}

function adviceTable(observations: readonly Observation[], networks: readonly NetworkObservation[]): string {
  const seen = new Map<string, string>()
  for (const { answers } of [...observations, ...networks]) {
    for (const answer of answers.values()) {
      const [status, code] = answer.split(' ')
      if (status !== undefined && code !== undefined && /^\d/.test(status)) seen.set(code, status)
    }
  }
  const rows = [...seen]
    .sort(([a, one], [b, other]) => one.localeCompare(other) || a.localeCompare(b))
    .map(([code, status]) => {
      const advice = ADVICE[code]
      if (!advice) throw new Error(`The page has no advice for ${code}`)
      return [`\`${code}\``, status, advice.shopper, advice.todo]
    })
  return table(['code', 'status', 'what your shopper should see', 'what to do'], rows)
}

/** What the errors said, without what differs from call to call and from machine to machine. */
function messages(observations: readonly Observation[], networks: readonly NetworkObservation[]): string {
  const all = [...observations, ...networks].flatMap(({ log }) => log)
  const said = all.map((message) =>
    message
      .replace(/(answered|within) \d+( \([^)]*\))?/, '$1 …')
      .replace(/(?:GET|POST) \S+?(?=[.:,]? |[.:]?$)/, '…')
      .replace(/(: )(?:[A-Z][A-Z0-9_]+|connection failed)\. /, '$1…. '),
  )
  return [...new Set(said)]
    .sort()
    .map((message) => `- ${message}`)
    .join('\n')
}

function shown(answer: string): string {
  if (answer === OLD_TOKEN) return 'old token'
  return answer.replace(/^(\d+) (\w+)$/, '$1 `$2`')
}

function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join(
    '\n',
  )
}
