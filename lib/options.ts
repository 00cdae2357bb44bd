import type { Request } from 'express'
import type { Dispatcher } from 'undici'
import { DEFAULT_MESSAGES, type FailureCode } from './errors'
import type { AccountSummary } from './token'

/**
 * Selects the account if the request names none. It is not called for a member of no account.
 *
 * @param accounts - All accounts of the member, from every page, in Elastic Path's order.
 * @param req - The request of the sign-in.
 * @returns The id of one of the accounts, or undefined to let the shopper choose. Any other id fails the sign-in with
 * `account_not_found`.
 * @example
 * ```ts
 * const selectAccount: AccountSelector = (accounts, req) =>
 *   accounts.find(({ id }) => id === req.cookies.lastAccount)?.id
 * ```
 */
export type AccountSelector = (
  accounts: AccountSummary[],
  req: Request,
) => string | undefined | Promise<string | undefined>

/**
 * Counts attempts. The limiters of `rate-limiter-flexible` have this interface, except for `RateLimiterUnion` and
 * `BurstyRateLimiter`. A limiter that fails, or does not respond within a second, is an error: nobody can sign in.
 */
export interface OtpLimiter {
  /**
   * Takes one point.
   *
   * @param key - A hash. It contains no username.
   * @returns The number of points taken in the current window, and the milliseconds until the window ends. Rejects
   * with the same object, which is not an `Error`, if no point is left.
   */
  consume(key: string): Promise<{
    /** The points that are counted under the key, with this one. */
    consumedPoints: number
    /** Milliseconds until the count ends. */
    msBeforeNext: number
  }>
  /**
   * Returns points.
   *
   * @param key - The key of `consume`.
   * @param points - How many points. Default: 1.
   */
  reward(key: string, points?: number): Promise<unknown>
}

/** The options of a {@link PasswordlessOtpStrategy}. Unknown options throw a `TypeError`; undefined ones are ignored. */
export interface PasswordlessOtpStrategyOptions {
  /** The client id of the store's application key. Required. */
  clientId: string
  /** The key's secret, for `client_credentials` access tokens. @default none: `implicit` access tokens */
  clientSecret?: string | undefined
  /**
   * The URL of the store's region: this, or `https://euwest.api.elasticpath.com`. Plain HTTP is allowed only for
   * loopback hosts.
   *
   * @default 'https://useast.api.elasticpath.com'
   */
  baseUrl?: string | URL | undefined
  /** The id of the password profile. @default detected: the realm's one profile that has one-time passwords enabled */
  passwordProfileId?: string | undefined
  /** The id of the authentication realm. @default detected from the store's settings */
  authenticationRealmId?: string | undefined
  /** The strategy's name for `passport.authenticate`. @default 'passwordless-otp' */
  name?: string | undefined
  /** The field of the request body with the username. @default 'username' */
  usernameField?: string | undefined
  /** The field of the request body with the code. @default 'otp' */
  otpField?: string | undefined
  /** The field of the request body with the id of an account. It is optional at a sign-in. @default 'account_id' */
  accountField?: string | undefined
  /**
   * Converts a typed username into the one that Elastic Path knows. An empty result refuses the username.
   *
   * @default removes invisible and control characters, normalizes to NFC, trims, lower-cases email addresses
   */
  normalizeUsername?: ((username: string) => string) | undefined
  /**
   * Converts a typed code into the one that Elastic Path issued. An empty result refuses the code.
   *
   * @default folds compatibility forms, removes white space, invisible characters, hyphens and a trailing full stop,
   * lower-cases letters
   */
  normalizeOtp?: ((otp: string) => string) | undefined
  /**
   * The account of a shopper whose request names none: the `first` of the list; the `sole` one, or none if there are
   * several; or the one that a function selects.
   *
   * @default 'first'
   */
  selectAccount?: 'first' | 'sole' | AccountSelector | undefined
  /** Whether a member of no account fails with `no_account`. If false, `account` is null. @default true */
  requireAccount?: boolean | undefined
  /** Whether `verify` receives the request as its first argument. @default false */
  passReqToCallback?: boolean | undefined
  /** Sentences for the shopper by failure code. @default in English */
  messages?: Partial<Record<FailureCode, string | undefined>> | undefined
  /** Counts sign-in attempts; false turns the limits off. @default ten in 15 minutes per username, in memory */
  limiter?: OtpLimiter | false | undefined
  /** Counts code requests; false turns the limit off. @default five in 15 minutes per username, in memory */
  requestLimiter?: OtpLimiter | false | undefined
  /**
   * Milliseconds from a code request to its response, and at least from a wrong code to its response, so that timing
   * does not reveal whether a username exists. Set 0 in tests.
   *
   * @default 1_000
   */
  uniformResponseTime?: number | undefined
  /**
   * Headers to send with every request to Elastic Path, such as `X-REQUEST-STORE-ID`. `authorization` and the header of
   * the account token cannot be set.
   *
   * @default none
   */
  headers?: Record<string, string> | undefined
  /** Milliseconds for a whole sign-in, including retries and the app's own functions. @default 10_000 */
  timeout?: number | undefined
  /**
   * A dispatcher of undici 6, 7 or 8: a proxy, a CA, a mock. You close it yourself.
   *
   * @default a connection pool that the strategy owns and closes
   */
  // A structural type, because the types of undici's major versions are incompatible.
  dispatcher?:
    | {
        /** Sends a request and passes its response to the handler. */
        dispatch(options: object, handler: object): boolean
      }
    | undefined
}

