import { ElasticPathError } from 'passport-elasticpath-otp'
import { z } from 'zod'

/** A `fetch` of the strategy: as the shop, or as an account. */
export type Fetch = typeof fetch

/**
 * - `unavailable`: Elastic Path failed, did not answer in time, or sent nonsense. What was asked for may have been done.
 * - `refused`: Elastic Path does not do what was asked for. Nothing was changed.
 * - `account_token_refused`: the sign-in has ended.
 */
type Code = 'unavailable' | 'refused' | 'account_token_refused'

/** Why a call has no result. Error pages use the status. */
export class StoreError extends Error {
  readonly status: number

  constructor(
    readonly code: Code,
    message: string,
    /** Elastic Path's own status and title. */
    readonly upstream: { status?: number; title?: string } = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.status = code === 'account_token_refused' ? 401 : 502
  }
}

/** Whether the call may have had its effect. */
export const isUnknown = (error: unknown): boolean =>
  error instanceof StoreError && error.code === 'unavailable' && error.upstream.status !== 429

export const isRefusal = (error: unknown): error is StoreError =>
  error instanceof StoreError && error.code === 'refused'

/** Whether Elastic Path refused the account token: the sign-in has ended. */
export const isSignInEnd = (error: unknown): boolean =>
  error instanceof StoreError && error.code === 'account_token_refused'

/** Milliseconds that all calls of one page have together. */
const DEADLINE = 8_000

/** A `fetch` whose calls end with the page: all of them together, bodies included, take no longer than this. */
export async function inTime<T>(fetch: Fetch, work: (fetch: Fetch) => Promise<T>): Promise<T> {
  const page = new AbortController()
  const timer = setTimeout(() => page.abort(new Error('Elastic Path is too slow')), DEADLINE)
  try {
    return await work((input, init) => fetch(input, { ...init, signal: page.signal }))
  } finally {
    clearTimeout(timer)
  }
}

interface Request {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  body?: unknown
}

/**
 * Calls Elastic Path.
 *
 * @param fetch - Whose call it is.
 * @param path - The path and query. Ids in it are encoded.
 * @param answer - What the body must be.
 * @throws StoreError, or the strategy's error about the sign-in.
 */
export async function call<T>(
  fetch: Fetch,
  path: string,
  answer: z.ZodType<T>,
  { method = 'GET', body }: Request = {},
): Promise<T> {
  const json =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const { status, text } = await send(fetch, path, { method, ...json })
  if (status >= 400) throw failure(status, text)
  const parsed = answer.safeParse(parse(text))
  if (parsed.success && status < 300) return parsed.data
  throw new StoreError(
    'unavailable',
    'Elastic Path sent something unexpected',
    { status },
    { cause: parsed.error },
  )
}

async function send(
  fetch: Fetch,
  path: string,
  init: RequestInit,
): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(path, init)
    return { status: response.status, text: await response.text() }
  } catch (cause) {
    // Nobody is signed in, or the account token has expired.
    if (cause instanceof ElasticPathError && cause.status < 500) throw cause
    throw new StoreError('unavailable', 'Elastic Path cannot be reached', {}, { cause })
  }
}

const Errors = z.object({ errors: z.array(z.object({ title: z.string() })).min(1) })

function failure(status: number, text: string): StoreError {
  if (status === 401)
    return new StoreError('account_token_refused', 'The account token was refused', { status })
  const title = Errors.safeParse(parse(text)).data?.errors[0]?.title
  const code = status >= 500 || status === 408 || status === 429 ? 'unavailable' : 'refused'
  return new StoreError(code, `Elastic Path returned ${status}`, {
    status,
    ...(title !== undefined && { title }),
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const Listed = z.object({
  data: z.array(z.unknown()),
  meta: z.object({ results: z.object({ total: z.number() }) }),
})

const PAGE = 100
/** Elastic Path serves no more records of a list than these. */
const MOST_RECORDS = 10_000

/** All records of a list, through all its pages. */
export async function readAll<T>(fetch: Fetch, path: string, record: z.ZodType<T>): Promise<T[]> {
  const all: T[] = []
  for (let offset = 0; offset < MOST_RECORDS; offset += PAGE) {
    const page = await readPage(fetch, `${path}?page[limit]=${PAGE}&page[offset]=${offset}`, record)
    all.push(...page.records)
    if (page.count === 0 || offset + page.count >= page.total) break
  }
  return all
}

/** One page of a list: the records that can be read, how many it has, and how many the whole list has. */
export async function readPage<T>(fetch: Fetch, path: string, record: z.ZodType<T>) {
  const { data, meta } = await call(fetch, path, Listed)
  // A record that cannot be read is left out: it is not the reason to show none.
  const records = data.flatMap((one) => record.safeParse(one).data ?? [])
  return { records, count: data.length, total: meta.results.total }
}
