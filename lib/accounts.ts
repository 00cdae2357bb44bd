import { findAccount, renewTokens, summarize, type PageReader } from './commerce/account-tokens'
import type { CommerceClient } from './commerce/client'
import { MAX_PAGE } from './commerce/token-page'
import type { Context } from './context'
import { ElasticPathError } from './errors'
import { toHeldToken, type AccountSummary, type AccountToken, type HeldToken } from './token'
import { heldToken, type PasswordlessOtpUser } from './user'

// An account token can list and renew the tokens of all accounts of its member, without a code
// (docs/elastic-path-facts.md#13).

/** Lists the member's accounts, without tokens. */
export async function listAccounts(
  client: CommerceClient,
  context: Context,
  user: PasswordlessOtpUser,
  { limit = 25, offset = 0 }: { limit?: number | undefined; offset?: number | undefined },
): Promise<{ accounts: AccountSummary[]; total: number }> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    throw new RangeError(`listAccounts: limit must be a whole number from 1 to ${MAX_PAGE}`)
  }
  if (!Number.isSafeInteger(offset) || offset < 0) {
    throw new RangeError('listAccounts: offset must be a whole number of accounts, 0 or more')
  }
  const held = heldToken(user)
  // A user without a token is a member that belongs to no account.
  if (!held) return { accounts: [], total: 0 }
  const page = await renewTokens(client, context, held, user.accountMemberId, { limit, offset })
  return { accounts: page.tokens.map(summarize), total: page.total }
}

/**
 * Fetches one of the member's accounts with a new token.
 *
 * @throws ElasticPathError `account_not_found` (403) if the member does not belong to it.
 */
export async function fetchAccount(
  client: CommerceClient,
  context: Context,
  user: PasswordlessOtpUser,
  accountId: string,
): Promise<AccountToken> {
  const { account } = await search(client, context, user, accountId)
  if (account) return account
  throw new ElasticPathError('account_not_found', 'The member does not belong to this account.')
}

/** The account and tokens of a user after a renewal. */
export interface RenewedTokens {
  account: AccountToken | null
  selectionToken: HeldToken | undefined
  /** Whether the member no longer belongs to the account that they acted for. */
  removed: boolean
}

/**
 * Renews the user's token: the token of the selected account, or the one for choosing an account. If the member was
 * removed from the selected account, returns a token for choosing another one.
 */
export async function renewHeldTokens(
  client: CommerceClient,
  context: Context,
  user: PasswordlessOtpUser,
): Promise<RenewedTokens> {
  const { account: selected } = user
  const { account, first } = await search(client, context, user, selected?.id)
  if (account) return { account, selectionToken: undefined, removed: false }
  const selectionToken = first && toHeldToken(first)
  const held = heldToken(user)
  return { account: null, selectionToken, removed: selected !== null || (held !== undefined && !first) }
}

/** Finds an account by its id on any page. Also returns the first account of the list. */
async function search(
  client: CommerceClient,
  context: Context,
  user: PasswordlessOtpUser,
  accountId: string | undefined,
): Promise<{ account: AccountToken | undefined; first: AccountToken | undefined }> {
  const held = heldToken(user)
  if (!held) return { account: undefined, first: undefined }
  const read: PageReader = (window) => renewTokens(client, context, held, user.accountMemberId, window)
  const firstPage = await read({ limit: accountId === undefined ? 1 : MAX_PAGE, offset: 0 })
  const account = accountId === undefined ? undefined : await findAccount(firstPage, read, accountId)
  return { account, first: firstPage.tokens[0] }
}
