import { EventEmitter } from 'node:events'
import { ElasticPathError } from '../errors'

/** What announces that nobody waits any more: a response or a socket that closes. */
export interface Departure {
  once(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown
}

// Made once: an error's stack costs more than the rest of an operation's own work.
const ENDED = new ElasticPathError('request_aborted', 'This was no longer needed')

/**
 * Says once, to whoever listens for `abort`, that an operation has ended, and why. undici takes emitters for signals,
 * and an AbortSignal costs a sign-in more than all else that an Operation does.
 */
class EndSignal extends EventEmitter {
  reason: ElasticPathError | undefined

  constructor() {
    super()
    this.setMaxListeners(0)
  }

  get aborted(): boolean {
    return this.reason !== undefined
  }

  abort(reason: ElasticPathError): void {
    if (this.reason) return
    this.reason = reason
    this.emit('abort')
  }
}

/**
 * One thing that is being done for somebody: a sign-in, a renewal. It has one deadline for all that it takes,
 * ends early when nobody waits for it any more, and counts the calls that it makes.
 */
export class Operation {
  /** Requests sent to Elastic Path. */
  calls = 0
  /** Aborted with what ended the operation as its reason. */
  readonly signal = new EndSignal()
  private readonly startedAt = performance.now()
  private readonly timer: NodeJS.Timeout
  private appFunction: string | undefined

  constructor(
    private readonly timeout: number,
    private readonly departure?: Departure,
  ) {
    this.timer = setTimeout(() => this.signal.abort(this.overdue()), timeout)
    departure?.once('close', this.leave)
  }

  /** Milliseconds since it began. */
  get elapsed(): number {
    return performance.now() - this.startedAt
  }

  /** Waits for what others may wait for as well; gives up alone at its own deadline. */
  async race<T>(work: Promise<T>): Promise<T> {
    const { signal } = this
    if (signal.reason) {
      work.catch(() => undefined)
      throw signal.reason
    }
    let giveUp: (() => void) | undefined
    try {
      return await new Promise<T>((resolve, reject) => {
        giveUp = () => reject(signal.reason ?? ENDED)
        signal.once('abort', giveUp)
        work.then(resolve, reject)
      })
    } finally {
      if (giveUp) signal.off('abort', giveUp)
    }
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
    this.signal.abort(ENDED)
  }

  private readonly leave = (): void => {
    this.signal.abort(
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
