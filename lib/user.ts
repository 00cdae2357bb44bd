/** An account that a member belongs to. */
export interface AccountSummary {
  /** The account's id at Elastic Path. */
  id: string
  /** The account's name at Elastic Path. */
  name: string
}

/** An account management authentication token. Whoever has it acts for the account until it ends. */
export interface HeldToken {
  /** The token itself. A secret: not for logs, and not for the browser. */
  token: string
  /** The ISO 8601 moment at which it ends: a day after it was made, unless the store says otherwise. */
  expires: string
}

/** An account with the token that acts for it, sent in {@link ACCOUNT_TOKEN_HEADER}. */
export interface AccountToken extends AccountSummary, HeldToken {}

/**
 * The signed-in shopper: `req.user`, and what the session keeps. Plain JSON, under 2 kB however many accounts
 * the member belongs to, with names and tokens of the usual length. It holds tokens, so it is not for the browser:
 * never `res.json(req.user)`.
 */
export interface PasswordlessOtpUser {
  /** The account member's id at Elastic Path. */
  accountMemberId: string
  /** The username as it was signed in with, normalised. */
  username: string
  /** The account the shopper acts for; null while none is chosen, or where the member belongs to none. */
  account: AccountToken | null
  /** Only while several accounts wait for a choice: it lists, renews and switches, and nothing else. */
  selectionToken?: HeldToken
}

/** What a sign-in leaves on `req.authInfo`: the first page of the member's accounts, without tokens. */
export interface SignInInfo {
  /** In Elastic Path's order: 25 at most, or 100 where the request names an account or a function selects one. */
  accounts: AccountSummary[]
  /** How many accounts the member belongs to in all. */
  totalAccounts: number
}

/**
 * The request header in which an account's token goes to Elastic Path, beside the app's own bearer.
 *
 * @example
 * ```ts
 * fetch(cartUrl, {
 *   headers: { Authorization: `Bearer ${bearer}`, [ACCOUNT_TOKEN_HEADER]: req.user.account.token },
 * })
 * ```
 */
export const ACCOUNT_TOKEN_HEADER = 'EP-Account-Management-Authentication-Token'

/** The token that speaks for the user: the selected account's, or the one that waits for a choice. */
export function heldToken(user: PasswordlessOtpUser): HeldToken | undefined {
  return user.account ?? user.selectionToken
}

/** Milliseconds until the user's token ends, negative afterwards; Infinity for a member of no account. */
export function remainingLife(user: PasswordlessOtpUser): number {
  const held = heldToken(user)
  return held ? Date.parse(held.expires) - Date.now() : Infinity
}

/** The same user, acting for another account. What the app added to its user stays. */
export function withAccount<User extends PasswordlessOtpUser>(user: User, account: AccountToken): User {
  const { selectionToken: _chosen, ...rest } = user
  return { ...rest, account } as User
}

/** Whether a value from outside (a session, an app's own code) is a user of this strategy, in every part. */
export function isPasswordlessOtpUser(value: unknown): value is PasswordlessOtpUser {
  if (!isObject(value)) return false
  const { accountMemberId, username, account, selectionToken } = value
  return (
    isText(accountMemberId) &&
    isText(username) &&
    (account === null ||
      (isObject(account) &&
        isText(account['id']) &&
        typeof account['name'] === 'string' &&
        isHeldToken(account))) &&
    (selectionToken === undefined || isHeldToken(selectionToken))
  )
}

const MAX_TOKEN = 8192

function isHeldToken(value: unknown): value is HeldToken {
  return (
    isObject(value) &&
    isToken(value['token']) &&
    typeof value['expires'] === 'string' &&
    !Number.isNaN(Date.parse(value['expires']))
  )
}

/** Whether a value can be a token: it goes out in a header. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TOKEN && /^[\x21-\x7e]+$/.test(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
