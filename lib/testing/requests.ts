import type { IncomingMessage } from 'node:http'
import type { Body, RecordedRequest } from './messages'

const KEPT = 1000
const LARGEST_KEPT_BODY = 16 * 1024
// Elastic Path does not document its limit. No real request to these endpoints is larger.
const LARGEST_BODY = 256 * 1024
const LARGEST_UPLOAD = 16 * 1024 * 1024

/** Records the last 1,000 requests and counts the requests of each kind. */
export class Requests {
  private records: RecordedRequest[] = []
  private counts = new Map<string, number>()
  private readonly keys = new WeakMap<RecordedRequest, readonly string[]>()

  get all(): readonly RecordedRequest[] {
    return this.records
  }

  add(
    request: Omit<RecordedRequest, 'body' | 'status'>,
    { size, value }: Body,
    keys: readonly string[],
  ): RecordedRequest {
    const record: RecordedRequest = {
      ...request,
      body: size > LARGEST_KEPT_BODY ? undefined : value,
      status: undefined,
    }
    if (this.records.push(record) > KEPT) this.records.shift()
    this.keys.set(record, keys)
    for (const key of new Set(keys)) this.counts.set(key, this.count(key) + 1)
    return record
  }

  count(key: string): number {
    return this.counts.get(key) ?? 0
  }

  /** Returns a function that tells whether a request is of a kind. */
  matcher(key: string): (record: RecordedRequest) => boolean {
    return (record) => this.keys.get(record)?.includes(key) === true
  }

  clear(): void {
    this.records = []
    this.counts = new Map()
  }
}

/** Reads a request body. Never resolves if the client disconnects before its end. */
export function readBody(request: IncomingMessage): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= LARGEST_BODY) chunks.push(chunk)
      else if (size > LARGEST_UPLOAD) request.destroy()
    })
    request.on('end', () => resolve(parse(request.headers['content-type'], chunks, size)))
  })
}

function parse(contentType = '', chunks: Buffer[], size: number): Body {
  if (size > LARGEST_BODY) return { kind: 'too_large', value: undefined, size }
  const text = Buffer.concat(chunks).toString('utf8')
  const type = contentType.replace(/;.*/, '').trim().toLowerCase()
  if (type === 'application/x-www-form-urlencoded') {
    return { kind: 'form', value: Object.fromEntries(new URLSearchParams(text)), size }
  }
  const unread = text === '' ? undefined : text
  if (!/^application\/([\w.]+\+)?json$/.test(type)) return { kind: 'other', value: unread, size }
  try {
    return { kind: 'json', value: JSON.parse(text), size }
  } catch {
    return { kind: 'malformed', value: unread, size }
  }
}
