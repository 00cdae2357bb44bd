import { deserialize, serialize } from 'node:v8'
import { Store, type SessionData } from 'express-session'

type Done<T> = (error: unknown, result?: T) => void

/**
 * A session store that processes share. Tests replace its methods to make it slow or to break it. It serializes more
 * than JSON, such as a Map.
 */
export class SessionStore extends Store {
  private readonly written = new Map<string, Buffer[]>()

  override get = (id: string, done: Done<SessionData | null>): unknown => this.read(id, 0, done)

  override set = (id: string, session: SessionData, done?: Done<void>): unknown => {
    // The cookie's own toJSON is what stores keep.
    const data = { ...session, cookie: JSON.parse(JSON.stringify(session.cookie)) as unknown }
    this.written.set(id, [serialize(data), ...(this.written.get(id) ?? [])].slice(0, 2))
    return setImmediate(() => done?.(null))
  }

  override destroy = (id: string, done?: Done<void>): unknown => {
    this.written.delete(id)
    return setImmediate(() => done?.(null))
  }

  override touch = (_id: string, _session: SessionData, done?: Done<void>): unknown => done?.(null)

  /** Reads a session as it was some writes ago, as from a replica. */
  read(id: string, writesAgo: number, done: Done<SessionData | null>): unknown {
    const found = this.written.get(id)?.[writesAgo]
    return setImmediate(() => done(null, found ? (deserialize(found) as SessionData) : null))
  }

  /** What the store holds of all sessions. */
  get contents(): (Record<string, unknown> & { passport?: { user?: Record<string, unknown> } })[] {
    return [...this.written.values()].flatMap(([latest]) => (latest ? [deserialize(latest)] : []))
  }

  /** Calls a function before the read with this number, counted from now; the read waits for its promise. */
  beforeRead(number: number, act: () => Promise<unknown>): void {
    const { get } = this
    let reads = 0
    this.get = (id, done) => {
      if (++reads === number) void act().then(() => get(id, done))
      else get(id, done)
    }
  }
}
