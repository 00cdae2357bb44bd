import { CliError } from '../errors'
import type { Io } from '../io'
import { pause } from '../pause'

/** The most requests that one probe sends. */
export const MOST_REQUESTS = 40
const INTERVAL = 1000

/** There are no requests left for a question. */
class BudgetSpent extends CliError {}

/** Counts requests and keeps them a second apart, so that a probe is no load for a store. */
export class Pace {
  sent = 0
  /** When the last request was sent, in epoch milliseconds. */
  sentAt = 0

  constructor(private readonly io: Io) {}

  get left(): number {
    return MOST_REQUESTS - this.sent
  }

  /** Waits for the moment of the next request. @throws BudgetSpent if there is none left. */
  async wait(): Promise<void> {
    if (this.left < 1) throw new BudgetSpent(`The ${MOST_REQUESTS} requests of a probe are used up.`)
    const { clock } = this.io
    const delay = this.sentAt + INTERVAL - clock.now()
    if (delay > 0) await pause(this.io, delay)
    this.sent += 1
    this.sentAt = clock.now()
  }
}
