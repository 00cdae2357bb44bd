/**
 * Rows by id, in the order in which they were added. Rows are immutable and replaced as a whole, so a shallow copy is a
 * snapshot. The oldest row is evicted when the table is full.
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
    const [oldest] = this.rows.size > this.capacity ? this.rows.keys() : []
    if (oldest !== undefined) this.rows.delete(oldest)
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
    return () => void (this.rows = rows)
  }
}
