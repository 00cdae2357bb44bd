// Calls Elastic Path as an account, in its own process.
import { PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { Agent, fetch } from 'undici'
import { answerWith } from './support.mjs'

const PARALLEL = 32
const PATH = '/v2/carts/bench/items'

const [way, baseUrl] = process.argv.slice(2)
const call = way === 'fetchAs' ? asUser() : byHand()

answerWith({
  /** Makes `count` calls. Resolves with the CPU time per call, in microseconds. */
  async call(count) {
    const before = process.cpuUsage()
    let left = count
    const worker = async () => {
      while (left-- > 0) {
        const response = await call()
        if (response.status !== 200) throw new Error(`a call returned ${response.status}`)
        await response.json()
      }
    }
    await Promise.all(Array.from({ length: PARALLEL }, worker))
    const { user, system } = process.cpuUsage(before)
    return (user + system) / count
  },
})

function asUser() {
  const strategy = new PasswordlessOtpStrategy({ clientId: 'bench', baseUrl })
  const now = Date.now()
  const account = {
    id: 'account',
    name: 'Bench',
    token: 'bench-account-token',
    expires: new Date(now + 86_400_000).toISOString(),
    received: now,
    lifetime: 86_400,
  }
  const user = { accountMemberId: 'member', username: 'bench@example.com', strategy: strategy.name, account }
  // The guide creates a new function for each request of a shopper.
  return () => strategy.fetchAs(user)(PATH)
}

function byHand() {
  // undici's default opens a connection for each call in progress, as the strategy's pool does up to 64.
  const dispatcher = new Agent({ connections: 64 })
  const headers = {
    authorization: 'Bearer bench',
    'ep-account-management-authentication-token': 'bench-account-token',
  }
  return () => fetch(baseUrl + PATH, { headers, dispatcher })
}
