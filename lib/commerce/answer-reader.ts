import type { Dispatcher } from 'undici'
import { ElasticPathError } from '../errors'
import type { Operation } from './operation'

export interface Answer {
  status: number
  retryAfter: string | undefined
  text: string
}

// A page of 100 accounts with tokens of 1 kB is a tenth of it.
const MAX_ANSWER_BYTES = 1024 * 1024

/**
 * Reads one answer whole, as a dispatcher hands it over, up to a size, and not beyond the operation's end. undici's own
 * `request` makes a stream of every answer, which costs a sign-in more than all the rest of this package.
 */
export class AnswerReader implements Dispatcher.DispatchHandler {
  readonly answer: Promise<Answer>
  private resolve!: (answer: Answer) => void
  private reject!: (error: unknown) => void
  private controller: Pick<Dispatcher.DispatchController, 'abort'> | undefined
  private status = 0
  private retryAfter: string | undefined
  private readonly chunks: Buffer[] = []
  private size = 0

  constructor(
    private readonly operation: Operation,
    private readonly name: () => string,
  ) {
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    operation.onEnd(this.fail)
  }

  onRequestStart(controller: Pick<Dispatcher.DispatchController, 'abort'>): void {
    // It may have waited for a connection for longer than anybody waited for it.
    if (this.operation.ended) controller.abort(this.operation.ended)
    this.controller = controller
  }

  onResponseStart(
    _controller: unknown,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // 1xx comes before the answer.
    if (status < 200) return
    const retryAfter = headers['retry-after']
    this.status = status
    this.retryAfter = typeof retryAfter === 'string' ? retryAfter : undefined
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.size += chunk.length
    if (this.size > MAX_ANSWER_BYTES) this.fail(this.badAnswer(`is larger than ${MAX_ANSWER_BYTES} bytes`))
    else this.chunks.push(chunk)
  }

  onResponseEnd(): void {
    this.operation.offEnd(this.fail)
    const [first] = this.chunks
    const whole = first && this.chunks.length === 1 ? first : Buffer.concat(this.chunks)
    this.resolve({ status: this.status, retryAfter: this.retryAfter, text: whole.toString('utf8') })
  }

  /** An answer that has begun is never asked for again: Elastic Path has acted. */
  onResponseError(_controller: unknown, error: unknown): void {
    this.operation.offEnd(this.fail)
    this.reject(this.status === 0 ? error : this.badAnswer('broke off'))
  }

  // The same for the dispatchers of undici 6, the one in Node 20 and 22.

  onConnect(abort: (error?: Error) => void): void {
    this.onRequestStart({ abort })
  }

  onHeaders(status: number, rawHeaders: Buffer[]): boolean {
    const texts = rawHeaders.map(String)
    const at = texts.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === 'retry-after')
    this.onResponseStart(undefined, status, at < 0 ? {} : { 'retry-after': texts[at + 1] })
    return true
  }

  onData(chunk: Buffer): boolean {
    this.onResponseData(undefined, chunk)
    return true
  }

  onComplete(): void {
    this.onResponseEnd()
  }

  onError(error: Error): void {
    this.onResponseError(undefined, error)
  }

  private readonly fail = (reason: ElasticPathError): void => {
    this.operation.offEnd(this.fail)
    this.reject(reason)
    this.controller?.abort(reason)
  }

  private badAnswer(what: string): ElasticPathError {
    return new ElasticPathError('bad_answer', `Elastic Path's answer to ${this.name()} ${what}`, {
      upstreamStatus: this.status,
    })
  }
}
