// What README.md says of the figures. `node report.mjs` writes it, with the chart; `--check` says whether it is current.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { chart } from './chart.mjs'
import { labels } from './labels.mjs'
import { median, quantile } from './support.mjs'

const FIGURES = new URL('results/figures.json', import.meta.url)
const CHART = new URL('results/sign-in.svg', import.meta.url)
const README = new URL('../README.md', import.meta.url)
const MORE = new URL('../docs/measured.md', import.meta.url)
const ELSEWHERE = `Over TLS, with many accounts, in parallel, and whether time tells usernames: [what else was measured](docs/measured.md).`
const MORE_TITLE = `# What else was measured

In the same run as the figures of the README, section "Measured"; \`npm run bench\` writes both.
`
const SECTION = /(?<=<!-- bench -->\n)[^]*(?=<!-- \/bench -->)/

/** Keeps the raw figures, to four digits. */
export async function write(figures) {
  const short = (_key, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value)
  await mkdir(new URL('.', FIGURES), { recursive: true })
  await writeFile(FIGURES, `${JSON.stringify(figures, short, 1)}\n`)
}

/** Brings README.md and the chart in line with the raw figures, and answers with README's section. */
export async function writeReport() {
  const { section, more, svg, readme } = await report()
  await writeFile(CHART, svg)
  await writeFile(MORE, more)
  await writeFile(
    README,
    readme.replace(SECTION, () => `\n${section}\n\n`),
  )
  return section
}

async function report() {
  const figures = JSON.parse(await readFile(FIGURES, 'utf8'))
  const readme = await readFile(README, 'utf8')
  if (!SECTION.test(readme))
    throw new Error('README.md has no place between <!-- bench --> and <!-- /bench -->')
  const ratios = ratiosOf(figures.signIns)
  const image = `![CPU per sign-in, as a multiple of the floor's; the figures are in the table](bench/results/sign-in.svg)`
  const all = tables(figures)
  const rest = all.indexOf('\nOver TLS')
  return {
    section: `${image}\n\n${all.slice(0, rest)}\n${ELSEWHERE}`,
    more: `${MORE_TITLE}${all.slice(rest)}\n`,
    svg: chart(ratios),
    readme,
  }
}

