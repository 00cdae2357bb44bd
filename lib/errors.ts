import { inspect } from 'node:util'

/**
 * What went wrong, as a word to branch on. Each stands for one thing to do about it; the README lists them.
 *
 * - `missing_credentials` (400), `not_signed_in` (401), `account_token_refused` (401), `account_not_found` (403),
 *   `too_many_attempts` (429), `request_aborted` (499): the request's own.
 * - `client_refused`, `access_token_refused`, `realm_not_found`, `password_profile_not_found`,
 *   `password_profile_ambiguous`, `request_refused`, `limiter_failed`, `app_timeout`, `unexpected_user`,
 *   `strategy_closed` (500): the shop or the store is set up wrongly.
 * - `unreachable`, `upstream_error`, `bad_answer` (502), `rate_limited` (503), `timeout` (504): Elastic Path's.
 */
export type ElasticPathErrorCode =
  | 'missing_credentials'
  | 'not_signed_in'
  | 'account_token_refused'
  | 'account_not_found'
  | 'too_many_attempts'
  | 'request_aborted'
  | 'client_refused'
  | 'access_token_refused'
  | 'realm_not_found'
  | 'password_profile_not_found'
  | 'password_profile_ambiguous'
  | 'request_refused'
  | 'limiter_failed'
  | 'app_timeout'
  | 'unexpected_user'
  | 'strategy_closed'
  | 'unreachable'
  | 'upstream_error'
  | 'bad_answer'
  | 'rate_limited'
  | 'timeout'

const STATUS: Record<ElasticPathErrorCode, number> = {
  missing_credentials: 400,
  not_signed_in: 401,
  account_token_refused: 401,
  account_not_found: 403,
  too_many_attempts: 429,
  request_aborted: 499,
  client_refused: 500,
  access_token_refused: 500,
  realm_not_found: 500,
  password_profile_not_found: 500,
  password_profile_ambiguous: 500,
  request_refused: 500,
  limiter_failed: 500,
  app_timeout: 500,
  unexpected_user: 500,
  strategy_closed: 500,
  unreachable: 502,
  upstream_error: 502,
  bad_answer: 502,
  rate_limited: 503,
  timeout: 504,
}

/**
 * What a shopper cannot put right. Goes to `next(err)`, and rejects the promises of the strategy's methods.
 * Neither its message nor its causes hold a code, a token, a secret or a username, so it can be logged.
 *
 * @example
 * ```ts
 * app.use((err, req, res, next) => {
 *   if (!(err instanceof ElasticPathError)) return next(err)
 *   res.status(err.status).send(err.status < 500 ? 'Please try again.' : 'Signing in does not work right now.')
 * })
 * ```
 */
export class ElasticPathError extends Error {
  /** Always `ElasticPathError`. */
  override readonly name = 'ElasticPathError'
  /** What went wrong, as a word to branch on. */
  readonly code: ElasticPathErrorCode
  /** The HTTP status to answer with, which Express takes from here. */
  readonly status: number
  /** The HTTP status of Elastic Path's answer, where one led to this. */
  readonly upstreamStatus?: number
  /** Seconds after which another try makes sense, where that is known. */
  readonly retryAfter?: number
  /** Response headers, which Express's own error handler sends: `Retry-After` where `retryAfter` is known. */
  readonly headers?: Readonly<Record<string, string>>

  /**
   * For tests of an app's error handling; the package makes its own.
   * @param code - What went wrong; it decides `status`.
   * @param message - What happened and what to do, for whoever reads the log.
   * @param details - What else is known.
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
 * What was thrown, as an error for Express's `next`. That goes on as if nothing had been where it gets nothing, and skips
 * handlers at two words of its own.
 */
export function asError(thrown: unknown): unknown {
  if (thrown && thrown !== 'route' && thrown !== 'router') return thrown
  return new TypeError(`A function of the app failed with ${inspect(thrown)} instead of an Error`)
}
