/**
 * A map whose entries expire. Its size is bounded: the oldest entry is evicted when the map is full. Lifetimes are
 * measured with a monotonic clock, so a change of the system time neither extends nor shortens them.
 */
export class TtlMap<V> {
  private readonly entries = new Map<string, { value: V; until: number }>()

  constructor(private readonly capacity = 10_000) {}

  get(key: string): V | undefined {
    const entry = this.entries.get(key)
    if (!entry) return undefined
    if (performance.now() < entry.until) return entry.value
    this.entries.delete(key)
    return undefined
  }

  /** @param lifetime - Milliseconds from now. */
  set(key: string, value: V, lifetime: number): void {
    const now = performance.now()
    this.entries.delete(key)
    for (const [oldest, { until }] of this.entries) {
      if (until > now && this.entries.size < this.capacity) break
      this.entries.delete(oldest)
    }
    this.entries.set(key, { value, until: now + lifetime })
  }

  /** Deletes an entry. If a value is given, deletes the entry only if it still holds that value. */
  delete(key: string, value?: V): void {
    if (value === undefined || this.entries.get(key)?.value === value) this.entries.delete(key)
  }
}
