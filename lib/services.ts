import type { CodeRequests } from './codes/code-requests'
import type { DeliveryLimit } from './codes/delivery-limit'
import type { Proofs } from './codes/proofs'
import type { Commerce } from './commerce/commerce'
import type { Context, Departure } from './context'
import type { DiagnosticMessage } from './diagnostics'
import type { Attempts } from './limits/attempts'
import type { Settings } from './options'
import type { AnyVerify } from './sign-in/verify'

/** What the methods and handlers of one strategy work with. */
export interface Services {
  readonly settings: Settings
  readonly commerce: Commerce
  readonly attempts: Attempts
  readonly proofs: Proofs
  readonly codeRequests: CodeRequests
  /** Those of the webhooks that were created with this strategy. */
  readonly deliveryLimits: Set<DeliveryLimit>
  readonly verify: AnyVerify | undefined
  /** Runs one operation: creates its context, publishes its outcome, and lets `close` wait for it. */
  run<T>(operation: Operation<T>, work: (context: Context) => Promise<T>): Promise<T>
}

export interface Operation<T> {
  /** The name for diagnostics; nothing is published without one. */
  name?: DiagnosticMessage['operation']
  /** Ends the operation when it closes. */
  departure?: Departure | undefined
  /** The code of a result that is a failure. */
  failureOf?: (result: T) => DiagnosticMessage['code']
  /** What else diagnostics say about the operation. Called when it ends. */
  details?: () => Pick<DiagnosticMessage, 'method' | 'path' | 'upstreamStatus'>
}

// A WeakMap and not a field, so that console.log(strategy) cannot print the client secret.
const services = new WeakMap<object, Services>()

export function registerServices(strategy: object, ofStrategy: Services): void {
  services.set(strategy, ofStrategy)
}

/** The services of a strategy; undefined if the value is not a strategy of this copy of the package. */
export function servicesOf(strategy: unknown): Services | undefined {
  return typeof strategy === 'object' && strategy !== null ? services.get(strategy) : undefined
}
