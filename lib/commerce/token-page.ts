import { asObject, asText, at } from '../json'
import { isToken, lifetimeOf, readClaims, type AccountToken } from '../token'

/** One page of a member's accounts, each with a token of a full lifetime. */
export interface TokenPage {
  accountMemberId: string
  tokens: AccountToken[]
  /** The number of accounts that the member belongs to. */
  total: number
  /** When Elastic Path issued the tokens, by its own clock, in milliseconds since the epoch, if their claims say so. */
  issuedAt?: number | undefined
}

/** The part of the list that a page holds. */
export interface PageWindow {
  limit: number
  offset: number
}

/** Elastic Path's largest page (docs/elastic-path-facts.md#11). */
export const MAX_PAGE = 100
const DEFAULT_PAGE = 25

export const TOKEN_TYPE = 'account_management_authentication_token'

/**
 * Parses a page of account tokens (docs/elastic-path-facts.md#7, 10 to 12). If one entry is invalid, the whole page is:
 * a missing account would look like one that the shopper does not belong to.
 *
 * @param now - The time by Elastic Path's clock, in milliseconds since the epoch.
 * @param expected - The member that the page has to be of.
 */
export function parseTokenPage(
  json: unknown,
  now: () => number,
  { limit, offset }: PageWindow = { limit: DEFAULT_PAGE, offset: 0 },
  expected?: string,
): TokenPage | undefined {
  const data = at(json, 'data')
  if (!Array.isArray(data)) return undefined
  const entries = (data as unknown[]).map(parseEntry)
  if (!entries.every((entry) => entry !== undefined)) return undefined
  const [first] = entries
  const claims = first && readClaims(first.token)
  const received = Date.now()
  const tokens = entries.map(({ id, name, token, expires }): AccountToken => {
    // Tokens that expire at the same moment have the same lifetime, so a page of a hundred costs no more than one.
    const own = claims && expires === first.expires ? claims : readClaims(token)
    return { id, name, token, expires, received, lifetime: lifetimeOf(expires, own, now) }
  })
  const results = at(json, 'meta', 'results')
  // Without a total, only a page that is not full is known to be the last.
  const isLast = tokens.length < limit
  const total = results === undefined && isLast ? offset + tokens.length : at(results, 'total')
  if (typeof total !== 'number' || !Number.isSafeInteger(total) || total < tokens.length) return undefined
  if (tokens.length === 0 && total > offset) return undefined
  const named = at(json, 'meta', 'account_member_id')
  // An empty page may not name its member.
  const accountMemberId = named === undefined ? (claims?.member ?? expected) : asText(named)
  if (accountMemberId === undefined || accountMemberId !== (expected ?? accountMemberId)) return undefined
  return { accountMemberId, tokens, total, issuedAt: claims?.issuedAt }
}

type Entry = Pick<AccountToken, 'id' | 'name' | 'token' | 'expires'>

function parseEntry(entry: unknown): Entry | undefined {
  const fields = asObject(entry)
  if (!fields) return undefined
  const id = asText(fields['account_id'])
  const name = fields['account_name']
  const token = fields['token']
  const expires = readMoment(fields['expires'])
  if (id === undefined || typeof name !== 'string' || expires === undefined) return undefined
  if (fields['type'] !== undefined && fields['type'] !== TOKEN_TYPE) return undefined
  if (!isToken(token)) return undefined
  return { id, name, token, expires }
}

/** ISO 8601 as it is, or epoch seconds (docs/elastic-path-facts.md#12). */
function readMoment(value: unknown): string | undefined {
  if (typeof value === 'number') {
    const date = new Date(value * 1000)
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
  }
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT/.test(value)) return undefined
  return Number.isNaN(Date.parse(value)) ? undefined : value
}
