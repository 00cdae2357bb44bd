import { PasswordlessOtpStrategy, type PasswordlessOtpStrategyOptions } from 'passport-elasticpath-otp'
import type { Storage } from './storage/storage'

export function createStrategy(
  store: PasswordlessOtpStrategyOptions,
  { limiters }: Pick<Storage, 'limiters'>,
): PasswordlessOtpStrategy {
  return new PasswordlessOtpStrategy({
    ...(limiters && { limiter: limiters.attempts, requestLimiter: limiters.requests }),
    ...store,
    // A member of several companies chooses one after the sign-in.
    selectAccount: 'sole',
  })
}
