import { CodeRequests } from './codes/code-requests'
import type { DeliveryLimit } from './codes/delivery-limit'
import { Proofs } from './codes/proofs'
import { Commerce } from './commerce/commerce'
import { Context, type ClientConnection } from './context'
import { hasSubscribers, outcomeOf, publish, type DiagnosticMessage } from './diagnostics'
import { Attempts } from './codes/attempts'
import { readOptions, type PasswordlessOtpStrategyOptions } from './options'
import { normalizeOtp, normalizeUsername } from './sign-in/credentials'
import { Exchanges } from './sign-in/exchanges'
import type { SignInServices } from './sign-in/sign-in'
import type { AnyVerify } from './sign-in/verify'

/** What the methods and handlers of one strategy work with. */
export interface Services extends SignInServices {
  readonly proofs: Proofs
  readonly codeRequests: CodeRequests
  /** Those of the webhooks that were created with this strategy. */
  readonly deliveryLimits: Set<DeliveryLimit>
  /** Runs one operation: creates its context, publishes its outcome, and lets `close` wait for it. */
  readonly run: <T>(operation: Operation<T>, work: (context: Context) => Promise<T>) => Promise<T>
}

export interface Operation<T> {
  /** The name for diagnostics; nothing is published without one. */
  name?: DiagnosticMessage['operation']
  /** Milliseconds. Default: the option `timeout`. */
  timeout?: number
  /** Ends the operation when it closes. */
  connection?: ClientConnection | undefined
  /** The code of a result that is a failure. */
  failureOf?: (result: T) => DiagnosticMessage['code']
  /** What else diagnostics say about the operation. Called when it ends. */
  details?: () => Pick<DiagnosticMessage, 'method' | 'path' | 'upstreamStatus'>
}

/** @throws TypeError that names the invalid or unknown option. */
export function createServices(options: PasswordlessOtpStrategyOptions, verify: unknown): Services {
  const settings = readOptions(options, { normalizeUsername, normalizeOtp })
  if (verify !== undefined && typeof verify !== 'function') {
    throw new TypeError('PasswordlessOtpStrategy: verify must be a function')
  }
  const commerce = new Commerce(settings)
  const proofs = new Proofs()
  const attempts = new Attempts(settings, proofs)
  const deliveryLimits = new Set<DeliveryLimit>()
  return {
    settings,
    commerce,
    attempts,
    exchanges: new Exchanges(commerce),
    proofs,
    codeRequests: new CodeRequests(settings, commerce, attempts, deliveryLimits),
    deliveryLimits,
    verify: verify as AnyVerify | undefined,
    run: (operation, work) => run(commerce, settings.timeout, operation, work),
  }
}

async function run<T>(
  commerce: Commerce,
  defaultTimeout: number,
  { name, timeout = defaultTimeout, connection, failureOf, details }: Operation<T>,
  work: (context: Context) => Promise<T>,
): Promise<T> {
  const context = new Context(timeout, connection)
  let leave: (() => void) | undefined
  try {
    // The client may have disconnected while a middleware before this one was waiting.
    if (context.ended) throw context.ended
    leave = commerce.begin()
    const result = await work(context)
    const code = failureOf?.(result)
    tell(code === undefined ? { outcome: 'success' } : { outcome: 'failure', code })
    return result
  } catch (error) {
    tell(outcomeOf(error))
    throw error
  } finally {
    // In this order, because `off` of a foreign connection may throw.
    leave?.()
    context.end()
  }

  function tell(outcome: Pick<DiagnosticMessage, 'outcome' | 'code' | 'upstreamStatus'>): void {
    if (!name || !hasSubscribers()) return
    const { elapsed: duration, calls } = context
    publish({ operation: name, ...details?.(), ...outcome, duration, calls })
  }
}

// A WeakMap and not a field, so that console.log(strategy) cannot print the client secret.
const registry = new WeakMap<object, Services>()

export function registerServices(strategy: object, services: Services): void {
  registry.set(strategy, services)
}

/** The services of a strategy; undefined if the value is not a strategy of this copy of the package. */
export function servicesOf(strategy: unknown): Services | undefined {
  return typeof strategy === 'object' && strategy !== null ? registry.get(strategy) : undefined
}
