import { checkNames } from './checks'

/** Which of the coming requests a rule applies to. */
export interface RuleOptions {
  /**
   * The number of requests that it applies to. `Infinity` for all.
   *
   * @default 1
   */
  times?: number
  /**
   * The number of matching requests before it applies.
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

/** Values that apply to coming requests. The one that was added first applies first. */
export class Rules<T> {
  private rules: Rule<T>[] = []

  /**
   * @param key the requests that it applies to
   * @throws RangeError if it applies to no request
   */
  add(key: string, value: T, { times = 1, after = 0 }: RuleOptions) {
    if (!(times >= 1)) throw new RangeError(`times must be 1 or more, not ${times}`)
    if (!(after >= 0)) throw new RangeError(`after must be 0 or more, not ${after}`)
    const rule: Rule<T> = { key, value, times, after, hits: 0 }
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

  /** The value for a request. Each call counts as a request. */
  next(keys: readonly string[]): T | undefined {
    for (const rule of this.rules) {
      if (!keys.includes(rule.key)) continue
      if (rule.after > 0) {
        rule.after -= 1
        continue
      }
      rule.hits += 1
      if (rule.hits >= rule.times) this.remove(rule)
      return rule.value
    }
    return undefined
  }

  private remove(rule: Rule<T>): void {
    this.rules = this.rules.filter((other) => other !== rule)
  }
}

/** @throws TypeError for an unknown option */
export function checkRuleOptions(of: string, options: object): void {
  checkNames(of, options, { times: true, after: true, afterEffect: true })
}
