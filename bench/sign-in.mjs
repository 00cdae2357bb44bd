import { compared } from './peers.mjs'
import { measure, startApp, startProcess } from './support.mjs'

/** Counts the requests to Elastic Path for a right code, and for a wrong code that returns 400 or 401. */
export async function calls() {
  const answers = {}
  for (const wrongCodeStatus of [400, 401]) {
    const store = await startProcess('simulator.mjs', ['1', String(wrongCodeStatus)])
    const address = await store.ask('address')
    for (const peer of compared) {
      const app = await startApp(peer, address)
      await app.ask('ready')
      const [first, second] = await store.ask('credentials', { count: 2 })
      await app.signIn(first)
      await store.ask('counts')
      const right = { ...(await app.signIn(second)), ...(await store.ask('counts')) }
      const wrong = { ...(await app.signIn({ ...first, otp: 'wrong1' })), ...(await store.ask('counts')) }
      if (right.status !== 200) throw new Error(`${peer} returned ${right.status} for a right code, not 200`)
      if (wrong.status !== 401) throw new Error(`${peer} returned ${wrong.status} for a wrong code, not 401`)
      answers[peer] = { ...answers[peer], right, [wrongCodeStatus]: wrong }
      await app.stop()
    }
    await store.stop()
  }
  return answers
}

/** Measures sign-ins per second and latency, by the number of parallel sign-ins. */
export async function parallel({ levels, count }) {
  const store = await startProcess('simulator.mjs')
  const address = await store.ask('address')
  const measured = {}
  for (const peer of compared) {
    const app = await startApp(peer, address)
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

/** Measures latency and requests to Elastic Path, by the number of the member's accounts. */
export async function accounts({ sizes, seconds }) {
  const ways = [
    ...compared.filter((peer) => peer !== 'passport').map((peer) => ({ way: peer, peer })),
    { way: 'strategy, the last by account_id', peer: 'strategy', last: true },
    { way: 'strategy, the last by a function', peer: 'strategy, chosen by a function' },
  ]
  const measured = {}
  for (const size of sizes) {
    const store = await startProcess('simulator.mjs', [String(size)])
    const address = await store.ask('address')
    for (const { way, peer, last } of ways) {
      const app = await startApp(peer, address)
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
