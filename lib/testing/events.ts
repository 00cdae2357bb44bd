import type { CodeEvent } from './codes'
import type { Delivery } from './integrations'
import type { RecordedRequest } from './messages'

/** What `on` can listen to. */
export interface SimulatorEvents {
  /** A code was requested. */
  code: CodeEvent
  /** A request arrived. */
  request: RecordedRequest
  /** A response ended. */
  answer: RecordedRequest
  /** A delivery to a webhook ended. */
  delivery: Delivery
  /** A connection was opened or closed: the number of open connections. */
  connections: number
  /** A handler of `route` threw. */
  error: unknown
}

type Listeners = { [Name in keyof SimulatorEvents]: Set<(value: SimulatorEvents[Name]) => void> }

const ERRORS_KEPT = 100

/** Listeners by event, and promises of the next event. */
export class Events {
  /** The last hundred reported errors. */
  readonly errors: unknown[] = []
  private readonly listeners: Listeners = {
    code: new Set(),
    request: new Set(),
    answer: new Set(),
    delivery: new Set(),
    connections: new Set(),
    error: new Set(),
  }

  /** @param stopped rejects all promises */
  constructor(private readonly stopped: AbortSignal) {}

  /** Returns a function that removes the listener. */
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

  /** Reports what a handler threw: to the listeners, or as a warning of the process. */
  report(error: unknown): void {
    if (this.errors.push(error) > ERRORS_KEPT) this.errors.shift()
    if (this.listeners.error.size > 0) this.emit('error', error)
    else
      process.emitWarning(
        error instanceof Error ? (error.stack ?? error.message) : String(error),
        'RouteError',
      )
  }

  /** The next event that matches. */
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
    // Nobody has to wait for it.
    next.catch(() => undefined)
    return next
  }
}
