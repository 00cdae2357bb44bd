import type { ApiRequest } from './routes'

/** The part of a list that was asked for, in records (fact 11). */
export interface Page {
  limit: number
  offset: number
}

const DEFAULT_LIMIT = 25
const LARGEST_LIMIT = 100
const LARGEST_OFFSET = 10_000

/** The page that a query asks for; undefined for one that Commerce refuses with 400. */
export function pageOf(query: URLSearchParams): Page | undefined {
  const limit = wholeNumber(query.get('page[limit]') ?? String(DEFAULT_LIMIT))
  const offset = wholeNumber(query.get('page[offset]') ?? '0')
  return limit <= LARGEST_LIMIT && offset <= LARGEST_OFFSET ? { limit, offset } : undefined
}

export const PAGE_REFUSAL = `page[limit] must be 0 to ${LARGEST_LIMIT}, page[offset] 0 to ${LARGEST_OFFSET}`

/** A page's `data`, and the `meta` and `links` that go with it. */
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
      // The string, as Commerce has it (fact 11).
      next: limit > 0 && offset + limit < total ? link(offset + limit) : 'null',
      prev: offset > 0 ? link(Math.max(0, offset - limit)) : 'null',
    },
  }
}

function wholeNumber(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : NaN
}
