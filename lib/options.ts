import type { Request } from 'express'
import type { Dispatcher } from 'undici'
import { DEFAULT_MESSAGES, type FailureCode } from './failures'
import type { AccountSummary } from './user'

/**
 * Chooses the account of a shopper who asked for none. It gets all the member's accounts, from every page, and answers
 * with the id of one, or with undefined to leave the choice to the shopper. An id that is not the member's fails the
 * sign-in with `account_not_found`. It is not asked about a member of no account.
 *
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
 * Counts tries. The limiters of rate-limiter-flexible fit as they are: `consume` takes a point and rejects with
 * `{ msBeforeNext }` (milliseconds) when none is left, `delete` gives all points of a key back. A rejection with an
 * `Error` means that the limiter itself is broken, and nobody passes.
 */
export interface OtpLimiter {
  /** Takes a point. Keys are hashes; no username is in them. */
  consume(key: string): Promise<unknown>
  /** Gives all points of a key back: after a right code. */
  delete(key: string): Promise<unknown>
  /**
   * Gives points back, where the limiter can: a try does not count that an outage kept from being judged, nor a code
   * request that it kept from being made.
   */
  reward?(key: string, points: number): Promise<unknown>
}

/**
 * The options of a {@link PasswordlessOtpStrategy}. One that is undefined counts as not given; a misspelt one is
 * refused.
 */
export interface PasswordlessOtpStrategyOptions {
  /** The client id of the store's application key. The one required option. */
  clientId: string
  /** Its secret, for `client_credentials` access tokens. Default: none; `implicit` ones are enough to sign shoppers in. */
  clientSecret?: string | undefined
  /**
   * The store's region. Default `https://useast.api.elasticpath.com`; the other one is
   * `https://euwest.api.elasticpath.com`. Plain HTTP is for loopback hosts only.
   */
  baseUrl?: string | URL | undefined
  /**
   * The id of the password profile that issues codes. Default: found out, where just one of the realm's profiles has
   * `enable_one_time_password_token`.
   */
  passwordProfileId?: string | undefined
  /** The id of the account authentication realm. Default: found out from the store's account settings. */
  authenticationRealmId?: string | undefined
  /** The strategy's name for `passport.authenticate`. Default `passwordless-otp`. */
  name?: string | undefined
  /** The body's field with the username. Default `username`. */
  usernameField?: string | undefined
  /** The body's field with the code. Default `otp`. */
  otpField?: string | undefined
  /** The body's field with the id of the account to act for; optional in a sign-in. Default `account_id`. */
  accountField?: string | undefined
  /**
   * How a typed username becomes the one that Elastic Path knows. Default: trims, and lower-cases e-mail addresses, as
   * the vendor's storefronts do. An empty answer refuses the username.
   */
  normalizeUsername?: ((username: string) => string) | undefined
  /**
   * The account of a shopper whose request names none. `first` takes the first of Elastic Path's list; `sole` selects
   * only where there is no choice, and leaves `account` null otherwise; a function decides itself. Default `first`.
   */
  selectAccount?: 'first' | 'sole' | AccountSelector | undefined
  /** Whether a member of no account fails with `no_account`. Default true; with false, `account` is null. */
  requireAccount?: boolean | undefined
  /** Whether `verify` gets the request as its first argument. Default false. */
  passReqToCallback?: boolean | undefined
  /** Sentences for the shopper by failure code, where the English ones do not fit. Default: all English. */
  messages?: Partial<Record<FailureCode, string | undefined>> | undefined
  /** Counts sign-in tries by username. Default: none, the tries are not counted; set one in production. */
  limiter?: OtpLimiter | undefined
  /** Counts code requests by username. Default: five in 15 minutes, counted in this process's memory. */
  requestLimiter?: OtpLimiter | undefined
  /** Milliseconds for a whole sign-in: access token, discovery, waits, retries, the app's own functions. Default 10,000. */
  timeout?: number | undefined
  /**
   * An undici dispatcher of the app's own, of undici 6, 7 or 8: a proxy, a CA, a mock. Default: a pool that the strategy
   * owns and closes.
   */
  // By what is used of it, for the types of undici's major versions do not take each other.
  dispatcher?:
    | {
        /** Sends a request, and hands its answer over. */
        dispatch(options: object, handler: object): boolean
      }
    | undefined
}

/** The options, each checked and each there; optional ones that stay undefined mean "find out" or "none". */
export interface Settings {
  clientId: string
  clientSecret: string | undefined
  baseUrl: URL
  passwordProfileId: string | undefined
  authenticationRealmId: string | undefined
  name: string
  usernameField: string
  otpField: string
  accountField: string
  normalizeUsername: (username: string) => string
  selectAccount: 'first' | 'sole' | AccountSelector
  requireAccount: boolean
  passReqToCallback: boolean
  messages: Record<FailureCode, string>
  limiter: OtpLimiter | undefined
  requestLimiter: OtpLimiter | undefined
  timeout: number
  dispatcher: Dispatcher | undefined
}

const DEFAULT_BASE_URL = 'https://useast.api.elasticpath.com'
// What a timer of Node can count to.
const MAX_TIMEOUT = 2 ** 31 - 1