type Detected = 'clientSecret' | 'passwordProfileId' | 'authenticationRealmId' | 'limiter' | 'requestLimiter'
type Converted = 'baseUrl' | 'messages' | 'dispatcher'
type Options = PasswordlessOtpStrategyOptions

/** The options after validation, with defaults. Those that stay undefined are detected, absent, or made elsewhere. */
export type Settings = Readonly<
  { [Option in Exclude<keyof Options, Detected | Converted>]-?: Exclude<Options[Option], undefined> } & {
    [Option in Detected]: Options[Option] | undefined
  } & { baseUrl: URL; messages: Record<FailureCode, string>; dispatcher: Dispatcher | undefined }
>

const DEFAULT_BASE_URL = 'https://useast.api.elasticpath.com'
// The longest delay of a Node timer.
const MAX_MILLISECONDS = 2 ** 31 - 1
// Ids and secrets travel in headers, URLs and forms. None contains white space.
const CREDENTIAL = /^[\x21-\x7e]+$/
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/
const HEADER_VALUE = /^[\x20-\x7e\t]*$/
// Set by this package or by HTTP itself.
const RESERVED_HEADERS =
  /^(authorization|ep-account-management-authentication-token|host|content-(length|type)|connection|transfer-encoding|keep-alive|upgrade|expect|te|trailer)$/i

/** Validates the options and adds the defaults. Throws a `TypeError` that names the invalid option. */
export function readOptions(
  options: unknown,
  normalize: Pick<Settings, 'normalizeUsername' | 'normalizeOtp'>,
): Settings {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('PasswordlessOtpStrategy: options must be an object with a clientId')
  }
  checkNames('PasswordlessOtpStrategy', options, OPTION_NAMES)
  const given = new OptionReader(options as Record<string, unknown>)
  const settings: Settings = {
    clientId:
      given.credential('clientId') ??
      given.refuse('clientId', 'is required: set it to the client id of an application key of the store'),
    clientSecret: given.credential('clientSecret'),
    baseUrl: given.baseUrl('baseUrl'),
    passwordProfileId: given.credential('passwordProfileId'),
    authenticationRealmId: given.credential('authenticationRealmId'),
    name: given.text('name') ?? 'passwordless-otp',
    usernameField: given.text('usernameField') ?? 'username',
    otpField: given.text('otpField') ?? 'otp',
    accountField: given.text('accountField') ?? 'account_id',
    normalizeUsername:
      given.function<Settings['normalizeUsername']>('normalizeUsername') ?? normalize.normalizeUsername,
    normalizeOtp: given.function<Settings['normalizeOtp']>('normalizeOtp') ?? normalize.normalizeOtp,
    selectAccount: given.selectAccount('selectAccount'),
    requireAccount: given.boolean('requireAccount') ?? true,
    passReqToCallback: given.boolean('passReqToCallback') ?? false,
    messages: given.messages('messages'),
    limiter: given.limiter('limiter'),
    requestLimiter: given.limiter('requestLimiter'),
    uniformResponseTime: given.milliseconds('uniformResponseTime', 0) ?? 1000,
    headers: given.headers('headers'),
    timeout: given.milliseconds('timeout', 1) ?? 10_000,
    dispatcher: given.withMethods<Dispatcher>('dispatcher', 'dispatch'),
  }
  const fields = new Set([settings.usernameField, settings.otpField, settings.accountField, PROOF_FIELD])
  if (fields.size < 4) {
    given.refuse('otpField', `must differ from usernameField, from accountField and from "${PROOF_FIELD}"`)
  }
  return settings
}

