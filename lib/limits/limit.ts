import type { Context } from '../context'
import type { OtpLimiter, Settings } from '../options'
import { warnOfMemoryLimiter } from '../warnings'
import { AppLimiter } from './app-limiter'
import type { Counter, Taken } from './counter'
import { Keys, type Purpose } from './keys'
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

/** A counter and the keys under which it counts. */
export class Limit {
  /** Undefined if the limit is off. */
  private readonly counter: Counter | undefined
  private readonly keys: Keys

  constructor(private readonly options: LimitOptions) {
    const { limiter, name, points, secret } = options
    if (limiter) this.counter = new AppLimiter(limiter, name)
    else if (limiter === undefined) this.counter = new MemoryLimiter(points, WINDOW)
    this.keys = new Keys(limiter ? secret : undefined)
  }

  /**
   * Takes a point.
   *
   * @param subject - The username, id or email address that is counted.
   * @throws ElasticPathError `limiter_failed` or `limiter_unsuitable`.
   */
  take(purpose: Purpose, subject: string, context: Context): Promise<Taken> {
    return this.use()?.take(this.keys.of(purpose, subject), context) ?? Promise.resolve(UNLIMITED)
  }

  /** Takes a point from a count that {@link addCredit} may have made negative. */
  takeCredit(purpose: Purpose, subject: string, context: Context): Promise<Taken> {
    return this.use()?.takeCredit(this.keys.of(purpose, subject), context) ?? Promise.resolve(UNLIMITED)
  }

  /** Adds a point that {@link takeCredit} can take. It never rejects. */
  async addCredit(purpose: Purpose, subject: string, context: Context): Promise<void> {
    await this.use()?.addCredit(this.keys.of(purpose, subject), context)
  }

  /** Returns the counter. If it is the default one in memory, warns once. */
  private use(): Counter | undefined {
    if (this.options.limiter === undefined) warnOfMemoryLimiter(this.options.settings)
    return this.counter
  }
}
