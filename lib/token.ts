import { asText, at, parseJson } from './json'
import { isPlainText } from './plain-text'

/** An account that a member belongs to. */
export interface AccountSummary {
  /** The account's id at Elastic Path. */
  id: string
  /** The account's name at Elastic Path. */
  name: string
}

/** An account management authentication token. Anybody who has it can act for the account until it expires. */
export interface HeldToken {
  /** The token itself. It is a secret: never log it or send it to the browser. */
  token: string
  /** When the token expires, as Elastic Path says: an ISO 8601 date-time by Elastic Path's clock. */
  expires: string
  /** When this machine received the token, by its own clock, in milliseconds since the epoch. */
  received: number
  /** How long the token is valid from `received`, in seconds. */
  lifetime: number
}

/** An account with the token that acts for it. Send the token in {@link ACCOUNT_TOKEN_HEADER}. */
export interface AccountToken extends AccountSummary, HeldToken {}

/**
 * The name of the request header that carries an account token, next to the app's own access token.
 * `strategy.fetchAs(user)` sets both headers.
 */
export const ACCOUNT_TOKEN_HEADER = 'EP-Account-Management-Authentication-Token'

const MAX_TOKEN = 8192

/** Whether a value can be a token: text that a header can carry, of bounded length. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_TOKEN && isPlainText(value)
}

/** Whether an untrusted value, for example from a session, is a valid held token. */
export function isHeldToken(value: unknown): value is HeldToken {
  const expires = at(value, 'expires')
  return (
    isToken(at(value, 'token')) &&
    typeof expires === 'string' &&
    !Number.isNaN(Date.parse(expires)) &&
    isMoment(at(value, 'received')) &&
    isMoment(at(value, 'lifetime'))
  )
}

/** What the claims of a token say, as far as they can be read (docs/elastic-path-facts.md#36). */
export interface Claims {
  /** The member that the token belongs to: the claim `sub` (docs/elastic-path-facts.md#11). */
  member: string | undefined
  /** When Elastic Path issued the token, by its own clock, in milliseconds since the epoch. */
  issuedAt: number | undefined
  /** `exp - iat`, in seconds. */
  lifetime: number | undefined
}

export function readClaims(token: string): Claims {
  const payload = token.split('.', 2)[1]
  const claims =
    payload === undefined ? undefined : parseJson(Buffer.from(payload, 'base64url').toString('utf8'))
  const [iat, exp] = [at(claims, 'iat'), at(claims, 'exp')]
  return {
    member: asText(at(claims, 'sub')),
    issuedAt: isMoment(iat) ? iat * 1000 : undefined,
    lifetime: isMoment(iat) && isMoment(exp) && exp > iat ? exp - iat : undefined,
  }
}

/**
 * The lifetime of a token in a response, in seconds. It is `exp - iat` of the token's claims, so it does not depend on this
 * machine's clock. If these claims are not numbers, it is the time from Elastic Path's `now` to `expires`
 * (docs/elastic-path-facts.md#36).
 *
 * @param now - The time by Elastic Path's clock, in milliseconds since the epoch.
 */
export function lifetimeOf(
  expires: string,
  { lifetime }: Pick<Claims, 'lifetime'>,
  now: () => number,
): number {
  return Math.round(lifetime ?? Math.max(0, (Date.parse(expires) - now()) / 1000))
}

/** The token of an account without the account. */
export function toHeldToken({ token, expires, received, lifetime }: AccountToken): HeldToken {
  return { token, expires, received, lifetime }
}

/** Milliseconds until a token expires, by this machine's clock; 0 if it has expired. */
export function remainingLife({ received, lifetime }: HeldToken): number {
  // A clock that was set back must not make the token live longer than its lifetime.
  const age = Math.max(0, Date.now() - received)
  return Math.max(0, lifetime * 1000 - age)
}

/**
 * Whether a token should be renewed: in its last `within` seconds or in the second half of its life, whichever is later.
 * The result depends only on the token, so all processes get the same result.
 */
export function isRenewalDue({ received, lifetime }: HeldToken, within: number): boolean {
  return Date.now() - received >= Math.max(lifetime - within, lifetime / 2) * 1000
}

function isMoment(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
