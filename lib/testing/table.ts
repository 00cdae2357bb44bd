/**
 * Rows by id, in the order in which they were added. A row is never changed, only replaced, so a copy of the map is a
 * snapshot. When a row is added to a full table, the oldest row is evicted.
 */
export class Table<Row> {
  private rows = new Map<string, Row>()

  constructor(private readonly capacity = Infinity) {}

  get all(): readonly Row[] {
    return [...this.rows.values()]
  }

  get(id: string): Row | undefined {
    return this.rows.get(id)
  }

  /** Adds a row, or replaces it without changing its position. */
  set(id: string, row: Row): Row {
    this.rows.set(id, row)
    for (const oldest of this.rows.keys()) {
      if (this.rows.size <= this.capacity) break
      this.rows.delete(oldest)
    }
    return row
  }

  delete(id: string): void {
    this.rows.delete(id)
  }

  clear(): void {
    this.rows = new Map()
  }

  /** Takes a snapshot. Returns a function that restores it. */
  snapshot(): () => void {
    const rows = new Map(this.rows)
    return () => void (this.rows = new Map(rows))
  }
}
