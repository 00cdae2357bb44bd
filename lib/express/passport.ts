import type { Request } from 'express'
import type { Strategy, StrategyCreatedStatic } from 'passport'
import CustomStrategy from 'passport-custom'
import type { Departure } from './commerce/operation'
import { asError } from './errors'

// passport-custom calls its function with the request's own strategy as `this`, on which Passport has put the three
// ends that a sign-in can have. Its own `done` would drop a failure's status, and its types fix the name to 'custom'.
/** The ends that a request's sign-in can have, of which it gets exactly one. */
export type Ends = Pick<StrategyCreatedStatic, 'success' | 'fail' | 'error'>
type Custom = new (verify: (this: Ends, req: Request) => void) => Strategy & { name: string }
export const PassportStrategy = CustomStrategy as unknown as Custom

/**
 * Taken at once, before anything is waited for: where the app hands Passport the strategy itself and not its name, the
 * next request's ends replace these on the very same object, and one shopper would be signed in on another's response.
 */
export function endsOf(strategy: Ends): Ends {
  return {
    success: strategy.success.bind(strategy),
    fail: strategy.fail.bind(strategy),
    error: strategy.error.bind(strategy),
  }
}

/**
 * Ends a sign-in. A custom callback of the app's may throw in it, and nobody would be left to catch that: the request
 * would hang, or the process end. Express has put the way to its error handler on the request.
 */
export function end(ends: Ends, req: Request, how: () => void): void {
  try {
    how()
  } catch (thrown) {
    const error = asError(thrown)
    if (req.next) req.next(error)
    else ends.error(error)
  }
}

/** Who waits for a sign-in: Express's request knows its response, those of other frameworks at least their socket. */
export function departureOf(req: Request): Departure | undefined {
  return req.res ?? (req as Partial<Request>).socket
}
