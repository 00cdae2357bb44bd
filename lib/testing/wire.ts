import type { ServerResponse } from 'node:http'
import type { Answer } from './store'

/** Sends an answer whole. */
export function send(response: ServerResponse, answer: Answer): void {
  const text = textOf(answer)
  response.writeHead(answer.status, { ...headersOf(answer), 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

function textOf({ body }: Answer): string {
  if (body === undefined) return ''
  return typeof body === 'string' ? body : JSON.stringify(body)
}

function headersOf({ body, headers }: Answer): Record<string, string> {
  return body === undefined ? { ...headers } : { 'content-type': 'application/json', ...headers }
}

/** Promises the whole answer, and ends the connection in its middle. */
export function truncate(response: ServerResponse, answer: Answer): void {
  const text = textOf(answer) || '{}'
  response.writeHead(answer.status, { ...headersOf(answer), 'content-length': Buffer.byteLength(text) })
  response.write(text.slice(0, text.length / 2), () => response.socket?.destroySoon())
}

const FLOOD_BYTES = 64 * 1024 * 1024

/** A body without end to speak of, as fast as it is taken. */
export function flood(response: ServerResponse, { status }: Answer): void {
  const chunk = 'x'.repeat(64 * 1024)
  let sent = 0
  response.writeHead(status, { 'content-type': 'application/json' })
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

const SLOWNESS = 100

/** The answer, byte by byte. */
export function dribble(response: ServerResponse, answer: Answer): void {
  const bytes = Buffer.from(textOf(answer) || '{}')
  let sent = 0
  response.writeHead(answer.status, { ...headersOf(answer), 'content-length': bytes.length })
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