/** The field of the request body with the proof from the link of an email. */
export const PROOF_FIELD = 'proof'

const OPTION_NAMES: Record<keyof Options, true> = {
  clientId: true,
  clientSecret: true,
  baseUrl: true,
  passwordProfileId: true,
  authenticationRealmId: true,
  name: true,
  usernameField: true,
  otpField: true,
  accountField: true,
  normalizeUsername: true,
  normalizeOtp: true,
  selectAccount: true,
  requireAccount: true,
  passReqToCallback: true,
  messages: true,
  limiter: true,
  requestLimiter: true,
  uniformResponseTime: true,
  headers: true,
  timeout: true,
  dispatcher: true,
}

/** Throws a `TypeError` for an unknown option, which would otherwise have no effect without notice. */
export function checkNames(owner: string, options: object, known: Readonly<Record<string, true>>): void {
  for (const option of Object.keys(options)) {
    if (Object.hasOwn(known, option)) continue
    const names = Object.keys(known)
    const similar = names.find((name) => name.toLowerCase() === option.toLowerCase())
    const hint = similar === undefined ? `The options are ${names.join(', ')}.` : `Did you mean ${similar}?`
    throw new TypeError(`${owner}: unknown option ${option}. ${hint}`)
  }
}

class OptionReader {
  constructor(private readonly options: Record<string, unknown>) {}

  text(option: string): string | undefined {
    const value = this.options[option]
    if (value === undefined) return undefined
    // Lone surrogates cannot be URL-encoded.
    if (typeof value !== 'string' || value.trim() === '' || /\p{Surrogate}/u.test(value))
      return this.refuse(option, 'must be a non-empty string')
    return value
  }

  credential(option: string): string | undefined {
    const value = this.text(option)
    if (value === undefined || CREDENTIAL.test(value)) return value
    return this.refuse(option, 'must be an ASCII id or secret without spaces. Look for a line end at its end')
  }

  boolean(option: string): boolean | undefined {
    const value = this.options[option]
    if (value === undefined || typeof value === 'boolean') return value
    return this.refuse(option, 'must be true or false')
  }

  function<F>(option: string): F | undefined {
    const value = this.options[option]
    if (value === undefined || typeof value === 'function') return value as F | undefined
    return this.refuse(option, 'must be a function')
  }

  milliseconds(option: string, least: number): number | undefined {
    const value = this.options[option]
    if (value === undefined) return undefined
    if (typeof value === 'number' && value >= least && value <= MAX_MILLISECONDS) return value
    return this.refuse(option, `must be a number of milliseconds from ${least} to ${MAX_MILLISECONDS}`)
  }

  selectAccount(option: string): Settings['selectAccount'] {
    const value = this.options[option]
    if (value === undefined) return 'first'
    if (value === 'first' || value === 'sole' || typeof value === 'function')
      return value as Settings['selectAccount']
    return this.refuse(option, "must be 'first', 'sole' or a function")
  }

  limiter(option: string): OtpLimiter | false | undefined {
    const value = this.options[option]
    if (value === undefined || value === false) return value
    if (hasMethods<OtpLimiter>(value, 'consume', 'reward')) return value
    return refuseLimiter('PasswordlessOtpStrategy', option, value)
  }

