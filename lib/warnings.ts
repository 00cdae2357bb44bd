import cluster from 'node:cluster'
import { publish, type WarningCode } from './diagnostics'
import type { Settings } from './options'

type Limiters = Pick<Settings, 'limiter' | 'requestLimiter'>

const checkedLimiters = new WeakSet<object>()
const checkedTime = new WeakSet<object>()

/**
 * Warns once per strategy if limiters in memory are not sufficient. Call it at each use of a default limiter. It does
 * not warn if the app passes a limiter.
 *
 * @param settings - Of the strategy; those of a webhook without one can be any object.
 */
export function warnOfMemoryLimiter(settings: Limiters): void {
  if (checkedLimiters.has(settings)) return
  checkedLimiters.add(settings)
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
  if (checkedTime.has(settings)) return
  checkedTime.add(settings)
  if (settings.uniformResponseTime > 0 || !isProduction()) return
  warn(
    'no_uniform_response_time',
    'PASSPORT_EP_NO_UNIFORM_RESPONSE_TIME',
    'uniformResponseTime is 0, so response times reveal which usernames exist. Leave it out in production.',
  )
}

function isProduction(): boolean {
  return process.env['NODE_ENV'] === 'production'
}

function warn(code: WarningCode, nodeCode: string, message: string): void {
  publish({ operation: 'warning', outcome: 'error', code, message, duration: 0, calls: 0 })
  process.emitWarning(`PasswordlessOtpStrategy: ${message}`, { code: nodeCode })
}
