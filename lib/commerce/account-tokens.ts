import { ElasticPathError } from '../errors'
import {
  ACCOUNT_TOKEN_HEADER,
  isToken,
  type AccountSummary,
  type AccountToken,
  type HeldToken,
} from '../user'
import { misconfigured, type CommerceClient } from './client'
import { asObject, asText, at, parseJson } from './json'
import type { Operation } from './operation'
import type { Refusal } from './refusal'

/** One page of a member's accounts, each with a token of a full lifetime. */
export interface TokenPage {
  accountMemberId: string
  tokens: AccountToken[]
  /** How many accounts the member belongs to in all. */
  total: number
}

/** The part of the list that a page holds; Elastic Path's own default where there is none (fact 11). */
export interface PageWindow {
  limit: number
  offset: number
}

// A member can belong to so many accounts (fact 11). An answer that promises more is not one to follow.
const MAX_ACCOUNTS = 10_000

/** Elastic Path's largest page, and the one it answers with where none is asked for (fact 11). */
export const MAX_PAGE = 100
const DEFAULT_PAGE = 25

const PATH = '/v2/account-members/tokens'
const NAME = `POST ${PATH}`
const TYPE = 'account_management_authentication_token'
// How many pages are asked for at once: enough to hide the round trips, few enough for a store's limits.
const PARALLEL_PAGES = 4
// Refusals of the field that carries what the shopper typed (fact 9).
const TYPED_FIELD = /^(username|one_?time_?password_?token)$/i

export interface OneTimeCode {
  passwordProfileId: string
  username: string
  otp: string
}

/**
 * Exchanges a code for the member's account tokens. Exactly one exchange, for a code may work once only (fact 15);
 * `refused` where Elastic Path does not accept the pair of username and code.
 */
export async function exchangeCode(
  client: CommerceClient,
  operation: Operation,
  code: OneTimeCode,
  window?: PageWindow,
): Promise<TokenPage | 'refused'> {
  const outcome = await client.call(operation, {
    method: 'POST',
    path: PATH + query(window),
    body: {
      data: {
        type: TYPE,
        authentication_mechanism: 'passwordless',
        password_profile_id: code.passwordProfileId,
        username: code.username,
        one_time_password_token: code.otp,
      },
    },
    repeatable: false,
    carriesCredentials: true,
    parse: (json) => parseTokenPage(json, window),
  })
  if ('result' in outcome) return outcome.result
  if (isOfCredentials(outcome.refusal)) {
    if (!outcome.sentBefore) return 'refused'
    throw new ElasticPathError(
      'unreachable',
      'The connection broke while a code was on its way, and it was not accepted when it was sent again: ' +
        'it may be spent. The shopper needs a new one.',
      { upstreamStatus: outcome.refusal.status },
    )
  }
  throw misconfigured(
    outcome.refusal,
    NAME,
    'Check that passwordProfileId is the id of a password profile of this store with enable_one_time_password_token, ' +
      'and that clientId may sign members in.',
  )
}

function isOfCredentials({ status, fields }: Refusal): boolean {
  if (status === 400 || status === 401) return true
  return status === 422 && fields.length > 0 && fields.every((field) => TYPED_FIELD.test(field))
}

/**
 * A page of the member's accounts with new tokens, for a held token that has not ended (fact 13). Another member's
 * page, which a cache in between might answer with, is a bad answer.
 */
export async function renewTokens(
  client: CommerceClient,
  operation: Operation,
  held: HeldToken,
  memberId: string,
  window: PageWindow,
): Promise<TokenPage> {
  const outcome = await client.call(operation, {
    method: 'POST',
    path: PATH + query(window),
    headers: { [ACCOUNT_TOKEN_HEADER]: held.token },
    body: { data: { type: TYPE, authentication_mechanism: TYPE } },
    repeatable: true,
    carriesCredentials: true,
    parse: (json) => parseTokenPage(json, window, memberId),
  })
  if ('result' in outcome) return outcome.result
  const { refusal } = outcome
  if (refusal.status === 400 || refusal.status === 401) {
    throw new ElasticPathError(
      'account_token_refused',
      'Elastic Path does not accept the account token any more: the shopper has to sign in again',
      { upstreamStatus: refusal.status },
    )
  }
  throw misconfigured(refusal, NAME, 'Check that clientId may renew account tokens.')
}

