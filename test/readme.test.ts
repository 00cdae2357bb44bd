import { execFile, spawn, type ChildProcess } from 'node:child_process'
import diagnostics, { type ChannelListener } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import pino from 'pino'
import supertest from 'supertest'
import { ElasticPathSimulator } from '../lib/testing'
import { ADA, openJourney } from './support/journey'

const ROOT = join(__dirname, '..')

/** The listing as it stands, with what it leaves to the app: a mailer, a home page, and a port to listen at. */
function listing(): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const code = /^## In your shop$[\s\S]*?^```js\n([\s\S]*?)^```$/m.exec(readme)?.[1]
  if (code === undefined) throw new Error('The README has no listing under "In your shop"')
  return `${code}
    function sendMail(to, text) { process.send({ to, text }) }
    app.get('/', (req, res) => res.json({ account: req.user?.account.name ?? null }))
    app.get('/as-account', (req, res) => res.json(Object.keys(asAccount(req, 'a bearer'))))
    app.listen(0, '127.0.0.1', function () { process.send({ port: this.address().port }) })`
}

interface Message {
  port?: number
  to?: string
  text?: string
}

async function messageOf(child: ChildProcess): Promise<Message> {
  const [message] = (await once(child, 'message')) as [Message]
  return message
}

test("the README's listing runs: ask, deliver, sign in, switch", async () => {
  const simulator = await ElasticPathSimulator.start({
    members: [{ username: ADA, accounts: [{ name: 'Boats' }, { name: 'Ropes', id: 'ropes' }] }],
  })
  const child = spawn(process.execPath, ['--input-type=module'], {
    // Where the package is installed the way an app installs it.
    cwd: join(ROOT, 'example-app'),
    stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      EPCC_CLIENT_ID: simulator.clientId,
      EPCC_BASE_URL: simulator.url,
      EPCC_WEBHOOK_SECRET: 'a secret key of the integration',
      SESSION_SECRET: 'a secret for sessions',
    },
  })
  const exited = once(child, 'exit')
  try {
    child.stdin?.end(listing())
    const { port } = await messageOf(child)
    const url = `http://127.0.0.1:${port}`
    simulator.deliverTo({ url: `${url}/webhooks/otp`, secretKey: 'a secret key of the integration' })
    const browser = supertest.agent(url)

    const mailed = messageOf(child)
    await browser.post('/login/code').type('form').send({ username: ADA }).expect('Location', '/login/verify')
    const { to, text = '' } = await mailed
    expect(to).toBe(ADA)
    const otp = text.replace('Your code is ', '')

    await browser
      .post('/login')
      .type('form')
      .send({ username: ADA, otp: 'wrong1' })
      .expect('Location', '/login/verify')
    await browser.post('/login').type('form').send({ username: ADA, otp }).expect('Location', '/')
    await browser.get('/').expect(200, { account: 'Boats' })
    await browser.post('/accounts/switch').type('form').send({ account_id: 'ropes' }).expect('Location', '/')
    await browser.get('/').expect(200, { account: 'Ropes' })
    await browser.get('/as-account').expect(['Authorization', 'EP-Account-Management-Authentication-Token'])
  } finally {
    child.kill()
    await exited
    await simulator.stop()
  }
}, 30_000)

describe('what the README says to do with diagnostics', () => {
  /** Runs a recipe as it stands, with what it imports, for as long as a test goes on. */
  function follow(recipe: string, imported: object): void {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
    const code = readme.split('```js\n').find((block) => block.startsWith(`// ${recipe}\n`))
    const subscribe = (name: string, listener: ChannelListener) => {
      diagnostics.subscribe(name, listener)
      stop = () => diagnostics.unsubscribe(name, listener)
    }
    const body = code?.split('```')[0]?.replace(/^import .*$/gm, '') ?? ''
    runInNewContext(body, { ...imported, diagnostics: { subscribe } })
  }

  let stop: () => void
  afterEach(() => stop())

  /** A sign-in, a wrong code, and an outage. */
  async function signInThrice(): Promise<void> {
    const { simulator, browser, signIn } = await openJourney()
    await signIn()
    const wrong = () => browser().post('/login').send({ username: ADA, otp: 'wrong1' })
    await wrong().expect(401)
    simulator.fault('exchange', { status: 503 })
    await wrong().expect(502)
  }

  test('logs with pino', async () => {
    const lines: Record<string, unknown>[] = []
    const write = (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>)
    follow('pino', { log: pino({ base: null }, { write }) })

    await signInThrice()

    const common = { msg: 'passport-elasticpath-otp', operation: 'sign-in' }
    expect(lines).toMatchObject([
      { level: 30, ...common, outcome: 'success' },
      { level: 30, ...common, outcome: 'failure', code: 'invalid_credentials' },
      { level: 50, ...common, outcome: 'error', code: 'upstream_error', upstreamStatus: 503 },
    ])
  })

  test('counts and times with OpenTelemetry', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] })
    metrics.setGlobalMeterProvider(provider)
    try {
      follow('OpenTelemetry', { metrics })

      await signInThrice()

      await provider.forceFlush()
      const [metric] = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics[0]?.metrics ?? [])
      expect(metric?.descriptor).toMatchObject({ name: 'elasticpath.otp.duration', unit: 'ms' })
      expect(metric?.dataPoints).toMatchObject([
        { attributes: { operation: 'sign-in', outcome: 'success', code: 'none' }, value: { count: 1 } },
        { attributes: { outcome: 'failure', code: 'invalid_credentials' }, value: { count: 1 } },
        { attributes: { outcome: 'error', code: 'upstream_error' }, value: { count: 1 } },
      ])
    } finally {
      metrics.disable()
      await provider.shutdown()
    }
  })
})

test("the README's figures and its chart are those that were measured", async () => {
  await promisify(execFile)(process.execPath, [join(ROOT, 'bench/report.mjs'), '--check'])
})
