import type { Context } from '../context'
import { ElasticPathError } from '../errors'

export interface Found<T> {
  value: T
  /** Milliseconds for which the value is valid. */
  lifetime: number
}

interface Search<T> {
  found: Promise<T>
  waiting: number
  giveUp: () => void
}

/**
 * Caches a value and deduplicates concurrent fetches. Failures are not cached. A fetch is canceled when no caller waits
 * for it any longer. Lifetimes are measured with a monotonic clock.
 */
export class Shared<T> {
  private cached: { value: T; until: number } | undefined
  private search: Search<T> | undefined

  constructor(private readonly find: (context: Context) => Promise<Found<T>>) {}

  /** Returns a cached value at once, because a promise would cost more than everything else here. */
  get(context: Context): T | Promise<T> {
    const cached = this.fresh()
    return cached ? cached.value : this.join(context)
  }

  private fresh(): { value: T } | undefined {
    return this.cached && performance.now() < this.cached.until ? this.cached : undefined
  }

  private async join(context: Context): Promise<T> {
    for (;;) {
      const cached = this.fresh()
      if (cached) return cached.value
      const joined = this.search !== undefined
      const search = (this.search ??= this.start(context))
      search.waiting++
      let timedOut = false
      try {
        return await context.upstream(search.found)
      } catch (error) {
        timedOut = error instanceof ElasticPathError && error.code === 'timeout'
        // A fetch that started earlier can time out while a caller that joined it later still has time.
        if (!joined || !timedOut || context.ended) throw error
      } finally {
        if (--search.waiting === 0) {
          this.leave(search)
          // After a timeout, the fetch is not canceled. It times out, too, and then `Transport` discards the idle
          // connections, which may be dead.
          if (!timedOut) search.giveUp()
        }
      }
    }
  }

  /** Fetches the value again. The cached value is used until the fetch succeeds. */
  refresh(context: Context): Promise<T> {
    this.search = this.start(context)
    return context.upstream(this.search.found)
  }

  /** Forgets this value and returns true. If another value has replaced it in the meantime, returns false. */
  forget(value: T): boolean {
    if (this.cached?.value !== value) return false
    this.cached = undefined
    return true
  }

  /** Removes the cached value, and ignores the result of a fetch in progress. */
  clear(): void {
    this.cached = undefined
    this.search = undefined
  }

  private start(initiator: Context): Search<T> {
    let own: Context | undefined
    const work = initiator.detached((context) => {
      own = context
      return this.find(context)
    })
    const found = work.then(
      ({ value, lifetime }) => {
        if (this.search === search) this.cached = { value, until: performance.now() + lifetime }
        this.leave(search)
        return value
      },
      (error: unknown) => {
        this.leave(search)
        throw error
      },
    )
    // All callers may have stopped waiting.
    found.catch(() => undefined)
    const search: Search<T> = { found, waiting: 0, giveUp: () => own?.end() }
    return search
  }

  private leave(search: Search<T>): void {
    if (this.search === search) this.search = undefined
  }
}
