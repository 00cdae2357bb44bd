import type { Settings } from './options'

/** What a shopper typed, ready to be sent. */
export interface Credentials {
  username: string
  otp: string
  /** The account asked for, where the request names one. */
  accountId?: string
}

// Far above what Elastic Path issues, and far below what would cost anything to carry around.
const MAX_USERNAME = 1024
const MAX_OTP = 128
const MAX_ACCOUNT_ID = 256

type FieldNames = Pick<Settings, 'usernameField' | 'otpField' | 'accountField' | 'normalizeUsername'>

/** Username, code and account of a sign-in; undefined where the body does not hold them as plain text. */
export function readCredentials(body: unknown, names: FieldNames): Credentials | undefined {
  const username = readUsername(body, names)
  // A pasted code often brings spaces along; no code has any (fact 21).
  const otp = readText(body, names.otpField, MAX_OTP)?.replace(/\s+/g, '')
  if (!username || !otp) return undefined
  if (namesNoAccount(body, names)) return { username, otp }
  const accountId = readAccountId(body, names)
  return accountId ? { username, otp, accountId } : undefined
}

/** The normalised username of a request, undefined where there is none. */
export function readUsername(
  body: unknown,
  names: Pick<Settings, 'usernameField' | 'normalizeUsername'>,
): string | undefined {
  return toUsername(readText(body, names.usernameField, MAX_USERNAME), names.normalizeUsername)
}

/** A username as Elastic Path is asked about it; undefined where nothing is left of it. */
export function toUsername(typed: unknown, normalize: (username: string) => string): string | undefined {
  if (typeof typed !== 'string' || typed.trim() === '' || typed.length > MAX_USERNAME) return undefined
  const username: unknown = normalize(typed)
  if (typeof username !== 'string') throw new TypeError('normalizeUsername must answer with a string')
  return username || undefined
}

/** The id of the account a request asks for, undefined where there is none. */
export function readAccountId(body: unknown, names: Pick<Settings, 'accountField'>): string | undefined {
  return readText(body, names.accountField, MAX_ACCOUNT_ID)
}

// A form sends an empty field, JSON a null.
function namesNoAccount(body: unknown, { accountField }: Pick<Settings, 'accountField'>): boolean {
  return !hasField(body, accountField) || body[accountField] === '' || body[accountField] === null
}

function readText(body: unknown, field: string, maxLength: number): string | undefined {
  if (!hasField(body, field)) return undefined
  const value = body[field]
  if (typeof value !== 'string' || value.length > maxLength) return undefined
  return value.trim() || undefined
}

// Own fields only: what `__proto__` brings in is not what the shopper typed.
function hasField(body: unknown, field: string): body is Record<string, unknown> {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, field)
}
