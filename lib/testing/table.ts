/**
 * Rows by id, in the order of their creation. Rows are replaced, never changed, so that a copy of the table is a copy
 * of everything in it. The oldest row is evicted when the table is full.
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

  /** Adds a row or replaces it in its place. */
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

  /** Returns a function that takes the table back to what it is now. */
  snapshot(): () => void {
    const rows = new Map(this.rows)
    return () => void (this.rows = rows)
  }
}
