import { Client, buildConnector, type Dispatcher } from 'undici'
import { ElasticPathError } from '../errors'
import type { Attempt } from './receiver'

const KEEP_ALIVE = 60_000
const MAX_CONNECTIONS = 64

interface Job {
  options: Dispatcher.DispatchOptions
  attempt: Attempt
  fresh: boolean
}

/**
 * The strategy's own connections to Elastic Path: at most 64, each kept for a minute of idleness. undici's `Pool` cannot
 * be used, because it forgets a client after a connection error without closing it. So it exceeds its limit, and it
 * leaves connections open when it is closed.
 *
 * A connection is a `Client`, which has at most one socket. It is counted from its creation until its socket is closed.
 */
export class Connections {
  // The connection used last is used next, so that others become idle and close.
  private readonly idle: Connection[] = []
  private readonly all = new Set<Connection>()
  private readonly waiting: Job[] = []
  private readonly connect: buildConnector.connector
  private closing: { promise: Promise<void>; resolve: () => void } | undefined

  constructor(
    private readonly origin: string,
    private readonly timeout: number,
  ) {
    // It is shared, because it keeps the TLS sessions.
    this.connect = buildConnector({ timeout })
  }

  /**
   * Sends a request as soon as a connection is free.
   *
   * @param fresh - Whether the request needs a new connection, because kept-alive ones may be stale.
   */
  dispatch(options: Dispatcher.DispatchOptions, attempt: Attempt, fresh: boolean): void {
    if (this.closing) {
      attempt.onResponseError(undefined, closedError())
      return
    }
    const job = { options, attempt, fresh }
    const connection = this.idle.pop()
    if (connection) this.start(connection, job)
    else if (this.all.size < MAX_CONNECTIONS) this.start(this.open(), job)
    else this.waiting.push(job)
  }

  /** Closes the idle connections. After a network failover, all of them are dead without notice. */
  discardIdle(): void {
    for (const connection of this.idle.splice(0)) void this.discard(connection)
  }

  /** Closes all connections when their responses were read, after `timeout` at the latest. */
  close(): Promise<void> {
    if (!this.closing) {
      let resolve!: () => void
      const promise = new Promise<void>((done) => (resolve = done))
      this.closing = { promise, resolve }
      for (const { attempt } of this.waiting.splice(0)) attempt.onResponseError(undefined, closedError())
      this.discardIdle()
      const timer = setTimeout(() => {
        for (const connection of this.all) void this.discard(connection)
      }, this.timeout)
      void promise.then(() => clearTimeout(timer))
      if (this.all.size === 0) resolve()
    }
    return this.closing.promise
  }

  private open(): Connection {
    const connection = new Connection(this.origin, this.connect)
    this.all.add(connection)
    return connection
  }

  private start(connection: Connection, job: Job): void {
    if (job.fresh && connection.connected) {
      // The new connection opens after this one has closed, so that there are never more than 64 sockets.
      void this.discard(connection, job)
      return
    }
    job.attempt.onDone = () => this.release(connection)
    connection.send(job.options, job.attempt)
  }

  private release(connection: Connection): void {
    if (!this.all.has(connection) || connection.discarded) return
    const next = this.waiting.shift()
    // Not at once: while undici reports that a connection was refused, a new request fails one of its assertions, which
    // ends the process.
    if (next) queueMicrotask(() => this.start(connection, next))
    else if (this.closing) void this.discard(connection)
    else this.idle.push(connection)
  }

  private async discard(connection: Connection, next?: Job): Promise<void> {
    await connection.close()
    this.all.delete(connection)
    const job = next ?? this.waiting.shift()
    if (job && !this.closing) this.start(this.open(), job)
    else job?.attempt.onResponseError(undefined, closedError())
    if (this.closing && this.all.size === 0) this.closing.resolve()
  }
}

/** One connection, which is opened by its first request and again if it was closed in the meantime. */
class Connection {
  connected = false
  discarded = false
  private readonly client: Client
  private attempt: Attempt | undefined

  constructor(origin: string, connect: buildConnector.connector) {
    this.client = new Client(origin, {
      connect,
      keepAliveTimeout: KEEP_ALIVE,
      keepAliveMaxTimeout: KEEP_ALIVE,
      // The deadline of the context applies instead.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    this.client.on('connect', () => {
      this.connected = true
      if (this.attempt) this.attempt.stage = 'fresh connection'
    })
    this.client.on('disconnect', () => {
      this.connected = false
    })
  }

  send(options: Dispatcher.DispatchOptions, attempt: Attempt): void {
    this.attempt = attempt
    attempt.stage = this.connected ? 'kept-alive connection' : 'never connected'
    this.client.dispatch(options, attempt)
  }

  /** Closes the socket, and resolves when it is closed. A response that is being received fails. */
  async close(): Promise<void> {
    this.discarded = true
    await this.client.destroy()
  }
}

export function closedError(): ElasticPathError {
  return new ElasticPathError('strategy_closed', 'The strategy was closed. Create a new one.')
}
