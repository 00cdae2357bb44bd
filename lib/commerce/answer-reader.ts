import type { Context } from '../context'
import { ElasticPathError } from '../errors'
import { decode } from './decode'
import { Receiver, type ResponseHeaders } from './receiver'

/** A whole response. */
export interface Answer {
  status: number
  retryAfter: string | undefined
  /** The header Date. */
  date: string | string[] | undefined
  text: string
}

// A page of 100 accounts with tokens of 1 kB is a tenth of this.
const MAX_ANSWER_BYTES = 1024 * 1024

/**
 * Reads a whole response of bounded size. undici's `request` creates a stream for every response, which costs more CPU
 * time than the rest of a sign-in's own code.
 */
export class AnswerReader extends Receiver<Answer> {
  private headers: ResponseHeaders = {}
  private readonly chunks: Buffer[] = []
  private size = 0

  /** @param name - Names the request for errors. */
  constructor(
    context: Context,
    private readonly name: () => string,
  ) {
    super(context)
  }

  protected onHead(headers: ResponseHeaders): void {
    this.headers = headers
  }

  protected onChunk(chunk: Buffer): void {
    this.size += chunk.length
    if (this.size <= MAX_ANSWER_BYTES) {
      this.chunks.push(chunk)
      return
    }
    const error = this.badAnswer(`is larger than ${MAX_ANSWER_BYTES} bytes`)
    this.fail(error)
    this.abort(error)
  }

  protected onEnd(): void {
    const [first] = this.chunks
    const whole = first && this.chunks.length === 1 ? first : Buffer.concat(this.chunks)
    const encoding = this.headers['content-encoding']
    const body =
      encoding === undefined || whole.length === 0 ? whole : decode(whole, String(encoding), MAX_ANSWER_BYTES)
    if (!body) {
      this.fail(this.badAnswer('could not be decompressed'))
      return
    }
    const retryAfter = this.headers['retry-after']
    this.settle({
      status: this.status,
      retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
      date: this.headers['date'],
      text: body.toString('utf8'),
    })
  }

  /** A response that has begun is never requested again, because Elastic Path has acted on the request. */
  protected onFailure(error: unknown): void {
    this.fail(this.status === 0 ? error : this.badAnswer('was cut off'))
  }

  private badAnswer(what: string): ElasticPathError {
    return new ElasticPathError('bad_answer', `Elastic Path's response to ${this.name()} ${what}.`, {
      upstreamStatus: this.status,
    })
  }
}

/** An HTTP date in milliseconds since the epoch. `Date.parse` alone accepts almost any text that has a number in it. */
export function readDate(header: string | string[] | undefined): number | undefined {
  const date = typeof header === 'string' && header.endsWith(' GMT') ? Date.parse(header) : NaN
  return Number.isNaN(date) ? undefined : date
}
