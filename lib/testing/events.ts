import type { CodeEvent } from './codes'
import type { Delivery } from './integrations'
import type { RecordedRequest } from './messages'

/** The events that `on` can listen to, and the values that listeners receive. */
export interface SimulatorEvents {
  /** A code was requested. */
  code: CodeEvent
  /** A request arrived. */
  request: RecordedRequest
  /** A response ended. */
  answer: RecordedRequest
  /** A delivery to a webhook succeeded or failed. */
  delivery: Delivery
  /** A connection was opened or closed. The value is the number of open connections. */
  connections: number
  /** A handler of `route` threw. */
  error: unknown
}

type Listeners = { [Name in keyof SimulatorEvents]: Set<(value: SimulatorEvents[Name]) => void> }

const ERRORS_KEPT = 100

/** Calls listeners of events and resolves promises for the next event. */
export class Events {
  /** The last 100 reported errors. */
  readonly errors: unknown[] = []
  private readonly listeners: Listeners = {
    code: new Set(),
    request: new Set(),
    answer: new Set(),
    delivery: new Set(),
    connections: new Set(),
    error: new Set(),
  }

  /** @param stopped rejects all pending promises when it aborts */
  constructor(private readonly stopped: AbortSignal) {}

  /** Adds a listener. Returns a function that removes it. */
  on<Name extends keyof SimulatorEvents>(
    name: Name,
    listener: (value: SimulatorEvents[Name]) => void,
  ): () => void {
    this.listeners[name].add(listener)
    return () => void this.listeners[name].delete(listener)
  }

  emit<Name extends keyof SimulatorEvents>(name: Name, value: SimulatorEvents[Name]): void {
    for (const listener of this.listeners[name]) queueMicrotask(() => listener(value))
  }

  /** Reports an error that a handler threw. Emits a process warning if there are no listeners. */
  report(error: unknown): void {
    if (this.errors.push(error) > ERRORS_KEPT) this.errors.shift()
    if (this.listeners.error.size > 0) this.emit('error', error)
    else
      process.emitWarning(
        error instanceof Error ? (error.stack ?? error.message) : String(error),
        'RouteError',
      )
  }

  /** Resolves with the next event that matches. */
  next<Name extends keyof SimulatorEvents>(
    name: Name,
    matches: (value: SimulatorEvents[Name]) => boolean,
  ): Promise<SimulatorEvents[Name]> {
    const { stopped } = this
    const next = new Promise<SimulatorEvents[Name]>((resolve, reject) => {
      const fail = () => reject(stopped.reason as Error)
      if (stopped.aborted) {
        fail()
        return
      }
      const off = this.on(name, (value) => {
        if (!matches(value)) return
        off()
        stopped.removeEventListener('abort', fail)
        resolve(value)
      })
      stopped.addEventListener('abort', fail)
    })
    // A promise that nobody awaits must not cause an unhandled rejection.
    next.catch(() => undefined)
    return next
  }
}
