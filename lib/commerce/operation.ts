import { ElasticPathError } from '../errors'

/** What announces that nobody waits any more: a response or a socket that closes. */
export interface Departure {
  once(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown
}

// Made once: an error's stack costs more than the rest of an operation's own work.
const ENDED = new ElasticPathError('request_aborted', 'This was no longer needed')

/**
 * One thing that is being done for somebody: a sign-in, a renewal. It has one deadline for all that it takes,
 * ends early when nobody waits for it any more, and counts the calls that it makes.
 */
export class Operation {
  /** Requests sent to Elastic Path. */
  calls = 0
  private readonly controller = new AbortController()
  private readonly startedAt = performance.now()
  private readonly timer: NodeJS.Timeout
  private appFunction: string | undefined

  constructor(
    private readonly timeout: number,
    private readonly departure?: Departure,
  ) {
    this.timer = setTimeout(() => this.controller.abort(this.overdue()), timeout)
    departure?.once('close', this.leave)
  }

  /** Aborted with an ElasticPathError as its reason. */
  get signal(): AbortSignal {
    return this.controller.signal
  }

  /** Milliseconds since it began. */
  get elapsed(): number {
    return performance.now() - this.startedAt
  }

  /** Waits for what others may wait for as well; gives up alone at its own deadline. */
  async race<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.controller
    let giveUp: (() => void) | undefined
    try {
      return await new Promise<T>((resolve, reject) => {
        giveUp = () => reject(signal.reason as ElasticPathError)
        if (signal.aborted) giveUp()
        signal.addEventListener('abort', giveUp)
        work.then(resolve, reject)
      })
    } finally {
      if (giveUp) signal.removeEventListener('abort', giveUp)
    }
  }

  /** Waits for a function of the app's own, which a late answer is then blamed on. */
  async raceApp<T>(name: string, work: T | Promise<T>): Promise<T> {
    if (!isThenable(work)) return work
    this.appFunction = name
    const result = await this.race(Promise.resolve(work))
    this.appFunction = undefined
    return result
  }

  /** Waits so many milliseconds; false at once where the deadline would pass first. */
  async wait(milliseconds: number): Promise<boolean> {
    if (this.elapsed + milliseconds >= this.timeout) return false
    let timer: NodeJS.Timeout | undefined
    try {
      await this.race(new Promise((resolve) => (timer = setTimeout(resolve, milliseconds))))
    } finally {
      clearTimeout(timer)
    }
    return true
  }

  /** Ends it: stops what it still has under way, and leaves no timer and no listener. */
  end(): void {
    clearTimeout(this.timer)
    this.departure?.off('close', this.leave)
    this.controller.abort(ENDED)
  }

  private readonly leave = (): void => {
    this.controller.abort(
      new ElasticPathError(
        'request_aborted',
        'The browser closed its connection before the answer was ready',
      ),
    )
  }

  private overdue(): ElasticPathError {
    return this.appFunction === undefined
      ? new ElasticPathError(
          'timeout',
          `Elastic Path did not answer within ${this.timeout} ms (option timeout)`,
        )
      : new ElasticPathError(
          'app_timeout',
          `The app's own ${this.appFunction} did not finish within the ${this.timeout} ms of a sign-in (option timeout)`,
        )
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
