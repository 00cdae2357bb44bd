import { createHash } from 'node:crypto'
import { BoundedMap } from './bounded-map'
import type { Operation } from './commerce/operation'
import { ElasticPathError } from './errors'
import type { OtpLimiter } from './options'

/**
 * Takes one of the tries that a limiter allows a key. Answers with the seconds to wait where none is left, and with
 * undefined where there was one. A limiter that is itself broken lets nobody pass.
 */
export async function takeTry(
  limiter: OtpLimiter,
  key: string,
  operation: Operation,
): Promise<number | undefined> {
  try {
    await operation.raceApp('limiter', limiter.consume(key))
    return undefined
  } catch (rejection) {
    if (rejection instanceof ElasticPathError) throw rejection
    const wait = rejection instanceof Error ? undefined : millisecondsOf(rejection)
    if (wait === undefined) throw brokenLimiter(rejection)
    return Math.max(1, Math.ceil(wait / 1000))
  }
}

/** Gives all tries of a key back. */
export async function giveBackTries(limiter: OtpLimiter, key: string, operation: Operation): Promise<void> {
  try {
    await operation.raceApp('limiter', limiter.delete(key))
  } catch (rejection) {
    throw rejection instanceof ElasticPathError ? rejection : brokenLimiter(rejection)
  }
}

/** Gives one try of a key back, by limiters that can. One that fails at it is not what to report here. */
export async function giveBackTry(limiter: OtpLimiter, key: string, operation: Operation): Promise<void> {
  try {
    await operation.raceApp('limiter', limiter.reward?.(key, 1))
  } catch {
    // The try is lost, as by a limiter without `reward`.
  }
}

/**
 * A key by which a username is counted without being written down where the limiter keeps its counts. Alike in capitals
 * and small letters: should Elastic Path take them for one username, each way to write it would bring tries of its own.
 */
export function limiterKey(purpose: 'sign-in' | 'code', username: string): string {
  return `${purpose}:${createHash('sha256').update(username.toLowerCase()).digest('base64url')}`
}

/** Counts in this process's memory: so many points in so many milliseconds, from the first one on. */
export class MemoryLimiter implements OtpLimiter {
  private readonly windows = new BoundedMap<{ taken: number; until: number }>()

  constructor(
    private readonly points: number,
    private readonly duration: number,
  ) {}

  consume(key: string): Promise<void> {
    const now = Date.now()
    let window = this.windows.get(key)
    if (!window) {
      window = { taken: 0, until: now + this.duration }
      this.windows.set(key, window, this.duration)
    }
    window.taken++
    if (window.taken <= this.points) return Promise.resolve()
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the shape that limiters reject with
    return Promise.reject({ msBeforeNext: window.until - now })
  }

  reward(key: string, points: number): Promise<void> {
    const window = this.windows.get(key)
    if (window) window.taken -= points
    return Promise.resolve()
  }

  delete(key: string): Promise<void> {
    this.windows.delete(key)
    return Promise.resolve()
  }
}

function millisecondsOf(rejection: unknown): number | undefined {
  if (typeof rejection !== 'object' || rejection === null || !('msBeforeNext' in rejection)) return undefined
  const { msBeforeNext } = rejection
  return typeof msBeforeNext === 'number' && Number.isFinite(msBeforeNext) ? msBeforeNext : undefined
}

function brokenLimiter(rejection: unknown): ElasticPathError {
  // Its own error is the app's to log where it happens: a connection string can be in it.
  const name = rejection instanceof Error ? rejection.name : typeof rejection
  return new ElasticPathError(
    'limiter_failed',
    `The limiter failed (${name}), so that nobody passes until it works again`,
  )
}
