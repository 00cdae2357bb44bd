import type { Request, Response } from 'express'
import type { Strategy, StrategyCreatedStatic } from 'passport'
import CustomStrategy from 'passport-custom'
import { asError } from '../errors'

// passport-custom calls its function with the request's own strategy as `this`, which has Passport's three outcomes. Its
// own `done` would drop a failure's status, and its types fix the name to 'custom'.
/** The outcomes of a sign-in. Exactly one of them must be called. */
export type Outcomes = Pick<StrategyCreatedStatic, 'success' | 'fail' | 'error'>
type Custom = new (verify: (this: Outcomes, req: Request) => void) => Strategy & { name: string }
export const PassportStrategy = CustomStrategy as unknown as Custom

/**
 * Binds the outcomes at once, before anything is awaited. If the app passes Passport the strategy itself and not its name,
 * the next request replaces the outcomes on the same object, and the shopper would get another shopper's response.
 */
export function outcomesOf(strategy: Outcomes): Outcomes {
  return {
    success: strategy.success.bind(strategy),
    fail: strategy.fail.bind(strategy),
    error: strategy.error.bind(strategy),
  }
}

/**
 * Ends a sign-in. It catches errors that a callback of the app throws. Otherwise, the request would hang or the process
 * would end.
 */
export function end(outcomes: Outcomes, req: Request, outcome: () => void): void {
  try {
    outcome()
  } catch (thrown) {
    const error = asError(thrown)
    if (req.next) req.next(error)
    else outcomes.error(error)
  }
}

/**
 * Adds `Retry-After` if the response turns out to be a 429 or a 503. Passport ends the response itself, and may also
 * redirect or try another strategy, so the status is known only when the headers are written.
 */
export function announceRetryAfter(res: Response | undefined, seconds: number): void {
  if (!res || typeof res.writeHead !== 'function' || res.headersSent) return
  const writeHead = res.writeHead.bind(res) as (...args: unknown[]) => Response
  res.writeHead = (status: number, ...rest: unknown[]): Response => {
    if ((status === 429 || status === 503) && !res.hasHeader('Retry-After')) {
      res.setHeader('Retry-After', String(seconds))
    }
    return writeHead(status, ...rest)
  }
}
