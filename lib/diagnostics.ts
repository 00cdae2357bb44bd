import { channel } from 'node:diagnostics_channel'
import { ElasticPathError, type ElasticPathErrorCode } from './errors'
import type { FailureCode } from './failures'

/**
 * One message for each thing done, on the diagnostics channel `passport-elasticpath-otp`. It names no shopper, and
 * holds no code, token or secret.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 * subscribe('passport-elasticpath-otp', (message) => log.info(message as DiagnosticMessage))
 * ```
 */
export interface DiagnosticMessage {
  /** What was done: `delivery` is the webhook's, `renewal` is `keepFresh`'s and `renewAccount`'s. */
  operation: 'sign-in' | 'code-request' | 'delivery' | 'renewal' | 'switch'
  /** `failure` is what a shopper can put right, `error` what only the shop, its app or Elastic Path can. */
  outcome: 'success' | 'failure' | 'error'
  /** Why it was no success; `app_error` where a function of the app's own threw, `refused_by_verify` where one said no. */
  code?: FailureCode | ElasticPathErrorCode | 'app_error' | 'refused_by_verify' | DeliveryCode
  /** The HTTP status of Elastic Path's answer, where one led to an error. */
  upstreamStatus?: number
  /** Milliseconds from beginning to end. */
  duration: number
  /** Requests that were sent to Elastic Path for it; what others had under way already is theirs. */
  calls: number
}

/**
 * Why the webhook did not hand a code to `deliver`, or what became of it:
 * - `wrong_secret`: the secret key was missing or wrong.
 * - `bad_event`: the body was no such event, or too large.
 * - `ignored_event`: another event, or a code for another purpose. No error.
 * - `delivery_failed`: `deliver` threw or rejected.
 * - `delivery_timeout`: `deliver` took longer than nine seconds.
 */
export type DeliveryCode =
  'wrong_secret' | 'bad_event' | 'ignored_event' | 'delivery_failed' | 'delivery_timeout'

const diagnostics = channel('passport-elasticpath-otp')

export function publish(message: DiagnosticMessage): void {
  diagnostics.publish(message)
}

type How = Pick<DiagnosticMessage, 'outcome' | 'code' | 'upstreamStatus'>

/** Runs an operation to its end, and tells of how it went; of one without a name it tells nothing. */
export async function observe<T>(
  name: DiagnosticMessage['operation'] | undefined,
  operation: { readonly calls: number; readonly elapsed: number; end(): void },
  work: () => Promise<T>,
  failureIn: (result: T) => DiagnosticMessage['code'] = () => undefined,
): Promise<T> {
  try {
    const result = await work()
    const code = failureIn(result)
    tell(code === undefined ? { outcome: 'success' } : { outcome: 'failure', code })
    return result
  } catch (error) {
    tell(whatWentWrong(error))
    throw error
  } finally {
    operation.end()
  }

  function tell(how: How): void {
    if (name) publish({ operation: name, ...how, duration: operation.elapsed, calls: operation.calls })
  }
}

function whatWentWrong(error: unknown): How {
  if (!(error instanceof ElasticPathError)) return { outcome: 'error', code: 'app_error' }
  const { code, status, upstreamStatus } = error
  return {
    outcome: status < 500 && status !== 499 ? 'failure' : 'error',
    code,
    ...(upstreamStatus === undefined ? {} : { upstreamStatus }),
  }
}
