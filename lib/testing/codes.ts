import { randomInt, randomUUID } from 'node:crypto'
import type { Member } from './members'

/** What a code is for. The simulator signs nobody in with one for `reset_password`. */
export type CodePurpose = 'passwordless_authentication' | 'reset_password'

/** A code that was asked for, as the store's webhook hears of it. */
export interface CodeEvent {
  /** The event's id, the same in every delivery of it. */
  readonly eventId: string
  /** The username that it was asked for. */
  readonly username: string
  /** The member's e-mail address. */
  readonly email: string
  /** The member's name. */
  readonly name: string
  /** Six lower-case letters and digits. */
  readonly otp: string
  /** What it is for. */
  readonly purpose: CodePurpose
  /** The password profile that it is good for. */
  readonly passwordProfileId: string
  /** The ISO 8601 moment at which it was made, by the simulator's clock. */
  readonly createdAt: string
  /** The ISO 8601 moment at which it ends, by the simulator's clock. */
  readonly expires: string
}

interface Code {
  otp: string
  passwordProfileId: string
  expires: number
  spent: boolean
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

/**
 * The codes for signing in, one for a username: a newer one kills the older, and each works once. Commerce does not say
 * that it does so (fact 15); a client that copes with this copes with the other.
 */
export class Codes {
  private readonly newest = new Map<string, Code>()

  constructor(private readonly lifetime: number) {}

  issue(username: string, passwordProfileId: string, now: number): string {
    const otp = randomCode()
    this.newest.set(username, { otp, passwordProfileId, expires: now + this.lifetime, spent: false })
    return otp
  }

  /** Makes a code in answer to a request. */
  request(member: Member, passwordProfileId: string, purpose: CodePurpose, now: number): CodeEvent {
    const { username, email, name } = member
    const signsIn = purpose === 'passwordless_authentication'
    const otp = signsIn ? this.issue(username, passwordProfileId, now) : randomCode()
    const createdAt = new Date(now).toISOString()
    const expires = new Date(now + this.lifetime).toISOString()
    return {
      eventId: randomUUID(),
      username,
      email,
      name,
      otp,
      purpose,
      passwordProfileId,
      createdAt,
      expires,
    }
  }

  last(username: string): string | undefined {
    return this.newest.get(username)?.otp
  }

  isGood(username: string, passwordProfileId: string, otp: string, now: number): boolean {
    const code = this.newest.get(username)
    if (!code || code.spent || code.expires <= now) return false
    return code.otp === otp && code.passwordProfileId === passwordProfileId
  }

  spend(username: string): void {
    const code = this.newest.get(username)
    if (code) code.spent = true
  }
}

function randomCode(): string {
  return Array.from({ length: 6 }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('')
}
