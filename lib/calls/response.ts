import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream'
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  type BrotliOptions,
  type ZlibOptions,
} from 'node:zlib'
import { contentCodings, isZlib } from '../commerce/decode'
import { Receiver, type ResponseHeaders } from '../commerce/receiver'
import type { Context } from '../context'
import { ElasticPathError } from '../errors'

/** A response whose headers have arrived. Its body is received while it is read. */
export interface StreamedAnswer {
  status: number
  retryAfter: string | undefined
  response: Response
}

/** The number of bytes to receive before the app reads them. */
const READ_AHEAD = 64 * 1024
/** Milliseconds without progress after which a body is cut off. Otherwise it would occupy its connection forever. */
const STALLED_AFTER = 60_000
const NULL_BODY_STATUS = new Set([204, 205, 304])

/** Creates a global `Response` of one response, with a streamed body. */
export class ResponseStream extends Receiver<StreamedAnswer> {
  private body: ReadableByteStreamController | undefined
  private timer: NodeJS.Timeout | undefined
  private paused = false

  /**
   * @param name - Names the request for errors.
   * @param request - The method, the URL for `response.url`, and the signal that ends the body.
   */
  constructor(
    context: Context,
    private readonly name: () => string,
    private readonly request: { method: string; href: string; signal: AbortSignal | undefined },
  ) {
    super(context)
  }

  override discard(): void {
    this.stop(notRead())
  }

  protected onHead(headers: ResponseHeaders, statusText: string): void {
    const { status } = this
    if (status > 599) {
      const error = this.badAnswer('has an invalid status')
      this.fail(error)
      this.abort(error)
      return
    }
    const hasBody = this.request.method !== 'HEAD' && !NULL_BODY_STATUS.has(status)
    const body = hasBody ? this.openBody() : null
    const encoding = headers['content-encoding']
    const response = new Response(
      body && encoding !== undefined ? decodeStream(body, String(encoding)) : body,
      {
        status,
        statusText: asByteString(statusText),
        headers: toPairs(headers),
      },
    )
    // The constructor of Response has no option for it.
    Object.defineProperty(response, 'url', { value: this.request.href, configurable: true })
    const retryAfter = headers['retry-after']
    this.settle({ status, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined, response })
  }

  protected onChunk(chunk: Buffer): void {
    // When undici resumes, it can deliver an empty chunk. A stream of bytes refuses it.
    if (!this.body || chunk.length === 0) return
    this.timer?.refresh()
    // The stream takes the memory over, and that of the chunk may be shared.
    this.body.enqueue(new Uint8Array(chunk))
    if ((this.body.desiredSize ?? 0) > 0) return
    this.paused = true
    this.controller?.pause()
  }

  protected onEnd(): void {
    const body = this.endBody()
    body?.close()
    // A reader that brought its own buffer waits for this.
    body?.byobRequest?.respond(0)
  }

  protected onFailure(error: unknown): void {
    if (this.status === 0) this.fail(error)
    else this.endBody()?.error(this.badAnswer('was cut off'))
  }

  private openBody(): ReadableStream {
    const { signal } = this.request
    this.timer = setTimeout(() => {
      this.stop(
        new ElasticPathError('timeout', `The response to ${this.name()} made no progress for a minute.`, {
          upstreamStatus: this.status,
        }),
      )
    }, STALLED_AFTER).unref()
    signal?.addEventListener('abort', this.onAbort)
    return new ReadableStream(
      {
        type: 'bytes',
        start: (controller) => {
          this.body = controller
        },
        pull: () => {
          this.timer?.refresh()
          if (!this.paused) return
          this.paused = false
          this.controller?.resume()
        },
        cancel: () => {
          this.endBody()
          this.abort(notRead())
        },
      },
      { highWaterMark: READ_AHEAD },
    )
  }

  private endBody(): ReadableByteStreamController | undefined {
    const { body } = this
    this.body = undefined
    clearTimeout(this.timer)
    this.request.signal?.removeEventListener('abort', this.onAbort)
    return body
  }

  private readonly onAbort = (): void => {
    this.stop(this.request.signal?.reason)
  }

  private stop(reason: unknown): void {
    this.endBody()?.error(reason)
    this.abort(notRead())
  }

  private badAnswer(what: string): ElasticPathError {
    return new ElasticPathError('bad_answer', `Elastic Path's response to ${this.name()} ${what}.`, {
      upstreamStatus: this.status,
    })
  }
}

function notRead(): ElasticPathError {
  return new ElasticPathError('request_aborted', 'The response is not read.')
}

function toPairs(headers: ResponseHeaders): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one): [string, string] => [name, asByteString(one)]),
  )
}

/** Header values are bytes. undici 6, which can be the dispatcher of an app, decodes them as UTF-8. `Headers` refuses that. */
function asByteString(text: string): string {
  // eslint-disable-next-line no-control-regex -- all bytes
  return /^[\x00-\xff]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

/** Decompresses a body as `fetch` does: a body with an unknown coding stays as it is. */
function decodeStream(body: ReadableStream, encoding: string): ReadableStream {
  const decoders = contentCodings(encoding).map((coding) => DECODERS[coding])
  if (decoders.length === 0 || !decoders.every((decoder) => decoder !== undefined)) return body
  const streams = decoders.map((decoder) => decoder())
  const last = streams.at(-1)
  if (!last) return body
  // An error is passed on to the reader of the last stream.
  pipeline([Readable.fromWeb(body), ...streams], () => undefined)
  return Readable.toWeb(last)
}

// Truncated data is passed on as far as it goes, as `fetch` does.
const ZLIB: ZlibOptions = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH }
const BROTLI: BrotliOptions = {
  flush: constants.BROTLI_OPERATION_FLUSH,
  finishFlush: constants.BROTLI_OPERATION_FLUSH,
}

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(ZLIB),
  'x-gzip': () => createGunzip(ZLIB),
  deflate: () => new Inflate(),
  br: () => createBrotliDecompress(BROTLI),
}

/** Decompresses deflate data with or without the zlib header. */
class Inflate extends Transform {
  private inner: Transform | undefined

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.inner ??= this.open(chunk)
    this.inner.write(chunk, done)
  }

  override _flush(done: TransformCallback): void {
    if (!this.inner) {
      done()
      return
    }
    this.inner.once('end', () => done())
    this.inner.end()
  }

  private open(first: Buffer): Transform {
    const inner = isZlib(first) ? createInflate(ZLIB) : createInflateRaw(ZLIB)
    inner.on('data', (chunk) => this.push(chunk))
    inner.on('error', (error) => this.destroy(error))
    return inner
  }
}
