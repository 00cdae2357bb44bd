import type { Request } from 'express'
import type { PasswordlessOtpStrategy } from '../../lib'
import { servicesOf, type Services } from '../../lib/services'
import { deferred } from '../support/clock'

/** How a sign-in ended: the arguments of the one of Passport's three outcomes that the strategy called. */
export interface Ended {
  success?: unknown[]
  fail?: unknown[]
  error?: unknown[]
}

/**
 * Signs in as Passport does, for a request that no framework has made.
 *
 * @param outcomes - What an outcome does besides. It may throw, as callbacks of apps do.
 */
export function authenticate(
  strategy: PasswordlessOtpStrategy,
  req: object,
  outcomes: Partial<Record<keyof Ended, () => void>> = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const end =
      (name: keyof Ended) =>
      (...args: unknown[]) => {
        outcomes[name]?.()
        resolve({ [name]: args })
      }
    const copy = Object.create(strategy) as PasswordlessOtpStrategy
    Object.assign(copy, { success: end('success'), fail: end('fail'), error: end('error') })
    copy.authenticate.call(copy as never, req as Request, {})
  })
}

/** The services behind a strategy, for what has no public name. */
export function servicesBehind(strategy: PasswordlessOtpStrategy): Services {
  const services = servicesOf(strategy)
  if (!services) throw new Error('No strategy of this package')
  return services
}

/** A function of the app that the test can hold. */
export class Gate {
  private held:
    { arrived: ReturnType<typeof deferred<void>>; opened: ReturnType<typeof deferred<void>> } | undefined
  private skipped = 0

  /**
   * Holds the calls from now on.
   *
   * @param skip - How many of them pass nevertheless.
   */
  hold(skip = 0): { arrived: Promise<void>; release: () => void } {
    const held = { arrived: deferred(), opened: deferred() }
    this.held = held
    this.skipped = skip
    return { arrived: held.arrived.promise, release: () => held.opened.resolve() }
  }

  async pass(): Promise<void> {
    if (!this.held || this.skipped-- > 0) return
    this.held.arrived.resolve()
    await this.held.opened.promise
  }
}
