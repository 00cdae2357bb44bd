/* eslint-disable @typescript-eslint/prefer-promise-reject-errors -- limiters reject with results */
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { DeliveryLimit } from '../../lib/codes/delivery-limit'
import { Context } from '../../lib/context'
import type { OtpLimiter } from '../../lib/options'

const ADA = 'ada@home.example'
const WINDOW = 15 * 60_000
const settings = { limiter: undefined, requestLimiter: undefined }

let context: Context
beforeEach(() => {
  jest.useFakeTimers({ now: 0 })
  context = new Context(10 * WINDOW)
})
afterEach(() => {
  context.end()
  jest.useRealTimers()
})

function open(limiter?: OtpLimiter | false) {
  const limit = new DeliveryLimit({ limiter, secretKey: 'secret', credits: true, settings })
  const take = (username = ADA, email = ADA) => limit.take(username, email, context)
  /** Receives `count` events. Resolves with the number of deliveries. */
  async function deliver(times: number, username = ADA, email = ADA): Promise<number> {
    let delivered = 0
    for (let i = 0; i < times; i++) if ((await take(username, email)).allowed) delivered++
    return delivered
  }
  async function credit(times: number, username = ADA): Promise<void> {
    for (let i = 0; i < times; i++) await limit.credit(username, context)
  }
  return { limit, take, deliver, credit }
}

/** A limiter in memory whose exact counts are full. */
async function flooded(): Promise<ReturnType<typeof open>> {
  const opened = open()
  for (let i = 0; i < 10_000; i++) await opened.credit(1, `user-${i}`)
  return opened
}

test('DeliveryLimit without a limiter delivers everything', async () => {
  const { deliver, credit } = open(false)
  await credit(1)
  expect(await deliver(40)).toBe(40)
})

describe.each<[string, () => ReturnType<typeof open> | Promise<ReturnType<typeof open>>]>([
  ['the default limiter', () => open()],
  ['the default limiter during a flood of other usernames', flooded],
  ['RateLimiterMemory', () => open(new RateLimiterMemory({ points: 10, duration: 900 }))],
])('DeliveryLimit with %s', (_name, start) => {
  test('delivers ten of forty codes for one address that the app did not request', async () => {
    const { deliver } = await start()
    expect(await deliver(40)).toBe(10)
    expect(await deliver(40, 'second username')).toBe(0)
    expect(await deliver(1, 'grace', 'grace@home.example')).toBe(1)
  })

  test('delivers each requested code, although the ten are used up, and uses credits first', async () => {
    const { deliver, credit } = await start()
    await credit(2)
    expect(await deliver(40, ADA.toUpperCase())).toBe(12)
    await credit(1)
    expect(await deliver(40)).toBe(1)
  })

  test('gives a username no credit of another one', async () => {
    const { deliver, credit } = await start()
    await credit(5, 'grace')
    expect(await deliver(40)).toBe(10)
  })

  test('costs nothing if a delivery fails, with and without a credit', async () => {
    const { take, deliver, credit } = await start()
    await credit(1)
    for (let i = 0; i < 12; i++) await (await take()).refund(context)
    expect(await deliver(40)).toBe(11)
    for (let i = 0; i < 3; i++) await (await take('none', 'other@home.example')).refund(context)
    expect(await deliver(40, 'none', 'other@home.example')).toBe(10)
  })

  test('gives ten again in the next window', async () => {
    const { deliver } = await start()
    await deliver(40)
    jest.advanceTimersByTime(2 * WINDOW)
    expect(await deliver(40)).toBe(10)
  })
})

describe('DeliveryLimit', () => {
  test('gives no credit if the key of the credits is blocked in memory', async () => {
    // As limiters of rate-limiter-flexible with a store reject, without counting, while a key is blocked.
    const reward = jest.fn()
    const memory = new RateLimiterMemory({ points: 10, duration: 900 })
    const limiter: OtpLimiter = {
      consume: (key) =>
        key.startsWith('credit')
          ? Promise.reject({ consumedPoints: 0, msBeforeNext: 1000 })
          : memory.consume(key),
      reward,
    }
    expect(await open(limiter).deliver(40)).toBe(10)
    expect(reward).not.toHaveBeenCalled()
  })

  test('fails if the limiter fails, except for a credit', async () => {
    const fail = () => Promise.reject(new Error('down'))
    const { limit, take } = open({ consume: fail, reward: fail })
    await expect(limit.credit(ADA, context)).resolves.toBeUndefined()
    await expect(take()).rejects.toMatchObject({ code: 'limiter_failed' })
  })

  test('allows everything with limiter false', async () => {
    expect(await open(false).deliver(40)).toBe(40)
  })
})
