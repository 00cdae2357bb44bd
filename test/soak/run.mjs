// Runs a shop for a long time. Shoppers sign in while faults occur, and the resources of the shop's process must stay
// constant. A short run: npm run test:soak -- --sign-ins 20000 --faults 2000
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startProcess } from '../../bench/support.mjs'
import { faultSteps } from './faults.mjs'
import { makeJourneys, warmUp } from './journeys.mjs'
import { judge, RULE } from './judge.mjs'
import { openBook, openShop } from './shop.mjs'

const { values: given } = parseArgs({
  options: {
    'sign-ins': { type: 'string', default: '1000000' },
    faults: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '60' },
  },
})
const [signIns, faults, minutes] = ['sign-ins', 'faults', 'minutes'].map((name) => Number(given[name]))
if (!(signIns >= 1000 && faults >= 200 && minutes > 0)) {
  throw new RangeError('--sign-ins must be 1000 or more, --faults 200 or more, --minutes more than 0')
}
// The store has 40,000 shoppers, and a shopper signs in once per round.
const rounds = Math.max(30, Math.ceil(signIns / 25_000))
// The number of connections in the package's pool.
const MOST_AT_ONCE = 64
// The number of faults in one pass through all of them, for each request of a group.
const FAULTS_OF_ALL = 160
const TIME_TO_EXIT = 10_000

const secretKey = randomBytes(16).toString('hex')
const startedAt = performance.now()
const seconds = () => (performance.now() - startedAt) / 1000

const store = await startProcess(new URL('simulator.mjs', import.meta.url).href)
const { url: storeUrl, clientId } = await store.ask('address')
const app = fork(fileURLToPath(new URL('app.mjs', import.meta.url)), [storeUrl, clientId, secretKey], {
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
})
const exited = once(app, 'exit')
const overdue = setTimeout(() => {
  console.log(`The soak test did not finish within ${minutes} minutes.\n0 passed, 1 failed`)
  app.kill('SIGKILL')
  process.exit(1)
}, minutes * 60_000)
app.once('exit', (code) => {
  if (!closing) {
    console.log(`The shop's process exited early with ${code}.\n0 passed, 1 failed`)
    process.exit(1)
  }
})
let closing = false
const [url] = await once(app, 'message')
await store.ask('deliverTo', { url: `${url}/webhooks/otp`, secretKey, retryDelay: 20, attempts: 3 })

const book = openBook()
const shop = openShop(url)
const world = { shop, store, book }
// Small enough for two passes through all faults on all calls.
const size = Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(faults / 2 / FAULTS_OF_ALL)))
const checks = []
const check = (sentence, holds, otherwise) => checks.push({ sentence: holds ? sentence : otherwise, holds })

async function measureStore() {
  await store.ask('measure')
  for (let tries = 0; tries < 1000; tries++) {
    const figures = await store.ask('figures')
    if (figures) return figures
    await wait(10)
  }
  throw new Error('The store did not return its figures within 10 seconds')
}

let told = 0
function tell(round, figures) {
  const { heap, rss, sockets, timers } = figures
  console.log(
    `${seconds().toFixed(0).padStart(5)} s  round ${round}/${rounds}: ${book.counts.signIns} sign-ins, ${book.counts.faults} faults, ` +
      `heap ${heap.toFixed(1)} MB, rss ${rss.toFixed(0)} MB, ${sockets} sockets, ${timers} timers`,
  )
  for (const sentence of Object.keys(book.wrong).slice(told)) console.log(`         ${sentence}`)
  told = Object.keys(book.wrong).length
}

await warmUp(world)
const warmedUpAt = seconds()
console.log(`${warmedUpAt.toFixed(0).padStart(5)} s  warmed up`)

// Journeys and faults alternate, so that the expected outcome of each request is known.
const checkpoints = []
const storeCheckpoints = []
let steps = []
let timesThrough = 0
for (let round = 1; round <= rounds; round++) {
  world.round = round
  while (book.counts.faults < (faults * round) / rounds) {
    if (steps.length === 0) steps = faultSteps(world, size)
    book.counts.faults += await steps.shift()()
    if (steps.length === 0) timesThrough++
  }
  const left = Math.ceil((signIns * round) / rounds) - book.counts.signIns
  if (left > 0) await makeJourneys(world, left)
  const figures = await shop.control('measure')
  checkpoints.push(figures)
  storeCheckpoints.push(await measureStore())
  tell(round, figures)
}
const took = seconds() - warmedUpAt

