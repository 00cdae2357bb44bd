import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { metrics } from '@opentelemetry/api'
import * as sdk from '@opentelemetry/sdk-metrics'
import { parseSync } from '@swc/core'
import express, { type Express } from 'express'
import { Passport } from 'passport'
import pino from 'pino'
import { RateLimiterMemory, type IRateLimiterOptions } from 'rate-limiter-flexible'
import supertest from 'supertest'
import { ElasticPathError, otpWebhook, type PasswordlessOtpStrategy } from '../lib'
import { FAILURE_STATUS } from '../lib/errors'
import * as docs from './support/samples'
import { read, run, runAsync, sample } from './support/samples'
import { ADA, errorHandler, listen, openShop, SECRET_KEY, type Agent } from './support/shop'

const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'example-app/README.md'],
  ...readdirSync(join(docs.ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? `docs/${name}` : [])),
]

describe.each(pages)('%s', (path) => {
  test('has links and anchors that resolve', () => {
    const broken = docs
      .linksOf(path)
      .filter(
        ({ target, anchor }) =>
          !existsSync(join(docs.ROOT, target)) || (anchor && !docs.anchorsOf(target).includes(anchor)),
      )
    expect(broken).toEqual([])
  })

  test('has samples that parse', () => {
    for (const { language, code } of docs.samplesOf(path)) {
      if (['js', 'ts'].includes(language)) parseSync(code, { syntax: 'typescript' })
      else if (language === 'json') code.split(/\n(?={)/).forEach((part) => void JSON.parse(part))
      else if (language === 'sh') execFileSync('sh', ['-n'], { input: code, stdio: 'pipe' })
      else expect(['html', 'mermaid', 'text', 'yaml', 'dockerfile']).toContain(language)
    }
  })
})

describe('the samples', () => {
  const README = sample('README.md')
  const post = (browser: Agent, path: string, fields: object) => browser.post(path).type('form').send(fields)
  const process = { env: { EPCC_WEBHOOK_SECRET: SECRET_KEY, SESSION_SECRET: 'a secret' } }

  /** The README's app, with a strategy of the test. */
  function createApp(strategy: PasswordlessOtpStrategy, sendMail: unknown = () => undefined): Express {
    const code = README.replace(/^const strategy = .*$/m, '')
    return run(code, { sendMail, process, strategy }, { passport: new Passport() })['app'] as Express
  }

  test('of the README request a code, deliver it, sign in, switch and call Elastic Path', async () => {
    const accounts = [{ name: 'Boats' }, { name: 'Ropes', id: 'ropes' }]
    const { simulator } = await openShop({ store: { members: [{ username: ADA, accounts }] } })
    const [first = ''] = /^const \{ EPCC_CLIENT_ID.*\nconst strategy = .*$/m.exec(README) ?? []
    const env = { EPCC_CLIENT_ID: simulator.clientId, EPCC_BASE_URL: simulator.url }
    const { strategy } = run(first, { ...docs.packageFor(simulator), process: { env } })
    const mails: string[][] = []
    const app = createApp(strategy as PasswordlessOtpStrategy, (...mail: string[]) => mails.push(mail))
    app.get('/account', async (req, res) => {
      await runAsync(sample('README.md', "fetchAs(req.user)('/v2/carts')"), { strategy, req })
      res.json(req.user)
    })
    const url = await listen(app)
    simulator.deliverTo({ url: `${url}/webhooks/otp`, secretKey: SECRET_KEY })
    const browser = supertest.agent(url)

    const delivered = simulator.nextDelivery()
    await post(browser, '/login/code', { username: ADA }).expect('Location', '/login/verify')
    await delivered
    const otp = /^Your code is (\w+)$/.exec(mails[0]?.[1] ?? '')?.[1]
    await post(browser, '/login', { username: ADA, otp: 'wrong1' }).expect('Location', '/login/verify')
    await post(browser, '/login', { username: ADA, otp }).expect('Location', '/')
    await browser.get('/account').expect(/"Boats"/)
    await post(browser, '/accounts/switch', { account_id: 'ropes' }).expect('Location', '/')
    await browser.get('/account').expect(/"Ropes"/)
    expect(simulator.count('GET /v2/carts')).toBe(2)
  })

  test('of the README test an app', async () => {
    const { simulator } = await openShop()
    const code = sample('README.md', 'createApp is yours').replace(/^const .* = require.*$/m, '')
    const ElasticPathSimulator = { start: () => simulator }
    const given = { ElasticPathSimulator, ...docs.packageFor(simulator), createApp, request: supertest }
    await runAsync(code, given)
    expect(simulator.count('exchange')).toBe(1)
  })

  test('of docs/limits.md limit attempts in all processes together', async () => {
    const { simulator } = await openShop()
    const stored = new Map<unknown, RateLimiterMemory>()
    // What rate-limiter-flexible keeps in Redis, in memory.
    const RateLimiterRedis = function (options: IRateLimiterOptions) {
      const limiter = stored.get(options.keyPrefix) ?? new RateLimiterMemory(options)
      stored.set(options.keyPrefix, limiter)
      return limiter
    }
    const env = { EPCC_CLIENT_ID: simulator.clientId }
    const given = { ...docs.packageFor(simulator), otpWebhook, secretKey: 'a', deliver: () => 1, redis: {} }
    const start = async () => {
      const modules = { 'rate-limiter-flexible': { RateLimiterRedis } }
      const made = run(sample('docs/limits.md', 'RateLimiterRedis'), { ...given, process: { env } }, modules)
      return supertest.agent(await listen(createApp(made['strategy'] as PasswordlessOtpStrategy)))
    }
    const browsers = [await start(), await start()]
    for (let i = 0; i < 6; i++)
      for (const browser of browsers) await post(browser, '/login', { username: ADA, otp: 'x' })
    expect(simulator.count('exchange')).toBe(10)
  })

  test('of docs/calls.md call as the account, with the SDKs too', async () => {
    const { strategy, simulator, signIn } = await openShop()
    const { user } = await signIn()
    const { url: baseUrl, clientId: client_id } = simulator
    const given = { strategy, req: { user }, baseUrl, client_id, host: new URL(baseUrl).host }
    await runAsync(sample('docs/calls.md', 'accessToken()'), given)
    const { client } = run(sample('docs/calls.md', 'sdks-shopper'), given)
    await (client as { get: (options: object) => Promise<unknown> }).get({ url: '/v2/carts' })
    expect(run(sample('docs/calls.md', 'js-sdk'), given)['epcc']).toHaveProperty('Cart')
    expect(simulator.count('GET /v2/carts')).toBe(2)
  })

  test('of docs/errors.md respond with the status of an error', async () => {
    const app = express()
    app.get('/', () => Promise.reject(new ElasticPathError('rate_limited', 'Wait', { retryAfter: 7 })))
    run(sample('docs/errors.md', 'headersSent'), { app })
    app.use(errorHandler([]))
    await supertest(app).get('/').expect(503, "You can't sign in right now.").expect('Retry-After', '7')
  })

  test('of docs/email-links.md make a link whose page posts what is behind the #', () => {
    const mailer = { send: (_email: string, text: string) => /https:\S+/.exec(text)?.[0] }
    const { deliver } = run(sample('docs/email-links.md', 'const deliver'), { mailer })
    const sent = { email: ADA, username: 'ada+b@example.com', otp: 'abd1g5', proof: '1.x' }
    const location = new URL((deliver as (delivery: object) => string)(sent))
    const elements = { username: { value: '' }, otp: { value: '' }, proof: { value: '' } }
    const button = { disabled: true, textContent: '' }
    const form = { elements, querySelector: () => button }
    const [document, history] = [{ querySelector: () => form }, { replaceState: () => undefined }]
    run(sample('docs/email-links.md', '// link.js'), { location, document, history })
    expect(elements).toMatchObject({ username: { value: sent.username }, otp: { value: 'abd1g5' } })
    expect([elements.proof.value, button.disabled, location.search]).toEqual(['1.x', false, ''])
  })

  test('of docs/monitoring.md log with pino, count with OpenTelemetry, and shut down', async () => {
    const lines: object[] = []
    const log = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line) as object) })
    const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE)
    const provider = new sdk.MeterProvider({ readers: [new sdk.PeriodicExportingMetricReader({ exporter })] })
    metrics.setGlobalMeterProvider(provider)
    run(sample('docs/monitoring.md', 'log['), { log })
    run(sample('docs/monitoring.md', '@opentelemetry/api'))
    const { strategy, submit } = await openShop()
    await submit({ otp: 'wrong1' }).expect(401)
    await runAsync(sample('docs/monitoring.md', 'ready()'), { strategy })
    await submit().expect(500)
    expect(lines).toMatchObject([
      { level: 30, operation: 'sign-in', outcome: 'failure', code: 'invalid_credentials' },
      { level: 50, operation: 'sign-in', outcome: 'error', code: 'strategy_closed' },
    ])
    await provider.forceFlush()
    const dataPoints = ['failure', 'error'].map((outcome) => ({ attributes: { outcome } }))
    expect(exporter.getMetrics()).toMatchObject([{ scopeMetrics: [{ metrics: [{ dataPoints }] }] }])
    await provider.shutdown()
  })

  describe('of docs/testing.md', () => {
    const given = { beforeEach, afterEach, test, expect }
    run(sample('docs/testing.md', 'beforeEach'), given, { './app': { createApp } })
  })
})

