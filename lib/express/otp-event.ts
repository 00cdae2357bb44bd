import { asText, at, type JsonObject } from '../json'

/** A code that Elastic Path asks the shop to deliver to a shopper. */
export interface OtpDelivery {
  /** The id of the event. Elastic Path can deliver an event more than once, with the same id. */
  eventId: string
  /** How often Elastic Path has tried to deliver this event, from 1. */
  attempt: number
  /** The username that the code was requested for. */
  username: string
  /** The email address to send the code to. Several usernames can share it, so the email should name the username. */
  email: string
  /** The member's name. Empty if Elastic Path has none. Members choose their names, so do not put it into an email. */
  name: string
  /** The code. Put it into the email and nowhere else. */
  otp: string
  /** When the code expires: ISO 8601, ten minutes after it was created. */
  expires: string
  /** The id of the password profile that the code is valid for. */
  passwordProfileId: string
  /** The id of the authentication realm of that password profile. Empty if the event has none. */
  authenticationRealmId: string
  /**
   * Put it into the fragment of the link in the email, and post it as the field `proof` with the code. Then strangers
   * cannot use up the attempts of the shopper. Present if `otpWebhook` was given the `strategy`.
   */
  proof?: string
}

const EVENT = 'one-time-password-token-request.created'
const PURPOSE = 'passwordless_authentication'
/** The lifetime of a code in milliseconds. */
export const CODE_LIFETIME = 10 * 60_000
// Milliseconds.
const MAX_CLOCK_SKEW = 5 * 60_000
const EXPIRED_SINCE = 2 * 60_000
// A date without a time zone would be read as local time.
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/
// One address, without quotes, comments, a display name or control characters.
const ADDRESS = /^[^\s\p{C}@"(),:;<>[\\\]]+@[^\s\p{C}@"(),:;<>[\\\]]+$/u

/** Reads an event. Returns why it is not delivered if it is malformed, or not about a code for a sign-in, or too old. */
export function readEvent(event: JsonObject): OtpDelivery | 'bad_event' | 'ignored_event' | 'expired_event' {
  const { triggered_by: kind, payload, attempt } = event
  if (asText(kind) === undefined) return 'bad_event'
  if (kind !== EVENT) return 'ignored_event'
  const purpose = at(payload, 'purpose')
  if (typeof purpose !== 'string') return 'bad_event'
  // Codes for another purpose, such as a password reset, are delivered by others.
  if (purpose !== PURPOSE) return 'ignored_event'
  const eventId = asText(event['id'])
  const email = asAddress(at(payload, 'user_authentication_info', 'email'))
  const username = asLine(at(payload, 'user_authentication_password_profile_info', 'username'))
  const otp = asLine(at(payload, 'one_time_password_token'))
  const passwordProfileId = asText(at(payload, 'password_profile_id'))
  if (eventId === undefined || email === undefined || username === undefined) return 'bad_event'
  if (otp === undefined || passwordProfileId === undefined) return 'bad_event'
  const expires = createdAt(at(payload, 'created_at')) + CODE_LIFETIME
  if (expires < Date.now() - EXPIRED_SINCE) return 'expired_event'
  return {
    eventId,
    attempt: typeof attempt === 'number' && Number.isSafeInteger(attempt) && attempt >= 1 ? attempt : 1,
    username,
    email,
    name: (asText(at(payload, 'user_authentication_info', 'name')) ?? '').replace(/\p{Cc}+/gu, ' ').trim(),
    otp,
    expires: new Date(expires).toISOString(),
    passwordProfileId,
    authenticationRealmId: asText(at(payload, 'authentication_realm_id')) ?? '',
  }
}

/** Returns the time in epoch milliseconds. An invalid or impossible time is replaced by the current time. */
function createdAt(value: unknown): number {
  const now = Date.now()
  const created = typeof value === 'string' && TIMESTAMP.test(value) ? Date.parse(value) : NaN
  return created <= now + MAX_CLOCK_SKEW ? created : now
}

/** Returns the text of a value. Undefined if it contains characters that could start a new line in an email. */
function asLine(value: unknown): string | undefined {
  const text = asText(value)
  return text === undefined || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text) ? undefined : text
}

/** Compatibility forms are checked too, because a mail server may convert them into separators. */
function asAddress(value: unknown): string | undefined {
  const text = asText(value)
  return text !== undefined && ADDRESS.test(text) && ADDRESS.test(text.normalize('NFKC')) ? text : undefined
}
