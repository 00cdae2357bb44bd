import { ElasticPathError } from '../errors'
import type { Operation } from './operation'

interface Search<T> {
  found: Promise<T>
  waiting: number
  giveUp: () => void
}

/**
 * A thing that is found out once for all who wait for it, and kept until it ends or is forgotten.
 * A failure is kept for nobody: whoever asks next tries again. What all have given up ends: what hung for them is not
 * what the next should wait for.
 */
export class Shared<T> {
  private kept: { value: T; until: number } | undefined
  private underWay: Search<T> | undefined

  /** @param find answers with the value and the moment, in epoch milliseconds, until which it is good. */
  constructor(private readonly find: (operation: Operation) => Promise<{ value: T; until: number }>) {}

  async get(operation: Operation): Promise<T> {
    for (;;) {
      if (this.kept && Date.now() < this.kept.until) return this.kept.value
      const joined = this.underWay !== undefined
      const search = (this.underWay ??= this.search(operation))
      search.waiting++
      try {
        return await operation.race(search.found)
      } catch (error) {
        // One that began earlier may run out of time while whoever joined it late still has some.
        const late = error instanceof ElasticPathError && error.code === 'timeout'
        if (!joined || !late || operation.ended) throw error
      } finally {
        if (--search.waiting === 0) {
          this.leave(search)
          search.giveUp()
        }
      }
    }
  }

  /** Forgets this very value; one that has replaced it meanwhile stays. */
  forget(value: T): void {
    if (this.kept?.value === value) this.kept = undefined
  }

  private search(initiator: Operation): Search<T> {
    let own: Operation | undefined
    const work = initiator.apart((operation) => {
      own = operation
      return this.find(operation)
    })
    const search: Search<T> = {
      found: work.then((found) => (this.kept = found).value).finally(() => this.leave(search)),
      waiting: 0,
      giveUp: () => own?.end(),
    }
    return search
  }

  private leave(search: Search<T>): void {
    if (this.underWay === search) this.underWay = undefined
  }
}