describe('the reference', () => {
  test('has tests for what the security review says', () => {
    const paths = read('docs/security-review.md').match(/(?<=`)(test|example-app|scripts)\/[^`]+/g) ?? []
    expect(paths.length).toBeGreaterThan(50)
    expect(paths.filter((path) => !existsSync(join(docs.ROOT, path)))).toEqual([])
  })

  test('has every code on the page of errors or of monitoring', () => {
    const errors = docs.namesIn('lib/errors.ts', 'const STATUS = {')
    const deliveries = docs.namesIn('lib/diagnostics.ts', 'export type DeliveryCode =')
    const warnings = docs.namesIn('lib/diagnostics.ts', 'export type WarningCode =')
    const codes = [...Object.keys(FAILURE_STATUS), ...errors, ...deliveries, ...warnings]
    expect(codes.length).toBeGreaterThan(40)
    const documented = read('docs/errors.md') + read('docs/monitoring.md')
    expect(codes.filter((code) => !documented.includes(`\`${code}\``))).toEqual([])
  })

  test("has every option in the README's table", () => {
    const options = docs.namesIn('lib/options.ts', 'const OPTION_NAMES')
    expect(options.length).toBeGreaterThan(20)
    const [table = ''] = /^\| option[\s\S]*?\n\n/m.exec(read('README.md')) ?? []
    expect(options.filter((option) => !table.includes(`\`${option}\``))).toEqual([])
  })
})
