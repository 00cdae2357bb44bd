import { findNode } from './nodes.mjs'
import { measure, startApp, startProcess } from './support.mjs'

const PARALLEL = 32
// A new code invalidates a member's older codes, so a batch must not be larger than the number of members.
const LARGEST_BATCH = 2000

/** The peers in the headline, and the other peers in the table, measured in the first sets only. */
const HEADLINE = ['passport', 'strategy, no limits', 'strategy', 'passport, again']
const OTHERS = ['floor', 'fetch', 'js-sdk', 'sdks-shopper']

/** Measures the CPU time of one sign-in on several versions of Node, one after the other. */
export async function cost({ nodes, ...plan }) {
  const measured = []
  for (const major of nodes) {
    const [execPath, node] = await findNode(major)
    measured.push({ node, ...(await costOn(execPath, plan)) })
  }
  return measured
}

/**
 * Measures the CPU time of the app's process per sign-in. A round has one batch of sign-ins per peer, so that a
 * disturbance affects all peers alike. Each round begins with the next peer, and the order is reversed half of the time, so
 * that no peer always runs after the same one. Two processes of the same program differ by a few percent, so there are
 * several sets of processes.
 */
async function costOn(execPath, { sets, setsOfOthers, rounds, count, warmUp }) {
  const measured = Object.fromEntries([...HEADLINE, ...OTHERS].map((peer) => [peer, []]))
  const store = await startProcess('simulator.mjs')
  const address = await store.ask('address')
  const signIn = async (app, batch) =>
    measure(app, await store.ask('credentials', { count: batch }), PARALLEL)

  for (let set = 0; set < sets; set++) {
    const peers = set < setsOfOthers ? [...HEADLINE, ...OTHERS] : HEADLINE
    const apps = await Promise.all(peers.map((peer) => startApp(peer, address, {}, execPath)))
    for (const app of apps) await app.ask('ready')
    // In turns, too: on Node 20, an app that was warmed up first and then idle was slower than its copy.
    for (let left = warmUp; left > 0; left -= LARGEST_BATCH) {
      for (const app of apps) await signIn(app, Math.min(left, LARGEST_BATCH))
    }
    for (let round = 0; round < rounds; round++) {
      const first = round % apps.length
      const order = [...apps.slice(first), ...apps.slice(0, first)]
      const isReversed = Math.floor(round / apps.length) % 2 === 1
      for (const app of isReversed ? order.reverse() : order) {
        const { cpu, rate, p50, p99, memory } = await signIn(app, count)
        measured[app.peer].push({ set, cpu, rate, p50, p99, memory })
      }
    }
    for (const app of apps) await app.stop()
  }
  await store.stop()
  return { parallel: PARALLEL, sets, rounds, count, warmUp, peers: measured }
}
