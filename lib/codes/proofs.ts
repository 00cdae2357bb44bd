import { createHmac, timingSafeEqual } from 'node:crypto'
import { deriveKey, foldUsername } from '../limits/keys'

const PROOF = /^([1-9a-z][0-9a-z]{0,10})\.([\w-]{43})$/

/**
 * Creates and verifies proofs. A proof is part of the link in an email, so a request with a proof comes from somebody
 * who can read the mailbox of that username. It consists of its expiry time and an HMAC over the username and that time.
 */
export class Proofs {
  private readonly keys: Buffer[] = []

  /** @param secretKey - The secret key of a webhook. Every process that knows it can read its proofs. */
  addKey(secretKey: string): void {
    const key = deriveKey('proofs', secretKey)
    if (!this.keys.some((known) => known.equals(key))) this.keys.push(key)
  }

  /**
   * Makes a proof.
   *
   * @param end - When it expires, in epoch milliseconds.
   * @throws Error if {@link addKey} was not called.
   */
  make(username: string, end: number): string {
    const [key] = this.keys
    if (!key) throw new Error('A proof needs the secret key of a webhook.')
    return `${end.toString(36)}.${sign(key, username, end).toString('base64url')}`
  }

  /**
   * Checks a proof from a request.
   *
   * @returns The id under which its attempts are counted, or undefined if it is malformed, forged, expired or made for
   * another username.
   */
  read(proof: unknown, username: string): string | undefined {
    if (typeof proof !== 'string') return undefined
    const [, digits, text] = PROOF.exec(proof) ?? []
    if (digits === undefined || text === undefined) return undefined
    const end = parseInt(digits, 36)
    const given = Buffer.from(text, 'base64url')
    const valid = this.keys
      .map((key) => sign(key, username, end))
      .find((hmac) => timingSafeEqual(hmac, given))
    // The same proof can be encoded in several ways, because base64 has unused bits. The HMAC itself is unique.
    return valid && Date.now() < end ? valid.toString('hex') : undefined
  }
}

function sign(key: Buffer, username: string, end: number): Buffer {
  return createHmac('sha256', key)
    .update(`${end}\n${foldUsername(username)}`)
    .digest()
}
