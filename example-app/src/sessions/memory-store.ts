import { Store, type SessionData } from 'express-session'
import { LRUCache } from 'lru-cache'
import { isSignedIn, lifetimeOf } from './kind'
import { ENDED_MEMORY } from './lifetimes'

interface Options {
  /** Sessions of members that fit; default 50,000. The least recently used one is evicted. */
  maxMembers?: number
  /** Sessions of guests that fit; default 50,000. */
  maxGuests?: number
}

/** The most entries of a cache. For lru-cache's own `max`, it would take the memory of all of them at once. */
export const atMost = (count: number) => ({ maxSize: count, sizeCalculation: () => 1 })

type Done = (error?: unknown) => void

/**
 * Sessions in the memory of this process. Guests and members have separate pools, so that any number of guests evicts
 * no member. An ended session cannot be saved again by a request that loaded it before it ended.
 */
export class MemorySessions extends Store {
  private readonly members: LRUCache<string, string>
  private readonly guests: LRUCache<string, string>
  private readonly ended = new LRUCache<string, true>({
    ...atMost(100_000),
    ttl: ENDED_MEMORY,
    ttlResolution: 0,
  })

  constructor({ maxMembers = 50_000, maxGuests = 50_000 }: Options = {}) {
    super()
    // Each entry has a lifetime of its own. Expiry must be exact, so the clock is read at every access.
    this.members = new LRUCache({ ...atMost(maxMembers), ttlResolution: 0 })
    this.guests = new LRUCache({ ...atMost(maxGuests), ttlResolution: 0 })
  }

  override get(id: string, done: (error: unknown, session?: SessionData | null) => void): void {
    const stored = this.members.get(id) ?? this.guests.get(id)
    done(null, stored === undefined ? null : (JSON.parse(stored) as SessionData))
  }

  override set(id: string, session: SessionData, done?: Done): void {
    if (!this.ended.has(id)) {
      const [pool, other] = isSignedIn(session) ? [this.members, this.guests] : [this.guests, this.members]
      other.delete(id)
      pool.set(id, JSON.stringify(session), { ttl: lifetimeOf(session) })
    }
    done?.()
  }

  override touch(id: string, session: SessionData, done?: Done): void {
    const pool = isSignedIn(session) ? this.members : this.guests
    const stored = pool.get(id)
    if (stored !== undefined) pool.set(id, stored, { ttl: lifetimeOf(session) })
    done?.()
  }

  override destroy(id: string, done?: Done): void {
    this.members.delete(id)
    this.guests.delete(id)
    this.ended.set(id, true)
    done?.()
  }
}
