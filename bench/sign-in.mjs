import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { compared } from './peers.mjs'
import { measure, shuffled, startApp, startProcess } from './support.mjs'

const PARALLEL = 8
const MOST_AT_ONCE = 1000

async function inTurn(items, work) {
  for (const item of items) await work(item)
}

/**
 * The same sign-ins by each peer, in short rounds that are shuffled, so that a noisy moment hits all alike and none has
 * always the same one before it. Processes of the same program differ by some percent for all their life: hence sets of
 * processes, started anew. The apps may run on another Node than the rest.
 */
export async function signIns({ sets, rounds, count, warmUp, execPath }) {
  const names = ['floor', 'floor, again', ...compared.slice(1)]
  const measured = Object.fromEntries(names.map((name) => [name, []]))
  const store = await startProcess('simulator.mjs')
  const where = await store.ask('where')
  const credentials = (n) => store.ask('credentials', { count: n })
  for (let set = 0; set < sets; set++) {
    const apps = await Promise.all(names.map((name) => startApp(name, where, {}, execPath)))
    await inTurn(apps, (app) => app.ask('ready'))
    for (let done = 0; done < warmUp; done += MOST_AT_ONCE) {
      await inTurn(apps, async (app) =>
        measure(app, await credentials(Math.min(MOST_AT_ONCE, warmUp - done)), PARALLEL),
      )
    }
    for (let round = 0; round < rounds; round++) {
      await inTurn(shuffled(apps), async (app) => {
        const { cpu, rate, p50, p99, memory } = await measure(app, await credentials(count), PARALLEL)
        measured[app.peer].push({ set, cpu, rate, p50, p99, memory })
      })
    }
    await inTurn(apps, (app) => app.stop())
  }
  await store.stop()
  return { parallel: PARALLEL, sets, rounds, count, warmUp, peers: measured }
}

/** The same with the apps on another version of Node, which npm fetches. */
export async function signInsOnNode({ major, ...plan }) {
  const run = promisify(execFile)
  const { stdout } = await run('npx', [
    '--yes',
    `node@${major}`,
    '-p',
    'process.execPath + " " + process.version',
  ])
  const [execPath, node] = stdout.trim().split(' ')
  return { node, ...(await signIns({ ...plan, execPath })) }
}

/** Requests upstream for a right and for a wrong code, and how long a shopper waits for the answer to a wrong one. */
export async function calls() {
  const answers = {}
  for (const wrongCodeStatus of [400, 401]) {
    const store = await startProcess('simulator.mjs', ['1', String(wrongCodeStatus)])
    const where = await store.ask('where')
    for (const peer of compared) {
      const app = await startApp(peer, where)
      await app.ask('ready')
      const [first, second] = await store.ask('credentials', { count: 2 })
      await app.signIn(first)
      await store.ask('counts')
      const right = { ...(await app.signIn(second)), ...(await store.ask('counts')) }
      const wrong = { ...(await app.signIn({ ...first, otp: 'wrong1' })), ...(await store.ask('counts')) }
      if (right.status !== 200) throw new Error(`${peer} answers a right code with ${right.status}`)
      if (wrong.status !== 401) throw new Error(`${peer} answers a wrong code with ${wrong.status}`)
      answers[peer] = { ...answers[peer], right, [wrongCodeStatus]: wrong }
      await app.stop()
    }
    await store.stop()
  }
  return answers
}

/** By how many sign in at once. */
export async function parallel({ levels, count }) {
  const store = await startProcess('simulator.mjs')
  const where = await store.ask('where')
  const measured = {}
  for (const peer of compared) {
    const app = await startApp(peer, where)
    const round = async (level) =>
      measure(app, await store.ask('credentials', { count: Math.max(count, level) }), level)
    await app.ask('ready')
    await round(8)
    measured[peer] = {}
    for (const level of levels) {
      await round(level)
      const { rate, p50, p99, connections, cpu } = await round(level)
      measured[peer][level] = { rate, p50, p99, connections, cpu }
    }
    await app.stop()
  }
  await store.stop()
  return measured
}

/** By how many accounts the member belongs to. */
export async function accounts({ sizes, seconds }) {
  const ways = [
    ...compared.filter((peer) => peer !== 'passport').map((peer) => ({ way: peer, peer })),
    { way: 'strategy, the last by account_id', peer: 'strategy', last: true },
    { way: 'strategy, the last by a function', peer: 'strategy, chosen by a function' },
  ]
  const measured = {}
  for (const size of sizes) {
    const store = await startProcess('simulator.mjs', [String(size)])
    const where = await store.ask('where')
    for (const { way, peer, last } of ways) {
      const app = await startApp(peer, where)
      await app.ask('ready')
      const round = async (count) => measure(app, await store.ask('credentials', { count, last }), 1)
      const { p50: first } = await round(5)
      const count = Math.max(5, Math.min(1000, Math.round((seconds * 1000) / first)))
      await round(count)
      await store.ask('counts')
      const { p50, cpu } = await round(count)
      const { exchange, renewal } = await store.ask('counts')
      ;(measured[way] ??= {})[size] = { p50, cpu, calls: (exchange + renewal) / count, count }
      await app.stop()
    }
    await store.stop()
  }
  return measured
}
