import type { Context } from '../context'
import type { OtpLimiter, Settings } from '../options'
import { warnOfMemoryLimiter } from '../warnings'
import { Keys, type Purpose } from './keys'
import { consume, rewardPoint, takePoint, type Taken } from './limiter'
import { MemoryLimiter } from './memory-limiter'

// Milliseconds.
const WINDOW = 15 * 60_000

const UNLIMITED: Taken = { count: 0, allowed: true, retryAfter: 1, refund: () => Promise.resolve() }

/** What a {@link Limit} is made of. */
export interface LimitOptions {
  /** The limiter that the app passed. False turns the limit off; undefined is a limiter in memory. */
  limiter: OtpLimiter | false | undefined
  /** The name of the option, for messages. */
  name: string
  /** The points in 15 minutes of the limiter in memory. */
  points: number
  /** The secret of the keys in a limiter that the app passed: the same in each process. */
  secret: Buffer
  /** Those of the strategy, for the warning about limiters in memory. */
  settings: Pick<Settings, 'limiter' | 'requestLimiter'>
}

/** A limiter and the keys under which it counts. */
export class Limit {
  /** Undefined if the limit is off. */
  private readonly limiter: OtpLimiter | undefined
  private readonly keys: Keys

  constructor(private readonly options: LimitOptions) {
    const { limiter, points, secret } = options
    this.limiter = limiter === false ? undefined : (limiter ?? new MemoryLimiter(points, WINDOW))
    this.keys = new Keys(limiter ? secret : undefined)
  }

  /**
   * Takes a point.
   *
   * @param subject - The username, id or email address that is counted.
   * @throws ElasticPathError `limiter_failed` or `limiter_unsuitable`.
   */
  take(purpose: Purpose, subject: string, context: Context): Promise<Taken> {
    return this.use(consume, purpose, subject, context) ?? Promise.resolve(UNLIMITED)
  }

  /** Takes a point from a count that rewards may have made negative. */
  takeCredit(purpose: Purpose, subject: string, context: Context): Promise<Taken> {
    return this.use(takePoint, purpose, subject, context) ?? Promise.resolve(UNLIMITED)
  }

  /** Adds a point that {@link takeCredit} can take. It never rejects. */
  addCredit(purpose: Purpose, subject: string, context: Context): Promise<void> {
    return this.use(rewardPoint, purpose, subject, context) ?? Promise.resolve()
  }

  private use<T>(
    call: (limiter: OtpLimiter, name: string, key: string, context: Context) => Promise<T>,
    purpose: Purpose,
    subject: string,
    context: Context,
  ): Promise<T> | undefined {
    if (!this.limiter) return undefined
    if (this.options.limiter === undefined) warnOfMemoryLimiter(this.options.settings)
    return call(this.limiter, this.options.name, this.keys.of(purpose, subject), context)
  }
}
