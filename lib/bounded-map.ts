/** What is remembered for a while, by key, in bounded memory: the oldest entry gives way. */
export class BoundedMap<V> {
  private readonly entries = new Map<string, { value: V; until: number }>()

  constructor(private readonly capacity = 10_000) {}

  get(key: string): V | undefined {
    const entry = this.entries.get(key)
    if (!entry) return undefined
    if (Date.now() < entry.until) return entry.value
    this.entries.delete(key)
    return undefined
  }

  /** @param lifetime in milliseconds from now */
  set(key: string, value: V, lifetime: number): void {
    const now = Date.now()
    this.entries.delete(key)
    for (const [oldest, { until }] of this.entries) {
      if (until > now && this.entries.size < this.capacity) break
      this.entries.delete(oldest)
    }
    this.entries.set(key, { value, until: now + lifetime })
  }

  /** Forgets a key; where a value is given, only while the key still stands for it. */
  delete(key: string, value?: V): void {
    if (value === undefined || this.entries.get(key)?.value === value) this.entries.delete(key)
  }
}
