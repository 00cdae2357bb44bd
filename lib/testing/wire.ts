import type { ServerResponse } from 'node:http'
import { finished, pipeline } from 'node:stream'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { Answer } from './messages'

const COMPRESS = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }

/** Sends the response to one request, whole or in one of the ways that faults need. */
export class Reply {
  /**
   * @param now returns the time for the header `Date`, in milliseconds since the epoch
   * @param onHead called with the status when the headers are sent
   */
  constructor(
    readonly response: ServerResponse,
    private readonly now: () => number,
    private readonly onHead: (status: number) => void,
  ) {}

  /** Sends a complete response. */
  send(answer: Answer, encoding?: keyof typeof COMPRESS): void {
    if (answer.status === 204 || answer.status === 304) {
      this.head(answer)
      this.response.end()
      return
    }
    const bytes = Buffer.from(textOf(answer))
    const sent = encoding ? COMPRESS[encoding](bytes) : bytes
    this.head(answer, { 'content-length': sent.length, ...(encoding && { 'content-encoding': encoding }) })
    this.response.end(sent)
  }

  /** Sends the headers and half of the body, then closes the connection. */
  truncate(answer: Answer): void {
    const text = textOf(answer) || '{}'
    this.head(answer, { 'content-length': Buffer.byteLength(text) })
    this.response.write(text.slice(0, text.length / 2), () => this.response.req.socket.destroySoon())
  }

  /** Sends a body of 64 MiB, as fast as the client reads it. */
  flood({ status }: Answer): void {
    this.head({ status, body: {} })
    // The client may disconnect before the end, which is not an error.
    pipeline(flood(), this.response, () => undefined)
  }

  /** Sends one byte of the response every 100 ms. */
  dribble(answer: Answer): void {
    const { response } = this
    const bytes = Buffer.from(textOf(answer) || '{}')
    let sent = 0
    this.head(answer, { 'content-length': bytes.length })
    response.flushHeaders()
    const timer = setInterval(() => {
      response.write(bytes.subarray(sent, sent + 1))
      sent += 1
      if (sent < bytes.length) return
      clearInterval(timer)
      response.end()
    }, SLOWNESS)
    finished(response, () => clearInterval(timer))
  }

  /**
   * Resolves after a delay. Never resolves if the client disconnects earlier.
   *
   * @param ms milliseconds
   */
  delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      finished(this.response, () => clearTimeout(timer))
    })
  }

  private head({ status, headers, body }: Answer, more: Record<string, string | number> = {}): void {
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const all = { date: new Date(this.now()).toUTCString(), ...type, ...headers, ...more }
    // `setHeader` ignores the case of names, so that a custom header replaces the regular one.
    for (const [name, value] of Object.entries(all)) this.response.setHeader(name, value)
    this.onHead(status)
    this.response.writeHead(status)
  }
}

const SLOWNESS = 100

function textOf({ body }: Answer): string {
  if (body === undefined) return ''
  return typeof body === 'string' ? body : JSON.stringify(body)
}

/** Returns the parts of a JSON body of 64 MiB. */
function* flood(): Generator<string> {
  const chunk = 'x'.repeat(64 * 1024)
  yield '{"data":"'
  for (let sent = 0; sent < 1024; sent += 1) yield chunk
  yield '"}'
}
