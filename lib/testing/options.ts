import { checkLifetime, checkNames, checkNumber, checkOneOf } from './checks'

/** Options of the simulator. None is required. Unknown options and impossible values throw. */
export interface SimulatorOptions extends Partial<StoreSettings> {
  /**
   * The port to listen on. 0 takes any free port.
   *
   * @default 0
   */
  port?: number
  /**
   * The address to listen on. Nothing protects the simulator: other machines can reach it if this is not loopback.
   *
   * @default '127.0.0.1'
   */
  host?: string
  /**
   * The client id, for the grants `implicit` and `client_credentials`.
   *
   * @default 'simulator-client-id'
   */
  clientId?: string
  /**
   * The client secret, for the grant `client_credentials`.
   *
   * @default 'simulator-client-secret'
   */
  clientSecret?: string
  /** The id of the authentication realm in the account settings. A new UUID by default. */
  realmId?: string
  /** The realm's password profiles. By default one, which issues codes. */
  passwordProfiles?: readonly PasswordProfileSeed[]
  /** The account members. None by default; see also `addMember`. */
  members?: readonly MemberSeed[]
  /** The webhook for the event of each requested code. None by default; see also `deliverTo`. */
  webhook?: WebhookTarget
  /** The store's integrations, in addition to `webhook`. None by default. */
  integrations?: readonly IntegrationSeed[]
  /** The catalog. By default four products; see also `addProduct`. */
  products?: readonly ProductSeed[]
  /** Carts that exist from the start. None by default; see also `addCart`. */
  carts?: readonly CartSeed[]
  /**
   * The currency of all prices, as an ISO 4217 code.
   *
   * @default 'USD'
   */
  currency?: string
  /**
   * Seconds that the simulator's clock is ahead of the machine's. Negative: behind.
   *
   * @default 0
   */
  clockSkew?: number
}

/** Settings that `configure` can change while the simulator runs. */
export interface StoreSettings extends Dialect {
  /**
   * Lifetime of an account token in seconds: `account_management_authentication_token_timeout_secs` of the settings.
   *
   * @default 86_400
   */
  accountTokenLifetime: number
  /**
   * Lifetime of an access token in seconds.
   *
   * @default 3600
   */
  accessTokenLifetime: number
  /**
   * Lifetime of a code in seconds.
   *
   * @default 600
   */
  codeLifetime: number
  /**
   * Wrong attempts for a username after which its codes stop working. Elastic Path does not say how many.
   *
   * @default Infinity
   */
  codeAttempts: number
  /**
   * Days from a cart's last write to its end, 1 to 365: `cart_expiry_days` of the cart settings.
   *
   * @default 7
   */
  cartExpiryDays: number
  /** How long the answer to a code request takes. No delay by default. */
  otpRequestDelay: OtpRequestDelay
  /**
   * Milliseconds from an event to its first delivery.
   *
   * @default 0
   */
  deliveryDelay: number
}

/** Delays of the answer to a code request, in milliseconds. */
export interface OtpRequestDelay {
  /**
   * If the username is known.
   *
   * @default 0
   */
  known?: number
  /**
   * If the username is unknown.
   *
   * @default 0
   */
  unknown?: number
}

/** Behavior that Elastic Path's documents and service disagree on, or that nobody documents. */
export interface Dialect {
  /**
   * The status for a wrong code, username or password profile. The documents say 401.
   *
   * @default 400
   */
  wrongCodeStatus: 400 | 401
  /**
   * The status of a code request for an unknown username. Not documented.
   *
   * @default 202
   */
  unknownUsernameStatus: 202 | 400 | 404
  /**
   * The status of a code request: 202 without a body, or 201 with one, as some documents say.
   *
   * @default 202
   */
  otpRequestStatus: 202 | 201
  /**
   * Whether the access token comes in `data`, as the API description says.
   *
   * @default false
   */
  wrapAccessToken: boolean
  /**
   * An account token's `expires`: ISO 8601, or epoch seconds, as the vendor's types say.
   *
   * @default 'iso'
   */
  expiresFormat: 'iso' | 'epoch'
  /**
   * Whether `meta` lacks `account_member_id`, as in some examples of the documents.
   *
   * @default false
   */
  omitAccountMemberId: boolean
  /**
   * The type of `status` in errors. `live`: a string, but a number if the access token is refused.
   *
   * @default 'live'
   */
  errorStatusType: 'string' | 'number' | 'live'
  /**
   * The claims of account tokens. `seconds`: `exp` and `iat` in epoch seconds. `iso`: as ISO 8601 strings, as in the API
   * description's example. `absent`: a JWT without these claims. `opaque`: no JWT at all.
   *
   * @default 'seconds'
   */
  tokenClaims: 'seconds' | 'iso' | 'absent' | 'opaque'
  /**
   * Whether a code works until it expires, instead of once. Not documented.
   *
   * @default false
   */
  reusableCodes: boolean
  /**
   * Whether a new code invalidates older codes of the username. Not documented.
   *
   * @default true
   */
  newCodeInvalidatesOld: boolean
  /**
   * Whether usernames are compared as they are or without regard to case. Not documented.
   *
   * @default 'sensitive'
   */
  usernameCase: 'sensitive' | 'insensitive'
  /**
   * Whether the store has a payment gateway. Without one, orders can be made but not paid.
   *
   * @default true
   */
  paymentGateway: boolean
}