export function tables({
  node,
  cpu,
  signIns,
  signInsOnNode,
  calls,
  accounts,
  parallel,
  overTls,
  usernameTiming,
}) {
  const { sets, rounds, count, warmUp } = signIns
  const again = ratiosOf(signIns).find(({ peer }) => peer === 'floor, again')
  const noise = Math.max(again.high - 1, 1 - again.low) * 100
  const levels = Object.keys(parallel.floor)
  const most = levels.at(-1)
  const sizes = Object.keys(accounts.floor)
  return `Node ${node.slice(1)}, ${cpu}; medians. Each peer is an app in a process of its own, against one simulator, ${signIns.parallel} sign-ins
at a time: ${sets * rounds} rounds of ${count} in shuffled order, over ${sets} sets of fresh processes, after ${warmUp} sign-ins to warm up. CPU is the app
process's user and system time; its ratio to the floor is taken round by round, with the middle half of the rounds in
brackets. The floor is an Express handler with one undici request and no Passport; the same program again, as a second process, came out
at ${again.middle.toFixed(2)}, half of its rounds within ${noise.toFixed(0)} %: differences below that are noise. "Calls" are requests to Elastic Path for a right code, a wrong one
answered with 400, and one with 401; the wait is the shopper's for the last.

${table(
  ['', 'CPU µs', 'of the floor', 'per second', 'p50 ms', 'p99 ms', 'MB', 'calls', 'wait at 401'],
  ratiosOf(signIns)
    .filter(({ peer }) => peer in calls)
    .map((ratios) => {
      const { right, 400: as400, 401: as401 } = calls[ratios.peer]
      const requests = [right, as400, as401].map((c) => c.exchange + c.accessToken).join(' · ')
      return [...costs(signIns, ratios), requests, `${number(as401.time)} ms`]
    }),
)}

With the apps on Node ${signInsOnNode.node.slice(1)}, and all else as before. Express gives the requests another prototype, after which Node 20 and 22 take
long to add properties to them, as Passport does; later versions do not.

${table(
  ['', 'CPU µs', 'of the floor', 'per second'],
  ratiosOf(signInsOnNode)
    .filter(({ peer }) => peer in calls)
    .map((ratios) => costs(signInsOnNode, ratios).slice(0, 4)),
)}

Over TLS, in ms and connections made: the first sign-in of a process; the first after \`ready()\` or an access token; one after
${overTls.pause / 1000} s in which nobody signed in. And ${number(most)} sign-ins at once, all of which succeeded, beside one at a time.

${table(
  [
    '',
    'first',
    'first, ready',
    'after a pause',
    'alone, per second',
    `${number(most)} at once, per second`,
    'p99 ms',
    'connections',
  ],
  Object.entries(overTls.peers).map(([peer, kinds]) => {
    const of = (kind) => {
      const time = median(kinds[kind].map((sample) => sample.time))
      return `${number(time, time < 10 ? 1 : 0)} · ${median(kinds[kind].map((sample) => sample.connections))}`
    }
    const { rate, p99, connections } = parallel[peer][most]
    return [
      labels[peer],
      of('cold'),
      of('ready'),
      of('paused'),
      number(parallel[peer][levels[0]].rate),
      number(rate),
      number(p99),
      number(connections),
    ]
  }),
)}

By how many accounts the member belongs to, one sign-in at a time: ms · calls. All but the last two take the first account.

${table(
  ['', ...sizes.map((size) => number(size))],
  Object.entries(accounts).map(([way, bySize]) => [
    labels[way],
    ...sizes.map(
      (size) => `${number(bySize[size].p50, bySize[size].p50 < 10 ? 1 : 0)} · ${number(bySize[size].calls)}`,
    ),
  ]),
)}

Whether the time of an answer tells if a username exists, by how much longer the store takes for those that it knows
(${usernameTiming.requests} of each, \`requestOtp\`, ms). What the store takes beyond a quarter of a second can still show, where it crosses the grid.

${table(
  ['the store takes longer by', 'known', 'unknown', 'difference'],
  Object.entries(usernameTiming.longer).map(([extra, { known, unknown }]) => [
    `${extra} ms`,
    known.toFixed(1),
    unknown.toFixed(1),
    (known - unknown).toFixed(1),
  ]),
)}`
}

/** CPU per sign-in as a multiple of the floor's in the same round: the median, and the middle half. */
function ratiosOf({ peers }) {
  return Object.entries(peers).map(([peer, rounds]) => {
    const ratios = rounds.map(({ cpu }, i) => cpu / peers.floor[i].cpu)
    return { peer, middle: median(ratios), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) }
  })
}

function costs({ peers }, { peer, middle, low, high }) {
  const of = (figure, digits) => number(median(peers[peer].map((round) => round[figure])), digits)
  return [
    labels[peer],
    of('cpu'),
    `${middle.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`,
    of('rate'),
    of('p50', 2),
    of('p99', 1),
    of('memory'),
  ]
}

function number(value, digits = 0) {
  return Number(value).toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** A table as Prettier writes it. */
function table(head, rows) {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column].length)))
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  return [head, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const { section, more, svg, readme } = await report()
    const current =
      readme.match(SECTION)[0].trim() === section &&
      (await readFile(CHART, 'utf8')) === svg &&
      (await readFile(MORE, 'utf8')) === more
    if (!current) {
      console.error(
        'README.md, docs/measured.md or bench/results/sign-in.svg differs from bench/results/figures.json: node bench/report.mjs',
      )
      process.exitCode = 1
    }
  } else await writeReport()
}
