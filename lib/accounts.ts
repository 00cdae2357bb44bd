import { findAccount, MAX_PAGE, renewTokens, summarize, type PageReader } from './commerce/account-tokens'
import type { CommerceClient } from './commerce/client'
import type { Operation } from './commerce/operation'
import { ElasticPathError } from './errors'
import {
  heldToken,
  isPasswordlessOtpUser,
  withAccount,
  type AccountSummary,
  type PasswordlessOtpUser,
} from './user'

/** What a signed-in member can do with the token in hand, and no code (fact 13). */

export async function listAccounts(
  client: CommerceClient,
  operation: Operation,
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
  const page = await renewTokens(client, operation, held, user.accountMemberId, { limit, offset })
  return { accounts: page.tokens.map(summarize), total: page.total }
}

/** The user, acting for another account of the member's, with a token of a full lifetime. */
export async function selectAccount<User extends PasswordlessOtpUser>(
  client: CommerceClient,
  operation: Operation,
  user: User,
  accountId: string,
): Promise<User> {
  const held = heldToken(user)
  if (held) {
    const read: PageReader = (window) => renewTokens(client, operation, held, user.accountMemberId, window)
    const account = await findAccount(await read({ limit: MAX_PAGE, offset: 0 }), read, accountId)
    if (account) return withAccount(user, account)
  }
  throw new ElasticPathError('account_not_found', 'The member does not belong to this account')
}

/** The user with a token of a full lifetime for what it holds: the selected account, or the choice of one. */
export async function renewAccount<User extends PasswordlessOtpUser>(
  client: CommerceClient,
  operation: Operation,
  user: User,
): Promise<User> {
  if (user.account) return selectAccount(client, operation, user, user.account.id)
  if (!user.selectionToken) return user
  const page = await renewTokens(client, operation, user.selectionToken, user.accountMemberId, {
    limit: 1,
    offset: 0,
  })
  const [first] = page.tokens
  if (!first) throw new ElasticPathError('account_not_found', 'The member belongs to no account any more')
  return { ...user, selectionToken: { token: first.token, expires: first.expires } }
}

/** Checks a user from outside: `req.user`, a session, a script. */
export function requireUser<User>(user: User): User & PasswordlessOtpUser {
  if (isPasswordlessOtpUser(user)) return user
  if (!user) throw new ElasticPathError('not_signed_in', 'Nobody is signed in')
  throw new ElasticPathError(
    'unexpected_user',
    'The user is not one of PasswordlessOtpStrategy: keep accountMemberId, username, account and selectionToken on ' +
      'the user that verify answers with',
  )
}
