// Turns the figures into docs/measurements.md and the chart: `node report.mjs`.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { chart } from './chart.mjs'
import { labels } from './labels.mjs'
import { median, quantile } from './support.mjs'

const FIGURES = new URL('results/figures.json', import.meta.url)
const CHART = new URL('results/sign-in.svg', import.meta.url)
const PAGE = new URL('../docs/measurements.md', import.meta.url)

const HEADLINE = ['strategy, no limits', 'strategy', 'passport, again']

/** Writes figures to four digits, next to those of other parts, and with them the page and the chart. */
export async function write(figures) {
  const short = (_key, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value)
  const all = { ...JSON.parse(await readFile(FIGURES, 'utf8')), ...figures }
  await writeFile(FIGURES, `${JSON.stringify(all, short, 1)}\n`)
  const { page, svg } = report(all)
  await writeFile(CHART, svg)
  await writeFile(PAGE, page)
}

function report(figures) {
  const page = `# Measurements

What a sign-in costs, compared with the same sign-in written by hand. \`npm run bench\` writes this
page, and the raw figures are in \`bench/results/figures.json\`. CONTRIBUTING.md describes how they are
measured.

![CPU time per sign-in, compared with the same request behind Passport](../bench/results/sign-in.svg)

${tables(figures)}
`
  return { page, svg: chart(ratios(figures.cost.at(-1)), figures.cost.at(-1).node) }
}

const SECTIONS = { cost, fetchAs, loadTime, usernameTiming, calls, parallel, accounts, overTls }

/** Returns the sections that there are figures for. */
export function tables(figures) {
  const sections = Object.entries(SECTIONS).flatMap(([name, section]) =>
    figures[name] ? [section(figures[name])] : [],
  )
  return [
    `Measured with Node ${figures.node.slice(1)} on ${figures.cpu}, unless a table names another Node.`,
    ...sections,
  ].join('\n\n')
}

function cost(nodes) {
  const [{ sets, rounds, count, warmUp, parallel }] = nodes
  const headline = table(
    ['CPU time, ours / behind Passport', ...nodes.map(({ node }) => `Node ${node.slice(1)}`)],
    HEADLINE.map((peer) => [
      labels[peer],
      ...nodes.map((figures) => withSpread(ratios(figures).find((row) => row.peer === peer))),
    ]),
  )
  const all = nodes.map(
    (figures) =>
      `Node ${figures.node.slice(1)}:\n\n${table(
        ['', 'CPU µs', 'ratio', 'per second', 'p50 ms', 'p99 ms', 'MB'],
        ratios(figures).map((ratio) => {
          const of = (figure, digits) =>
            number(median(figures.peers[ratio.peer].map((round) => round[figure])), digits)
          return [
            labels[ratio.peer],
            of('cpu'),
            ratio.middle.toFixed(2),
            of('rate'),
            of('p50', 1),
            of('p99', 1),
            of('memory'),
          ]
        }),
      )}`,
  )
  return `## CPU time of a sign-in

${headline}

The ratio compares the medians of all batches. The brackets hold the lowest and the highest ratio of
${sets} sets of fresh processes. "Again" is the same program in other processes. A difference smaller than
its distance from 1 is noise. In a set, each app has ${rounds} batches of ${count} sign-ins, ${parallel} at a time,
after ${number(warmUp)} sign-ins to warm up.

${all.join('\n\n')}`
}

/**
 * Returns the median CPU time relative to that of the peer `passport`: over all sets, and the lowest and highest of the
 * sets. Medians, because other work on the machine disturbs single batches.
 */
function ratios({ peers }) {
  const cpu = (peer, sets) =>
    median(peers[peer].filter(({ set }) => sets.includes(set)).map((batch) => batch.cpu))
  return Object.entries(peers).map(([peer, batches]) => {
    const sets = [...new Set(batches.map(({ set }) => set))]
    const ratio = (some) => cpu(peer, some) / cpu('passport', some)
    const ofSets = sets.map((set) => ratio([set]))
    return { peer, middle: ratio(sets), low: Math.min(...ofSets), high: Math.max(...ofSets) }
  })
}

