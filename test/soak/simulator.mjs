// The simulator, in its own process. It answers the questions of run.mjs.
import { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import { answerWith } from '../../bench/support.mjs'
import { measure } from './figures.mjs'

const accounts = (count) =>
  Array.from({ length: count }, (_, i) => ({ id: `account-${i}`, name: `Account ${i}` }))
const series = (name, count, seed) =>
  Array.from({ length: count }, (_, i) => ({ username: `${name}${i}@example.com`, accounts: seed }))

/** Members by kind. The members of a kind are used in turn. */
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
// The simulator keeps the newest code of each member. All members get one now, so that its memory does not grow later.
for (const { username } of Object.values(members).flat()) simulator.issueCode(username)
const rules = new Map()
let serial = 0
let figures

answerWith({
  address: () => ({ url: simulator.url, clientId: simulator.clientId }),
  deliverTo: (target) => simulator.deliverTo(target),
  /** Returns `count` members of a kind, each with a new code. */
  shoppers: ({ kind, count }) =>
    Array.from({ length: count }, () => {
      const { username } = members[kind][next[kind]++ % members[kind].length]
      return { username, otp: simulator.issueCode(username) }
    }),
  /** Sets a fault for the next `times` requests, or for all. Returns an id for `mend`. */
  fault({ call, fault, times, afterEffect }) {
    rules.set(++serial, simulator.fault(call, fault, { times: times ?? Infinity, afterEffect }))
    return serial
  },
  hits: (id) => rules.get(id).hits,
  /** Removes a fault. Returns the number of requests that it applied to. */
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
  /** Starts a measurement. `figures` returns the result when it is complete. */
  measure() {
    figures = undefined
    void measure().then((measured) => (figures = measured))
  },
  figures: () => figures,
})
