import { checkLifetime, checkNames, checkNumber, checkOneOf } from './checks'

/** Options of the simulator. All are optional. Unknown options and invalid values throw. */
export interface SimulatorOptions extends Partial<StoreSettings> {
  /**
   * The port to listen on. 0 means any free port.
   *
   * @default 0
   */
  port?: number
  /**
   * The address to listen on. The simulator has no protection. If this is not a loopback address, other machines can
   * reach it.
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
  /** The id of the authentication realm. A new UUID by default. */
  realmId?: string
  /** The realm's password profiles. By default, one profile that issues codes. */
  passwordProfiles?: readonly PasswordProfileSeed[]
  /** The account members. None by default. See also `addMember`. */
  members?: readonly MemberSeed[]
  /** The webhook that receives the event of each requested code. None by default. See also `deliverTo`. */
  webhook?: WebhookTarget
  /** Integrations in addition to `webhook`. None by default. */
  integrations?: readonly IntegrationSeed[]
  /** The products of the catalog. Four sample products by default. See also `addProduct`. */
  products?: readonly ProductSeed[]
  /** Carts that exist from the start. None by default. See also `addCart`. */
  carts?: readonly CartSeed[]
  /**
   * The currency of all prices, as an ISO 4217 code.
   *
   * @default 'USD'
   */
  currency?: string
  /**
   * The difference between the simulator's clock and the machine's, in seconds. Positive: the simulator is ahead.
   *
   * @default 0
   */
  clockSkew?: number
}

/** Settings that `configure` can change while the simulator runs. */
export interface StoreSettings extends Dialect {
  /**
   * The lifetime of an account token, in seconds. The API calls it
   * `account_management_authentication_token_timeout_secs`.
   *
   * @default 86_400
   */
  accountTokenLifetime: number
  /**
   * The lifetime of an access token, in seconds.
   *
   * @default 3600
   */
  accessTokenLifetime: number
  /**
   * The lifetime of a code, in seconds.
   *
   * @default 600
   */
  codeLifetime: number
  /**
   * The number of wrong attempts for a username after which its codes become invalid. Elastic Path does not document
   * it.
   *
   * @default Infinity
   */
  codeAttempts: number
  /**
   * The number of days after its last write when a cart expires, 1 to 365. The API calls it `cart_expiry_days`.
   *
   * @default 7
   */
  cartExpiryDays: number
  /** The delay of the response to a code request. No delay by default. */
  otpRequestDelay: OtpRequestDelay
  /**
   * Milliseconds between an event and its first delivery.
   *
   * @default 0
   */
  deliveryDelay: number
}

/** The delay of the response to a code request, in milliseconds. */
export interface OtpRequestDelay {
  /**
   * The delay if the username is known, in milliseconds.
   *
   * @default 0
   */
  known?: number
  /**
   * The delay if the username is unknown, in milliseconds.
   *
   * @default 0
   */
  unknown?: number
}

/** Behavior that Elastic Path does not document, or that differs between its documentation and its service. */
export interface Dialect {
  /**
   * The status for a wrong code, username or password profile. The documentation says 401.
   *
   * @default 400
   */
  wrongCodeStatus: 400 | 401
  /**
   * The status of a code request for an unknown username. Elastic Path does not document it.
   *
   * @default 202
   */
  unknownUsernameStatus: 202 | 400 | 404
  /**
   * The status of a code request. `202`: without a body. `201`: with a body, as in parts of the documentation.
   *
   * @default 202
   */
  otpRequestStatus: 202 | 201
  /**
   * Whether the access token is wrapped in `data`, as in the OpenAPI description.
   *
   * @default false
   */
  wrapAccessToken: boolean
  /**
   * The format of an account token's `expires`. `iso`: ISO 8601. `epoch`: seconds since the epoch, as in the types of
   * Elastic Path's SDK.
   *
   * @default 'iso'
   */
  expiresFormat: 'iso' | 'epoch'
  /**
   * Whether `account_member_id` is missing in `meta`, as in some examples of the documentation.
   *
   * @default false
   */
  omitAccountMemberId: boolean
  /**
   * The type of `status` in errors. `live`: as in the live service, a string, but a number if the access token is
   * invalid.
   *
   * @default 'live'
   */
  errorStatusType: 'string' | 'number' | 'live'
  /**
   * The claims of account tokens. `seconds`: `exp` and `iat` are seconds since the epoch. `iso`: they are ISO 8601
   * strings, as in an example of the OpenAPI description. `absent`: a JWT without these claims. `opaque`: not a JWT.
   *
   * @default 'seconds'
   */
  tokenClaims: 'seconds' | 'iso' | 'absent' | 'opaque'
  /**
   * Whether a code can be used more than once until it expires. Elastic Path does not document it.
   *
   * @default false
   */
  reusableCodes: boolean
  /**
   * Whether a new code invalidates older codes of the username. Elastic Path does not document it.
   *
   * @default true
   */
  newCodeInvalidatesOld: boolean
  /**
   * Whether usernames are case-sensitive. Elastic Path does not document it.
   *
   * @default 'sensitive'
   */
  usernameCase: 'sensitive' | 'insensitive'
  /**
   * Whether the store has a payment gateway. If false, orders can be created but not paid.
   *
   * @default true
   */
  paymentGateway: boolean
}