  withMethods<T>(option: string, ...methods: string[]): T | undefined {
    const value = this.options[option]
    if (value === undefined || hasMethods<T>(value, ...methods)) return value
    return this.refuse(option, `must be an object with the methods ${methods.join(' and ')}`)
  }

  headers(option: string): Record<string, string> {
    const value = this.options[option] ?? {}
    // A `Headers` or a `Map` has no entries of its own, so it would be ignored.
    if (typeof value !== 'object' || Symbol.iterator in value)
      return this.refuse(option, 'must be an object of header names and values')
    const headers: Record<string, string> = {}
    for (const [name, text] of Object.entries(value) as [string, unknown][]) {
      if (!HEADER_NAME.test(name)) this.refuse(option, `has an invalid header name: ${JSON.stringify(name)}`)
      if (RESERVED_HEADERS.test(name)) this.refuse(option, `must not contain ${name}`)
      if (typeof text !== 'string' || !HEADER_VALUE.test(text) || text !== text.trim())
        return this.refuse(`${option}[${JSON.stringify(name)}]`, 'must be ASCII text without line ends')
      headers[name.toLowerCase()] = text
    }
    return headers
  }

  messages(option: string): Record<FailureCode, string> {
    const value = this.options[option] ?? {}
    if (typeof value !== 'object')
      return this.refuse(option, 'must be an object of sentences by failure code')
    const codes = Object.keys(DEFAULT_MESSAGES)
    for (const [code, sentence] of Object.entries(value)) {
      if (!codes.includes(code))
        this.refuse(option, `has an unknown failure code "${code}". The codes are ${codes.join(', ')}`)
      if (typeof sentence !== 'string' && sentence !== undefined)
        this.refuse(`${option}.${code}`, 'must be a string')
    }
    const sentences = Object.entries(value).filter(([, sentence]) => sentence !== undefined)
    return { ...DEFAULT_MESSAGES, ...Object.fromEntries(sentences) }
  }

  baseUrl(option: string): URL {
    const value = this.options[option] ?? DEFAULT_BASE_URL
    if (typeof value !== 'string' && !(value instanceof URL)) return this.refuse(option, 'must be a URL')
    if (value === '') {
      return this.refuse(option, 'is empty. Is an environment variable not set? Leave it out for the default')
    }
    const url = URL.canParse(String(value)) ? new URL(value) : this.refuse(option, 'must be an absolute URL')
    if (url.username || url.password) this.refuse(option, 'must not contain a username or a password')
    if (url.search || url.hash) this.refuse(option, 'must not have a query or a fragment')
    if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
      this.refuse(
        option,
        'must be an https URL. Plain HTTP would expose codes and tokens; only loopback hosts may use it',
      )
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') this.refuse(option, 'must be an https URL')
    return url
  }

  refuse(option: string, why: string): never {
    throw new TypeError(`PasswordlessOtpStrategy: ${option} ${why}.`)
  }
}

/** Throws a `TypeError` with the code `limiter_unsuitable` that names the limiter's class. */
export function refuseLimiter(owner: string, option: string, value: unknown): never {
  const error = new TypeError(
    `${owner}: ${option} must have the methods consume and reward, but ${classOf(value)} does not. ` +
      'Use a limiter of rate-limiter-flexible on one store, such as RateLimiterRedis, or false to turn it off.',
  )
  throw Object.assign(error, { code: 'limiter_unsuitable' })
}

/** The name of a value's class for messages, or its type if it has no class. */
export function classOf(value: unknown): string {
  const prototype: unknown = typeof value === 'object' && value !== null ? Object.getPrototypeOf(value) : null
  return typeof prototype === 'object' && prototype !== null ? prototype.constructor.name : typeof value
}

export function hasMethods<T>(value: unknown, ...methods: string[]): value is T {
  if (typeof value !== 'object' || value === null) return false
  const candidate = value as Record<string, unknown>
  return methods.every((method) => typeof candidate[method] === 'function')
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}
