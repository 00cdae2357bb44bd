import type { Context } from '../context'
import { ElasticPathError } from '../errors'
import { classOf, type OtpLimiter } from '../options'
import type { Counter, Taken } from './counter'

// Milliseconds. A limiter that does not respond must not use up the time of a sign-in.
const PATIENCE = 1000
// A point is taken again while the count is below 1, at most this often. A count that is still lower means that the app
// added points on purpose.
const MAX_NEGATIVE = 3
const SILENT = Symbol('silent')

/** Counts with a limiter of the app. */
export class AppLimiter implements Counter {
  /** @param name - What the limiter is, for messages: the name of the option. */
  constructor(
    private readonly limiter: OtpLimiter,
    private readonly name: string,
  ) {}

  /** The count is negative if an earlier `reward` reached the limiter after its window had ended. */
  take(key: string, context: Context): Promise<Taken> {
    return this.takePoint(key, context, MAX_NEGATIVE)
  }

  takeCredit(key: string, context: Context): Promise<Taken> {
    return this.takePoint(key, context, 0)
  }

  async addCredit(key: string, context: Context): Promise<void> {
    try {
      await this.atMostASecond(() => this.limiter.reward(key, 1), context)
    } catch {
      // The point stays counted. The request itself must not fail for it.
    }
  }

  /** @param repeats - How often a point is taken again while the count is below 1. */
  private async takePoint(key: string, context: Context, repeats: number): Promise<Taken> {
    const { limiter, name } = this
    const startedAt = performance.now()
    let result: unknown
    let allowed = true
    try {
      result = await this.atMostASecond(() => limiter.consume(key), context)
    } catch (rejection) {
      if (rejection instanceof ElasticPathError) throw rejection
      if (rejection instanceof Error || typeof unwrap(rejection).msBeforeNext !== 'number') {
        throw limiterFailed(name, rejection instanceof Error ? rejection.name : typeof rejection)
      }
      allowed = false
      result = rejection
    }
    const { consumedPoints, msBeforeNext } = unwrap(result)
    if (typeof consumedPoints !== 'number' || Number.isNaN(consumedPoints)) throw unsuitable(limiter, name)
    // A negative number stands for a window without an end.
    const hasEnd = typeof msBeforeNext === 'number' && msBeforeNext >= 0
    const windowEnd = hasEnd ? startedAt + msBeforeNext : Infinity
    // rate-limiter-flexible rejects with 0 points if a key is blocked in memory. This must not count as 0 attempts.
    const count = allowed || consumedPoints > 0 ? consumedPoints : Infinity
    if (count < 1 && repeats > 0) return this.takePoint(key, context, repeats - 1)
    let refunded = count === Infinity
    return {
      count,
      allowed,
      retryAfter: hasEnd ? Math.max(1, Math.ceil(msBeforeNext / 1000)) : 1,
      refund: (refundContext) => {
        if (refunded || performance.now() >= windowEnd) return Promise.resolve()
        refunded = true
        return this.addCredit(key, refundContext)
      },
    }
  }

  /** Waits for the limiter, but not longer than a second. */
  private async atMostASecond(work: () => PromiseLike<unknown>, context: Context): Promise<unknown> {
    const { name } = this
    let timer: NodeJS.Timeout | undefined
    const silence = new Promise<typeof SILENT>((resolve) => {
      // Without this timer, the deadline of the context ends the wait. The deadline takes precedence if both are due at once.
      if (context.timeout - context.elapsed > PATIENCE) timer = setTimeout(() => resolve(SILENT), PATIENCE)
    })
    try {
      const result = await context.callApp(name, () => Promise.race([work(), silence]))
      if (result === SILENT) throw limiterFailed(name, `no response within ${PATIENCE} ms`)
      return result
    } finally {
      clearTimeout(timer)
    }
  }
}

/** The fields of a result. Those of rate-limiter-flexible are accessors of its class. */
function unwrap(result: unknown): { consumedPoints?: unknown; msBeforeNext?: unknown } {
  if (typeof result !== 'object' || result === null) return {}
  return {
    consumedPoints: 'consumedPoints' in result ? result.consumedPoints : undefined,
    msBeforeNext: 'msBeforeNext' in result ? result.msBeforeNext : undefined,
  }
}

// The limiter's own error can contain a connection string. The app must log it inside the limiter.
function limiterFailed(name: string, why: string): ElasticPathError {
  return new ElasticPathError(
    'limiter_failed',
    `The ${name} failed (${why}). Requests that it counts are refused until it works again.`,
  )
}

function unsuitable(limiter: OtpLimiter, name: string): ElasticPathError {
  return new ElasticPathError(
    'limiter_unsuitable',
    `The ${name} (class ${classOf(limiter)}) does not report consumedPoints. ` +
      'Use a limiter of rate-limiter-flexible on one store, such as RateLimiterRedis.',
  )
}
