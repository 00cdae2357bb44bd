import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/**
 * What a request is for. `exchange` and `renewal` are `POST /v2/account-members/tokens` with a code and with a held token;
 * `other` is whatever the simulator does not know.
 */
export type Call =
  | 'access_token'
  | 'exchange'
  | 'renewal'
  | 'otp_request'
  | 'account_settings'
  | 'password_profiles'
  | 'accounts'
  | 'other'

/** A request that the simulator got. */
export interface RecordedRequest {
  /** What it was for. */
  readonly call: Call
  /** In capitals. */
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** The query's parameters, such as `page[limit]`. */
  readonly query: Readonly<Record<string, string>>
  /** As Node has read them, with names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** Parsed JSON or form; the text of a body that is neither; undefined for none and for one above 16 KiB. */
  readonly body: unknown
  /** The status of the answer. Undefined while it is not answered, and where a fault answered without one. */
  status: number | undefined
}

/** A request's body, read as its content type says. */
export interface Body {
  kind: 'json' | 'form' | 'malformed' | 'other' | 'too_large'
  value: unknown
  size: number
}

const KEPT = 1000
const LARGEST_KEPT_BODY = 16 * 1024
// Commerce's own limit is not known. This one is above all that a client of these calls has to say.
const LARGEST_BODY = 256 * 1024
const PATIENCE = 16 * 1024 * 1024

/** The last thousand requests, and how many there were of each kind. */
export class Requests {
  private records: RecordedRequest[] = []
  private counts = new Map<Call, number>()

  get all(): readonly RecordedRequest[] {
    return this.records
  }

  add(
    call: Call,
    request: IncomingMessage,
    path: string,
    query: URLSearchParams,
    body: Body,
  ): RecordedRequest {
    const record: RecordedRequest = {
      call,
      method: request.method ?? '',
      path,
      query: Object.fromEntries(query),
      headers: request.headers,
      body: body.size > LARGEST_KEPT_BODY ? undefined : body.value,
      status: undefined,
    }
    if (this.records.push(record) > KEPT) this.records.shift()
    this.counts.set(call, this.count(call) + 1)
    return record
  }

  count(call: Call): number {
    return this.counts.get(call) ?? 0
  }

  clear(): void {
    this.records = []
    this.counts = new Map()
  }
}

/** Reads a body to its end; undefined where the client went away first. */
export function readBody(request: IncomingMessage): Promise<Body | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= LARGEST_BODY) chunks.push(chunk)
      else if (size > PATIENCE) request.destroy()
    })
    request.on('end', () => resolve(parse(request.headers['content-type'], chunks, size)))
    request.on('error', () => resolve(undefined))
  })
}

function parse(contentType: string | undefined, chunks: Buffer[], size: number): Body {
  if (size > LARGEST_BODY) return { kind: 'too_large', value: undefined, size }
  const text = Buffer.concat(chunks).toString('utf8')
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
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
