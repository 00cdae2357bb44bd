import type { Storage } from '../../src/storage/storage'

/** Holds calls of a session store, so that a test decides what happens first. */
export interface Gate {
  /** Resolves when a call has been made and is held. */
  held: Promise<void>
  /** Lets the held call continue. */
  open: () => void
}

/** Holds the result of the next `get`: the request has read its session, and does not know it yet. */
export function holdNextGet({ sessions }: Pick<Storage, 'sessions'>): Gate {
  const get = sessions.get.bind(sessions)
  let open: (() => void) | undefined
  const held = new Promise<void>((resolve) => {
    sessions.get = (id, done) => {
      sessions.get = get
      get(id, (error: unknown, session) => {
        open = () => done(error, session)
        resolve()
      })
    }
  })
  return { held, open: () => open?.() }
}

/** Delays each `set` until `work` resolves. */
export function delaySets({ sessions }: Pick<Storage, 'sessions'>, work: () => Promise<unknown>): void {
  const set = sessions.set.bind(sessions)
  sessions.set = (id, session, done) => {
    // A store in another process gets the session as it is now.
    const copy = JSON.parse(JSON.stringify(session)) as typeof session
    void work().finally(() => set(id, copy, done))
  }
}
