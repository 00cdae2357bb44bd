import type { Context } from '../context'
import { ElasticPathError } from '../errors'
import { ACCOUNT_TOKEN_HEADER, type AccountSummary, type AccountToken, type HeldToken } from '../token'
import type { CommerceClient } from './client'
import { misconfigured } from './exchange'
import type { Refusal } from './refusal'
import { parseTokenPage, TOKEN_TYPE, type PageWindow, type TokenPage } from './token-page'

// The maximum number of accounts of a member (docs/elastic-path-facts.md#11). If a response claims more, the other pages
// are not read.
const MAX_ACCOUNTS = 10_000

const PATH = '/v2/account-members/tokens'
const NAME = `POST ${PATH}`
// Enough to hide the round trips, few enough for a store's rate limit.
const PARALLEL_PAGES = 4
// The fields that carry what the shopper typed (docs/elastic-path-facts.md#9).
const TYPED_FIELD = /^(username|one_?time_?password_?token)$/i

export interface OneTimeCode {
  passwordProfileId: string
  username: string
  otp: string
}

/**
 * Exchanges a code for the member's account tokens. A code may work only once, so it is sent again only if Elastic Path
 * has probably not received it.
 *
 * @returns `refused` if Elastic Path does not accept this username with this code.
 * @throws ElasticPathError `unreachable` if it refuses a code that was sent twice; `request_refused` if the setup is wrong.
 */
export function exchangeCode(
  client: CommerceClient,
  context: Context,
  code: OneTimeCode,
  window?: PageWindow,
): Promise<TokenPage | 'refused'> {
  const exchange = client.call(context, {
    method: 'POST',
    path: PATH + query(window),
    body: {
      data: {
        type: TOKEN_TYPE,
        authentication_mechanism: 'passwordless',
        password_profile_id: code.passwordProfileId,
        username: code.username,
        one_time_password_token: code.otp,
      },
    },
    repeatable: false,
    carriesCredentials: true,
    parse: (json, _text, now) => receivePage(client, parseTokenPage(json, now, window), now),
  })
  return exchange.then((outcome) =>
    'result' in outcome ? outcome.result : interpretRefusal(client, outcome.refusal, outcome.sentBefore),
  )
}

function interpretRefusal(client: CommerceClient, refusal: Refusal, sentBefore: boolean): 'refused' {
  if (isGone(refusal)) client.onStoreGone()
  if (isOfCredentials(refusal)) {
    if (!sentBefore) return 'refused'
    throw new ElasticPathError(
      'unreachable',
      'The connection failed while a code was being sent, and Elastic Path did not accept the code when it was sent ' +
        'again. The code may be used up. The shopper has to request a new one.',
      { upstreamStatus: refusal.status },
    )
  }
  throw misconfigured(
    refusal,
    NAME,
    'Check that passwordProfileId is the id of a password profile of this store with enable_one_time_password_token, ' +
      'and that clientId may sign members in.',
  )
}

function isOfCredentials({ status, fields, ofRealm }: Refusal): boolean {
  if (ofRealm || status === 400 || status === 401) return true
  return status === 422 && fields.length > 0 && fields.every((field) => TYPED_FIELD.test(field))
}

/** Whether a refusal may mean that the store's realm or password profile was replaced. */
function isGone({ status, ofRealm }: Refusal): boolean {
  return ofRealm || status === 404
}

/**
 * A page of the member's accounts with new tokens, for a held token that is still valid. A page of another member, which
 * a cache could return, is a bad answer.
 */
export async function renewTokens(
  client: CommerceClient,
  context: Context,
  held: HeldToken,
  memberId: string,
  window: PageWindow,
): Promise<TokenPage> {
  const outcome = await client.call(context, {
    method: 'POST',
    path: PATH + query(window),
    headers: { [ACCOUNT_TOKEN_HEADER]: held.token },
    body: { data: { type: TOKEN_TYPE, authentication_mechanism: TOKEN_TYPE } },
    repeatable: true,
    carriesCredentials: true,
    parse: (json, _text, now) => receivePage(client, parseTokenPage(json, now, window, memberId), now),
  })
  if ('result' in outcome) return outcome.result
  const { refusal } = outcome
  if (isGone(refusal)) client.onStoreGone()
  if (refusal.ofRealm || refusal.status === 400 || refusal.status === 401) {
    throw new ElasticPathError(
      'account_token_refused',
      'Elastic Path no longer accepts the account token. The shopper has to sign in again.',
      { upstreamStatus: refusal.status },
    )
  }
  throw misconfigured(refusal, NAME, 'Check that clientId may renew account tokens.')
}

/** Reads a page that begins at a record. */
export type PageReader = (window: PageWindow) => Promise<TokenPage>

/**
 * Passes the pages after the first to `visit` until it returns true or the list ends. Several pages are read at once, so
 * they arrive in any order, each with the number of its first record.
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
      // A list that became shorter in the meantime ends with an empty page.
      if (page.tokens.length === 0 || visit(page, offset)) done = true
    }
  }
  await Promise.all(Array.from({ length: PARALLEL_PAGES }, work))
}

/** Finds the token of one account in all pages; undefined if the member does not belong to it. */
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

/** Compares the clocks, preferably by the tokens: a proxy may set the header Date. */
function receivePage(
  client: CommerceClient,
  page: TokenPage | undefined,
  now: () => number,
): TokenPage | undefined {
  client.clockSkew.check(page?.issuedAt ?? now())
  return page
}

function query(window: PageWindow | undefined): string {
  return window === undefined ? '' : `?page[limit]=${window.limit}&page[offset]=${window.offset}`
}