/** A password profile. All properties are optional. */
export interface PasswordProfileSeed {
  /** The profile's id. A new UUID by default. */
  id?: string
  /** The profile's name. By default, 'Password profile' and a number. */
  name?: string
  /**
   * The format of usernames: `username_format` in the API. The simulator does not validate usernames.
   *
   * @default 'any'
   */
  usernameFormat?: 'any' | 'email'
  /**
   * Whether the profile issues codes: `enable_one_time_password_token` in the API. In Elastic Path, the default is
   * false.
   *
   * @default true
   */
  oneTimePasswords?: boolean
}

/** An account member. */
export interface MemberSeed {
  /** The account member's id. A new UUID by default. */
  id?: string
  /** The username. `usernameCase` determines whether it is case-sensitive. */
  username: string
  /** The email address. By default, the username if it contains an @, otherwise the username at example.com. */
  email?: string
  /** The member's name. By default, the username. */
  name?: string
  /**
   * The member's accounts, or the number of accounts to generate, 0 to 10,000.
   *
   * @default 1
   */
  accounts?: number | readonly AccountSeed[]
}

/** An account of a member. Members with the same account id share the account. */
export interface AccountSeed {
  /** The account's id. A new UUID by default. */
  id?: string
  /** The account's name. */
  name: string
}

/** The URL of a webhook, and how events are delivered to it. */
export interface WebhookTarget {
  /** The URL that events are posted to. */
  url: string
  /** The value of the header `X-Moltin-Secret-Key`. */
  secretKey: string
  /**
   * The maximum number of deliveries of an event. A delivery fails if the webhook does not return a 2xx status. Elastic
   * Path does not document its maximum. From 1 to 100.
   *
   * @default 5
   */
  attempts?: number
  /**
   * Milliseconds between a failed delivery and the next, at most 2,147,483,647.
   *
   * @default 500
   */
  retryDelay?: number
  /**
   * Milliseconds after which a delivery without a response fails. From 1 to 2,147,483,647.
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
  /** The names of the events to deliver. By default, `one-time-password-token-request.created`. */
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
  /** The stock keeping unit. By default, the name in lower case with hyphens. */
  sku?: string
  /**
   * The product's description.
   *
   * @default ''
   */
  description?: string
  /** The price in minor units of the currency, such as cents. */
  price: number
  /** The number of units in stock. By default, the stock is not tracked and never runs out. */
  stock?: number
}

/** A cart to add to the simulator. */
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
  /** The email address of a guest. A cart with one cannot be associated with an account. None by default. */
  contactEmail?: string
  /**
   * Whether it is a quote.
   *
   * @default false
   */
  isQuote?: boolean
  /** The ids of the accounts that it is associated with. None by default. */
  accounts?: readonly string[]
  /** The items. None by default. */
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

// The defaults are the behavior that was observed in the live service.
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

const DELAY_NAMES: Record<keyof StoreSettings['otpRequestDelay'], true> = { known: true, unknown: true }
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
    checkNames(name, value, DELAY_NAMES)
    checkNumber(`${name}.known`, value.known ?? 0, 0, LONGEST_DELAY)
    checkNumber(`${name}.unknown`, value.unknown ?? 0, 0, LONGEST_DELAY)
  },
  deliveryDelay: (name, value) => checkNumber(name, value, 0, LONGEST_DELAY),
}

/** @throws TypeError if an option is unknown */
export function checkOptions(options: SimulatorOptions): void {
  checkNames('the simulator', options, { ...OTHERS, ...DEFAULT_SETTINGS })
}

/** @throws TypeError if a setting is unknown */
export function checkChanges(changes: Partial<StoreSettings>): void {
  checkNames('configure', changes, { ...DEFAULT_SETTINGS })
}

/**
 * Returns the settings after changes. Options with the value undefined are ignored.
 *
 * @throws TypeError or RangeError if a value is invalid
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
