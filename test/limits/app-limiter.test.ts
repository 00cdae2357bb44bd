/* eslint-disable @typescript-eslint/prefer-promise-reject-errors -- limiters reject with results */
import { BurstyRateLimiter, RateLimiterMemory, RateLimiterUnion } from 'rate-limiter-flexible'
import { PasswordlessOtpStrategy } from '../../lib'
import { Context } from '../../lib/context'
import { AppLimiter } from '../../lib/limits/app-limiter'
import type { Counter } from '../../lib/limits/counter'
import { MemoryLimiter } from '../../lib/limits/memory-limiter'
import type { OtpLimiter } from '../../lib/options'

const never = new Promise<never>(() => undefined)
const result = { consumedPoints: 1, msBeforeNext: 60_000 }
let context: Context

beforeEach(() => {
  jest.useFakeTimers({ now: 0 })
  context = new Context(10_000)
})
afterEach(() => {
  context.end()
  jest.useRealTimers()
})

function limiterThat(answers: () => unknown, reward: () => unknown = () => Promise.resolve()): OtpLimiter {
  return { consume: jest.fn(answers), reward: jest.fn(reward) } as unknown as OtpLimiter
}

const take = (limiter: OtpLimiter, within = context) => new AppLimiter(limiter, 'limiter').take('key', within)

describe.each<[string, () => Counter]>([
  ['MemoryLimiter', () => new MemoryLimiter(2, 60_000)],
  [
    'AppLimiter with RateLimiterMemory',
    () => new AppLimiter(new RateLimiterMemory({ points: 2, duration: 60 }), 'limiter'),
  ],
])('take of %s', (_name, open) => {
  test('takes the points, then reports the seconds until the window ends', async () => {
    const counter = open()
    expect(await counter.take('key', context)).toMatchObject({ count: 1, allowed: true })
    expect(await counter.take('key', context)).toMatchObject({ count: 2, allowed: true })
    jest.advanceTimersByTime(500)
    expect(await counter.take('key', context)).toMatchObject({ count: 3, allowed: false, retryAfter: 60 })
  })

  test('refunds a point once', async () => {
    const counter = open()
    const { refund } = await counter.take('key', context)
    await refund(context)
    await refund(context)
    expect(await counter.take('key', context)).toMatchObject({ count: 1 })
    expect(await counter.take('key', context)).toMatchObject({ count: 2 })
  })

  test('refunds nothing after the window has ended, because that would give an extra attempt', async () => {
    const counter = open()
    const { refund } = await counter.take('key', context)
    jest.advanceTimersByTime(60_000)
    const late = new Context(10_000)
    await refund(late)
    expect(await counter.take('key', late)).toMatchObject({ count: 1 })
    late.end()
  })

  test('gives no extra attempt if a refund has reached the limiter after its window', async () => {
    const counter = open()
    await counter.addCredit('key', context)
    await counter.addCredit('key', context)
    expect(await counter.take('key', context)).toMatchObject({ count: 1 })
    expect(await counter.take('key', context)).toMatchObject({ count: 2 })
    expect(await counter.take('key', context)).toMatchObject({ allowed: false })
  })

  test('refunds a point although the deadline has passed', async () => {
    const counter = open()
    const { refund } = await counter.take('key', context)
    jest.advanceTimersByTime(10_000)
    await refund(context)
    expect(await counter.take('key', new Context(10_000))).toMatchObject({ count: 1 })
  })
})

