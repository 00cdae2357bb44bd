import { randomInt, randomUUID } from 'node:crypto'
import type { Member } from './members'
import type { StoreSettings } from './options'
import { Table } from './table'

/** The purpose of a code. */
export type CodePurpose = 'passwordless_authentication' | 'reset_password'

/** A code that was requested. The webhook's event has the same data. */
export interface CodeEvent {
  /** The event's id, the same in every delivery of the event. */
  readonly eventId: string
  /** The username that the code was requested for. */
  readonly username: string
  /** The member's email address. */
  readonly email: string
  /** The member's name. */
  readonly name: string
  /** The code: six lower-case letters and digits. */
  readonly otp: string
  /** The purpose of the code. */
  readonly purpose: CodePurpose
  /** The password profile that the code belongs to. */
  readonly passwordProfileId: string
  /** When the code was made: ISO 8601, by the simulator's clock. */
  readonly createdAt: string
  /** When the code expires: ISO 8601, by the simulator's clock. */
  readonly expires: string
}

interface Code {
  otp: string
  passwordProfileId: string
  expires: number
  used: boolean
  wrongAttempts: number
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'
const CODES_PER_MEMBER = 10

/** The codes of each member, in the order in which they were created. */
export class Codes {
  private readonly byUsername = new Table<readonly Code[]>()

  constructor(private readonly settings: () => StoreSettings) {}

  issue(username: string, passwordProfileId: string, now: number): string {
    const otp = randomCode()
    const code = { otp, passwordProfileId, expires: now + this.lifetime, used: false, wrongAttempts: 0 }
    const kept = this.settings().newCodeInvalidatesOld ? 1 : CODES_PER_MEMBER
    this.byUsername.set(username, [...this.of(username), code].slice(-kept))
    return otp
  }

  /** Creates a code for a request over HTTP. */
  request(member: Member, passwordProfileId: string, purpose: CodePurpose, now: number): CodeEvent {
    const { username, email, name } = member
    return {
      eventId: randomUUID(),
      username,
      email,
      name,
      otp: this.issue(username, passwordProfileId, now),
      purpose,
      passwordProfileId,
      createdAt: new Date(now).toISOString(),
      expires: new Date(now + this.lifetime).toISOString(),
    }
  }

  last(username: string): string | undefined {
    return this.of(username).at(-1)?.otp
  }

  /**
   * Returns whether a code is valid. A valid code is used up, unless codes are reusable. A wrong one counts as an
   * attempt.
   */
  redeem(username: string, passwordProfileId: string, otp: string, now: number): boolean {
    const { codeAttempts, reusableCodes } = this.settings()
    const codes = this.of(username)
    const code = codes.find((candidate) => candidate.otp === otp)
    const isGood =
      code?.passwordProfileId === passwordProfileId &&
      !code.used &&
      code.expires > now &&
      code.wrongAttempts < codeAttempts
    this.byUsername.set(
      username,
      isGood
        ? codes.map((one) => (one === code ? { ...one, used: !reusableCodes } : one))
        : codes.map((one) => ({ ...one, wrongAttempts: one.wrongAttempts + 1 })),
    )
    return isGood
  }

  snapshot(): () => void {
    return this.byUsername.snapshot()
  }

  private of(username: string): readonly Code[] {
    return this.byUsername.get(username) ?? []
  }

  private get lifetime(): number {
    return Math.round(this.settings().codeLifetime * 1000)
  }
}

function randomCode(): string {
  return Array.from({ length: 6 }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('')
}

/** The payload of a code's event. */
export function payloadOf(event: CodeEvent, { id, email, name }: Member, realmId: string) {
  const { createdAt, otp, passwordProfileId, purpose, username } = event
  return {
    authentication_realm_id: realmId,
    created_at: createdAt,
    one_time_password_token: otp,
    password_profile_id: passwordProfileId,
    purpose,
    updated_at: createdAt,
    user_authentication_info: { email, id, name },
    // Clients never see this id elsewhere, so any value will do.
    user_authentication_password_profile_info: { id, password_profile_id: passwordProfileId, username },
  }
}
