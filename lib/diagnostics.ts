import { channel } from 'node:diagnostics_channel'
import { ElasticPathError, type ElasticPathErrorCode, type FailureCode } from './errors'

/**
 * A message on the diagnostics channel `passport-elasticpath-otp`: one for each operation. It contains no username, code,
 * token or secret.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 * subscribe('passport-elasticpath-otp', (message) => log.info(message as DiagnosticMessage))
 * ```
 */
export interface DiagnosticMessage {
  /**
   * What was done. `delivery` is a request to the webhook, `renewal` is from `keepFresh` or `renewAccount`, `call` is from
   * `fetch` or `fetchAs`, and `warning` reports a problem of the setup once.
   */
  operation: 'sign-in' | 'code-request' | 'delivery' | 'renewal' | 'switch' | 'call' | 'warning'
  /** `failure` is what a shopper can correct, `error` what only the shop, its app or Elastic Path can. */
  outcome: 'success' | 'failure' | 'error'
  /** Why it was no success. `app_error` is every other error, nearly always of a function of the app. */
  code?: FailureCode | ElasticPathErrorCode | 'app_error' | DeliveryCode | WarningCode
  /** The HTTP status of Elastic Path's response, if it caused an error; with `call`, the status of every response. */
  upstreamStatus?: number
  /** With `call`: the HTTP method. */
  method?: string
  /** With `call`: the path below `baseUrl`, without the query. A cart's id is replaced by `:id`, because it is a secret. */
  path?: string
  /** With `warning`: what is wrong and what to do. */
  message?: string
  /** Milliseconds from start to end. */
  duration: number
  /** The number of requests that were sent to Elastic Path for it, without those of other operations that it joined. */
  calls: number
}

/**
 * Why the webhook did not deliver a code, or how the delivery failed:
 *
 * - `wrong_secret`: the secret key is missing or wrong.
 * - `bad_event`: the body is not an event of Elastic Path, or is too large.
 * - `ignored_event`: another event, or a code for another purpose. Not an error.
 * - `foreign_event`: an event of another realm or password profile. Not an error.
 * - `expired_event`: the code expired more than two minutes ago.
 * - `duplicate_event`: the event was delivered already. Not an error.
 * - `delivery_limited`: too many deliveries to this address.
 * - `delivery_failed`: `deliver` threw or rejected.
 * - `delivery_timeout`: the webhook took longer than nine seconds. Nearly always, that is `deliver`.
 */
export type DeliveryCode =
  | 'wrong_secret'
  | 'bad_event'
  | 'ignored_event'
  | 'foreign_event'
  | 'expired_event'
  | 'duplicate_event'
  | 'delivery_limited'
  | 'delivery_failed'
  | 'delivery_timeout'

/**
 * A problem of the setup, reported once:
 *
 * - `memory_limiter`: default limiters in memory are used in production or in a cluster worker, and the app passes no
 *   limiter at all.
 * - `no_uniform_response_time`: `uniformResponseTime` is 0 in production.
 * - `clock_skew`: this machine's clock differs from Elastic Path's by more than 60 seconds.
 */
export type WarningCode = 'memory_limiter' | 'no_uniform_response_time' | 'clock_skew'

const diagnostics = channel('passport-elasticpath-otp')

/** Whether anybody listens, for callers that save the cost of a message otherwise. */
export function hasSubscribers(): boolean {
  return diagnostics.hasSubscribers
}

export function publish(message: DiagnosticMessage): void {
  diagnostics.publish(message)
}

/** How an operation ended, if it threw. */
export function outcomeOf(error: unknown): Pick<DiagnosticMessage, 'outcome' | 'code' | 'upstreamStatus'> {
  if (!(error instanceof ElasticPathError)) return { outcome: 'error', code: 'app_error' }
  const { code, status, upstreamStatus } = error
  return {
    outcome: status < 500 && status !== 499 ? 'failure' : 'error',
    code,
    ...(upstreamStatus === undefined ? {} : { upstreamStatus }),
  }
}
