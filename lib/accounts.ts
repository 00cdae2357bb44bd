import { findAccount, MAX_PAGE, renewTokens, summarize, type PageReader } from './commerce/account-tokens'
import type { CommerceClient } from './commerce/client'
import type { Context } from './context'
import { ElasticPathError } from './errors'
import { toHeldToken, type AccountSummary, type AccountToken, type HeldToken } from './token'
import { heldToken, type PasswordlessOtpUser } from './user'

/** What a signed-in member can do with the token that they hold, without a code (docs/elastic-path-facts.md#13). */

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
  // Only a member of no account holds no token.
  if (!held) return { accounts: [], total: 0 }
  const page = await renewTokens(client, context, held, user.accountMemberId, { limit, offset })
  return { accounts: page.tokens.map(summarize), total: page.total }
}

/**
 * The account with a new token.
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

/** The tokens of a user after a renewal. */
export interface RenewedTokens {
  account: AccountToken | null
  selectionToken: HeldToken | undefined
  /** Whether the member no longer belongs to the account that they acted for. */
  removed: boolean
}

/** Renews what the user holds: the token of the selected account, or the one for choosing an account. */
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
