import type { RecordedRequest } from './messages'
import { checkRuleOptions, Rules, type RuleOptions } from './rules'

/** Which requests are held, and when. */
export interface HoldOptions extends RuleOptions {
  /**
   * Whether a request has its effect when it arrives, so that only its answer is held.
   *
   * @default false
   */
  afterEffect?: boolean
}

/** Requests that wait until they are released. */
export interface Hold {
  /** The first held request. Rejects if the hold is released or the simulator stopped before one arrives. */
  readonly arrived: Promise<RecordedRequest>
  /** The number of requests that were held. */
  readonly count: number
  /** Lets all held requests go on, and holds no more. */
  release(): void
}

interface Gate {
  afterEffect: boolean
  arrive(record: RecordedRequest): void
  opened: Promise<void>
}

/** The requests that wait. */
export class Holds {
  private readonly rules = new Rules<Gate>()

  /**
   * @param stopped ends all holds
   * @throws TypeError for an unknown option
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
    // Nobody has to wait for it.
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

  /** The hold for a request. Each call counts as a request. */
  next(keys: readonly string[]): Gate | undefined {
    return this.rules.next(keys)
  }
}
