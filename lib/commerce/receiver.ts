import type { Dispatcher } from 'undici'
import type { Context } from '../context'
import type { ElasticPathError } from '../errors'

export type ResponseHeaders = Record<string, string | string[] | undefined>

/** How far the connection of a request was when the request failed. */
export type Stage = 'never connected' | 'fresh connection' | 'kept-alive connection'

type Controller = Pick<Dispatcher.DispatchController, 'abort' | 'pause' | 'resume'>

/** A request that was dispatched. The type of its response does not matter. */
export interface Attempt extends Dispatcher.DispatchHandler {
  /** The status of the response; 0 until its headers arrived. */
  readonly status: number
  /** Whether the request got a connection. */
  readonly started: boolean
  /** Set by connections of the strategy's own. */
  stage: Stage | undefined
  /** Called once, when the request no longer occupies its connection. */
  onDone: (() => void) | undefined
  onResponseError(controller: unknown, error: unknown): void
}

/**
 * Receives one response from a dispatcher of undici 6, 7 or 8, whose handler interfaces differ. It stops when its
 * context ends, until `settle` is called.
 */
export abstract class Receiver<T> implements Attempt {
  readonly result: Promise<T>
  status = 0
  started = false
  stage: Stage | undefined
  onDone: (() => void) | undefined
  protected controller: Controller | undefined
  private resolve!: (result: T) => void
  private reject!: (error: unknown) => void
  private canceled: ElasticPathError | undefined

  constructor(private readonly context: Context) {
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    context.beginResponse(this.cancel)
  }

  /** The headers of the final response arrived; `status` is set. */
  protected abstract onHead(headers: ResponseHeaders, statusText: string): void
  protected abstract onChunk(chunk: Buffer): void
  protected abstract onEnd(): void
  /** The connection failed, or the dispatcher did. */
  protected abstract onFailure(error: unknown): void

  /** Resolves the result. From here on, the end of the context does not stop the response. */
  protected settle(result: T): void {
    if (this.context.endResponse(this.cancel)) this.resolve(result)
  }

  protected fail(error: unknown): void {
    if (this.context.endResponse(this.cancel)) this.reject(error)
  }

  /** Frees the connection of a response that has begun, and whose body is not needed. */
  discard(): void {
    // Most receivers read the whole body.
  }

  /** Ends the request at its connection. */
  protected abort(reason: Error): void {
    try {
      this.controller?.abort(reason)
    } catch {
      // A dispatcher of the app threw. For the caller, the request has ended already.
    }
  }

  private readonly cancel = (reason: ElasticPathError): void => {
    this.canceled = reason
    this.fail(reason)
    this.abort(reason)
  }

  onRequestStart(controller: Controller): void {
    this.started = true
    this.controller = controller
    // The request may have waited for a connection until after the end of its context.
    if (this.canceled) this.abort(this.canceled)
  }

  onResponseStart(_controller: unknown, status: number, headers: ResponseHeaders, statusText = ''): void {
    // Informational responses (1xx) precede the response.
    if (status < 200) return
    this.status = status
    this.onHead(headers, statusText)
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.onChunk(chunk)
  }

  onResponseEnd(): void {
    this.onDone?.()
    this.onEnd()
  }

  onResponseError(_controller: unknown, error: unknown): void {
    this.onDone?.()
    this.onFailure(error)
  }

  // The handler interface of undici 6, which is the version inside Node 20 and 22.

  private stopped = false
  private resumeOld: (() => void) | undefined

  onConnect(abort: (error?: Error) => void): void {
    this.onRequestStart({
      abort,
      pause: () => {
        this.stopped = true
      },
      resume: () => {
        this.stopped = false
        this.resumeOld?.()
      },
    })
  }

  onHeaders(status: number, rawHeaders: Buffer[], resume: () => void, statusText: string): boolean {
    this.resumeOld = resume
    this.onResponseStart(undefined, status, readRawHeaders(rawHeaders), statusText)
    return !this.stopped
  }

  onData(chunk: Buffer): boolean {
    this.onResponseData(undefined, chunk)
    return !this.stopped
  }

  onComplete(): void {
    this.onResponseEnd()
  }

  onError(error: Error): void {
    this.onResponseError(undefined, error)
  }
}

/** Names and values in turn. A name that occurs several times has an array of values. */
function readRawHeaders(raw: Buffer[]): ResponseHeaders {
  const headers: ResponseHeaders = Object.create(null) as ResponseHeaders
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = String(raw[index]).toLowerCase()
    const value = raw[index + 1]?.toString('latin1') ?? ''
    const before = headers[name]
    headers[name] = before === undefined ? value : [before, value].flat()
  }
  return headers
}