/** Reads a page that begins at a record; the one way by which pages after the first are read. */
export type PageReader = (window: PageWindow) => Promise<TokenPage>

/**
 * Hands the pages after the first one to `visit`, several under way at once, until it answers true or the list ends.
 * Pages come in no order, each with the record that it begins at.
 */
export async function visitFurtherPages(
  first: TokenPage,
  read: PageReader,
  visit: (page: TokenPage, offset: number) => boolean,
): Promise<void> {
  const size = first.tokens.length
  if (size === 0) return
  let next = size
  let done = false
  async function work(): Promise<void> {
    while (!done && next < Math.min(first.total, MAX_ACCOUNTS)) {
      const offset = next
      next += size
      const page = await read({ limit: size, offset })
      // A list that became shorter meanwhile ends where its pages are empty.
      if (page.tokens.length === 0 || visit(page, offset)) done = true
    }
  }
  await Promise.all(Array.from({ length: PARALLEL_PAGES }, work))
}

/** The token of one account, looked for through all pages; undefined where the member does not belong to it. */
export async function findAccount(
  first: TokenPage,
  read: PageReader,
  accountId: string,
): Promise<AccountToken | undefined> {
  const isIt = ({ id }: AccountToken): boolean => id === accountId
  let found = first.tokens.find(isIt)
  if (!found) {
    await visitFurtherPages(first, read, (page) => {
      found ??= page.tokens.find(isIt)
      return found !== undefined
    })
  }
  return found
}

export function summarize({ id, name }: AccountToken): AccountSummary {
  return { id, name }
}

function query(window: PageWindow | undefined): string {
  return window === undefined ? '' : `?page[limit]=${window.limit}&page[offset]=${window.offset}`
}

/**
 * Facts 7, 10, 11 and 12. A list of which one entry is wrong is wrong; so is another member's than the one expected. What
 * such an answer leaves out would otherwise look like an account that the shopper does not belong to.
 */
function parseTokenPage(
  json: unknown,
  { limit, offset }: PageWindow = { limit: DEFAULT_PAGE, offset: 0 },
  expected?: string,
): TokenPage | undefined {
  const data = at(json, 'data')
  if (!Array.isArray(data)) return undefined
  const tokens: AccountToken[] = []
  for (const entry of data as unknown[]) {
    const token = parseAccountToken(entry)
    if (!token) return undefined
    tokens.push(token)
  }
  const results = at(json, 'meta', 'results')
  // Without a total only a page that is not full is known to be the last.
  const isLast = tokens.length < limit
  const total = results === undefined && isLast ? offset + tokens.length : at(results, 'total')
  if (typeof total !== 'number' || !Number.isSafeInteger(total) || total < tokens.length) return undefined
  if (tokens.length === 0 && total > offset) return undefined
  const named = at(json, 'meta', 'account_member_id')
  // An empty page can say nothing of whose it is (fact 11).
  const accountMemberId = named === undefined ? (memberOf(tokens[0]) ?? expected) : asText(named)
  if (accountMemberId === undefined || accountMemberId !== (expected ?? accountMemberId)) return undefined
  return { accountMemberId, tokens, total }
}

function parseAccountToken(entry: unknown): AccountToken | undefined {
  const fields = asObject(entry)
  if (!fields) return undefined
  const id = asText(fields['account_id'])
  const name = fields['account_name']
  const token = fields['token']
  const expires = readMoment(fields['expires'])
  if (id === undefined || typeof name !== 'string' || expires === undefined) return undefined
  if (fields['type'] !== undefined && fields['type'] !== TYPE) return undefined
  if (!isToken(token)) return undefined
  return { id, name, token, expires }
}

/** Fact 12: ISO 8601 as it is, or epoch seconds. */
function readMoment(value: unknown): string | undefined {
  if (typeof value === 'number') {
    const date = new Date(value * 1000)
    return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
  }
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT/.test(value)) return undefined
  return Number.isNaN(Date.parse(value)) ? undefined : value
}

/** Fact 11: the token's `sub` is the member, where `meta` does not say it. */
function memberOf(token: AccountToken | undefined): string | undefined {
  const payload = token?.token.split('.')[1]
  return payload === undefined
    ? undefined
    : asText(at(parseJson(Buffer.from(payload, 'base64url').toString('utf8')), 'sub'))
}
