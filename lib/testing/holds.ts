import type { RecordedRequest } from './messages'
import { checkRuleOptions, Rules, type RuleOptions } from './rules'

/** Options of a hold. */
export interface HoldOptions extends RuleOptions {
  /**
   * Whether a request has its effect when it arrives. If true, only the response waits for the release.
   *
   * @default false
   */
  afterEffect?: boolean
}

/** A handle of held requests: waits for them, counts them and releases them. */
export interface Hold {
  /**
   * Resolves with the first held request. Rejects if the hold is released or the simulator is stopped before a request
   * arrives.
   */
  readonly arrived: Promise<RecordedRequest>
  /** The number of requests that were held. */
  readonly count: number
  /** Continues all held requests and removes the hold. */
  release(): void
}

interface Gate {
  afterEffect: boolean
  arrive(record: RecordedRequest): void
  opened: Promise<void>
}

/** The active holds. */
export class Holds {
  private readonly rules = new Rules<Gate>()

  /**
   * @param stopped releases all holds when it aborts
   * @throws TypeError if an option is unknown
   */
  add(key: string, options: HoldOptions, stopped: AbortSignal): Hold {
    checkRuleOptions('a hold', options)
    let count = 0
    let arrive: (record: RecordedRequest) => void = () => undefined
    let fail: (reason: unknown) => void = () => undefined
    let open: () => void = () => undefined
    const arrived = new Promise<RecordedRequest>((resolve, reject) => {
      arrive = resolve
      fail = reject
    })
    // A promise that nobody awaits must not cause an unhandled rejection.
    arrived.catch(() => undefined)
    const opened = new Promise<void>((resolve) => (open = resolve))
    const gate: Gate = {
      afterEffect: options.afterEffect ?? false,
      arrive(record) {
        count += 1
        arrive(record)
      },
      opened,
    }
    const rule = this.rules.add(key, gate, options)
    const stop = () => end(stopped.reason)
    const end = (reason: unknown) => {
      stopped.removeEventListener('abort', stop)
      rule.remove()
      fail(reason)
      open()
    }
    stopped.addEventListener('abort', stop)
    if (stopped.aborted) stop()
    return {
      arrived,
      get count() {
        return count
      },
      release: () => end(new Error('The hold was released before a request arrived')),
    }
  }

  /** Returns the hold that applies to a request. Each call counts as one request. */
  next(keys: readonly string[]): Gate | undefined {
    return this.rules.next(keys)
  }
}
