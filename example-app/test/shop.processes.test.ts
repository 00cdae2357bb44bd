import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import request from 'supertest'
import { codeEvent, eventually, GRACE, startStore, storeEnv, WEBHOOK_SECRET } from './support/shop'
import { TestMailServer } from './support/smtp'
import { describeWith } from './support/tools'
import { setCookie } from './support/visitor'

describeWith('redis-server', 'two processes on one Redis', (redisServer) => {
  const folder = mkdtempSync(join(tmpdir(), 'shop-redis-'))
  const children: ChildProcess[] = []
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
    ;[one, two] = await Promise.all([startShop(), startShop()])
    store.deliverTo({ url: `${two.url}/webhooks/otp`, secretKey: WEBHOOK_SECRET })
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await store.stop()
    await mail.stop()
    rmSync(folder, { recursive: true })
  })

  it('are one shop: asked here, signed in there, and still there when this one is gone', async () => {
    const shopper = new Shopper()
    await shopper.get(one, '/')
    await shopper.post(one, '/basket', { sku: 'buoy' })
    await shopper.get(one, '/login')
    await shopper.post(one, '/login/code', { username: GRACE })
    expect(
      (await shopper.post(two, '/login', { otp: store.lastCode(GRACE) ?? '' })).headers['location'],
    ).toBe('/accounts')
    const page = await shopper.get(one, '/accounts?q=zennor+marine')
    const id = /name="account_id" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    expect((await shopper.post(one, '/accounts/switch', { account_id: id })).headers['location']).toBe(
      '/account',
    )

    one.child.kill('SIGKILL')
    await once(one.child, 'exit')
    const { text } = await shopper.get(two, '/account')
    expect(text).toContain('Zennor Marine')
    expect(text).toContain('1 item')
    one = await startShop()
  })

  it('sign a member out of both', async () => {
    const [here, there] = [new Shopper(), new Shopper()]
    const username = 'leaver@example.com'
    store.addMember({ username, accounts: 1 })
    for (const [shopper, at] of [
      [here, one],
      [there, two],
    ] as const) {
      await shopper.get(at, '/login')
      await shopper.post(at, '/login', { username, otp: store.issueCode(username) })
      expect((await shopper.get(at, '/account')).status).toBe(200)
    }
    await here.post(one, '/logout/everywhere', {})
    expect((await there.get(two, '/account')).status).toBe(302)
    expect((await there.get(one, '/account')).status).toBe(302)
  })

  it('count guesses together, also when they come at once', async () => {
    const username = 'guessed@example.com'
    store.addMember({ username })
    const shopper = new Shopper()
    await shopper.get(one, '/login')
    await shopper.post(one, '/login/code', { username })
    store.clearRequests()
    const guesses = Array.from({ length: 20 }, (_, n) =>
      shopper.post(n % 2 ? one : two, '/login', { otp: 'wrong1' }),
    )
    const statuses = (await Promise.all(guesses)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 401)).toHaveLength(5)
    expect(statuses.filter((status) => status === 429)).toHaveLength(15)
    expect(store.count('exchange')).toBe(5)
  })

  it('mail a code once, whichever of them the store delivers it to', async () => {
    mail.letters.splice(0)
    const event = codeEvent(GRACE)
    const deliver = ({ url }: Process) =>
      request(url).post('/webhooks/otp').set('x-moltin-secret-key', WEBHOOK_SECRET).send(event)
    const answers = await Promise.all([one, two, one, two].map(deliver))
    // Those that come while the mail is on its way are to come again: it may yet fail.
    expect(answers.map(({ status }) => status)).toContain(204)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204, 500]))
    for (const process of [one, two]) expect((await deliver(process)).status).toBe(204)
    expect(mail.letters).toHaveLength(1)
  })

  it('end at SIGTERM by themselves, with nothing left open', async () => {
    const third = await startShop()
    await request(third.url).get('/readyz').expect(200)
    third.child.kill('SIGTERM')
    expect(await once(third.child, 'exit')).toEqual([0, null])
  })

  it('show a page, and say that they are not ready, while Redis is away', async () => {
    const port = await freePort()
    const redis = await startRedis(port)
    const shop = await startShop(port)
    await request(shop.url).get('/readyz').expect(200)
    redis.kill('SIGKILL')
    await eventually(async () => (await request(shop.url).get('/readyz')).status === 503)
    const { status, text, headers } = await request(shop.url).get('/login')
    expect(status).toBe(503)
    expect(text).toContain('Please try again in a minute')
    expect(headers).not.toHaveProperty('set-cookie')
    await request(shop.url).get('/healthz').expect(200)
    // Its link to try again leads nowhere else, whatever was asked for.
    const astray = await request(shop.url).get('//elsewhere.example/account')
    expect(astray.text).toContain('>Try again</a>')
    expect(astray.text).not.toContain('elsewhere.example')

    await startRedis(port)
    await eventually(async () => (await request(shop.url).get('/login')).status === 200)
  })

  it('show a page while Redis is stuck, and end at SIGTERM all the same', async () => {
    const port = await freePort()
    const redis = await startRedis(port)
    const shop = await startShop(port)
    const visitor = new Shopper()
    await visitor.get(shop, '/login')
    redis.kill('SIGSTOP')
    expect((await visitor.get(shop, '/login')).status).toBeGreaterThanOrEqual(500)
    await eventually(async () => (await request(shop.url).get('/readyz')).status === 503)
    expect((await visitor.get(shop, '/login')).status).toBe(503)

    redis.kill('SIGCONT')
    await eventually(async () => (await visitor.get(shop, '/login')).status === 200)
    redis.kill('SIGSTOP')
    shop.child.kill('SIGTERM')
    expect(await once(shop.child, 'exit')).toEqual([0, null])
    redis.kill('SIGCONT')
  })

  interface Process {
    child: ChildProcess
    url: string
  }

  async function startShop(redis = redisPort): Promise<Process> {
    const port = await freePort()
    const env = storeEnv(store, {
      PORT: String(port),
      PUBLIC_URL: `http://localhost:${port}`,
      SMTP_URL: smtpUrl,
      REDIS_URL: `redis://127.0.0.1:${redis}`,
    })
    const child = await start(
      process.execPath,
      [join(__dirname, '../dist/server.js')],
      { ...env, LOG_LEVEL: 'silent' },
      /Shop is open/,
    )
    return { child, url: `http://localhost:${port}` }
  }

  function startRedis(port: number): Promise<ChildProcess> {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
    return start(redisServer, args, {}, /Ready to accept/)
  }

  async function start(
    program: string,
    args: string[],
    env: Record<string, string>,
    ready: RegExp,
  ): Promise<ChildProcess> {
    const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    for await (const line of createInterface(child.stdout)) if (ready.test(line)) break
    child.stdout.resume()
    return child
  }
})

/** Keeps one cookie for both processes, as a browser does behind a load balancer. */
class Shopper {
  private cookie = ''
  private token = ''

  async get(at: { url: string }, path: string) {
    return this.see(await request(at.url).get(path).set('Cookie', this.cookie))
  }

  async post(at: { url: string }, path: string, fields: Record<string, string>) {
    const form = request(at.url).post(path).type('form').set('Cookie', this.cookie)
    return this.see(await form.send({ _csrf: this.token, ...fields }))
  }

  private see(response: request.Response) {
    this.cookie = setCookie(response)?.split(';')[0] ?? this.cookie
    this.token = /name="_csrf" value="(\w+)"/.exec(response.text)?.[1] ?? this.token
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
