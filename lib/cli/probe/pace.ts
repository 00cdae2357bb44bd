import { CliError } from '../errors'
import type { Io } from '../io'
import { pause } from '../pause'

/** The most requests that one probe sends. */
export const MOST_REQUESTS = 40
const INTERVAL = 1000

/** Counts requests and keeps them a second apart, so that a probe is no load for a store. */
export class Pace {
  sent = 0
  /** When the last request was sent, in epoch milliseconds. */
  sentAt = 0

  constructor(private readonly io: Io) {}

  /** Waits for the moment of the next request. @throws CliError if there is none left. */
  async wait(): Promise<void> {
    if (this.sent === MOST_REQUESTS)
      throw new CliError(`The ${MOST_REQUESTS} requests of a probe are used up.`)
    const { clock } = this.io
    await pause(this.io, Math.max(0, this.sentAt + INTERVAL - clock.now()))
    this.sent += 1
    this.sentAt = clock.now()
  }
}
