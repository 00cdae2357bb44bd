import { inspect } from 'node:util'

/**
 * Why a sign-in failed, if the shopper can correct it:
 *
 * - `missing_credentials` (400): the request body has no valid username or no valid code.
 * - `invalid_credentials` (401): Elastic Path does not accept this username with this code.
 * - `no_account` (403): the code is right, but the member belongs to no account.
 * - `account_not_found` (403): the code is right, but the member does not belong to the requested account.
 * - `too_many_attempts` (429): the limiter allows no further attempt for this username yet.
 */
export type FailureCode =
  'missing_credentials' | 'invalid_credentials' | 'no_account' | 'account_not_found' | 'too_many_attempts'

/** The `info` of a failed sign-in. Passport passes it to callbacks, `failureMessage` and `failureFlash`. */
export interface FailureInfo {
  /** Machine-readable reason. */
  code: FailureCode
  /** A sentence for the shopper: from the option `messages`, or in English. */
  message: string
  /** Seconds until the next attempt is allowed. Present with `too_many_attempts`. */
  retryAfter?: number
}

/** A failed sign-in as a value, before it has a message. */
export interface Failure {
  failure: FailureCode
  retryAfter?: number
}

/** The status of Passport's own response to a failure. */
export const FAILURE_STATUS: Readonly<Record<FailureCode, number>> = {
  missing_credentials: 400,
  invalid_credentials: 401,
  no_account: 403,
  account_not_found: 403,
  too_many_attempts: 429,
}

export const DEFAULT_MESSAGES: Readonly<Record<FailureCode, string>> = {
  missing_credentials: 'Enter your username and the code from your email.',
  invalid_credentials: "That code didn't work. Check it, or request a new one.",
  no_account: "You don't belong to an account of this shop yet.",
  account_not_found: "You don't belong to that account.",
  too_many_attempts: 'Too many attempts. Wait a moment, then try again.',
}

// The order is that of the statuses.
const STATUS = {
  missing_credentials: 400,
  not_signed_in: 401,
  account_token_expired: 401,
  account_token_refused: 401,
  account_not_found: 403,
  account_required: 403,
  refused_by_verify: 403,
  too_many_attempts: 429,
  request_aborted: 499,
  client_refused: 500,
  access_token_refused: 500,
  realm_not_found: 500,
  password_profile_not_found: 500,
  password_profile_ambiguous: 500,
  request_refused: 500,
  limiter_failed: 500,
  limiter_unsuitable: 500,
  app_timeout: 500,
  session_failed: 500,
  unexpected_user: 500,
  strategy_closed: 500,
  unreachable: 502,
  upstream_error: 502,
  bad_answer: 502,
  overloaded: 503,
  rate_limited: 503,
  timeout: 504,
} as const

/**
 * Machine-readable error code. Each stands for one thing to do about it; docs/errors.md lists them.
 *
 * - 4xx are the request's own: `missing_credentials` (400), `not_signed_in`, `account_token_expired`,
 *   `account_token_refused` (401), `account_not_found`, `account_required`, `refused_by_verify` (403),
 *   `too_many_attempts` (429), `request_aborted` (499).
 * - 500 means that the app or the store is misconfigured: `client_refused`, `access_token_refused`, `realm_not_found`,
 *   `password_profile_not_found`, `password_profile_ambiguous`, `request_refused`, `limiter_failed`,
 *   `limiter_unsuitable`, `app_timeout`, `session_failed`, `unexpected_user`, `strategy_closed`.
 * - 502 to 504 mean that Elastic Path failed or that there is too much load: `unreachable`, `upstream_error`,
 *   `bad_answer` (502), `overloaded`, `rate_limited` (503), `timeout` (504).
 */
export type ElasticPathErrorCode = keyof typeof STATUS

/**
 * An error that the shopper cannot correct. Handlers pass it to `next(err)`; promises reject with it. Its message and
 * causes contain no code, token, secret or username, so it can be logged.
 *
 * @example
 * ```ts
 * app.use((err, req, res, next) => {
 *   if (!(err instanceof ElasticPathError)) return next(err)
 *   res.status(err.status).send(err.status < 500 ? 'Please try again.' : "You can't sign in right now.")
 * })
 * ```
 */
export class ElasticPathError extends Error {
  /** Always `ElasticPathError`. */
  override readonly name = 'ElasticPathError'
  /** Machine-readable error code. */
  readonly code: ElasticPathErrorCode
  /** The HTTP status for the response. Express reads it from here. */
  readonly status: number
  /** The HTTP status of Elastic Path's response, if a response caused the error. */
  readonly upstreamStatus?: number
  /** Seconds until a retry can succeed, if known. */
  readonly retryAfter?: number
  /** Response headers that Express's own error handler sends: `Retry-After`, if `retryAfter` is known. */
  readonly headers?: Readonly<Record<string, string>>

  /**
   * Use it in tests of your error handling. The package creates its own errors.
   *
   * @param code - The error code. It determines `status`.
   * @param message - What happened and what to do, for the person who reads the log.
   * @param details - What else is known about the error.
   */
  constructor(
    code: ElasticPathErrorCode,
    message: string,
    details: { upstreamStatus?: number | undefined; retryAfter?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.status = STATUS[code]
    if (details.upstreamStatus !== undefined) this.upstreamStatus = details.upstreamStatus
    if (details.retryAfter !== undefined) {
      this.retryAfter = details.retryAfter
      this.headers = { 'Retry-After': String(details.retryAfter) }
    }
  }
}

/**
 * Turns a thrown value into an error for Express's `next`. Express continues without an error if it gets a falsy value,
 * and skips handlers if it gets `'route'` or `'router'`.
 */
export function asError(thrown: unknown): unknown {
  if (thrown && thrown !== 'route' && thrown !== 'router') return thrown
  return new TypeError(`A function of the app failed with ${inspect(thrown)} instead of an Error`)
}

/** Whether a value is a promise or another thenable. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