/** Checks the options and fills in the defaults. Throws a TypeError that names the option at fault. */
export function readOptions(options: unknown): Settings {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('PasswordlessOtpStrategy needs an options object with a clientId')
  }
  const given = new Options(options as Record<string, unknown>)
  const settings: Settings = {
    clientId:
      given.text('clientId') ?? given.refuse('clientId', 'is required: the client id of an application key'),
    clientSecret: given.text('clientSecret'),
    baseUrl: given.baseUrl('baseUrl'),
    passwordProfileId: given.text('passwordProfileId'),
    authenticationRealmId: given.text('authenticationRealmId'),
    name: given.text('name') ?? 'passwordless-otp',
    usernameField: given.text('usernameField') ?? 'username',
    otpField: given.text('otpField') ?? 'otp',
    accountField: given.text('accountField') ?? 'account_id',
    normalizeUsername: given.function<(username: string) => string>('normalizeUsername') ?? normalizeUsername,
    selectAccount: given.selectAccount('selectAccount'),
    requireAccount: given.boolean('requireAccount') ?? true,
    passReqToCallback: given.boolean('passReqToCallback') ?? false,
    messages: given.messages('messages'),
    limiter: given.withMethods<OtpLimiter>('limiter', 'consume', 'delete'),
    requestLimiter: given.withMethods<OtpLimiter>('requestLimiter', 'consume', 'delete'),
    timeout: given.milliseconds('timeout') ?? 10_000,
    dispatcher: given.withMethods<Dispatcher>('dispatcher', 'dispatch'),
  }
  given.refuseOthers()
  if (new Set([settings.usernameField, settings.otpField, settings.accountField]).size < 3) {
    given.refuse('otpField', 'must name another field than usernameField and accountField')
  }
  return settings
}

/** A misspelt option would otherwise be an option that silently does nothing. */
export function checkNames(owner: string, options: object, known: ReadonlySet<string>): void {
  for (const option of Object.keys(options)) {
    if (!known.has(option)) {
      throw new TypeError(`${owner}: ${option} is not an option; the options are ${[...known].join(', ')}`)
    }
  }
}

/** Fact 14: the vendor's storefronts lower-case e-mail addresses; other usernames may mean their capitals. */
function normalizeUsername(username: string): string {
  const trimmed = username.trim()
  return trimmed.includes('@') ? trimmed.toLowerCase() : trimmed
}

class Options {
  private readonly known = new Set<string>()

  constructor(private readonly options: Record<string, unknown>) {}

  text(option: string): string | undefined {
    const value = this.read(option)
    if (value === undefined) return undefined
    // Half a character can go into no URL.
    if (typeof value !== 'string' || value.trim() === '' || /\p{Surrogate}/u.test(value))
      return this.refuse(option, 'must be a string of text that is not empty')
    return value
  }

  boolean(option: string): boolean | undefined {
    const value = this.read(option)
    if (value === undefined || typeof value === 'boolean') return value
    return this.refuse(option, 'must be true or false')
  }

  function<F>(option: string): F | undefined {
    const value = this.read(option)
    if (value === undefined || typeof value === 'function') return value as F | undefined
    return this.refuse(option, 'must be a function')
  }

  milliseconds(option: string): number | undefined {
    const value = this.read(option)
    if (value === undefined) return undefined
    if (typeof value === 'number' && value >= 1 && value <= MAX_TIMEOUT) return value
    return this.refuse(option, `must be a number of milliseconds from 1 to ${MAX_TIMEOUT}`)
  }

  selectAccount(option: string): Settings['selectAccount'] {
    const value = this.read(option)
    if (value === undefined) return 'first'
    if (value === 'first' || value === 'sole' || typeof value === 'function')
      return value as Settings['selectAccount']
    return this.refuse(option, "must be 'first', 'sole' or a function")
  }

  withMethods<T>(option: string, ...methods: string[]): T | undefined {
    const value = this.read(option)
    if (value === undefined) return undefined
    if (typeof value === 'object' && value !== null) {
      const candidate = value as Record<string, unknown>
      if (methods.every((method) => typeof candidate[method] === 'function')) return value as T
    }
    return this.refuse(option, `must be an object with the methods ${methods.join(' and ')}`)
  }

  messages(option: string): Record<FailureCode, string> {
    const value = this.read(option) ?? {}
    if (typeof value !== 'object')
      return this.refuse(option, 'must be an object of sentences by failure code')
    for (const [code, sentence] of Object.entries(value)) {
      if (!Object.hasOwn(DEFAULT_MESSAGES, code)) {
        this.refuse(
          option,
          `knows no failure code "${code}"; it knows ${Object.keys(DEFAULT_MESSAGES).join(', ')}`,
        )
      }
      if (typeof sentence !== 'string' && sentence !== undefined)
        this.refuse(`${option}.${code}`, 'must be a string')
    }
    const sentences = Object.entries(value).filter(([, sentence]) => sentence !== undefined)
    return { ...DEFAULT_MESSAGES, ...Object.fromEntries(sentences) }
  }

  baseUrl(option: string): URL {
    const value = this.read(option) ?? DEFAULT_BASE_URL
    if (typeof value !== 'string' && !(value instanceof URL)) return this.refuse(option, 'must be a URL')
    const url = URL.canParse(String(value)) ? new URL(value) : this.refuse(option, 'must be an absolute URL')
    if (url.username || url.password) this.refuse(option, 'must not hold a username or a password')
    if (url.search || url.hash) this.refuse(option, 'must have no query and no fragment')
    if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
      this.refuse(
        option,
        'must be https: plain http is for loopback hosts only, codes and tokens would travel in the open',
      )
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') this.refuse(option, 'must be an https URL')
    return url
  }

  refuseOthers(): void {
    checkNames('PasswordlessOtpStrategy', this.options, this.known)
  }

  refuse(option: string, why: string): never {
    throw new TypeError(`PasswordlessOtpStrategy: ${option} ${why}`)
  }

  private read(option: string): unknown {
    this.known.add(option)
    return this.options[option]
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}
