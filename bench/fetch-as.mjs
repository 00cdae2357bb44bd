import { findNode } from './nodes.mjs'
import { startProcess } from './support.mjs'

const WAYS = ['undici.fetch', 'fetchAs']

/** CPU time of a call to Elastic Path as an account: `strategy.fetchAs`, and undici's `fetch` with both headers. */
export async function fetchAs({ nodes, sets, rounds, count, warmUp }) {
  const measured = []
  for (const major of nodes) {
    const [execPath, node] = await findNode(major)
    const ways = Object.fromEntries(WAYS.map((way) => [way, []]))
    const api = await startProcess('api.mjs')
    const url = await api.ask('url')
    for (let set = 0; set < sets; set++) {
      const callers = await Promise.all(
        WAYS.map(async (way) => ({ way, ...(await startProcess('caller.mjs', [way, url], {}, execPath)) })),
      )
      for (const caller of callers) await caller.ask('call', warmUp)
      for (let round = 0; round < rounds; round++) {
        for (const caller of round % 2 === 0 ? callers : callers.toReversed()) {
          ways[caller.way].push({ set, cpu: await caller.ask('call', count) })
        }
      }
      for (const caller of callers) await caller.stop()
    }
    await api.stop()
    measured.push({ node, sets, rounds, count, ways })
  }
  return measured
}
