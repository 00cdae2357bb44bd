import { at } from '../json'
import { PROOF_FIELD, type Settings } from '../options'
import { isPlainText } from '../plain-text'

/** What a shopper typed, normalized and ready to be sent. */
export interface Credentials {
  username: string
  otp: string
  /** The requested account, if the request names one. */
  accountId: string | undefined
  /** The proof from the link of an email, not yet verified. */
  proof: string | undefined
}

// Longer input is refused before it is normalized.
const MAX_INPUT = 1024
// The longest email address of RFC 5321.
const MAX_USERNAME = 254
const MAX_OTP = 128
const MAX_ACCOUNT_ID = 256
const MAX_PROOF = 512

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu

/** Reads the username, code and account of a sign-in. Returns undefined if the body does not contain them as text. */
export function readCredentials(body: unknown, settings: Settings): Credentials | undefined {
  const username = readUsername(body, settings)
  const typed = readText(body, settings.otpField, MAX_INPUT)
  const otp = typed && normalizeWith('normalizeOtp', settings.normalizeOtp, typed, MAX_OTP)
  if (!username || !otp) return undefined
  const requested = at(body, settings.accountField)
  // A form sends an empty field and JSON sends null if no account is requested.
  const requestsAccount = requested !== undefined && requested !== null && requested !== ''
  const accountId = requestsAccount ? readAccountId(body, settings) : undefined
  if (requestsAccount && accountId === undefined) return undefined
  return { username, otp, accountId, proof: readText(body, PROOF_FIELD, MAX_PROOF) }
}

/** Reads the normalized username of a request. Returns undefined if it has none. */
export function readUsername(body: unknown, settings: Settings): string | undefined {
  return toUsername(at(body, settings.usernameField), settings)
}

/** Normalizes a username. Returns undefined if it is empty, too long or not text. */
export function toUsername(typed: unknown, { normalizeUsername }: Settings): string | undefined {
  if (typeof typed !== 'string' || typed.length > MAX_INPUT) return undefined
  const visible = isPlainText(typed) ? typed : typed.replaceAll('\0', '')
  if (visible.trim() === '') return undefined
  return normalizeWith('normalizeUsername', normalizeUsername, visible, MAX_USERNAME)
}

/** Reads the id of the account that a request names. */
export function readAccountId(body: unknown, { accountField }: Settings): string | undefined {
  return readText(body, accountField, MAX_ACCOUNT_ID)
}

/** The default of `normalizeUsername`. The vendor's storefronts lower-case email addresses, too. */
export function normalizeUsername(username: string): string {
  // Almost all usernames are plain, and the general way is several times as slow.
  const visible = isPlainText(username) ? username : username.replace(INVISIBLE, '').normalize('NFC').trim()
  return visible.includes('@') ? visible.toLowerCase() : visible
}

/** The default of `normalizeOtp`. Every known code consists of lower-case letters and digits. */
export function normalizeOtp(otp: string): string {
  if (/^[0-9a-z]+$/.test(otp)) return otp
  return otp
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .replace(/[\s\p{Pd}\u2212]/gu, '')
    .replace(/[.。]+$/, '')
    .toLowerCase()
}

function normalizeWith(
  option: string,
  normalize: (typed: string) => unknown,
  typed: string,
  maxLength: number,
): string | undefined {
  const normalized = normalize(typed)
  if (typeof normalized !== 'string')
    throw new TypeError(`PasswordlessOtpStrategy: ${option} must return a string`)
  // JSON cannot carry lone surrogates as text.
  const isValid = normalized !== '' && normalized.length <= maxLength && normalized.isWellFormed()
  return isValid ? normalized : undefined
}

function readText(body: unknown, field: string, maxLength: number): string | undefined {
  const value = at(body, field)
  if (typeof value !== 'string' || value.length > maxLength) return undefined
  return value.trim() || undefined
}
