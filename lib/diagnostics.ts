import { channel } from 'node:diagnostics_channel'
import { ElasticPathError, type ElasticPathErrorCode } from './errors'
import type { FailureCode } from './failures'

/**
 * One message for each thing done, on the diagnostics channel `passport-elasticpath-otp`. It names no shopper, and
 * holds no code, token or secret.
 */
export interface DiagnosticMessage {
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

/** Why a webhook's event was not delivered. */
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
