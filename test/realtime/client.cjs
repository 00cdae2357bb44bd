// A process that uses the built package in one situation, closes the strategy, and has to exit by itself. It prints events.
const { PasswordlessOtpStrategy } = require('passport-elasticpath-otp')

const [situation, baseUrl, clientId] = process.argv.slice(2)
const print = (event) => process.stdout.write(`${event}\n`)
const strategy = new PasswordlessOtpStrategy({ clientId, baseUrl, timeout: 1000 })
const settled = (work) =>
  work.then(
    () => print('works'),
    ({ code }) => print(code),
  )

const SITUATIONS = {
  /** Connections are idle. */
  idle: () => Promise.all([strategy.ready(), strategy.ready(), strategy.accessToken()]),
  /** A response has begun, and nobody reads it. */
  async unread() {
    const response = await strategy.fetch('/large')
    print(response.status)
  },
  /** Elastic Path does not respond, or the connection does not open. */
  waiting: () => settled(strategy.ready()),
  /** A request is in progress when the strategy is closed. */
  async busy() {
    const closed = settled(strategy.ready())
    strategy.close().then(() => print('closed'))
    await closed
  },
}

async function main() {
  await SITUATIONS[situation]()
  await strategy.close()
  // Node frees the handle of a TLS socket after its close event.
  setImmediate(() => {
    const left = process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout/.test(kind))
    print(`left: ${left.join() || 'nothing'}`)
  })
}

process.on('exit', () => print('exit'))
void main()