/** A password profile. Nothing is required. */
export interface PasswordProfileSeed {
  /** The profile's id. A new UUID by default. */
  id?: string
  /** The profile's name. 'Password profile 1' and so on by default. */
  name?: string
  /**
   * `username_format`. The simulator does not check usernames against it.
   *
   * @default 'any'
   */
  usernameFormat?: 'any' | 'email'
  /**
   * `enable_one_time_password_token`. In Commerce, it is false by default.
   *
   * @default true
   */
  oneTimePasswords?: boolean
}

/** An account member. */
export interface MemberSeed {
  /** The account member's id. A new UUID by default. */
  id?: string
  /** The username, compared as `usernameCase` says. */
  username: string
  /** The email address. By default the username if it has an @, else the username at example.com. */
  email?: string
  /** The member's name. The username by default. */
  name?: string
  /**
   * The member's accounts, or their number: 0 to 10 000.
   *
   * @default 1
   */
  accounts?: number | readonly AccountSeed[]
}

/** An account of a member. Members with an account of the same id share it. */
export interface AccountSeed {
  /** The account's id. A new UUID by default. */
  id?: string
  /** The account's name. */
  name: string
}

/** The endpoint of a webhook, and how events are delivered to it. */
export interface WebhookTarget {
  /** The URL that events are posted to. */
  url: string
  /** The value of the header `X-Moltin-Secret-Key`. */
  secretKey: string
  /**
   * The most deliveries of an event that is not answered with a 2xx. Elastic Path does not say how many.
   *
   * @default 5
   */
  attempts?: number
  /**
   * Milliseconds from a failed delivery to the next.
   *
   * @default 500
   */
  retryDelay?: number
  /**
   * Milliseconds after which an unanswered delivery fails.
   *
   * @default 10_000
   */
  timeout?: number
}

/** An integration with a webhook. */
export interface IntegrationSeed extends Omit<WebhookTarget, 'secretKey'> {
  /** The integration's id. A new UUID by default. */
  id?: string
  /**
   * The integration's name.
   *
   * @default 'Integration'
   */
  name?: string
  /**
   * The integration's description.
   *
   * @default ''
   */
  description?: string
  /**
   * Whether events are delivered.
   *
   * @default true
   */
  enabled?: boolean
  /** The names of the events that are delivered. By default `one-time-password-token-request.created`. */
  observes?: readonly string[]
  /** The value of the header `X-Moltin-Secret-Key`. No header by default. */
  secretKey?: string
}

/** A product of the catalog. */
export interface ProductSeed {
  /** The product's id. A new UUID by default. */
  id?: string
  /** The product's name. */
  name: string
  /** The stock keeping unit. The name in lower case with hyphens by default. */
  sku?: string
  /**
   * The product's description.
   *
   * @default ''
   */
  description?: string
  /** The price in minor units of the currency, such as cents. */
  price: number
  /** The number in stock. By default the stock is not managed, and never runs out. */
  stock?: number
}

/** A cart that exists before anyone writes to it. */
export interface CartSeed {
  /** The cart's id. A new UUID by default. */
  id?: string
  /**
   * The cart's name.
   *
   * @default 'Cart'
   */
  name?: string
  /**
   * The cart's description.
   *
   * @default ''
   */
  description?: string
  /** The email address of a guest. None by default. A cart with one cannot be associated with an account. */
  contactEmail?: string
  /**
   * Whether it is a quote.
   *
   * @default false
   */
  isQuote?: boolean
  /** The ids of the accounts that it is associated with. None by default. */
  accounts?: readonly string[]
  /** Its items: the SKUs of products and their quantities, 1 by default. None by default. */
  items?: readonly {
    /** The product's stock keeping unit. */
    sku: string
    /**
     * The quantity.
     *
     * @default 1
     */
    quantity?: number
  }[]
}

