// What a sign-in costs, by the ways people write it: the same sign-ins against one simulator, in interleaved rounds, as
// ratios within one run. `node sign-in.mjs [rounds] [sign-ins a round]`.
import { writeFile } from 'node:fs/promises'
import { Pool } from 'undici'
import { peers } from './peers.mjs'
import { median, startProcess } from './support.mjs'

const [rounds = 9, signIns = 1000] = process.argv.slice(2).map(Number)
const PARALLEL = 8

const store = await startProcess('simulator.mjs')
const where = JSON.stringify(await store.ask('where'))
const apps = []
for (const name of Object.keys(peers)) {
  const app = await startProcess('app.mjs', name, where)
  apps.push({ name, app, pool: new Pool(await app.ask('url')), rounds: [] })
}

async function signIn(pool, credentials) {
  const startedAt = performance.now()
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: '/login',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(credentials),
  })
  await body.text()
  return { statusCode, time: performance.now() - startedAt }
}

async function round({ name, app, pool }, count) {
  const credentials = await store.ask('credentials', count)
  await app.ask('usage')
  const times = []
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (let next = credentials.pop(); next; next = credentials.pop()) {
        const { statusCode, time } = await signIn(pool, next)
        if (statusCode !== 200) throw new Error(`${name} answered ${statusCode}`)
        times.push(time)
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  const { cpu, memory } = await app.ask('usage')
  times.sort((a, b) => a - b)
  const at = (share) => times[Math.floor(times.length * share)]
  return { cpu: cpu / count, rate: count / seconds, p50: at(0.5), p99: at(0.99), memory }
}

/** Requests that a wrong code costs upstream, and how long its answer takes. */
async function wrongCode(wrongCodeStatus) {
  const strict = await startProcess('simulator.mjs', '1', String(wrongCodeStatus))
  const costs = {}
  for (const name of Object.keys(peers)) {
    const app = await startProcess('app.mjs', name, JSON.stringify(await strict.ask('where')))
    const pool = new Pool(await app.ask('url'))
    const [right] = await strict.ask('credentials', 1)
    await signIn(pool, right)
    await strict.ask('clear')
    const { statusCode, time } = await signIn(pool, { ...right, otp: 'wrong1' })
    costs[name] = { ...(await strict.ask('counts')), statusCode, time }
    await pool.close()
    await app.stop()
  }
  await strict.stop()
  return costs
}

for (const app of apps) await round(app, signIns)
for (let i = 0; i < rounds; i++) {
  for (const app of apps) app.rounds.push(await round(app, signIns))
}
const wrong = { 400: await wrongCode(400), 401: await wrongCode(401) }

const floor = apps.find(({ name }) => name === 'floor').rounds
const rows = apps.map(({ name, rounds: own }) => {
  const of = (figure) => median(own.map((r) => r[figure]))
  const ratio = median(own.map((r, i) => r.cpu / floor[i].cpu))
  return {
    name,
    cpu: of('cpu'),
    ratio,
    rate: of('rate'),
    p50: of('p50'),
    p99: of('p99'),
    memory: of('memory'),
  }
})

console.log(`${rounds} rounds of ${signIns} sign-ins, ${PARALLEL} at a time; medians`)
console.log(
  '| peer | CPU µs | of the floor | per second | p50 ms | p99 ms | MB | wrong code, 400 | wrong code, 401 |',
)
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |')
const cost = ({ exchange, access_token, time }) => `${exchange} + ${access_token}, ${time.toFixed(0)} ms`
for (const row of rows) {
  const figures = [
    row.cpu.toFixed(0),
    row.ratio.toFixed(2),
    row.rate.toFixed(0),
    row.p50.toFixed(2),
    row.p99.toFixed(2),
  ]
  const wrongs = [cost(wrong[400][row.name]), cost(wrong[401][row.name])]
  console.log(`| ${[row.name, ...figures, row.memory.toFixed(0), ...wrongs].join(' | ')} |`)
}
console.log('A wrong code costs exchanges + access tokens upstream, and the shopper so long a wait.')

const raw = {
  node: process.version,
  rounds,
  signIns,
  parallel: PARALLEL,
  rows,
  wrong,
  raw: apps.map(({ name, rounds: r }) => ({ name, rounds: r })),
}
await writeFile(new URL('results/sign-in.json', import.meta.url), `${JSON.stringify(raw, null, 1)}\n`)
for (const { app, pool } of apps) {
  await pool.close()
  await app.stop()
}
await store.stop()
