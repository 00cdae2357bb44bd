import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RateLimiterRedis, type IRateLimiterRedisOptions } from 'rate-limiter-flexible'
import { createClient } from 'redis'
import { DeliveryLimit } from '../../lib/codes/delivery-limit'
import { Proofs } from '../../lib/codes/proofs'
import { Context } from '../../lib/context'
import { Attempts, type TicketAndProof } from '../../lib/codes/attempts'

const ADA = 'ada@home.example'
const isInstalled = spawnSync('redis-server', ['--version']).status === 0

// Two processes are two sets of objects with limiters of their own on one Redis.
;(isInstalled ? describe : describe.skip)('limits on one Redis', () => {
  const folder = mkdtempSync(join(tmpdir(), 'limits-'))
  const socket = join(folder, 'redis.sock')
  const redis = createClient({ socket: { path: socket, tls: false } })
  const context = new Context(60_000)
  let server: ChildProcess

  beforeAll(async () => {
    server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', ''])
    if (server.stdout)
      for await (const line of server.stdout) if (/ready to accept/i.test(String(line))) break
    await redis.connect()
  })
  beforeEach(() => redis.flushAll())
  afterAll(async () => {
    context.end()
    redis.destroy()
    server.kill()
    await once(server, 'exit')
    rmSync(folder, { recursive: true })
  })

  function open(options: Partial<IRateLimiterRedisOptions> = {}) {
    const limiter = new RateLimiterRedis({
      storeClient: redis,
      useRedisPackage: true,
      points: 10,
      duration: 900,
      ...options,
    })
    const proofs = new Proofs()
    proofs.addKey('webhook secret')
    const settings = { limiter, requestLimiter: undefined, clientId: 'client', clientSecret: 'secret' }
    const attempts = new Attempts(settings, proofs)
    const limit = new DeliveryLimit({ limiter, secretKey: 'webhook secret', credits: true, settings })
    const take = (brought: TicketAndProof = {}) => attempts.take(ADA, brought, context)
    async function guess(times: number, brought: TicketAndProof = {}): Promise<number> {
      const taken = await Promise.all(Array.from({ length: times }, () => take(brought)))
      return taken.filter((one) => 'privileged' in one).length
    }
    async function deliver(times: number): Promise<number> {
      const taken = await Promise.all(Array.from({ length: times }, () => limit.take(ADA, ADA, context)))
      return taken.filter(({ allowed }) => allowed).length
    }
    return { attempts, limit, take, guess, deliver, proof: proofs.make(ADA, Date.now() + 600_000) }
  }

  test.each<[string, Partial<IRateLimiterRedisOptions>]>([
    ['without blocking in memory', {}],
    ['with blocking in memory at the last point', { inMemoryBlockOnConsumed: 10 }],
    ['with blocking in memory for a time', { inMemoryBlockOnConsumed: 11, inMemoryBlockDuration: 60 }],
    ['with blocking in Redis', { blockDuration: 1800 }],
  ])('hold for two processes %s', async (_name, options) => {
    const [one, other] = [open(options), open(options)]
    const ticket = await one.attempts.grantTicket(ADA, context)
    const brought = { ticket, proof: one.proof }
    // Five of the proof, five of the ticket, ten shared.
    const reached = [await one.guess(30, brought), await other.guess(30, brought), await one.guess(30)]
    expect(reached.reduce((sum, count) => sum + count)).toBe(20)
    expect(await other.take()).toHaveProperty('retryAfter')

    await one.attempts.grantTicket(ADA, context)
    expect(await other.attempts.grantTicket(ADA, context)).toBeDefined()
    expect(await one.attempts.grantTicket(ADA, context)).toBeUndefined()
  })

  test('give an attempt back, end a ticket, and heal a refund that came after the window', async () => {
    const [one, other] = [open(), open()]
    const ticket = await one.attempts.grantTicket(ADA, context)
    for (let outage = 0; outage < 12; outage++) {
      const taken = await one.take({ ticket })
      if ('privileged' in taken) await taken.refund(context)
    }
    const right = await one.take({ ticket })
    if ('privileged' in right) await right.accept(context)
    expect(await other.guess(30, { ticket })).toBe(10)

    // The window ends in Redis, by its own clock, before the refund arrives.
    await redis.flushAll()
    const late = await one.take()
    await redis.flushAll()
    if ('privileged' in late) await late.refund(context)
    expect(await other.guess(1)).toBe(1)
    expect(await other.guess(30)).toBe(9)
  })

  test('deliver ten codes that nobody requested, and each one that a process requested', async () => {
    const [one, other] = [open(), open()]
    expect((await one.deliver(20)) + (await other.deliver(20))).toBe(10)
    await one.limit.credit(ADA, context)
    await one.limit.credit(ADA, context)
    let delivered = 0
    for (let i = 0; i < 10; i++) delivered += await other.deliver(1)
    expect(delivered).toBe(2)
  })

  test('leave nothing readable in Redis', async () => {
    const { attempts, guess, deliver, proof } = open()
    await guess(2, { ticket: await attempts.grantTicket(ADA, context) })
    await guess(2, { proof })
    await guess(2)
    await deliver(1)
    const keys = await redis.keys('*')
    expect(keys.map((key) => key.split(':')[1]).sort()).toEqual([
      'credit',
      'delivery',
      'grant',
      'proof',
      'sign-in',
      'ticket',
    ])
    for (const key of keys) expect(`${key} ${await redis.get(key)}`).toMatch(/^rlflx:[a-z-]+:[\w-]{43} \d+$/)
  })
})