describe('AppLimiter', () => {
  test('does not treat the rejection of a blocked key as a low count', async () => {
    // What limiters of rate-limiter-flexible with a store reject with while a key is blocked in memory.
    const blocked = Object.assign(Object.create({ consumedPoints: 0 }), { msBeforeNext: 4200 }) as unknown
    const limiter = limiterThat(() => Promise.reject(blocked))
    expect(await take(limiter)).toMatchObject({ count: Infinity, allowed: false, retryAfter: 5 })
  })

  test.each<[string, () => unknown]>([
    ['rejects with an Error', () => Promise.reject(new TypeError('redis://:secret@host'))],
    [
      'throws',
      () => {
        throw new TypeError('redis://:secret@host')
      },
    ],
    [
      'rejects with an Error that has the fields of a result',
      () => Promise.reject(Object.assign(new Error(), result)),
    ],
    ['rejects with nothing', () => Promise.reject()],
    ['rejects with true', () => Promise.reject(true)],
    ['rejects with an object without msBeforeNext', () => Promise.reject({ consumedPoints: 3 })],
  ])('is limiter_failed if the limiter %s', async (_name, answers) => {
    const error = await take(limiterThat(answers)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'limiter_failed', status: 500 })
    expect(String(error)).not.toContain('secret')
  })

  test('is limiter_failed if the limiter is silent for a second', async () => {
    const taken = take(limiterThat(() => never))
    const settled = jest.fn()
    taken.catch(settled)
    await jest.advanceTimersByTimeAsync(999)
    expect(settled).not.toHaveBeenCalled()
    jest.advanceTimersByTime(1)
    await expect(taken).rejects.toMatchObject({
      code: 'limiter_failed',
      message: expect.stringContaining('1000 ms') as string,
    })
  })

  test.each([1, 500, 1000])('is the deadline of the request if that comes within %d ms', async (timeout) => {
    const short = new Context(timeout)
    const taken = take(
      limiterThat(() => never),
      short,
    )
    jest.advanceTimersByTime(1000)
    await expect(taken).rejects.toMatchObject({
      code: 'app_timeout',
      message: expect.stringContaining('limiter') as string,
    })
  })

  test.each([
    ['undefined', undefined],
    ['no count', { msBeforeNext: 1 }],
    ['a count that is a string', { ...result, consumedPoints: '1' }],
    ['a count that is not a number', { ...result, consumedPoints: NaN }],
  ])('is limiter_unsuitable if a result has %s', async (_name, answer) => {
    class FancyLimiter {
      consume = () => Promise.resolve(answer)
      reward = () => Promise.resolve()
    }
    await expect(take(new FancyLimiter() as OtpLimiter)).rejects.toMatchObject({
      code: 'limiter_unsuitable',
      status: 500,
      message: expect.stringContaining('FancyLimiter') as string,
    })
  })

  test('is limiter_unsuitable, too, if the limiter has no class', async () => {
    const bare = Object.assign(
      Object.create(null) as OtpLimiter,
      limiterThat(() => Promise.resolve({})),
    )
    await expect(take(bare)).rejects.toMatchObject({ code: 'limiter_unsuitable' })
    const limiter = Object.create(null) as OtpLimiter
    expect(() => new PasswordlessOtpStrategy({ clientId: 'client', limiter })).toThrow(/limiter must have/)
  })

  test('is limiter_unsuitable if a rejection has no count', async () => {
    const limiter = limiterThat(() => Promise.reject({ msBeforeNext: 1 }))
    await expect(take(limiter)).rejects.toMatchObject({ code: 'limiter_unsuitable' })
  })

  test.each<[string, () => unknown]>([
    ['rejects', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
    ['is silent', () => never],
  ])('does not fail the request if the reward of a refund %s', async (_name, reward) => {
    const { refund } = await take(limiterThat(() => Promise.resolve(result), reward))
    const refunded = refund(context)
    jest.advanceTimersByTime(1000)
    await expect(refunded).resolves.toBeUndefined()
  })

  test('leaves no timer behind', async () => {
    const timers = jest.getTimerCount()
    await take(limiterThat(() => Promise.resolve(result)))
    expect(jest.getTimerCount()).toBe(timers)
  })
})

test('the limiters of rate-limiter-flexible that cannot be used lack a method', () => {
  const memory = new RateLimiterMemory({ points: 1, duration: 1 })
  for (const limiter of [new RateLimiterUnion(memory), new BurstyRateLimiter(memory, memory)]) {
    expect(limiter).not.toHaveProperty('reward')
  }
})
