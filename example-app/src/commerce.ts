import { PasswordlessOtpStrategy, type PasswordlessOtpStrategyOptions } from 'passport-elasticpath-otp'
import type { Storage } from './storage/storage'

export function createStrategy(
  store: PasswordlessOtpStrategyOptions,
  storage: Pick<Storage, 'guesses' | 'codeRequests'>,
): PasswordlessOtpStrategy {
  return new PasswordlessOtpStrategy({
    ...store,
    // A member of several companies chooses one after the sign-in.
    selectAccount: 'sole',
    limiter: storage.guesses,
    requestLimiter: storage.codeRequests,
  })
}
