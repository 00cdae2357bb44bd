import { ElasticPathError } from '../errors'
import type { Operation } from './operation'

/**
 * A thing that is found out once for all who wait for it, and kept until it ends or is forgotten.
 * A failure is kept for nobody: whoever asks next tries again.
 */
export class Shared<T> {
  private kept: { value: T; until: number } | undefined
  private underWay: Promise<T> | undefined

  /** @param find answers with the value and the moment, in epoch milliseconds, until which it is good. */
  constructor(private readonly find: (operation: Operation) => Promise<{ value: T; until: number }>) {}

  async get(operation: Operation): Promise<T> {
    for (;;) {
      if (this.kept && Date.now() < this.kept.until) return this.kept.value
      const joined = this.underWay !== undefined
      this.underWay ??= this.refresh(operation)
      try {
        return await operation.race(this.underWay)
      } catch (error) {
        // One that began earlier may run out of time while whoever joined it late still has some.
        const late = error instanceof ElasticPathError && error.code === 'timeout'
        if (!joined || !late || operation.ended) throw error
      }
    }
  }

  /** Forgets this very value; one that has replaced it meanwhile stays. */
  forget(value: T): void {
    if (this.kept?.value === value) this.kept = undefined
  }

  private async refresh(initiator: Operation): Promise<T> {
    try {
      this.kept = await initiator.apart(this.find)
      return this.kept.value
    } finally {
      this.underWay = undefined
    }
  }
}
