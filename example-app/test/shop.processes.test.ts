import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cookie } from 'express-session'
import type { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import { createClient } from 'redis'
import request, { type Response } from 'supertest'
import { RedisSessions } from '../src/sessions/redis-store'
import { Program } from './support/program'
import { codeEvent, GRACE, startStore, storeEnv, WEBHOOK_SECRET } from './support/shop'
import { TestMailServer } from './support/smtp'
import { requireTool } from './support/tools'
import { formToken, redirectOf, setCookies } from './support/visitor'

interface Process {
  program: Program
  url: string
}

const redisServer = requireTool('redis-server')
const folder = mkdtempSync(join(tmpdir(), 'shop-redis-'))
const mail = new TestMailServer()
let smtpUrl: string
let store: ElasticPathSimulator
let redisPort: number
let one: Process
let two: Process

beforeAll(async () => {
  redisPort = await freePort()
  await startRedis(redisPort)
  store = await startStore()
  smtpUrl = await mail.start()
  one = await startShop()
  two = await startShop({ NODE_OPTIONS: `--require ${join(__dirname, 'support/ahead.cjs')}` })
  store.deliverTo({ url: `${two.url}/webhooks/otp`, secretKey: WEBHOOK_SECRET })
})
afterAll(async () => {
  Program.killAll()
  await store.stop()
  await mail.stop()
  rmSync(folder, { recursive: true })
})

describe('two processes on one Redis', () => {
  it('are one shop, and stay one if a process ends', async () => {
    const shopper = new Shopper()
    await shopper.get(one, '/')
    await shopper.post(one, '/basket', { sku: 'buoy' })
    await shopper.get(one, '/login')
    await shopper.post(one, '/login/code', { username: GRACE })
    const signedIn = await shopper.post(two, '/login', { otp: store.lastCode(GRACE) ?? '' })
    expect(redirectOf(signedIn)).toEqual([303, '/accounts'])
    const { text } = await shopper.get(one, '/accounts?q=zennor+marine')
    const [, account_id = ''] = /name="account_id" value="([^"]+)"/.exec(text) ?? []
    expect(redirectOf(await shopper.post(one, '/accounts/switch', { account_id }))).toEqual([303, '/account'])

    await one.program.end('SIGKILL')
    const account = await shopper.get(two, '/account')
    expect(account.text).toContain('Zennor Marine')
    expect(account.text).toContain('1 item')
    one = await startShop()
  })

  it('sign a member out everywhere, and not a later sign-in, though one clock is three seconds ahead', async () => {
    const username = 'leaver@example.com'
    store.addMember({ username, accounts: 1 })
    const signIn = async (at: Process) => {
      const shopper = new Shopper()
      await shopper.get(at, '/login/link')
      await shopper.post(at, '/login', { username, otp: store.issueCode(username) })
      expect((await shopper.get(at, '/account')).status).toBe(200)
      return shopper
    }
    const [here, there] = [await signIn(one), await signIn(two)]
    await there.post(two, '/logout/everywhere')
    expect((await here.get(one, '/account')).status).toBe(302)
    expect((await there.get(one, '/account')).status).toBe(302)
    const later = await signIn(one)
    expect((await later.get(two, '/account')).status).toBe(200)
  })

  it('count attempts together, also if they come at once', async () => {
    const username = 'guessed@example.com'
    store.addMember({ username })
    const shopper = new Shopper()
    await shopper.get(one, '/login/link')
    store.clearRequests()
    const attempts = Array.from({ length: 20 }, (_, n) =>
      shopper.post(n % 2 ? one : two, '/login', { username, otp: 'wrong1' }),
    )
    for (const response of await Promise.all(attempts)) expect(response.status).toBe(303)
    expect(store.count('exchange')).toBe(10)
  })

  it('email a code once, whichever of them gets the event', async () => {
    mail.letters.splice(0)
    const event = codeEvent(store, GRACE)
    const deliver = ({ url }: Process) =>
      request(url).post('/webhooks/otp').set('x-moltin-secret-key', WEBHOOK_SECRET).send(event)
    const statuses = (await Promise.all([one, two, one, two].map(deliver))).map(({ status }) => status)
    // The others are to be delivered again, because the one in progress may still fail.
    expect(new Set([...statuses, 500])).toEqual(new Set([204, 500]))
    for (const process of [one, two]) expect((await deliver(process)).status).toBe(204)
    expect(mail.letters).toHaveLength(1)
  })
})