// What was seen in the live service is the default.
export const DEFAULT_SETTINGS: Readonly<StoreSettings> = {
  wrongCodeStatus: 400,
  unknownUsernameStatus: 202,
  otpRequestStatus: 202,
  wrapAccessToken: false,
  expiresFormat: 'iso',
  omitAccountMemberId: false,
  errorStatusType: 'live',
  tokenClaims: 'seconds',
  reusableCodes: false,
  newCodeInvalidatesOld: true,
  usernameCase: 'sensitive',
  paymentGateway: true,
  accountTokenLifetime: 86_400,
  accessTokenLifetime: 3600,
  codeLifetime: 600,
  codeAttempts: Infinity,
  cartExpiryDays: 7,
  otpRequestDelay: {},
  deliveryDelay: 0,
}

const OTHERS: Record<Exclude<keyof SimulatorOptions, keyof StoreSettings>, true> = {
  port: true,
  host: true,
  clientId: true,
  clientSecret: true,
  realmId: true,
  passwordProfiles: true,
  members: true,
  webhook: true,
  integrations: true,
  products: true,
  carts: true,
  currency: true,
  clockSkew: true,
}

const LONGEST_DELAY = 3_600_000

const CHECKS: { [Name in keyof StoreSettings]: (name: string, value: StoreSettings[Name]) => void } = {
  wrongCodeStatus: (name, value) => checkOneOf(name, value, [400, 401]),
  unknownUsernameStatus: (name, value) => checkOneOf(name, value, [202, 400, 404]),
  otpRequestStatus: (name, value) => checkOneOf(name, value, [202, 201]),
  wrapAccessToken: checkBoolean,
  expiresFormat: (name, value) => checkOneOf(name, value, ['iso', 'epoch']),
  omitAccountMemberId: checkBoolean,
  errorStatusType: (name, value) => checkOneOf(name, value, ['live', 'string', 'number']),
  tokenClaims: (name, value) => checkOneOf(name, value, ['seconds', 'iso', 'absent', 'opaque']),
  reusableCodes: checkBoolean,
  newCodeInvalidatesOld: checkBoolean,
  usernameCase: (name, value) => checkOneOf(name, value, ['sensitive', 'insensitive']),
  paymentGateway: checkBoolean,
  accountTokenLifetime: checkLifetime,
  accessTokenLifetime: checkLifetime,
  codeLifetime: checkLifetime,
  codeAttempts: (name, value) => checkNumber(name, value, 1, Infinity),
  cartExpiryDays: (name, value) => checkNumber(name, value, 1, 365),
  otpRequestDelay(name, value) {
    checkNames(name, value, { known: true, unknown: true })
    checkNumber(`${name}.known`, value.known ?? 0, 0, LONGEST_DELAY)
    checkNumber(`${name}.unknown`, value.unknown ?? 0, 0, LONGEST_DELAY)
  },
  deliveryDelay: (name, value) => checkNumber(name, value, 0, LONGEST_DELAY),
}

/** @throws TypeError for an unknown option */
export function checkOptions(options: SimulatorOptions): void {
  checkNames('the simulator', options, { ...OTHERS, ...DEFAULT_SETTINGS })
}

/** @throws TypeError for an unknown setting */
export function checkChanges(changes: Partial<StoreSettings>): void {
  checkNames('configure', changes, { ...DEFAULT_SETTINGS })
}

/**
 * The settings after changes. An option of undefined changes nothing.
 *
 * @throws TypeError or RangeError for an impossible value
 */
export function changeSettings(base: StoreSettings, changes: Partial<StoreSettings>): StoreSettings {
  const settings = { ...base }
  for (const name of Object.keys(DEFAULT_SETTINGS) as (keyof StoreSettings)[]) change(settings, changes, name)
  return settings
}

function change<Name extends keyof StoreSettings>(
  settings: StoreSettings,
  changes: Partial<StoreSettings>,
  name: Name,
): void {
  const value = changes[name]
  if (value === undefined) return
  CHECKS[name](name, value)
  settings[name] = value
}

function checkBoolean(name: string, value: boolean): void {
  checkOneOf(name, value, [false, true])
}
