import type { Context } from '../context'

/** A point that was taken. */
export interface Taken {
  /** The points taken in this window, this one included. Infinity if it was refused without being counted. */
  readonly count: number
  /** Whether there was a point left for it. */
  readonly allowed: boolean
  /** Seconds until the window ends: a whole number, at least 1. */
  readonly retryAfter: number
  /** Returns the point, once, if it was counted. It never rejects: if that fails, the point stays counted. */
  readonly refund: (context: Context) => Promise<void>
}

/** Counts points under keys. */
export interface Counter {
  /**
   * Takes a point. If the count is negative, takes the surplus points too, because each of them would be an extra attempt.
   *
   * @throws ElasticPathError `limiter_failed` or `limiter_unsuitable`.
   */
  take(key: string, context: Context): Promise<Taken>
  /** Takes a point, also if the count stays negative. */
  takeCredit(key: string, context: Context): Promise<Taken>
  /** Returns a point. It never rejects. */
  addCredit(key: string, context: Context): Promise<void>
}
