import type { Call } from './requests'

/**
 * What goes wrong with a request.
 *
 * - `hang`: it is read, and never answered
 * - `reset`: it is read, and the connection reset
 * - `truncated`: the true answer, cut off in the middle by the connection's end
 * - `oversized`: a body of 64 MiB under the true answer's status
 * - `slow`: the true answer, a byte every 100 ms
 * - `html`: a proxy's error page, 502
 * - `malformed`: the true answer's status, with JSON that is none
 * - `half_valid`: the true answer, with one thing in it that cannot be
 * - `refused_bearer`: 401 as for an access token that has ended
 * - `{ status }`: another answer
 * - `{ delay }`: the true answer, late
 * - `{ redirect }`: 307 to another URL
 * - `{ rateLimited }`: 429
 */
export type Fault =
  | 'hang'
  | 'reset'
  | 'truncated'
  | 'oversized'
  | 'slow'
  | 'html'
  | 'malformed'
  | 'half_valid'
  | 'refused_bearer'
  | {
      /** The answer's status. */
      status: number
      /** One that is no string is sent as JSON. From status 400 on, none is an error in Elastic Path's words. */
      body?: unknown
      /** The answer's headers. */
      headers?: Record<string, string>
    }
  | {
      /** Milliseconds before the true answer, unless the client has left by then. */
      delay: number
    }
  | {
      /** The URL that it goes to. */
      redirect: string
    }
  | {
      /** Seconds for the header `Retry-After`; none where undefined. */
      rateLimited: number | undefined
    }

/** Which requests a fault strikes, and when. */
export interface FaultOptions {
  /** How many requests it strikes: 1 by default, `Infinity` for all. */
  times?: number
  /** How many matching requests it lets pass first: 0 by default. */
  after?: number
  /**
   * Whether the request has its effect before the fault strikes: a code is spent, or made and sent. False by default;
   * then nothing has happened, but for a `delay` that the client waited for.
   */
  afterEffect?: boolean
}

/** A fault that was set. */
export interface FaultHandle {
  /** How many requests it has struck. */
  readonly hits: number
  /** Takes it away. */
  remove(): void
}

interface Rule {
  call: Call | 'any'
  fault: Fault
  times: number
  after: number
  afterEffect: boolean
  hits: number
}

/** The faults that wait for requests. The one that was added first strikes first. */
export class Faults {
  private rules: Rule[] = []

  add(call: Call | 'any', fault: Fault, options: FaultOptions): FaultHandle {
    const { times = 1, after = 0, afterEffect = false } = options
    if (!(times >= 1)) throw new RangeError(`A fault strikes one request or more, not ${times}`)
    const rule: Rule = { call, fault, times, after, afterEffect, hits: 0 }
    this.rules.push(rule)
    return {
      get hits() {
        return rule.hits
      },
      remove: () => this.remove(rule),
    }
  }

  clear(): void {
    this.rules = []
  }

  /** What strikes a request; to be asked once for each. */
  next(call: Call): { fault: Fault; afterEffect: boolean } | undefined {
    for (const rule of this.rules) {
      if (rule.call !== 'any' && rule.call !== call) continue
      if (rule.after > 0) {
        rule.after -= 1
        continue
      }
      rule.hits += 1
      if (rule.hits >= rule.times) this.remove(rule)
      return rule
    }
    return undefined
  }

  private remove(rule: Rule): void {
    this.rules = this.rules.filter((other) => other !== rule)
  }
}
