import { isNativeError } from 'node:util/types'
import type { Dispatcher } from 'undici'
import type { Context } from '../context'
import { ElasticPathError } from '../errors'
import type { Settings } from '../options'
import { closedError, Connections } from './connections'
import type { Attempt, Receiver, Stage } from './receiver'

export interface HttpRequest {
  method: string
  /** The path below the base URL, with the query. */
  path: string
  /** The transport adds the headers that every request has. */
  headers: Record<string, string>
  body?: Dispatcher.DispatchOptions['body'] | undefined
  repeat: Repeat
}

/**
 * When a request is sent once more after its connection failed:
 *
 * - `always`: Elastic Path may receive it twice without harm.
 * - `if stale`: if its connection was probably closed while idle.
 * - `if unread`: if Elastic Path has certainly not received it.
 * - `never`: its body is a stream, which can be sent only once.
 */
export type Repeat = 'always' | 'if stale' | 'if unread' | 'never'

export interface Sent<T> {
  answer: T
  receiver: Pick<Receiver<T>, 'discard'>
  /** Whether the request was sent twice, and Elastic Path may have received it the first time. */
  sentBefore: boolean
}

const USER_AGENT = 'passport-elasticpath-otp/0.1.0'
// A connection that was closed while idle fails at once. One that fails later was processing the request.
const STALE_WITHIN = 1000

const CONNECT_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/**
 * Sends requests within the time of their contexts and follows no redirect. A request whose connection fails is sent
 * once more, as its {@link Repeat} says.
 */
export class Transport {
  readonly origin: string
  /** The path of the base URL, without a trailing slash. */
  readonly prefix: string
  private readonly headers: Readonly<Record<string, string>>
  private readonly connections: Connections | undefined
  private readonly appDispatcher: Dispatcher | undefined
  private closed = false

  constructor(settings: Pick<Settings, 'baseUrl' | 'dispatcher' | 'headers' | 'timeout'>) {
    this.origin = settings.baseUrl.origin
    this.prefix = settings.baseUrl.pathname.replace(/\/+$/, '')
    this.headers = { 'user-agent': USER_AGENT, ...settings.headers }
    this.appDispatcher = settings.dispatcher
    if (!settings.dispatcher) this.connections = new Connections(this.origin, settings.timeout)
  }

  /**
   * Sends a request, at most twice.
   *
   * @param receive - Creates the receiver of the response; `name` names the request for errors.
   * @throws ElasticPathError at once if the transport is closed or the context has ended.
   */
  send<T extends { status: number }>(
    request: HttpRequest,
    context: Context,
    receive: (context: Context, name: () => string) => Receiver<T>,
  ): Promise<Sent<T>> {
    this.checkOpen(context)
    const name = (): string => this.nameOf(request)
    const sendAgain = async (sentBefore: boolean): Promise<Sent<T>> => {
      const second = this.dispatch(request, context, receive(context, name), true)
      try {
        return { answer: await second.result, receiver: second, sentBefore }
      } catch (error) {
        throw this.explain(error, second, context, name)
      }
    }
    const sentAt = context.elapsed
    const first = this.dispatch(request, context, receive(context, name), false)
    // `then` and not `await`, because each async function adds about 0.5 % to the CPU time of a sign-in on Node 24.
    return first.result.then(
      (answer) => {
        const isLast = answer.status !== 408 || !mayRepeatAfter408(first, request)
        if (isLast) return { answer, receiver: first, sentBefore: false }
        first.discard()
        return sendAgain(false)
      },
      (error: unknown) => {
        const stage = stageOf(error, first)
        // If this context has already sent a request, the connection was not idle, so no idle timeout closed it.
        const stale =
          stage === 'kept-alive connection' && context.calls === 1 && context.elapsed - sentAt < STALE_WITHIN
        const allowed = request.repeat === 'always' || (request.repeat === 'if stale' && stale)
        if (context.ended || request.repeat === 'never' || !mayRepeat(error, stage, allowed)) {
          throw this.explain(error, first, context, name)
        }
        return sendAgain(stage !== 'never connected')
      },
    )
  }

  /** Closes the strategy's own connections. A dispatcher of the app stays open. */
  async close(): Promise<void> {
    this.closed = true
    await this.connections?.close()
  }

  /** Closes the idle connections: they may be dead, because a request got no byte of a response. */
  discardIdle(): void {
    this.connections?.discardIdle()
  }

  private checkOpen({ ended }: Context): void {
    if (this.closed) throw closedError()
    if (ended) throw ended
  }

