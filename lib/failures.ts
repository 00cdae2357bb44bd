/**
 * Why a sign-in failed, where the shopper can put it right:
 * - `missing_credentials` (400): no username or no code in the request's body, or something that is neither.
 * - `invalid_credentials` (401): Elastic Path knows no such pair of username and code.
 * - `no_account` (403): the code was right, and its member belongs to no account.
 * - `account_not_found` (403): the code was right, and its member does not belong to the account asked for.
 * - `too_many_attempts` (429): the limiter allows no more tries for this username yet.
 */
export type FailureCode =
  'missing_credentials' | 'invalid_credentials' | 'no_account' | 'account_not_found' | 'too_many_attempts'

/** The `info` of a failed sign-in: what Passport hands to callbacks, `failureMessage` and `failureFlash`. */
export interface FailureInfo {
  /** Why it failed, as a word to branch on. */
  code: FailureCode
  /** A sentence for the shopper: the one of the option `messages`, or an English one. */
  message: string
  /** Seconds until the next try, with `too_many_attempts`. */
  retryAfter?: number
}

/** The HTTP status that Passport answers a failure with when the app says nothing else. */
export const FAILURE_STATUS: Readonly<Record<FailureCode, number>> = {
  missing_credentials: 400,
  invalid_credentials: 401,
  no_account: 403,
  account_not_found: 403,
  too_many_attempts: 429,
}

export const DEFAULT_MESSAGES: Readonly<Record<FailureCode, string>> = {
  missing_credentials: 'Please enter your username and the code from your e-mail.',
  invalid_credentials: 'That code did not work. Check it, or ask for a new one.',
  no_account: 'You do not belong to an account of this shop yet.',
  account_not_found: 'You do not belong to that account.',
  too_many_attempts: 'Too many tries. Please wait a little before the next one.',
}

/** A sign-in's failure as a value, before it has its words. */
export interface Failure {
  failure: FailureCode
  retryAfter?: number
}