const { begun, ended, endedTwice, strategies, done } = checkpoints.at(-1)
check(
  `${book.counts.signIns} sign-ins and ${book.counts.faults} faults, each fault on each call ${timesThrough} times or more`,
  book.counts.signIns >= signIns && book.counts.faults >= faults && timesThrough > 0,
  `Only ${book.counts.signIns} sign-ins, ${book.counts.faults} faults, and ${timesThrough} passes through all faults`,
)
check(
  'Every request ended as expected',
  Object.keys(book.wrong).length === 0,
  `Unexpected outcomes: ${Object.entries(book.wrong)
    .slice(0, 20)
    .map(([sentence, times]) => `${sentence} (${times} times)`)
    .join('; ')}`,
)
check(
  `The package finished all ${begun} requests exactly once`,
  begun === ended && endedTwice === 0,
  `The package finished ${ended} of ${begun} requests, and ${endedTwice} of them twice`,
)
const missed = Object.keys(book.hits).filter((what) => book.hits[what] === 0)
check('Every fault occurred', missed.length === 0, `Faults that never occurred: ${missed.join(', ')}`)
check('All strategies closed', strategies === 0, `${strategies} strategies did not close`)

const judged = { shop: judge(checkpoints), store: judge(storeCheckpoints) }
for (const [who, rows] of Object.entries(judged)) {
  for (const { figure, early, late, most, constant } of rows) {
    const what = `${figure} of the ${who}: ${early.toFixed(1)} early, ${late.toFixed(1)} late`
    check(`Constant: ${what}`, constant, `Not constant: ${what}, at most ${most.toFixed(1)} allowed`)
  }
}

// At the end, the shop closes, and its process must exit by itself.
closing = true
const lastWords = once(app, 'message')
await shop.control('close')
await shop.close()
const closed = await Promise.race([lastWords, wait(TIME_TO_EXIT, undefined, { ref: false })])
const [exit] = (await Promise.race([exited, wait(TIME_TO_EXIT, [], { ref: false })])) ?? []
app.kill('SIGKILL')
const last = closed?.[0]
check(
  'The shop has no sockets and no timers after it closed',
  last?.sockets === 0 && last.timers === 0,
  last
    ? `The shop has ${last.sockets} sockets and ${last.timers} timers after it closed`
    : `The shop did not close within ${TIME_TO_EXIT / 1000} s`,
)
check(
  "The shop's process exited by itself",
  exit === 0,
  `The shop's process did not exit by itself within ${TIME_TO_EXIT / 1000} s (${exit ?? 'running'})`,
)
const troubles = [...(last ?? checkpoints.at(-1)).troubles, ...storeCheckpoints.at(-1).troubles]
check(
  'No warnings and no uncaught errors',
  troubles.length === 0,
  `Warnings and errors: ${troubles.join('; ')}`,
)
await store.stop()
clearTimeout(overdue)

console.log(`\n${RULE}\n\n| figure | of | start | early | middle | late | allowed | closed |`)
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |')
const number = (value) => (value === undefined ? '' : value.toFixed(Number.isInteger(value) ? 0 : 1))
for (const [who, rows] of Object.entries(judged)) {
  const [first] = who === 'shop' ? checkpoints : storeCheckpoints
  for (const { figure, early, middle, late, most } of rows) {
    const values = [first[figure], early, middle, late, most, who === 'shop' ? last?.[figure] : undefined]
    console.log(`| ${figure} | ${who} | ${values.map(number).join(' | ')} |`)
  }
}
console.log('\n| action | outcomes |\n| --- | --- |')
const healed = ([what, of]) => what.startsWith('after ') && Object.keys(of).join() === 'ok'
const outcomesShown = Object.entries(book.outcomes).filter((row) => !healed(row))
const healings = Object.entries(book.outcomes).filter(healed)
for (const [what, of] of [
  ...outcomesShown,
  ['the same action without a fault', { ok: healings.reduce((sum, [, { ok }]) => sum + ok, 0) }],
]) {
  const outcomes = Object.entries(of).map(([outcome, times]) => `${times} ${outcome}`)
  console.log(`| ${what} | ${outcomes.join(', ')} |`)
}
const rate = book.counts.signIns / took
console.log(
  `\n${book.counts.signIns} sign-ins and ${book.counts.faults} faults in ${took.toFixed(0)} s, ${rate.toFixed(0)} sign-ins a second, ` +
    `after ${warmedUpAt.toFixed(0)} s of warm-up, with Node ${process.version}\n`,
)

const reports = new URL('../../reports/', import.meta.url)
await mkdir(reports, { recursive: true })
const report = {
  node: process.version,
  ...book.counts,
  seconds: took,
  warmUp: warmedUpAt,
  checks,
  judged,
  outcomes: book.outcomes,
  wrong: book.wrong,
  done,
  checkpoints,
  storeCheckpoints,
  last,
}
await writeFile(new URL('soak.json', reports), `${JSON.stringify(report, null, 1)}\n`)

const failed = checks.filter(({ holds }) => !holds)
for (const { sentence, holds } of checks) console.log(`${holds ? 'ok  ' : 'FAIL'} ${sentence}`)
console.log(`${checks.length - failed.length} passed, ${failed.length} failed`)
process.exitCode = failed.length === 0 ? 0 : 1
