import { publish } from '../diagnostics'

const TOLERANCE = 60_000

/** Reports once that this machine's clock differs from Elastic Path's by more than a minute. */
export class ClockSkew {
  private reported = false

  /** @param now - The time by Elastic Path's clock, in milliseconds since the epoch. */
  check(now: number): void {
    if (this.reported) return
    const ahead = Date.now() - now
    if (Math.abs(ahead) <= TOLERANCE) return
    this.reported = true
    const seconds = Math.round(Math.abs(ahead) / 1000)
    publish({
      operation: 'warning',
      outcome: 'error',
      code: 'clock_skew',
      message:
        `This machine's clock is ${seconds} seconds ${ahead > 0 ? 'ahead of' : 'behind'} Elastic Path's. ` +
        'Synchronize it, for example with NTP.',
      duration: 0,
      calls: 0,
    })
  }
}
