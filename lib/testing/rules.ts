import { checkNames } from './checks'

/** Selects the future requests that a fault or hold applies to. */
export interface RuleOptions {
  /**
   * The number of requests that it applies to. `Infinity` means all.
   *
   * @default 1
   */
  times?: number
  /**
   * The number of matching requests to skip first.
   *
   * @default 0
   */
  after?: number
}

interface Rule<T> {
  key: string
  value: T
  times: number
  after: number
  hits: number
}

/** Assigns values to future requests. If several rules match a request, the oldest applies. */
export class Rules<T> {
  private readonly rules = new Set<Rule<T>>()

  /**
   * @param key the key of the kind of request
   * @throws RangeError if `times` is below 1, `after` is negative, or one of them is a fraction
   */
  add(key: string, value: T, { times = 1, after = 0 }: RuleOptions) {
    if (!(times >= 1 && (times === Infinity || Number.isInteger(times))))
      throw new RangeError(`times must be a whole number, 1 or more, or Infinity, not ${times}`)
    if (!(after >= 0 && Number.isInteger(after)))
      throw new RangeError(`after must be a whole number, 0 or more, not ${after}`)
    const rule: Rule<T> = { key, value, times, after, hits: 0 }
    this.rules.add(rule)
    return {
      get hits() {
        return rule.hits
      },
      remove: () => void this.rules.delete(rule),
    }
  }

  clear(): void {
    this.rules.clear()
  }

  /** Returns the value that applies to a request. Each call counts as one request. */
  next(keys: readonly string[]): T | undefined {
    for (const rule of this.rules) {
      if (!keys.includes(rule.key)) continue
      if (rule.after > 0) {
        rule.after -= 1
        continue
      }
      rule.hits += 1
      if (rule.hits >= rule.times) this.rules.delete(rule)
      return rule.value
    }
    return undefined
  }
}

const OPTION_NAMES: Record<keyof RuleOptions | 'afterEffect', true> = {
  times: true,
  after: true,
  afterEffect: true,
}

/** @throws TypeError if an option is unknown */
export function checkRuleOptions(of: string, options: object): void {
  checkNames(of, options, OPTION_NAMES)
}
