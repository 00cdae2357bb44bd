import type { Store as HitStore } from 'express-rate-limit'
import type { Store } from 'express-session'
import type { OtpLimiter } from 'passport-elasticpath-otp'

/** What outlives a request: in the memory of this process, or in a Redis that several processes share. */
export interface Storage {
  sessions: Store
  /** Counts sign-in requests by IP address. */
  hits: HitStore
  /** Shared by all processes. Undefined in memory: the strategy's own limiters count there. */
  limiters: Limiters | undefined
  /**
   * Claims work that is done once, such as sending an email or an order. A claim that is not settled, because the process
   * died or because nobody knows whether the work was done, lasts for so many seconds.
   */
  claim(id: string, seconds: number): Promise<'claimed' | 'in progress' | 'sent'>
  /** Ends a claim: the email or the order was sent, or the next one may try again. */
  settle(id: string, sent: boolean): Promise<void>
  /**
   * The generation of a member's sign-ins. A sign-in keeps the generation that it started with, and ends when the
   * member's generation is another one. Counting needs no clock, so clocks that differ between processes do no harm.
   */
  generation(memberId: string): Promise<number>
  /** The same for a sign-in that starts now: the generation is then kept for as long as that sign-in can last. */
  startSignIn(memberId: string): Promise<number>
  /** Starts a new generation, which ends all sign-ins of the member. */
  endSignIns(memberId: string): Promise<void>
  /**
   * Notes values under names, except those that are noted already. For work that is done once, however often and
   * wherever it is started.
   *
   * @returns All notes of the key.
   */
  noteOnce(key: string, notes: Record<string, string>): Promise<Record<string, string>>
  forgetNotes(key: string, names: string[]): Promise<void>
  /** Whether the storage can be used now. */
  available(): boolean
  close(): Promise<void>
}

interface Limiters {
  /** Counts sign-in attempts by username. */
  attempts: OtpLimiter
  /** Counts code requests by username. */
  requests: OtpLimiter
  /** Counts codes that are emailed, by address. */
  deliveries: OtpLimiter
}

/** Milliseconds. */
export const HITS_WINDOW = 10 * 60_000
/** Seconds that what was sent is remembered. */
export const SENT_MEMORY = 24 * 60 * 60
/** Seconds that notes are kept. */
export const NOTES_LIFETIME = 30 * 24 * 60 * 60
