// The store, in a process of its own, so that its work is nobody else's.
import { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import { answerWith } from './support.mjs'

// More than are signed in with at once: a member's newer code kills the older.
const MEMBERS = 4000
const [accounts = '1', wrongCodeStatus = '400'] = process.argv.slice(2)
const simulator = await ElasticPathSimulator.start({ wrongCodeStatus: Number(wrongCodeStatus) })
const members = Array.from({ length: MEMBERS }, (_, i) =>
  simulator.addMember({ username: `shopper${i}@example.com`, accounts: Number(accounts) }),
)

let next = 0
answerWith({
  where: () => ({
    url: simulator.url,
    clientId: simulator.clientId,
    passwordProfileId: simulator.passwordProfileId,
  }),
  /** What to sign in with, so many times; `last` asks for the member's last account by its id. */
  credentials: ({ count, last = false }) =>
    Array.from({ length: count }, () => {
      const { username, accounts } = members[next++ % MEMBERS]
      const otp = simulator.issueCode(username)
      return last
        ? { username, otp, account_id: accounts.page(accounts.total - 1, 1)[0].id }
        : { username, otp }
    }),
  /** Requests since the last time. */
  counts() {
    const [exchange, renewal, accessToken] = ['exchange', 'renewal', 'access_token'].map((call) =>
      simulator.count(call),
    )
    simulator.clearRequests()
    return { exchange, renewal, accessToken }
  },
})
