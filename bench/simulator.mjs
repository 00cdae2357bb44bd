// The simulator, in its own process, so that its CPU time does not count for the apps.
import { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import { answerWith } from './support.mjs'

// More than the largest batch of sign-ins, because a new code invalidates a member's older codes.
const MEMBERS = 4000
const [accounts = '1', wrongCodeStatus = '400'] = process.argv.slice(2)
const simulator = await ElasticPathSimulator.start({ wrongCodeStatus: Number(wrongCodeStatus) })
const members = Array.from({ length: MEMBERS }, (_, i) =>
  simulator.addMember({ username: `shopper${i}@example.com`, accounts: Number(accounts) }),
)

let next = 0
answerWith({
  address: () => ({
    url: simulator.url,
    clientId: simulator.clientId,
    passwordProfileId: simulator.passwordProfileId,
  }),
  /** Issues codes for `count` sign-ins. If `last` is true, the sign-in requests the member's last account by its id. */
  credentials: ({ count, last = false }) =>
    Array.from({ length: count }, () => {
      const { username, accounts } = members[next++ % MEMBERS]
      const otp = simulator.issueCode(username)
      return last
        ? { username, otp, account_id: accounts.page(accounts.total - 1, 1)[0].id }
        : { username, otp }
    }),
  /** Returns the number of requests since the last call. */
  counts() {
    const [exchange, renewal, accessToken] = ['exchange', 'renewal', 'access_token'].map((call) =>
      simulator.count(call),
    )
    simulator.clearRequests()
    return { exchange, renewal, accessToken }
  },
})
