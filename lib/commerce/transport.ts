import { isNativeError } from 'node:util/types'
import { Client, Pool, buildConnector, type Dispatcher } from 'undici'
import { ElasticPathError } from '../errors'
import { AnswerReader, type Answer } from './answer-reader'
import type { Operation } from './operation'

export interface HttpRequest {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body?: string
  /** Whether Elastic Path may get it twice without harm. */
  repeatable: boolean
}

export interface HttpAnswer extends Answer {
  /** Whether it answers a second sending, of which Elastic Path may have seen the first. */
  sentBefore: boolean
}

const KEEP_ALIVE = 60_000
const MAX_CONNECTIONS = 64
// A connection that was closed while idle answers the next write at once, by a reset. What breaks later than this
// was at work on the request.
const STALE_WITHIN = 1000

const CONNECT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** What is known of an error of a connection of our own. */
type Stage = 'never connected' | 'fresh connection' | 'kept-alive connection'

/**
 * Sends a request and reads its answer whole, within the operation's time and a size limit. Follows no redirect.
 * A connection that fails is tried once more, where Elastic Path cannot have acted or may act twice.
 */
export class Transport {
  private readonly dispatcher: Dispatcher
  private readonly stages = new WeakMap<Error, Stage>()
  private readonly prefix: string
  private closed = false

  constructor(
    private readonly baseUrl: URL,
    private readonly ownDispatcher: Dispatcher | undefined,
    private readonly connectTimeout: number,
  ) {
    this.prefix = baseUrl.pathname.replace(/\/+$/, '')
    this.dispatcher =
      ownDispatcher ?? new Pool(baseUrl.origin, { ...this.clientOptions(), connections: MAX_CONNECTIONS })
  }

  async send(request: HttpRequest, operation: Operation): Promise<HttpAnswer> {
    if (this.closed) throw new ElasticPathError('strategy_closed', 'The strategy was closed: make a new one')
    const sentAt = operation.elapsed
    let sentBefore: boolean
    try {
      return { ...(await this.sendThrough(this.dispatcher, request, operation)), sentBefore: false }
    } catch (error) {
      const stage = this.stageOf(error)
      // A connection that has just answered this very operation did not lie idle, and was not closed for it.
      const stale =
        stage === 'kept-alive connection' &&
        operation.calls === 1 &&
        operation.elapsed - sentAt < STALE_WITHIN
      if (operation.ended || !mayRepeat(error, stage, request.repeatable || stale)) {
        throw this.explain(error, request, operation)
      }
      sentBefore = stage !== 'never connected'
    }
    const again = this.ownDispatcher ?? new Client(this.baseUrl.origin, this.clientOptions())
    try {
      return { ...(await this.sendThrough(again, request, operation)), sentBefore }
    } catch (error) {
      throw this.explain(error, request, operation)
    } finally {
      // A connection of its own: the pool may hold a second one that was closed while it lay idle.
      if (again !== this.ownDispatcher) await again.destroy()
    }
  }

  /** Ends the strategy's own connections once what is under way is through; a dispatcher of the app's is left alone. */
  async close(): Promise<void> {
    this.closed = true
    if (!this.ownDispatcher) await this.dispatcher.close()
  }

  private sendThrough(dispatcher: Dispatcher, request: HttpRequest, operation: Operation): Promise<Answer> {
    operation.calls++
    const reader = new AnswerReader(operation, () => this.name(request))
    try {
      dispatcher.dispatch(
        {
          origin: this.baseUrl.origin,
          path: this.prefix + request.path,
          method: request.method,
          headers: request.headers,
          body: request.body ?? null,
        },
        reader,
      )
    } catch (error) {
      reader.onResponseError(undefined, error)
    }
    return reader.answer
  }

  /** How far a request had got when it failed; undefined where it is no connection that failed. */
  private stageOf(error: unknown): Stage | undefined {
    if (!isNativeError(error) || error instanceof ElasticPathError) return undefined
    return this.stages.get(error) ?? stageToldBy(error)
  }

  /** An error without what undici adds for its debugging, where pieces of requests and answers can be in it. */
  private explain(error: unknown, request: HttpRequest, operation: Operation): ElasticPathError {
    if (error instanceof ElasticPathError) return error
    if (operation.ended) return operation.ended
    const code = isNativeError(error) ? codeOf(error) : undefined
    const what = this.name(request)
    // undici names what its parser rejects by the class alone.
    const isNoHttp = isNativeError(error) && error.name === 'HTTPParserError'
    if (isNoHttp || code === 'UND_ERR_HEADERS_OVERFLOW') {
      return new ElasticPathError('bad_answer', `Elastic Path's answer to ${what} is not HTTP`)
    }
    const hint = isCertificateError(code)
      ? 'Its certificate is not trusted: a proxy in between needs a dispatcher with its CA.'
      : 'Check baseUrl, and that this machine reaches it.'
    return new ElasticPathError(
      'unreachable',
      `No answer from ${what}: ${code ?? 'connection failed'}. ${hint}`,
      {
        cause: Object.assign(
          new Error(`connection failed: ${code ?? 'unknown'}`),
          code === undefined ? {} : { code },
        ),
      },
    )
  }

  private name(request: HttpRequest): string {
    return `${request.method} ${this.baseUrl.origin}${this.prefix}${request.path.replace(/\?.*/, '')}`
  }

  private clientOptions() {
    const connect = buildConnector({ timeout: this.connectTimeout })
    return {
      keepAliveTimeout: KEEP_ALIVE,
      keepAliveMaxTimeout: KEEP_ALIVE,
      // The operation's deadline is the one that counts.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (options: buildConnector.Options, callback: buildConnector.Callback): void => {
        connect(options, (...result) => {
          const [error, socket] = result
          if (error) this.stages.set(error, 'never connected')
          socket?.prependListener('error', (failure: Error) => {
            this.stages.set(failure, socket.bytesRead > 0 ? 'kept-alive connection' : 'fresh connection')
          })
          callback(...result)
        })
      },
    }
  }
}

// Errors are told by what they are and not by their class, of which a test runner such as Jest has a second one.
function codeOf(error: Error): string | undefined {
  // Node tries every address of a host, and gathers what became of each.
  const all: unknown = 'errors' in error ? error.errors : undefined
  const first: unknown = Array.isArray(all) ? all[0] : error
  const code = isNativeError(first) && 'code' in first ? first.code : undefined
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : undefined
}

/** The stage that an error of another's dispatcher tells of by itself. */
function stageToldBy(error: Error): Stage {
  if (CONNECT_CODES.has(codeOf(error) ?? '')) return 'never connected'
  const socket: unknown = 'socket' in error ? error.socket : undefined
  const bytesRead =
    typeof socket === 'object' && socket !== null && 'bytesRead' in socket ? socket.bytesRead : 0
  return typeof bytesRead === 'number' && bytesRead > 0 ? 'kept-alive connection' : 'fresh connection'
}

/** Whether a request that failed may go out again; `allowed` says whether it may where it was sent already. */
function mayRepeat(error: unknown, stage: Stage | undefined, allowed: boolean): boolean {
  if (stage === undefined || !isNativeError(error)) return false
  const code = codeOf(error)
  if (stage === 'never connected') return !isCertificateError(code)
  return isBrokenConnection(code) && allowed
}

function isBrokenConnection(code: string | undefined): boolean {
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
}

function isCertificateError(code: string | undefined): boolean {
  return code !== undefined && /CERT|SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY|ERR_TLS/.test(code)
}
