import cluster from 'node:cluster'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { Proofs } from '../lib/codes/proofs'
import { Context } from '../lib/context'
import { Attempts } from '../lib/codes/attempts'
import type { Settings } from '../lib/options'
import { warnOfMemoryLimiter, warnOfResponseTime } from '../lib/warnings'

type Limiters = Pick<Settings, 'limiter' | 'requestLimiter'>

const environment = process.env['NODE_ENV']
const emit = jest.spyOn(process, 'emitWarning').mockImplementation()
const published = jest.fn()
const passed = new RateLimiterMemory({ points: 1, duration: 1 })
const none: Limiters = { limiter: undefined, requestLimiter: undefined }

beforeEach(() => {
  emit.mockClear()
  published.mockClear()
  subscribe('passport-elasticpath-otp', published)
})
afterEach(() => {
  unsubscribe('passport-elasticpath-otp', published)
  process.env['NODE_ENV'] = environment
  Object.assign(cluster, { isWorker: false })
})

describe('the warning about limiters in memory', () => {
  test('is given once per strategy in production, by both ways, and names the page', () => {
    process.env['NODE_ENV'] = 'production'
    const settings = { ...none }
    warnOfMemoryLimiter(settings)
    warnOfMemoryLimiter(settings)
    const text = expect.stringContaining('docs/limits.md') as string
    expect(emit.mock.calls).toEqual([[text, { code: 'PASSPORT_EP_MEMORY_LIMITER' }]])
    expect(published.mock.calls).toEqual([
      [
        {
          operation: 'warning',
          outcome: 'error',
          code: 'memory_limiter',
          message: text,
          duration: 0,
          calls: 0,
        },
        'passport-elasticpath-otp',
      ],
    ])
    warnOfMemoryLimiter({ ...none })
    expect(emit).toHaveBeenCalledTimes(2)
  })

  test.each<[string, string, boolean, Limiters, number]>([
    ['in development', 'development', false, none, 0],
    ['in a cluster worker', 'development', true, none, 1],
    ['in production with a limiter', 'production', false, { ...none, limiter: passed }, 0],
    ['in production with a request limiter', 'production', false, { ...none, requestLimiter: passed }, 0],
    ['in production with one limit turned off', 'production', false, { ...none, limiter: false }, 1],
  ])('is given or not %s', (_name, env, isWorker, settings, times) => {
    process.env['NODE_ENV'] = env
    Object.assign(cluster, { isWorker })
    warnOfMemoryLimiter({ ...settings })
    expect(emit).toHaveBeenCalledTimes(times)
  })

  test('is given at the first attempt, not before', async () => {
    process.env['NODE_ENV'] = 'production'
    const attempts = new Attempts({ ...none, clientId: 'client', clientSecret: undefined }, new Proofs())
    expect(emit).not.toHaveBeenCalled()
    const context = new Context(10_000)
    await attempts.take('ada', {}, context)
    await attempts.take('ada', {}, context)
    context.end()
    expect(emit).toHaveBeenCalledTimes(1)
  })
})

describe('the warning about response times', () => {
  test.each([
    ['production', 0, 1],
    ['production', 1000, 0],
    ['test', 0, 0],
  ])('is given or not in %s with a time of %d ms', (env, uniformResponseTime, times) => {
    process.env['NODE_ENV'] = env
    const settings = { uniformResponseTime }
    warnOfResponseTime(settings)
    warnOfResponseTime(settings)
    expect(emit.mock.calls.map(([, options]) => options)).toEqual(
      Array.from({ length: times }, () => ({ code: 'PASSPORT_EP_NO_UNIFORM_RESPONSE_TIME' })),
    )
    expect(published).toHaveBeenCalledTimes(times)
  })
})