function fetchAs(nodes) {
  return `## CPU time of a call as an account

${table(
  ['', 'undici.fetch µs', 'fetchAs µs', 'ratio'],
  nodes.map(({ node, ways }) => {
    const cpu = (way) => median(ways[way].map((round) => round.cpu))
    const ratio = ways.fetchAs.map(({ cpu }, i) => cpu / ways['undici.fetch'][i].cpu)
    return [
      `Node ${node.slice(1)}`,
      number(cpu('undici.fetch')),
      number(cpu('fetchAs')),
      withSpread(spread(ratio)),
    ]
  }),
)}

Both read a JSON body of 1 kB. With \`undici.fetch\`, the app sets both headers itself.`
}

function loadTime(nodes) {
  return `## Load time

${table(
  ['`require`, median of fresh processes', 'undici', 'this package, undici included', 'files of ours'],
  nodes.map(({ node, packages }) => {
    const { undici, 'passport-elasticpath-otp': ours } = packages
    const time = (samples) => `${median(samples.map((sample) => sample.time)).toFixed(1)} ms`
    return [`Node ${node.slice(1)}`, time(undici), time(ours), String(ours[0].files - undici[0].files)]
  }),
)}`
}

function usernameTiming({ responses, rows }) {
  return `## Whether response times reveal which usernames exist

${table(
  ['request', 'Elastic Path, unknown / known', 'classified correctly', 'unknown ms', 'known ms', 'responses'],
  rows.map(({ request, delays, right, unknown, known, answers }) => [
    request,
    `${delays.unknown} / ${delays.known} ms`,
    `${(right * 100).toFixed(1)} %`,
    unknown.toFixed(1),
    known.toFixed(1),
    String(answers),
  ]),
)}

A threshold is fitted to the times of ${number(responses)} responses and tested on ${number(responses)} others. A guess is correct in 50 %.
"Responses" is the number of different statuses and bodies.`
}

function calls(peers) {
  return `## Requests to Elastic Path for a sign-in

${table(
  ['', 'right code', 'wrong code, 400', 'wrong code, 401'],
  Object.entries(peers).map(([peer, { right, 400: as400, 401: as401 }]) => [
    labels[peer],
    ...[right, as400, as401].map(({ exchange, accessToken }) => String(exchange + accessToken)),
  ]),
)}`
}

function parallel(peers) {
  const levels = Object.keys(Object.values(peers)[0])
  return `## Sign-ins at once

${table(
  ['per second · p99 ms · connections', ...levels.map((level) => number(level))],
  Object.entries(peers).map(([peer, byLevel]) => [
    labels[peer],
    ...levels.map((level) => {
      const { rate, p99, connections } = byLevel[level]
      return `${number(rate)} · ${number(p99)} · ${number(connections)}`
    }),
  ]),
)}`
}

function accounts(ways) {
  const sizes = Object.keys(Object.values(ways)[0])
  return `## A member of many accounts

${table(
  ['ms · requests, by accounts', ...sizes.map((size) => number(size))],
  Object.entries(ways).map(([way, bySize]) => [
    labels[way],
    ...sizes.map((size) => `${number(bySize[size].p50, 1)} · ${number(bySize[size].calls)}`),
  ]),
)}`
}

function overTls({ pause, peers }) {
  return `## First sign-ins over TLS

${table(
  ['ms · new connections', 'first', 'first, ready', `after ${pause / 1000} s without a sign-in`],
  Object.entries(peers).map(([peer, kinds]) => [
    labels[peer],
    ...['cold', 'ready', 'paused'].map((kind) => {
      const of = (figure) => median(kinds[kind].map((sample) => sample[figure]))
      return `${number(of('time'), 1)} · ${of('connections')}`
    }),
  ]),
)}`
}

function spread(values) {
  return { middle: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) }
}

function withSpread({ middle, low, high }) {
  return `${middle.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
}

function number(value, digits = 0) {
  return Number(value).toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** Formats a table as Prettier does. */
function table(head, rows) {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column].length)))
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  return [head, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await write({})
