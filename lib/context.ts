import { ElasticPathError, isThenable } from './errors'

/** Emits `close` when the client disconnects: a response or a socket. */
export interface ClientConnection {
  /** Whether it has closed already. */
  readonly destroyed?: unknown
  on(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown
}

type EndListener = (reason: ElasticPathError) => void

// Created once, because an error's stack trace costs more than everything else in a context.
const FINISHED = new ElasticPathError('request_aborted', 'The result is no longer needed.')

/**
 * The context of one request or of one method call: its deadline, the time that each side used, and the number of calls
 * to Elastic Path. It is created at the edge and passed down. It ends at the deadline, or when the client disconnects.
 */
export class Context {
  /** The number of requests sent to Elastic Path. */
  calls = 0
  /** Why the context ended; undefined while it is active. */
  ended: ElasticPathError | undefined
  // A Set of listeners costs a sign-in much less than an AbortSignal.
  private readonly listeners = new Set<EndListener>()
  private readonly startedAt = performance.now()
  private readonly timer: NodeJS.Timeout
  private readonly elasticPath = new Stopwatch()
  private readonly app = new Stopwatch()
  private readonly appFunctions = new Map<string, Stopwatch>()

  /**
   * @param timeout - Milliseconds until the deadline.
   * @param connection - Ends the context when it closes.
   */
  constructor(
    readonly timeout: number,
    private readonly connection?: ClientConnection,
  ) {
    this.timer = setTimeout(() => this.endWith(this.timedOut()), timeout)
    connection?.on('close', this.leave)
    if (connection?.destroyed === true) this.leave()
  }

  /** Milliseconds since the start. */
  get elapsed(): number {
    return performance.now() - this.startedAt
  }

  /** Waits for work that may be shared with others, but not beyond the end of this context. */
  race<T>(work: PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.ended) reject(this.ended)
      else this.listeners.add(reject)
      work.then(
        (value) => {
          this.listeners.delete(reject)
          resolve(value)
        },
        (error: unknown) => {
          this.listeners.delete(reject)
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it is
          reject(error)
        },
      )
    })
  }

  /** Waits for Elastic Path. A timeout names the side that used more of the time. */
  async upstream<T>(work: PromiseLike<T>): Promise<T> {
    this.elasticPath.start()
    try {
      return await this.race(work)
    } finally {
      this.elasticPath.stop()
    }
  }

  /**
   * Begins to wait for one response of Elastic Path. Costs a sign-in less than {@link upstream}.
   *
   * @param cancel - Called once if the context ends before {@link endResponse}.
   */
  beginResponse(cancel: EndListener): void {
    this.elasticPath.start()
    this.listeners.add(cancel)
    if (this.ended) cancel(this.ended)
  }

  /** Ends the wait. Returns false if it has ended before. */
  endResponse(cancel: EndListener): boolean {
    if (!this.listeners.delete(cancel)) return false
    this.elasticPath.stop()
    return true
  }

  /**
   * Calls a function of the app and waits for its result.
   *
   * @param name - What the function is, for the message of a timeout.
   */
  async callApp<T>(name: string, work: () => T | PromiseLike<T>): Promise<T> {
    let own = this.appFunctions.get(name)
    if (!own) this.appFunctions.set(name, (own = new Stopwatch()))
    this.app.start()
    own.start()
    try {
      const result = work()
      return isThenable(result) ? await this.race(result) : result
    } finally {
      own.stop()
      this.app.stop()
    }
  }

  /** Does work that others may join. It has its own deadline, and it goes on if this context ends. */
  async detached<T>(work: (context: Context) => Promise<T>): Promise<T> {
    const context = new Context(this.timeout)
    try {
      return await work(context)
    } finally {
      this.calls += context.calls
      context.end()
    }
  }

  /** Waits for a number of milliseconds on behalf of Elastic Path. */
  async wait(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    try {
      await this.upstream(new Promise((resolve) => (timer = setTimeout(resolve, milliseconds))))
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends the context: stops what it waits for, and removes its timer and its listener on the connection. */
  end(): void {
    clearTimeout(this.timer)
    this.connection?.off('close', this.leave)
    this.endWith(FINISHED)
  }

  private readonly leave = (): void => {
    this.endWith(
      new ElasticPathError(
        'request_aborted',
        'The client closed its connection before the response was ready.',
      ),
    )
  }

  private endWith(reason: ElasticPathError): void {
    if (this.ended) return
    this.ended = reason
    for (const listener of this.listeners) listener(reason)
  }

  /** Names the side that used more time. If the shares are equal within a timer's resolution, that is Elastic Path. */
  private timedOut(): ElasticPathError {
    const shares = [...this.appFunctions].map(([name, { total }]) => ({ name, total }))
    shares.sort((a, b) => b.total - a.total)
    const [slowest] = shares
    const noticeable = shares.filter(({ total }) => Math.round(total) > 0)
    const division = [{ name: 'Elastic Path', total: this.elasticPath.total }, ...noticeable]
      .map(({ name, total }) => `${name} ${Math.round(total)} ms`)
      .join(', ')
    const summary = `within ${this.timeout} ms (option timeout): ${division}.`
    return slowest && this.app.total - this.elasticPath.total >= 1
      ? new ElasticPathError('app_timeout', `The app's own ${slowest.name} did not finish ${summary}`)
      : new ElasticPathError('timeout', `Elastic Path did not respond ${summary}`)
  }
}

/** The time during which at least one thing was in progress. */
class Stopwatch {
  private sum = 0
  private running = 0
  private since = 0

  /** Milliseconds. What is still in progress counts up to now. */
  get total(): number {
    return this.running > 0 ? this.sum + performance.now() - this.since : this.sum
  }

  start(): void {
    if (this.running++ === 0) this.since = performance.now()
  }

  stop(): void {
    if (--this.running === 0) this.sum += performance.now() - this.since
  }
}
