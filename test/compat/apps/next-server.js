const assert = require('node:assert/strict')
const { mkdirSync, writeFileSync } = require('node:fs')

process.env.NEXT_TELEMETRY_DISABLED = '1'
mkdirSync('pages', { recursive: true })
writeFileSync(
  'pages/shop.js',
  `import { createElement } from 'react'

export function getServerSideProps({ req }) {
  return { props: { account: req.user?.account?.name ?? 'nobody' } }
}

export default function Shop({ account }) {
  return createElement('p', null, account)
}
`,
)

const { PasswordlessOtpStrategy } = require('passport-elasticpath-otp')
const { ElasticPathSimulator } = require('passport-elasticpath-otp/testing')
const { createApp } = require('./app')
const { serve } = require('./browser')
const startNext = require('./next-sample')

const ADA = 'ada@example.com'

/** A shop on Express whose pages are rendered by Next.js. */
async function journey() {
  const members = [{ username: ADA, accounts: [{ name: 'Boats' }] }]
  const simulator = await ElasticPathSimulator.start({ members })
  const { clientId, url: baseUrl } = simulator
  const strategy = new PasswordlessOtpStrategy({ clientId, baseUrl, uniformResponseTime: 0 })
  const app = createApp(strategy)
  // The sample listens on a fixed port. The test needs a free one.
  const { listen } = app
  await new Promise((resolve) => {
    app.listen = resolve
    startNext(() => app)
  })
  app.listen = listen
  const shop = await serve(app)
  const ada = shop.browser()

  assert.match((await ada.get('/shop')).text, /<p>nobody<\/p>/)
  const reply = await ada.post('/login', { username: ADA, otp: simulator.issueCode(ADA) })
  assert.equal(reply.location, '/')
  const { text } = await ada.get('/shop')
  assert.match(text, /<p>Boats<\/p>/, 'the page shows the account')
  assert.doesNotMatch(text, /token/, 'the page contains no token')

  await shop.close()
  await strategy.close()
  await simulator.stop()
}

journey().then(
  // Next.js in development mode keeps watching files.
  () => process.exit(0),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
