import { hash, randomBytes } from 'node:crypto'
import type { Counter, Taken } from './counter'

interface Window {
  count: number
  /** By the monotonic clock, in milliseconds. */
  until: number
}

// About 2 MB.
const EXACT_COUNTS = 10_000

/**
 * Counts in this process's memory, in fixed windows that begin with a key's first point. Its memory is bounded: if there
 * are too many keys, it counts the others in a {@link Sketch}. A count is never below its true value.
 */
export class MemoryLimiter implements Counter {
  // In the order of their ends.
  private readonly windows = new Map<string, Window>()
  private sketch: Sketch | undefined

  /**
   * @param points - How many points a key has in a window.
   * @param duration - The length of a window in milliseconds.
   */
  constructor(
    private readonly points: number,
    private readonly duration: number,
  ) {}

  take(key: string): Promise<Taken> {
    const now = performance.now()
    let window = this.add(key, 1, now)
    if (window.count < 1) window = this.add(key, 1 - window.count, now)
    return Promise.resolve(this.taken(key, window, now))
  }

  takeCredit(key: string): Promise<Taken> {
    const now = performance.now()
    return Promise.resolve(this.taken(key, this.add(key, 1, now), now))
  }

  addCredit(key: string): Promise<void> {
    this.add(key, -1, performance.now())
    return Promise.resolve()
  }

  private taken(key: string, { count, until }: Window, now: number): Taken {
    let counted = count < Infinity
    return {
      count,
      allowed: count <= this.points,
      retryAfter: Math.ceil((until - now) / 1000),
      refund: () => {
        const later = performance.now()
        if (counted && later < until) this.add(key, -1, later)
        counted = false
        return Promise.resolve()
      },
    }
  }

  private add(key: string, points: number, now: number): Window {
    const window = this.windows.get(key)
    if (window && now < window.until) {
      window.count += points
      return window
    }
    this.dropExpired(now)
    const isFull = this.windows.size >= EXACT_COUNTS
    if (isFull) this.sketch ??= new Sketch(this.points, this.duration, now)
    if (this.sketch) {
      const cells = this.sketch.cellsOf(key, now)
      // A key that the sketch counts stays in the sketch until its count has expired.
      if (isFull || this.sketch.countIn(cells, key) !== 0) return this.sketch.add(cells, key, points)
    }
    const begun = { count: points, until: now + this.duration }
    this.windows.set(key, begun)
    return begun
  }

  private dropExpired(now: number): void {
    for (const [key, { until }] of this.windows) {
      if (now < until) break
      this.windows.delete(key)
    }
    if (this.sketch && now >= this.sketch.until) this.sketch = undefined
  }
}

// With 8 cells per key and a million counted keys, a key that was never counted has a count above 0 with a probability
// of 0.04 %.
const CELLS = 2 ** 24
const CELLS_PER_KEY = 8
const MAX_COUNT = 15
const REWARDS = 10_000

/**
 * A count-min sketch with conservative update: each key has eight cells, chosen by a keyed hash, and its count is the
 * least of them. Keys that share all cells raise each other's counts, but nothing lowers them. Counts expire after one
 * to two durations: a cell has four bits for the current period, and four for the previous one.
 */
class Sketch {
  /** When all counts have expired, by the monotonic clock. */
  until: number
  private readonly cells = new Uint8Array(CELLS)
  private readonly secret = randomBytes(32).toString('hex')
  // Cells cannot be lowered, because other keys share them. Forgetting a reward leaves a count too high, which is safe.
  private readonly rewards = new Map<string, number>()
  private periodEnd: number
  /** The position of the current period's four bits: 0 or 4. */
  private shift = 0

  constructor(
    private readonly points: number,
    private readonly duration: number,
    now: number,
  ) {
    this.periodEnd = now + duration
    this.until = this.periodEnd + duration
  }

  /** Finds the cells of a key. Begins a new period first, if it is time. */
  cellsOf(key: string, now: number): number[] {
    if (now >= this.periodEnd) this.beginPeriod()
    const digest = hash('sha256', this.secret + key, 'buffer')
    const cells: number[] = []
    for (let i = 0; i < CELLS_PER_KEY; i++) cells.push(digest.readUInt32LE(4 * i) % CELLS)
    return cells
  }

  countIn(cells: number[], key: string): number {
    const current = this.least(cells, this.shift)
    const previous = this.least(cells, 4 - this.shift)
    // A full cell has stopped counting, so the true count is not known.
    if (current === MAX_COUNT || previous === MAX_COUNT) return Infinity
    return current + previous - (this.rewards.get(key) ?? 0)
  }

  add(cells: number[], key: string, points: number): Window {
    this.until = this.periodEnd + this.duration
    const count = this.countIn(cells, key) + points
    const { until } = this
    // Only the first refused point is counted. Otherwise, a client that retries all the time would be blocked forever.
    if (points > 0 && count > this.points + 1) return { count: Infinity, until }
    const rewards = (this.rewards.get(key) ?? 0) - points
    // A point that was given back is taken again first, so that cells do not fill up.
    if (rewards >= 0) this.setRewards(key, rewards)
    else this.raise(cells, points)
    return { count, until }
  }

  /** No period was skipped, because {@link until} would have passed. */
  private beginPeriod(): void {
    this.periodEnd += this.duration
    this.shift = 4 - this.shift
    this.rewards.clear()
    const kept = this.shift === 0 ? 0xf0f0f0f0 : 0x0f0f0f0f
    const words = new Uint32Array(this.cells.buffer)
    for (let i = 0; i < words.length; i++) words[i] = (words[i] ?? 0) & kept
  }

  private setRewards(key: string, points: number): void {
    this.rewards.delete(key)
    if (points === 0) return
    for (const oldest of this.rewards.keys()) {
      if (this.rewards.size < REWARDS) break
      this.rewards.delete(oldest)
    }
    this.rewards.set(key, points)
  }

  private raise(cells: number[], points: number): void {
    const raised = Math.min(this.least(cells, this.shift) + points, MAX_COUNT)
    for (const cell of cells) {
      const missing = raised - this.valueAt(cell, this.shift)
      if (missing > 0) this.cells[cell] = (this.cells[cell] ?? 0) + (missing << this.shift)
    }
  }

  private least(cells: number[], shift: number): number {
    let least = MAX_COUNT
    for (const cell of cells) least = Math.min(least, this.valueAt(cell, shift))
    return least
  }

  private valueAt(cell: number, shift: number): number {
    return ((this.cells[cell] ?? 0) >> shift) & MAX_COUNT
  }
}
