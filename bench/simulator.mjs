// The store, in a process of its own, so that its work is nobody else's. Answers messages of bench/sign-in.mjs.
import { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import { answerWith } from './support.mjs'

const MEMBERS = 1000
const [accounts = '1', wrongCodeStatus = '400'] = process.argv.slice(2)
const members = Array.from({ length: MEMBERS }, (_, i) => ({
  username: `shopper${i}@example.com`,
  accounts: Number(accounts),
}))
const simulator = await ElasticPathSimulator.start({ members, wrongCodeStatus: Number(wrongCodeStatus) })

let next = 0
answerWith({
  where: () => ({
    url: simulator.url,
    clientId: simulator.clientId,
    passwordProfileId: simulator.passwordProfileId,
  }),
  credentials: (count) =>
    Array.from({ length: count }, () => {
      const { username } = members[next++ % MEMBERS]
      return { username, otp: simulator.issueCode(username) }
    }),
  counts: () => ({ exchange: simulator.count('exchange'), access_token: simulator.count('access_token') }),
  clear: () => simulator.clearRequests(),
})
