import type { ServerResponse } from 'node:http'
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
  ) {
    response.sendDate = false
  }

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
    this.response.write(text.slice(0, text.length / 2), () => this.response.socket?.destroySoon())
  }

  /** Sends a body of 64 MiB, as fast as the client reads it. */
  flood({ status }: Answer): void {
    const { response } = this
    const chunk = 'x'.repeat(64 * 1024)
    let sent = 0
    this.head({ status, body: {} })
    response.write('{"data":"')
    const pour = () => {
      while (sent < FLOOD_BYTES && !response.destroyed) {
        sent += chunk.length
        if (!response.write(chunk)) {
          response.once('drain', pour)
          return
        }
      }
      response.end('"}')
    }
    pour()
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
    response.once('close', () => clearInterval(timer))
  }

  /**
   * Runs an action after a delay, unless the client disconnects earlier.
   *
   * @param delay in milliseconds
   */
  later(delay: number, action: () => void): void {
    const timer = setTimeout(action, delay)
    this.response.once('close', () => clearTimeout(timer))
  }

  private head({ status, headers, body }: Answer, more: Record<string, string | number> = {}): void {
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    this.onHead(status)
    this.response.writeHead(status, {
      date: new Date(this.now()).toUTCString(),
      ...type,
      ...headers,
      ...more,
    })
  }
}

const FLOOD_BYTES = 64 * 1024 * 1024
const SLOWNESS = 100

function textOf({ body }: Answer): string {
  if (body === undefined) return ''
  return typeof body === 'string' ? body : JSON.stringify(body)
}
