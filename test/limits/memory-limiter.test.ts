import crypto from 'node:crypto'
import { Context } from '../../lib/context'
import { MemoryLimiter } from '../../lib/limits/memory-limiter'

jest.mock('node:crypto', () => ({ ...jest.requireActual<typeof crypto>('node:crypto') }))

const WINDOW = 15 * 60_000

beforeEach(() => jest.useFakeTimers({ now: 0 }))
afterEach(() => {
  jest.useRealTimers()
  jest.restoreAllMocks()
})

async function countOf(limiter: MemoryLimiter, key: string): Promise<number> {
  return (await limiter.take(key)).count
}

/** Takes points with so many other keys that exact counts are full. */
async function fill(limiter: MemoryLimiter, keys = 10_000, points = 1): Promise<void> {
  for (let key = 0; key < keys; key++) {
    for (let point = 0; point < points; point++) await limiter.take(`other-${key}`)
  }
}

describe.each([
  ['exact counts', 0],
  ['counts in the sketch', 10_000],
])('MemoryLimiter with %s', (_name, others) => {
  const exact = others === 0

  async function open(points = 3) {
    const limiter = new MemoryLimiter(points, WINDOW)
    await fill(limiter, others)
    return limiter
  }

  test('allows the points of a window', async () => {
    const limiter = await open()
    for (const count of [1, 2, 3]) expect(await limiter.take('ada')).toMatchObject({ count, allowed: true })
    expect(await limiter.take('ada')).toMatchObject({ count: 4, allowed: false })
    expect(await limiter.take('grace')).toMatchObject({ count: 1, allowed: true })
  })

  test('says how long the window lasts, and forgets the count then', async () => {
    const limiter = await open()
    jest.advanceTimersByTime(60_000)
    await limiter.take('ada')
    jest.advanceTimersByTime(60_000)
    const { retryAfter } = await limiter.take('ada')
    expect(retryAfter).toBe((exact ? WINDOW - 60_000 : 2 * WINDOW - 60_000) / 1000)
    jest.advanceTimersByTime(retryAfter * 1000 - 1)
    expect(await countOf(limiter, 'ada')).toBe(3)
    jest.advanceTimersByTime(exact ? 1 : 2 * WINDOW)
    expect(await countOf(limiter, 'ada')).toBe(1)
  })

  test('gives back the points of one key', async () => {
    const limiter = await open()
    const context = new Context(10_000)
    const [first, second] = [
      await limiter.take('ada'),
      await limiter.take('ada'),
      await limiter.take('grace'),
    ]
    await first.refund(context)
    await second.refund(context)
    context.end()
    expect(await countOf(limiter, 'ada')).toBe(1)
    expect(await countOf(limiter, 'grace')).toBe(2)
  })

  test('keeps a credit until it is taken', async () => {
    const limiter = await open()
    await limiter.addCredit('ada')
    expect(await limiter.takeCredit('ada')).toMatchObject({ count: 0, allowed: true })
    expect(await limiter.takeCredit('ada')).toMatchObject({ count: 1 })
  })

  test('is not affected by a change of the system time', async () => {
    const limiter = await open()
    await limiter.take('ada')
    jest.setSystemTime(Date.now() + 2 * WINDOW)
    expect(await countOf(limiter, 'ada')).toBe(2)
    jest.setSystemTime(Date.now() - 5 * WINDOW)
    jest.advanceTimersByTime(2 * WINDOW)
    expect(await countOf(limiter, 'ada')).toBe(1)
  })
})

describe('MemoryLimiter', () => {
  test('keeps a key in the sketch until its counts there have expired', async () => {
    const limiter = new MemoryLimiter(10, WINDOW)
    await fill(limiter)
    jest.advanceTimersByTime(WINDOW - 1)
    expect(await countOf(limiter, 'ada')).toBe(1)
    // All exact counts expire, so there is room for exact counts again.
    jest.advanceTimersByTime(1)
    expect(await countOf(limiter, 'ada')).toBe(2)
    expect(await limiter.take('grace')).toMatchObject({ count: 1, retryAfter: WINDOW / 1000 })
    jest.advanceTimersByTime(2 * WINDOW)
    expect(await limiter.take('ada')).toMatchObject({ count: 1, retryAfter: WINDOW / 1000 })
  })

  test('allows at most two windows of points in any 15 minutes, whenever exact counts are full', async () => {
    const limiter = new MemoryLimiter(10, WINDOW)
    const times: number[] = []
    for (let minute = 0; minute < 60; minute++) {
      // Exact counts are full for 15 of 20 minutes.
      if (minute % 20 === 0) await fill(limiter)
      for (let attempt = 0; attempt < 12; attempt++) {
        if ((await countOf(limiter, 'ada')) <= 10) times.push(minute)
      }
      jest.advanceTimersByTime(60_000)
    }
    const most = Math.max(...times.map((time) => times.filter((t) => t >= time && t < time + 15).length))
    expect(most).toBeLessThanOrEqual(20)
    // Half of what fixed windows allow, because the sketch counts for two of them.
    expect(times.length).toBeGreaterThanOrEqual(20)
  })

  test('never counts below the true value when many keys share cells', async () => {
    const limiter = new MemoryLimiter(10, WINDOW)
    const { hash } = crypto
    // All keys in 64 cells, which are the same in every run, because the secret is left out.
    const fewCells = (algorithm: string, data: string) =>
      hash(algorithm, data.slice(64), 'buffer').map((byte, i) => (i % 4 === 0 ? byte & 63 : 0))
    jest.spyOn(crypto, 'hash').mockImplementation(fewCells as typeof hash)
    await fill(limiter)
    const tooLow: string[] = []
    let tooHigh = 0
    for (let count = 1; count <= 5; count++) {
      for (let i = 0; i < 30; i++) {
        const counted = await countOf(limiter, `key-${i}`)
        if (counted < count) tooLow.push(`key-${i}`)
        if (counted > count) tooHigh++
      }
    }
    expect(tooLow).toEqual([])
    expect(tooHigh).toBeGreaterThan(0)
  })

  test('refuses a key whose cells are full, because its true count is not known', async () => {
    const limiter = new MemoryLimiter(100, WINDOW)
    await fill(limiter)
    for (let point = 1; point <= 15; point++) expect(await countOf(limiter, 'ada')).toBe(point)
    expect(await limiter.take('ada')).toMatchObject({ count: Infinity, allowed: false })
  })

  test('allocates nothing until it is used, and no sketch while exact counts have room', async () => {
    const before = process.memoryUsage().arrayBuffers
    const limiter = new MemoryLimiter(10, WINDOW)
    await fill(limiter, 9_999)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6)
  })
})
