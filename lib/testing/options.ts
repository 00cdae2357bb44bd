import type { WebhookTarget } from './webhook'

/** How a simulated store is set up. Nothing is required; values that no store has are refused. */
export interface SimulatorOptions extends Partial<Dialect> {
  /** The port on 127.0.0.1, the only address it listens at. 0, the default, takes any free one. */
  port?: number
  /** 'simulator-client-id' by default. Good for the grants `implicit` and `client_credentials`. */
  clientId?: string
  /** 'simulator-client-secret' by default. */
  clientSecret?: string
  /** The authentication realm of the store's account settings. A new UUID by default. */
  realmId?: string
  /** The realm's password profiles. By default one, which issues codes. */
  passwordProfiles?: readonly PasswordProfileSeed[]
  /** Who can sign in. Nobody by default; see also `addMember`. */
  members?: readonly MemberSeed[]
  /** Seconds that an account token lives, to the second that its `exp` names: 86 400 by default. */
  accountTokenLifetime?: number
  /** Seconds that an access token lives: 3600 by default. */
  accessTokenLifetime?: number
  /** Seconds that a code is valid: 600 by default. */
  codeLifetime?: number
  /** Where the event of every code that is asked for is delivered. Nowhere by default; see also `deliverTo`. */
  webhook?: WebhookTarget
}

/** Where Elastic Path's documents and its service disagree, or nobody knows. What was seen live is the default. */
export interface Dialect {
  /** What a wrong code, username or password profile gets: 400, the default, or 401 as documented. */
  wrongCodeStatus: 400 | 401
  /** What asking for a code for an unknown username gets: 202 and no code, the default, 400 or 404. Nobody knows. */
  unknownUsernameStatus: 202 | 400 | 404
  /** What asking for a code gets: 202 without a body, the default, or 201 with one as some documents say. */
  otpRequestStatus: 202 | 201
  /** Whether the access token comes in `data`, as the API description says. False by default. */
  wrapAccessToken: boolean
  /** An account token's `expires`: ISO 8601, the default, or epoch seconds as the vendor's types say. */
  expiresFormat: 'iso' | 'epoch'
  /** Whether `meta` lacks `account_member_id`, as in some of the documents' examples. False by default. */
  omitAccountMemberId: boolean
  /** The type of `status` in errors. `live`, the default: a string, but a number where the access token is refused. */
  errorStatusType: 'string' | 'number' | 'live'
}

/** A password profile of the simulated store. Nothing is required. */
export interface PasswordProfileSeed {
  /** A new UUID by default. */
  id?: string
  /** 'Password profile 1' and so on by default. */
  name?: string
  /** 'any' by default. The simulator does not hold usernames against it. */
  usernameFormat?: 'any' | 'email'
  /** `enable_one_time_password_token`: true by default here, though off by default in Commerce. */
  oneTimePasswords?: boolean
}

/** Somebody who can sign in to the simulated store. */
export interface MemberSeed {
  /** The account member's id. A new UUID by default. */
  id?: string
  /** Matched as it stands, upper and lower case apart: clients have to normalise. */
  username: string
  /** By default the username where it is an address, else one at example.com. */
  email?: string
  /** The username by default. */
  name?: string
  /** The accounts it belongs to, or how many: 1 by default, 0 for a member of no account, 10 000 at most. */
  accounts?: number | readonly AccountSeed[]
}

/** An account of a member of the simulated store. */
export interface AccountSeed {
  /** A new UUID by default. */
  id?: string
  /** The account's name. */
  name: string
}

// What was seen live comes first, and is the default.
const DIALECT: { readonly [Name in keyof Dialect]: readonly [Dialect[Name], ...Dialect[Name][]] } = {
  wrongCodeStatus: [400, 401],
  unknownUsernameStatus: [202, 400, 404],
  otpRequestStatus: [202, 201],
  wrapAccessToken: [false, true],
  expiresFormat: ['iso', 'epoch'],
  omitAccountMemberId: [false, true],
  errorStatusType: ['live', 'string', 'number'],
}

const OTHERS: Record<Exclude<keyof SimulatorOptions, keyof Dialect>, true> = {
  port: true,
  clientId: true,
  clientSecret: true,
  realmId: true,
  passwordProfiles: true,
  members: true,
  accountTokenLifetime: true,
  accessTokenLifetime: true,
  codeLifetime: true,
  webhook: true,
}

/** Refuses misspelt options, which would otherwise silently do nothing. */
export function checkNames(options: SimulatorOptions): void {
  const known = { ...OTHERS, ...DIALECT }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue
    throw new TypeError(
      `${name} is not an option of the simulator; they are ${Object.keys(known).join(', ')}`,
    )
  }
}

export function readDialect(options: SimulatorOptions): Dialect {
  const chosen = Object.entries(DIALECT).map(([name, possible]) => {
    const value = options[name as keyof Dialect] ?? possible[0]
    if ((possible as readonly unknown[]).includes(value)) return [name, value]
    throw new TypeError(`${name} must be one of ${possible.join(', ')}, not ${String(value)}`)
  })
  return Object.fromEntries(chosen) as Dialect
}

export function isUuid(value: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
}

/** A lifetime in seconds, as whole milliseconds. */
export function lifetime(name: string, seconds: number): number {
  if (seconds > 0 && Number.isFinite(seconds)) return Math.round(seconds * 1000)
  throw new RangeError(`${name} must be a positive number of seconds, not ${seconds}`)
}
