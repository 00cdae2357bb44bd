import type { Context } from '../context'
import { ElasticPathError } from '../errors'
import { classOf, type OtpLimiter } from '../options'
import { MemoryLimiter } from './memory-limiter'

/** A point that was taken from a limiter. */
export interface Taken {
  /** The points taken in this window, this one included. Infinity if the limiter refuses without counting. */
  readonly count: number
  /** Whether the limiter has a point left for it. */
  readonly allowed: boolean
  /** Seconds until the window ends: a whole number, at least 1. */
  readonly retryAfter: number
  /** Returns the point, once, if it was counted. It never rejects: if the limiter fails, the point stays counted. */
  readonly refund: (context: Context) => Promise<void>
}

// Milliseconds. A limiter that does not respond must not use up the time of a sign-in.
const PATIENCE = 1000
// `consume` takes a point again while the count is below 1, at most this often. A count that is still lower means that
// the app added points on purpose.
const MAX_NEGATIVE = 3
const SILENT = Symbol('silent')

/**
 * Takes a point. If an earlier `reward` reached the limiter after its window had ended, the count is negative. Then
 * this takes the surplus points too, because each of them would be an extra attempt.
 *
 * @param name - What the limiter is, for messages: the name of the option.
 * @throws ElasticPathError `limiter_failed` or `limiter_unsuitable`.
 */
export async function consume(
  limiter: OtpLimiter,
  name: string,
  key: string,
  context: Context,
): Promise<Taken> {
  let taken = await takePoint(limiter, name, key, context)
  for (let tries = 0; tries < MAX_NEGATIVE && taken.count < 1; tries++) {
    taken = await takePoint(limiter, name, key, context)
  }
  return taken
}

/** Takes a point, also if the count stays negative. */
export async function takePoint(
  limiter: OtpLimiter,
  name: string,
  key: string,
  context: Context,
): Promise<Taken> {
  const startedAt = performance.now()
  let result: unknown
  let allowed = true
  try {
    result = await bounded(limiter, name, () => limiter.consume(key), context)
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
  let refunded = count === Infinity
  return {
    count,
    allowed,
    retryAfter: hasEnd ? Math.max(1, Math.ceil(msBeforeNext / 1000)) : 1,
    async refund(refundContext) {
      if (refunded || performance.now() >= windowEnd) return
      refunded = true
      await rewardPoint(limiter, name, key, refundContext)
    },
  }
}

/** Returns a point. It never rejects. */
export async function rewardPoint(
  limiter: OtpLimiter,
  name: string,
  key: string,
  context: Context,
): Promise<void> {
  try {
    await bounded(limiter, name, () => limiter.reward(key, 1), context)
  } catch {
    // The point stays counted. The request itself must not fail for it.
  }
}

/** Waits for the limiter, but not longer than a second. */
async function bounded(
  limiter: OtpLimiter,
  name: string,
  work: () => PromiseLike<unknown>,
  context: Context,
): Promise<unknown> {
  // It responds at once, so a sign-in saves the timer.
  if (limiter instanceof MemoryLimiter) return work()
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
    `The ${name} is a ${classOf(limiter)}, which does not report consumedPoints. ` +
      'Use a limiter of rate-limiter-flexible on one store, such as RateLimiterRedis.',
  )
}
