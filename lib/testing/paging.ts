import type { Answer, ApiRequest } from './messages'
import type { Store } from './store'

/** The requested part of a list. `offset` and `limit` are numbers of records. */
export interface Page {
  limit: number
  offset: number
}

const LARGEST_LIMIT = 100
const LARGEST_OFFSET = 10_000
const REFUSAL = `page[limit] must be 0 to ${LARGEST_LIMIT}, page[offset] 0 to ${LARGEST_OFFSET}`

/** Parses the page in a query. Returns it, or an error response if Elastic Path would refuse it. */
export function pageOf(
  store: Store,
  query: URLSearchParams,
  defaultLimit = 25,
): (Page & { refusal?: never }) | { refusal: Answer } {
  const limit = wholeNumber(query.get('page[limit]') ?? String(defaultLimit))
  const offset = wholeNumber(query.get('page[offset]') ?? '0')
  if (limit <= LARGEST_LIMIT && offset <= LARGEST_OFFSET) return { limit, offset }
  return { refusal: store.refusal(400, REFUSAL) }
}

/** Returns a response with the requested page of a list. */
export function paged<Row>(
  store: Store,
  request: ApiRequest,
  rows: readonly Row[],
  resource: (row: Row) => unknown,
  defaultLimit?: number,
): Answer {
  const page = pageOf(store, request.query, defaultLimit)
  if (page.refusal) return page.refusal
  const data = rows.slice(page.offset, page.offset + page.limit).map(resource)
  return { status: 200, body: listing(request, page, data, rows.length) }
}

/** Builds the body of a list: `data`, `meta` and `links`. */
export function listing(
  { origin, path }: ApiRequest,
  { limit, offset }: Page,
  data: unknown[],
  total: number,
) {
  const pages = limit === 0 ? 0 : Math.ceil(total / limit)
  const link = (from: number) => `${origin}${path}?page[offset]=${from}&page[limit]=${limit}`
  const last = Math.max(0, pages - 1) * limit
  return {
    meta: {
      page: { limit, offset, current: limit === 0 ? 1 : Math.floor(offset / limit) + 1, total: pages },
      results: { total },
    },
    data,
    links: {
      current: link(offset),
      first: link(0),
      last: link(last),
      // Elastic Path sends the string 'null', not null.
      next: limit > 0 && offset + limit < total ? link(offset + limit) : 'null',
      prev: offset > 0 ? link(Math.max(0, offset - limit)) : 'null',
    },
  }
}

function wholeNumber(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : NaN
}
