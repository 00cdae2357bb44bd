import { ElasticPathError } from './errors'
import { asObject, asText, at } from './json'
import { isHeldToken, type AccountSummary, type AccountToken, type HeldToken } from './token'

/**
 * The signed-in shopper: `req.user`, and what the session keeps. Plain JSON, under 2 kB for any number of accounts if
 * names and tokens have the usual length. It holds tokens, so never send it to the browser.
 */
export interface PasswordlessOtpUser {
  /** The account member's id at Elastic Path. */
  accountMemberId: string
  /** The normalized username that the member signed in with. */
  username: string
  /** The name of the strategy that signed the member in. */
  strategy: string
  /** The account that the shopper acts for. Null if none is chosen yet, or if the member belongs to no account. */
  account: AccountToken | null
  /** Present only while no account is chosen, if the member belongs to any. It lists, renews and switches. */
  selectionToken?: HeldToken
}

/** `req.authInfo` after a sign-in: the first page of the member's accounts, without tokens. */
export interface SignInInfo {
  /** In Elastic Path's order. At most 25, or 100 if the request names an account or a function selects one. */
  accounts: AccountSummary[]
  /** The number of accounts that the member belongs to. */
  totalAccounts: number
}

/** Reads a field. A user of the app can be of a class whose fields are getters. */
function fieldOf(user: unknown, name: keyof PasswordlessOtpUser): unknown {
  return asObject(user)?.[name]
}

/** Whether an untrusted value, from a session or the app's own code, is a valid user. */
export function isPasswordlessOtpUser(value: unknown): value is PasswordlessOtpUser {
  const user = asObject(value)
  if (!user) return false
  const { accountMemberId, username, strategy, account, selectionToken } = user
  return (
    asText(accountMemberId) !== undefined &&
    asText(username) !== undefined &&
    asText(strategy) !== undefined &&
    (account === null || isAccountToken(account)) &&
    (selectionToken === undefined || isHeldToken(selectionToken))
  )
}

/**
 * Checks that a value is a user whom the strategy of this name signed in.
 *
 * @throws ElasticPathError `not_signed_in` (401) if nobody is signed in, or if another strategy signed the user in;
 * `unexpected_user` (500) if the app changed the user's fields.
 */
export function requireUser<User>(value: User, strategy: string): User & PasswordlessOtpUser {
  if (!value) throw new ElasticPathError('not_signed_in', 'Nobody is signed in.')
  const signedInBy = fieldOf(value, 'strategy')
  if (
    signedInBy !== strategy &&
    (signedInBy !== undefined || fieldOf(value, 'accountMemberId') === undefined)
  ) {
    throw new ElasticPathError(
      'not_signed_in',
      `The user was not signed in by the strategy "${strategy}". If verify returns a user of your own, ` +
        `keep the fields of the user that it received. ${FIELDS}`,
    )
  }
  if (isPasswordlessOtpUser(value)) return value
  throw invalidUser()
}

/** The error for a user whose fields the app removed or changed. */
export function invalidUser(): ElasticPathError {
  return new ElasticPathError('unexpected_user', `The user's fields are missing or invalid. ${FIELDS}`)
}

const FIELDS = 'They are accountMemberId, username, strategy, account and selectionToken.'

/** Whether the strategy of this name signed the user in. */
export function isUserOf(value: unknown, strategy: string): value is PasswordlessOtpUser {
  return fieldOf(value, 'strategy') === strategy && isPasswordlessOtpUser(value)
}

/** The token that the user holds: the selected account's, or the one for choosing an account. */
export function heldToken(user: PasswordlessOtpUser): HeldToken | undefined {
  return user.account ?? user.selectionToken
}

/** A copy of the user's own fields, without those that the app added. */
export function plainUser(user: PasswordlessOtpUser): PasswordlessOtpUser {
  const { accountMemberId, username, strategy, account, selectionToken } = user
  return { accountMemberId, username, strategy, account, ...(selectionToken ? { selectionToken } : {}) }
}

/** The same user with another account, like {@link withTokens}. */
export function withAccount<User extends PasswordlessOtpUser>(user: User, account: AccountToken): User {
  return withTokens(user, { account })
}

/**
 * The same user with other tokens. Fields that the app added are kept, and so is the prototype, but not private fields
 * (`#name`) of a class. The user may be frozen.
 */
export function withTokens<User extends PasswordlessOtpUser>(
  user: User,
  { account, selectionToken }: { account: AccountToken | null; selectionToken?: HeldToken | undefined },
): User {
  const { selectionToken: _replaced, ...fields } = Object.getOwnPropertyDescriptors<PasswordlessOtpUser>(user)
  const tokens = { account, ...(selectionToken ? { selectionToken } : {}) }
  return Object.create(Object.getPrototypeOf(user) as object | null, {
    ...fields,
    ...Object.getOwnPropertyDescriptors(tokens),
  }) as User
}

function isAccountToken(value: unknown): boolean {
  return asText(at(value, 'id')) !== undefined && typeof at(value, 'name') === 'string' && isHeldToken(value)
}
