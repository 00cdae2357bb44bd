import { Readable } from 'node:stream'
import { isArrayBuffer } from 'node:util/types'
import type { Dispatcher } from 'undici'

type Body = NonNullable<Dispatcher.DispatchOptions['body']>
type BodyOfInit = Exclude<RequestInit['body'], null | undefined>

/** A request as the caller of `fetch` describes it. */
export interface CallRequest {
  url: string
  method: string
  /** The caller's headers, without those that HTTP itself sets. */
  headers: Headers
  signal: AbortSignal | undefined
  /** A `Request` has a stream, which `bufferSmall` reads. */
  body: CallBody | ReadableStream<Uint8Array> | undefined
}

export interface CallBody {
  /** Whether the body can be sent only once. */
  streams: boolean
  /** Why the stream failed, if it did. */
  failure?: { error: unknown }
  /** The body for one sending, with its own Content-Type and Content-Length if these are known. */
  open: () => { data: Body; type?: string; length?: number }
}

const NORMALIZED_METHOD = /^(delete|get|head|options|post|put)$/i
const FORBIDDEN_METHOD = /^(connect|trace|track)$/i
const METHOD = /^[\w!#$%&'*+.^`|~-]+$/
// Set by the HTTP client. A copy of a browser's headers contains them.
const OWN_HEADERS = [
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]
// A `Request` does not tell whether its body is a stream. Small bodies are buffered, so that they can be sent again.
const MAX_BUFFERED = 64 * 1024

/**
 * Reads the arguments of `fetch`.
 *
 * @throws TypeError as `fetch` does.
 */
export function readRequest(input: Parameters<typeof fetch>[0], init: RequestInit | undefined): CallRequest {
  if (isRequest(input)) {
    const { url, method, signal, headers, body } = init === undefined ? input : new Request(input, init)
    return { url, method, headers: cleanHeaders(headers), signal, body: body ?? undefined }
  }
  const given = init?.method ?? 'GET'
  if (!METHOD.test(given) || FORBIDDEN_METHOD.test(given))
    throw new TypeError('fetch: the method is invalid.')
  const method = NORMALIZED_METHOD.test(given) ? given.toUpperCase() : given
  const body = init?.body ?? undefined
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) {
    throw new TypeError(`fetch: a ${method} request cannot have a body.`)
  }
  return {
    url: String(input),
    method,
    headers: cleanHeaders(init?.headers),
    signal: init?.signal ?? undefined,
    body: body === undefined ? undefined : readBody(body),
  }
}

// Recognizes a Request by its fields, because test runners such as Jest have a second class Request.
function isRequest(input: Parameters<typeof fetch>[0]): input is Request {
  return typeof input === 'object' && 'headers' in input && 'method' in input
}

function cleanHeaders(given: RequestInit['headers']): Headers {
  const headers = new Headers(given)
  for (const name of OWN_HEADERS) headers.delete(name)
  return headers
}

function readBody(body: BodyOfInit): CallBody {
  if (typeof body === 'string') return replayable(body, 'text/plain;charset=UTF-8')
  if (body instanceof URLSearchParams) {
    return replayable(body.toString(), 'application/x-www-form-urlencoded;charset=UTF-8')
  }
  // Bytes are copied, because the caller may change them while the request waits.
  if (isArrayBuffer(body)) return replayable(Buffer.from(body.slice(0)))
  if (ArrayBuffer.isView(body)) {
    return replayable(Buffer.from(new Uint8Array(body.buffer, body.byteOffset, body.byteLength)))
  }
  if (body instanceof Blob) {
    const known = { length: body.size, ...(body.type === '' ? {} : { type: body.type }) }
    return { streams: false, open: () => ({ data: Readable.from(body.stream()), ...known }) }
  }
  if (body instanceof FormData) {
    return {
      streams: false,
      open: () => {
        const encoded = new Response(body)
        const type = encoded.headers.get('content-type') ?? 'multipart/form-data'
        return { data: Readable.from(encoded.body ?? []), type }
      },
    }
  }
  if (isAsyncIterable(body)) return streaming(body)
  throw new TypeError('fetch: the body is of an unknown type.')
}

function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value
}

function replayable(data: string | Buffer, type?: string): CallBody {
  return { streams: false, open: () => ({ data, ...(type === undefined ? {} : { type }) }) }
}

function streaming(chunks: AsyncIterable<unknown>): CallBody {
  const body: CallBody = { streams: true, open: () => ({ data: Readable.from(read()) }) }
  async function* read() {
    try {
      yield* chunks
    } catch (error) {
      body.failure = { error }
      throw error
    }
  }
  return body
}

/** Reads the body of a `Request`. If it is small, it can be sent again. */
export async function bufferSmall(stream: ReadableStream<Uint8Array>): Promise<CallBody> {
  const chunks: Uint8Array[] = []
  let size = 0
  const iterator = stream[Symbol.asyncIterator]()
  while (size <= MAX_BUFFERED) {
    const next = await iterator.next()
    if (next.done) return replayable(Buffer.concat(chunks))
    chunks.push(next.value)
    size += next.value.length
  }
  async function* read() {
    yield* chunks
    yield* { [Symbol.asyncIterator]: () => iterator }
  }
  return streaming(read())
}
