import type { Io } from '../io'
import { at, number, objects, parse, text } from '../json'
import type { Store } from '../store'
import type { Answer } from '../transport'
import type { CodeSource } from './codes'
import type { Pace } from './pace'

/** The usernames that the user gave. No others are ever sent. */
export interface Usernames {
  /** A member who belongs to an account. */
  readonly member: string
  /** The member's username in other upper and lower case. */
  readonly otherCase?: string | undefined
  /** A username that no member has. */
  readonly unknown?: string | undefined
  /** A member who belongs to no account. */
  readonly withoutAccount?: string | undefined
}

/** A question could not be answered, for a reason to report. */
export class NoAnswer extends Error {}

/** What the questions work with, and what they measure in passing. */
export class Lab {
  /** Milliseconds from a request for a code to its answer. */
  readonly timesKnown: number[] = []
  readonly timesUnknown: number[] = []
  /** Milliseconds from a request for a code to its arrival. */
  readonly deliveries: number[] = []
  accessTokenLifetime: number | undefined
  accountTokenLifetime: number | undefined

  constructor(
    private readonly io: Io,
    private readonly store: Store,
    private readonly source: CodeSource,
    private readonly profile: { readonly realmId: string; readonly id: string },
    readonly pace: Pace,
    readonly usernames: Usernames,
  ) {}

  async request(username: string): Promise<Answer> {
    const answer = await this.store.requestCode(this.profile.realmId, this.profile.id, username)
    const times = username === this.usernames.unknown ? this.timesUnknown : this.timesKnown
    times.push(answer.duration)
    return answer
  }

  /** Requests a code for a member, and waits for it. */
  async code(username: string): Promise<string> {
    const { status } = await this.request(username)
    if (status !== 202 && status !== 201) throw new NoAnswer(`The request for a code got ${status}.`)
    const started = this.pace.sentAt
    const code = await this.source.next(username)
    if (code === undefined) throw new NoAnswer('No code arrived.')
    this.deliveries.push(this.io.clock.now() - started)
    return code
  }

  async exchange(username: string, code: string): Promise<Answer> {
    const answer = await this.store.exchange(this.profile.id, username, code)
    if (answer.status >= 500) throw new NoAnswer(`Elastic Path failed with ${answer.status}.`)
    const [account] = objects(at(answer.body, 'data'))
    this.accountTokenLifetime ??= lifetimeOf(text(account?.['token']))
    return answer
  }
}

/** Whether a code was accepted. */
export function accepted({ status }: Answer): boolean {
  return status === 201 || status === 200
}

/** A code that differs from the true one and from the other wrong ones: the last letter or digit is a later one. */
export function wrongCode(code: string, attempt: number): string {
  const last = Number.parseInt(code.slice(-1), 36)
  return code.slice(0, -1) + ((last + attempt + 1) % 36).toString(36)
}

/** The lifetime of an account token in seconds, by its own claims. */
function lifetimeOf(token: string | undefined): number | undefined {
  const claims = parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString('utf8'))
  return number(Number(at(claims, 'exp')) - Number(at(claims, 'iat')))
}
