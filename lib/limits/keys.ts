import { createHmac, hash, hkdfSync, randomBytes } from 'node:crypto'
import type { Settings } from '../options'
import { isPlainText } from '../plain-text'

/** The purpose of a count. Each purpose has separate keys, so one limiter can serve all of them. */
export type Purpose = 'sign-in' | 'ticket' | 'proof' | 'grant' | 'code' | 'delivery' | 'credit'

// Keeps the memory of a limiter bounded.
const MAX_PLAIN_KEY = 64

/** Makes the keys under which limiters count. A key that leaves the process contains no username, so it can be stored anywhere. */
export class Keys {
  // For long keys that never leave the process. They need no HMAC, which on Node 24 costs a sign-in 20 µs, and a hash one.
  private readonly salt = randomBytes(32).toString('hex')

  /** @param secret - From {@link deriveKey} for counts that several processes share. Without it, no other has the keys. */
  constructor(private readonly secret?: Buffer) {}

  /** @param username - Or the id or email address that is counted. */
  of(purpose: Purpose, username: string): string {
    const subject = `${purpose}\n${foldUsername(username)}`
    if (!this.secret && subject.length <= MAX_PLAIN_KEY) return subject
    const digest = this.secret
      ? createHmac('sha256', this.secret).update(subject).digest('base64url')
      : hash('sha256', this.salt + subject, 'base64url')
    return `${purpose}:${digest}`
  }
}

/** Derives a key from a secret. Keys for different uses are independent. */
export function deriveKey(use: string, secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `passport-elasticpath-otp ${use}`, 32))
}

/** The secret of the keys in limiters that several processes share. Each process derives the same one. */
export function limiterSecret({
  clientId,
  clientSecret = '',
}: Pick<Settings, 'clientId' | 'clientSecret'>): Buffer {
  return deriveKey('limiter', `${clientId}\n${clientSecret}`)
}

const INVISIBLE = /[\p{M}\p{Z}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu

/**
 * Converts a username into one form for all spellings that a store could take for the same username. Otherwise each
 * spelling would have separate attempts. It ignores case, compatibility forms, combining marks, white space, and
 * invisible and control characters.
 */
export function foldUsername(username: string): string {
  if (isPlainText(username)) return username.toLowerCase()
  // Lower case first, because ẞ has no other upper case. Marks are removed last: one of them, the iota subscript, has a
  // letter as its upper case. Greek has two lower-case letters for one upper-case sigma.
  const folded = username.normalize('NFKD').toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ')
  return folded.normalize('NFKD').replace(INVISIBLE, '')
}
