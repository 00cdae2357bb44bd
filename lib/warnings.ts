import cluster from 'node:cluster'
import { publish, type WarningCode } from './diagnostics'
import type { Settings } from './options'

type Limiters = Pick<Settings, 'limiter' | 'requestLimiter'>

const checkedForLimiters = new WeakSet<object>()
const checkedForResponseTime = new WeakSet<object>()
const warnedOfProfile = new WeakSet<object>()

/**
 * Warns once per settings object if default limiters in memory are used in production or in a cluster worker. It does
 * not warn if the app passes `limiter` or `requestLimiter`.
 *
 * @param settings - The settings of the strategy. A webhook without a strategy passes an object of its own.
 */
export function warnOfMemoryLimiter(settings: Limiters): void {
  if (checkedForLimiters.has(settings)) return
  checkedForLimiters.add(settings)
  if (settings.limiter || settings.requestLimiter) return
  if (!isProduction() && !cluster.isWorker) return
  warn(
    'memory_limiter',
    'PASSPORT_EP_MEMORY_LIMITER',
    "Attempts are counted in this process's memory. Several processes multiply the attempts, and a restart forgets " +
      'them. Pass a limiter that all processes share. If there is only one process, pass any limiter to silence this ' +
      'warning. See docs/limits.md.',
  )
}

/** Warns once per strategy if `uniformResponseTime` is 0 in production. */
export function warnOfResponseTime(settings: Pick<Settings, 'uniformResponseTime'>): void {
  if (checkedForResponseTime.has(settings)) return
  checkedForResponseTime.add(settings)
  if (settings.uniformResponseTime > 0 || !isProduction()) return
  warn(
    'no_uniform_response_time',
    'PASSPORT_EP_NO_UNIFORM_RESPONSE_TIME',
    'uniformResponseTime is 0, so response times can reveal which usernames exist. Remove the option in production; ' +
      'the default is 1000 milliseconds.',
  )
}

/**
 * Warns once per strategy that no shopper can sign in. The responses of the shop must not show it, so an app without
 * diagnostics would not learn of it. It is not published, because each code request publishes it.
 *
 * @param message - What is wrong with the password profile.
 */
export function warnOfProfile(settings: object, message: string): void {
  if (warnedOfProfile.has(settings)) return
  warnedOfProfile.add(settings)
  emit('PASSPORT_EP_PASSWORD_PROFILE', `Nobody gets a code. ${message}`)
}

function isProduction(): boolean {
  return process.env['NODE_ENV'] === 'production'
}

function warn(code: WarningCode, nodeCode: string, message: string): void {
  publish({ operation: 'warning', outcome: 'error', code, message, duration: 0, calls: 0 })
  emit(nodeCode, message)
}

function emit(nodeCode: string, message: string): void {
  process.emitWarning(`PasswordlessOtpStrategy: ${message}`, { code: nodeCode })
}
