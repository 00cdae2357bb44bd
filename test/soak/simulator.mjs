// The store, in a process of its own. Answers the questions of run.mjs.
import { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import { answerWith } from '../../bench/support.mjs'
import { measure } from './figures.mjs'

const accounts = (count) =>
  Array.from({ length: count }, (_, i) => ({ id: `account-${i}`, name: `Account ${i}` }))
const series = (name, count, seed) =>
  Array.from({ length: count }, (_, i) => ({ username: `${name}${i}@example.com`, accounts: seed }))

/** Members by kind, each kind gone through in turn. */
const members = {
  shopper: series('shopper', 40_000, 1),
  buyer: series('buyer', 10_000, accounts(3)),
  manager: series('manager', 500, accounts(250)),
  stranger: series('stranger', 500, 0),
  asker: series('asker', 20_000, 1),
  bounce: series('bounce', 2000, 1),
}
const next = Object.fromEntries(Object.keys(members).map((kind) => [kind, 0]))
const simulator = await ElasticPathSimulator.start({ members: Object.values(members).flat() })
// A store keeps everybody's newest code: all have one from the beginning, so that only what is more than that grows.
for (const { username } of Object.values(members).flat()) simulator.issueCode(username)
const rules = new Map()
let serial = 0
let figures

answerWith({
  where: () => ({ url: simulator.url, clientId: simulator.clientId }),
  deliverTo: (target) => simulator.deliverTo(target),
  /** So many members of a kind, each with a new code. */
  shoppers: ({ kind, count }) =>
    Array.from({ length: count }, () => {
      const { username } = members[kind][next[kind]++ % members[kind].length]
      return { username, otp: simulator.issueCode(username) }
    }),
  /** Lets requests of a kind go wrong from now on, as many as told or all. Answers with what mends it. */
  fault({ call, fault, times, afterEffect }) {
    rules.set(++serial, simulator.fault(call, fault, { times: times ?? Infinity, afterEffect }))
    return serial
  },
  hits: (id) => rules.get(id).hits,
  /** Answers with how many requests were struck. */
  mend(id) {
    const rule = rules.get(id)
    rules.delete(id)
    rule.remove()
    return rule.hits
  },
  advance: (seconds) => simulator.advance(seconds),
  revokeAccessTokens: () => simulator.revokeAccessTokens(),
  revokeAccountTokens: () => simulator.revokeAccountTokens(),
  dropConnections: () => simulator.dropConnections(),
  /** Begins to measure; `figures` has them when they are there. */
  measure() {
    figures = undefined
    void measure().then((measured) => (figures = measured))
  },
  figures: () => figures,
})