  private dispatch<T>(
    request: HttpRequest,
    context: Context,
    receiver: Receiver<T>,
    fresh: boolean,
  ): Receiver<T> {
    context.calls++
    const options: Dispatcher.DispatchOptions = {
      origin: this.origin,
      path: this.prefix + request.path,
      method: request.method,
      headers: { ...this.headers, ...request.headers },
      body: request.body ?? null,
    }
    try {
      if (this.connections) this.connections.dispatch(options, receiver, fresh)
      else this.appDispatcher?.dispatch(options, receiver)
    } catch (error) {
      receiver.onResponseError(undefined, error)
    }
    return receiver
  }

  /**
   * Creates the error for a failed request. It leaves out undici's debugging properties, which can contain parts of
   * requests and responses.
   */
  private explain(error: unknown, receiver: Attempt, context: Context, name: () => string): ElasticPathError {
    if (context.ended?.code === 'timeout' && receiver.started && receiver.status === 0) this.discardIdle()
    if (error instanceof ElasticPathError) return error
    if (context.ended) return context.ended
    const code = isNativeError(error) ? codeOf(error) : undefined
    // undici's parser errors are recognizable by the name of their class only.
    const isNotHttp = isNativeError(error) && error.name === 'HTTPParserError'
    const fault = code === 'UND_ERR_HEADERS_OVERFLOW' ? 'has too large headers' : isNotHttp && 'is not HTTP'
    if (fault) return new ElasticPathError('bad_answer', `Elastic Path's response to ${name()} ${fault}.`)
    const hint = isCertificateError(code)
      ? 'Its certificate is not trusted. Behind a proxy, set dispatcher to one with the CA of the proxy.'
      : 'Check baseUrl, and that this machine can reach it.'
    const cause = new Error(`connection failed: ${code ?? 'unknown'}`)
    return new ElasticPathError(
      'unreachable',
      `No response to ${name()}: ${code ?? 'connection failed'}. ${hint}`,
      {
        cause: Object.assign(cause, code === undefined ? {} : { code }),
      },
    )
  }

  private nameOf({ method, path }: HttpRequest): string {
    return `${method} ${this.origin}${this.prefix}${printable(path)}`
  }
}

/**
 * A path as errors and diagnostics may contain it: without its query, and without the id of a cart, which is all that
 * protects the cart (docs/elastic-path-facts.md#34).
 */
export function printable(path: string): string {
  return path.replace(/\?.*/, '').replace(/\/carts\/+[^/]+/i, '/carts/:id')
}

/**
 * Whether a request is sent again after a 408. On a connection that was idle, a 408 means that the server closed it
 * before it read the request.
 */
function mayRepeatAfter408(receiver: Attempt, { repeat }: HttpRequest): boolean {
  if (repeat === 'never') return false
  // A dispatcher of the app does not say whether the connection was kept alive.
  return receiver.stage === undefined ? repeat === 'always' : receiver.stage === 'kept-alive connection'
}

// Errors are recognized by their fields and not by their class, because test runners such as Jest have a second one.
function codeOf(error: Error): string | undefined {
  // Node tries every address of a host, and collects the errors.
  const all: unknown = 'errors' in error ? error.errors : undefined
  const first: unknown = Array.isArray(all) ? all[0] : error
  const code = isNativeError(first) && 'code' in first ? first.code : undefined
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : undefined
}

/** How far the connection was; undefined if it was not the connection that failed. */
function stageOf(error: unknown, receiver: Attempt): Stage | undefined {
  if (!isNativeError(error) || error instanceof ElasticPathError) return undefined
  return receiver.stage ?? stageByError(error)
}

/** Determines the stage from an error of the app's dispatcher. */
function stageByError(error: Error): Stage {
  if (CONNECT_CODES.has(codeOf(error) ?? '')) return 'never connected'
  const socket: unknown = 'socket' in error ? error.socket : undefined
  const bytesRead =
    typeof socket === 'object' && socket !== null && 'bytesRead' in socket ? socket.bytesRead : 0
  return typeof bytesRead === 'number' && bytesRead > 0 ? 'kept-alive connection' : 'fresh connection'
}

/** @param allowed - Whether the request may be repeated although it may have been received. */
function mayRepeat(error: unknown, stage: Stage | undefined, allowed: boolean): boolean {
  if (stage === undefined || !isNativeError(error)) return false
  const code = codeOf(error)
  if (stage === 'never connected') return !isCertificateError(code)
  return (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE') && allowed
}

function isCertificateError(code: string | undefined): boolean {
  return code !== undefined && /CERT|SELF_SIGNED|ISSUER|UNABLE_TO_VERIFY|ERR_TLS/.test(code)
}
