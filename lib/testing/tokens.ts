import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto'

/** Signs and verifies with a key of its own, and keeps nothing of what it signed. A new key revokes all. */
class Signer {
  private key = newKey()

  sign(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url')
  }

  hasSigned(text: string, signature: string): boolean {
    const expected = Buffer.from(this.sign(text))
    const given = Buffer.from(signature)
    return expected.length === given.length && timingSafeEqual(expected, given)
  }

  revokeAll(): void {
    this.key = newKey()
  }
}

function newKey() {
  return createSecretKey(randomBytes(32))
}

/** Access tokens, opaque to clients. */
export class AccessTokens extends Signer {
  /** @param expires in milliseconds of the simulator's clock */
  make(expires: number): string {
    const text = `${expires.toString(36)}-${randomBytes(6).toString('hex')}`
    return `${text}-${this.sign(text)}`
  }

  isGood(token: string, now: number): boolean {
    const [, text, expires, signature] = /^(([0-9a-z]+)-[0-9a-f]+)-([\w-]+)$/.exec(token) ?? []
    if (text === undefined || expires === undefined || signature === undefined) return false
    return this.hasSigned(text, signature) && parseInt(expires, 36) > now
  }
}

/** What an account token says, as in the example of Elastic Path's documents. */
export interface AccountTokenClaims {
  account_member_self_management: 'disabled'
  ancestors: string
  /** Epoch seconds, as is `iat`. */
  exp: number
  iat: number
  realm_id: string
  /** The account. */
  scope: string
  store_id: string
  /** The account member. */
  sub: string
}

const HEADER = base64url({ alg: 'HS256', typ: 'JWT' })

/** Account tokens: JWTs with the shape of Commerce's. */
export class AccountTokens extends Signer {
  make(claims: AccountTokenClaims): string {
    const text = `${HEADER}.${base64url(claims)}`
    return `${text}.${this.sign(text)}`
  }

  /** The claims of a token that was made here and has not ended. */
  read(token: string, now: number): AccountTokenClaims | undefined {
    const [, text, payload, signature] = /^([\w-]+\.([\w-]+))\.([\w-]+)$/.exec(token) ?? []
    if (text === undefined || payload === undefined || signature === undefined) return undefined
    if (!this.hasSigned(text, signature)) return undefined
    // Signed here, so that its shape is known.
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as AccountTokenClaims
    return claims.exp * 1000 > now ? claims : undefined
  }
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
