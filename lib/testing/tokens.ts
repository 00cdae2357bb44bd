import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Grant } from './messages'
import type { Dialect } from './options'

/** Signs and verifies tokens with a random key, so that they need no storage. A new key revokes all tokens. */
class Signer {
  private key = newKey()

  revokeAll(): void {
    this.key = newKey()
  }

  /** Appends a signature to a text. The text ends at the last separator of the token. */
  protected seal(text: string, separator: '.' | '~' = '.'): string {
    return `${text}${separator}${this.sign(text)}`
  }

  /** Returns the text of a token. Undefined if the signature is invalid. */
  protected open(token: string): string | undefined {
    const end = token.search(/[.~][\w-]*$/)
    const text = token.slice(0, end)
    const expected = Buffer.from(this.sign(text))
    const given = Buffer.from(token.slice(end + 1))
    return expected.length === given.length && timingSafeEqual(expected, given) ? text : undefined
  }

  private sign(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url')
  }
}

function newKey() {
  return createSecretKey(randomBytes(32))
}

/** Creates and verifies access tokens. They are opaque to clients. */
export class AccessTokens extends Signer {
  /** @param expires in milliseconds of the simulator's clock */
  make(expires: number, grant: Grant): string {
    return this.seal(encode({ expires, grant, id: randomBytes(6).toString('hex') }))
  }

  /** Returns the grant of a token. Undefined if the token is invalid or expired. */
  grantOf(token: string, now: number): Grant | undefined {
    const text = this.open(token)
    if (text === undefined) return undefined
    // The signature is valid, so this class created the token and its shape is known.
    const { expires, grant } = decode(text) as { expires: number; grant: Grant }
    return expires > now ? grant : undefined
  }
}

/** The claims of an account token. */
export interface AccountTokenClaims {
  account_member_self_management: 'disabled'
  ancestors: string
  /** Epoch seconds, like `iat`. */
  exp: number
  iat: number
  realm_id: string
  /** The id of the account. */
  scope: string
  store_id: string
  /** The id of the account member. */
  sub: string
}

/** The claims in the form in which a token contains them. */
type StoredClaims = Omit<AccountTokenClaims, 'exp' | 'iat'> & {
  exp: number | string
  iat: number | string
  jti?: string
}

const JWT_HEADER = encode({ alg: 'HS256', typ: 'JWT' })

/** Creates and verifies account tokens. Every form contains all claims, even if clients cannot read them. */
export class AccountTokens extends Signer {
  make(claims: AccountTokenClaims, form: Dialect['tokenClaims']): string {
    if (form === 'opaque') return this.seal(encode(claims), '~')
    return this.seal(`${JWT_HEADER}.${encode(payload(claims, form))}`)
  }

  /** Returns the claims of a token. Undefined if the token is invalid or expired. */
  read(token: string, now: number): StoredClaims | undefined {
    const text = this.open(token)
    if (text === undefined) return undefined
    // The signature is valid, so this class created the token and its shape is known. A JWT has a header before the claims.
    const outer = decode(text.slice(text.lastIndexOf('.') + 1)) as StoredClaims
    const claims = outer.jti === undefined ? outer : (decode(outer.jti) as StoredClaims)
    const { exp } = claims
    return (typeof exp === 'number' ? exp * 1000 : Date.parse(exp)) > now ? claims : undefined
  }
}

function payload(claims: AccountTokenClaims, form: 'seconds' | 'iso' | 'absent'): object {
  if (form === 'seconds') return claims
  if (form === 'absent') return { jti: encode(claims) }
  return { ...claims, exp: isoOf(claims.exp), iat: isoOf(claims.iat) }
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(text: string): unknown {
  return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
}