describe('a session in Redis', () => {
  it('cannot be saved after its end, and lives 15 minutes without a member and a basket', async () => {
    const client = createClient({ url: `redis://127.0.0.1:${redisPort}` })
    await client.connect()
    try {
      const sessions = new RedisSessions(client)
      const guest = { cookie: new Cookie() }
      const withBasket = { ...guest, guestCart: { id: 'cart', items: 1 } }
      await sessions.set('guest', guest)
      await sessions.set('basket', withBasket)
      const minutes = async (id: string) => Math.ceil((await client.pTTL(`shop:session:${id}`)) / 60_000)
      expect([await minutes('guest'), await minutes('basket')]).toEqual([15, 24 * 60])
      expect(await sessions.get('basket')).toMatchObject({ guestCart: { id: 'cart', items: 1 } })
      await sessions.destroy('basket')
      await sessions.set('basket', withBasket)
      await sessions.touch('basket', withBasket)
      expect(await sessions.get('basket')).toBeNull()
      await sessions.destroy('guest')
    } finally {
      await client.close()
    }
  })
})

describe('a process', () => {
  it('ends at SIGTERM by itself, with nothing left open', async () => {
    const { program, url } = await startShop()
    await request(url).get('/readyz').expect(200)
    expect(await program.end('SIGTERM')).toEqual([0, null])
  })

  it('ends at SIGTERM while it waits for Redis at the start', async () => {
    const { program } = await launchShop({ REDIS_URL: `redis://127.0.0.1:${await freePort()}` })
    // Without a handler, Node would end here by the signal, and ignore it as process 1 of a container.
    await program.until(/ECONNREFUSED/)
    expect(await program.end('SIGTERM')).toEqual([0, null])
  })

  it('shows a page, and is not ready, while Redis is away', async () => {
    const port = await freePort()
    const redis = await startRedis(port)
    const { program, url } = await startShop({ REDIS_URL: `redis://127.0.0.1:${port}` })
    await request(url).get('/readyz').expect(200)
    await redis.end('SIGKILL')
    await program.until(/"msg":"Redis"/)
    await request(url).get('/readyz').expect(503)
    const { status, text, headers } = await request(url).get('/login')
    expect([status, text.includes('Try again in a minute')]).toEqual([503, true])
    expect(headers).not.toHaveProperty('set-cookie')
    await request(url).get('/healthz').expect(200)

    await startRedis(port)
    await program.until(/Redis is connected/, 2)
    await request(url).get('/login').expect(200)
  })

  it('shows a page while Redis is stuck, and still ends at SIGTERM', async () => {
    const port = await freePort()
    const redis = await startRedis(port)
    const { program, url } = await startShop({ REDIS_URL: `redis://127.0.0.1:${port}` })
    redis.signal('SIGSTOP')
    await program.until(/Redis does not answer/)
    await request(url).get('/readyz').expect(503)
    await request(url).get('/login').expect(503)

    redis.signal('SIGCONT')
    await program.until(/Redis is connected/, 2)
    await request(url).get('/login').expect(200)
    redis.signal('SIGSTOP')
    expect(await program.end('SIGTERM')).toEqual([0, null])
    redis.signal('SIGCONT')
  })
})

async function launchShop(env: Record<string, string> = {}): Promise<Process> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const settings = storeEnv(store, {
    PORT: String(port),
    PUBLIC_URL: url,
    SMTP_URL: smtpUrl,
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    ...env,
  })
  const program = Program.start(process.execPath, [join(__dirname, '../dist/server.js')], settings, folder)
  return { program, url }
}

async function startShop(env?: Record<string, string>): Promise<Process> {
  const shop = await launchShop(env)
  await shop.program.until(/Shop is open/)
  return shop
}

async function startRedis(port: number): Promise<Program> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
  const redis = Program.start(redisServer, args, {}, folder)
  await redis.until(/Ready to accept/)
  return redis
}

/** Keeps its cookies for both processes, as a browser does behind a load balancer. */
class Shopper {
  private readonly cookies = new Map<string, string>()
  private token = ''

  async get(at: Process, path: string): Promise<Response> {
    return this.see(await request(at.url).get(path).set('Cookie', this.cookie()))
  }

  async post(at: Process, path: string, fields: Record<string, string> = {}): Promise<Response> {
    const form = request(at.url).post(path).type('form').set('Cookie', this.cookie())
    return this.see(await form.send({ _csrf: this.token, ...fields }))
  }

  private cookie(): string {
    return Array.from(this.cookies, (pair) => pair.join('=')).join('; ')
  }

  private see(response: Response): Response {
    for (const cookie of setCookies(response)) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      this.cookies.set(name, value)
    }
    this.token = formToken(response) ?? this.token
    return response
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
