import { ElasticPathError } from '../errors'

/** What announces that nobody waits any more: a response or a socket that closes. */
export interface Departure {
  once(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown
}

type EndListener = (reason: ElasticPathError) => void

// Made once: an error's stack costs more than the rest of an operation's own work.
const ENDED = new ElasticPathError('request_aborted', 'This was no longer needed')

/**
 * One thing that is being done for somebody: a sign-in, a renewal. It has one deadline for all that it takes,
 * ends early when nobody waits for it any more, and counts the calls that it makes.
 */
export class Operation {
  /** Requests sent to Elastic Path. */
  calls = 0
  /** Why it has ended; undefined while it goes on. */
  ended: ElasticPathError | undefined
  // An AbortSignal would cost a sign-in more than all else that an Operation does.
  private readonly listeners = new Set<EndListener>()
  private readonly startedAt = performance.now()
  private readonly timer: NodeJS.Timeout
  private appFunction: string | undefined

  constructor(
    private readonly timeout: number,
    private readonly departure?: Departure,
  ) {
    this.timer = setTimeout(() => this.endWith(this.overdue()), timeout)
    departure?.once('close', this.leave)
  }

  /** Milliseconds since it began. */
  get elapsed(): number {
    return performance.now() - this.startedAt
  }

  /** Tells a listener once, when the operation ends, of what ended it. */
  onEnd(listener: EndListener): void {
    this.listeners.add(listener)
  }

  offEnd(listener: EndListener): void {
    this.listeners.delete(listener)
  }

  /** Waits for what others may wait for as well; gives up alone at its own deadline. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.ended) reject(this.ended)
      else this.onEnd(reject)
      work.then(
        (value) => {
          this.offEnd(reject)
          resolve(value)
        },
        (error: unknown) => {
          this.offEnd(reject)
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as it is
          reject(error)
        },
      )
    })
  }

  /** Waits for a function of the app's own, which a late answer is then blamed on. */
  async raceApp<T>(name: string, work: T | Promise<T>): Promise<T> {
    if (!isThenable(work)) return work
    this.appFunction = name
    try {
      return await this.race(Promise.resolve(work))
    } finally {
      this.appFunction = undefined
    }
  }

  /**
   * Does work that others may come to wait for as well, in a time of its own: it goes on when whoever began it has
   * left, and its calls are counted with theirs.
   */
  async apart<T>(work: (operation: Operation) => Promise<T>): Promise<T> {
    const operation = new Operation(this.timeout)
    try {
      return await work(operation)
    } finally {
      this.calls += operation.calls
      operation.end()
    }
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
    this.endWith(ENDED)
  }

  private readonly leave = (): void => {
    this.endWith(
      new ElasticPathError(
        'request_aborted',
        'The browser closed its connection before the answer was ready',
      ),
    )
  }

  private endWith(reason: ElasticPathError): void {
    if (this.ended) return
    this.ended = reason
    for (const listener of this.listeners) listener(reason)
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
