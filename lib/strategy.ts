import type { RequestHandler } from 'express'
import { fetchAccount, listAccounts, renewHeldTokens } from './accounts'
import { accessToken, createFetch, createFetchAs } from './calls/fetch'
import { ElasticPathError } from './errors'
import { authenticate } from './express/authenticate'
import { keepFresh, type KeepFreshOptions } from './express/keep-fresh'
import { outcomesOf, PassportStrategy } from './express/passport'
import { requestOtp } from './express/request-otp'
import { switchAccount } from './express/switch-account'
import type { PasswordlessOtpStrategyOptions } from './options'
import { createServices, registerServices, type Services } from './services'
import { toUsername } from './sign-in/credentials'
import type { VerifyFunction, VerifyFunctionWithRequest } from './sign-in/verify'
import { remainingLife, type AccountSummary } from './token'
import { untilUniformTime } from './uniform-time'
import {
  heldToken,
  invalidUser,
  isPasswordlessOtpUser,
  requireUser,
  withAccount,
  withTokens,
  type PasswordlessOtpUser,
} from './user'

declare global {
  // Express collects the properties that middleware adds to a request in this namespace.
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** Set by `strategy.requestOtp()`: the normalized username. */
      otpRequest?: { username: string }
    }
  }
}

/**
 * Signs shoppers in to an Elastic Path Commerce store with a username and a one-time code from the request body.
 *
 * `req.user` is a {@link PasswordlessOtpUser} and `req.authInfo` a {@link SignInInfo}. If the shopper can correct what is
 * wrong, the sign-in fails with a {@link FailureInfo}. Everything else is an {@link ElasticPathError} for `next(err)`.
 *
 * @example
 * ```ts
 * const strategy = new PasswordlessOtpStrategy({ clientId: process.env.EPCC_CLIENT_ID })
 * passport.use(strategy)
 * passport.serializeUser(strategy.serializeUser)
 * passport.deserializeUser(strategy.deserializeUser)
 * app.post('/login', passport.authenticate('passwordless-otp', { successRedirect: '/', failureRedirect: '/login' }))
 * ```
 */
export class PasswordlessOtpStrategy extends PassportStrategy {
  /** The name for `passport.authenticate`. */
  override readonly name: string
  // A private field, so that console.log and JSON.stringify do not print the client secret. Passport's copies of a strategy
  // do not have it; they use the function that the constructor binds.
  readonly #services: Services

  /** With `passReqToCallback`, `verify` receives the request first. */
  constructor(
    options: PasswordlessOtpStrategyOptions & { passReqToCallback: true },
    verify: VerifyFunctionWithRequest,
  )
  /**
   * @param options - `clientId` is required.
   * @param verify - Turns the signed-in user into the app's own. Without it, `req.user` is the signed-in user.
   * @throws TypeError that names the invalid or unknown option.
   */
  constructor(options: PasswordlessOtpStrategyOptions, verify?: VerifyFunction)
  constructor(options: PasswordlessOtpStrategyOptions, verify?: VerifyFunction | VerifyFunctionWithRequest) {
    const services = createServices(options, verify)
    super(function (req) {
      void authenticate(services, outcomesOf(this), req)
    })
    this.name = services.settings.name
    this.#services = services
    this.fetch = createFetch(services)
    registerServices(this, services)
  }

  /**
   * Returns an Express handler that requests a code for the username in the body, sets `req.otpRequest = { username }` and
   * calls `next()`. It does so one second after the request (option `uniformResponseTime`), whether the username exists or
   * not. A second request for the same username within half a minute sends nothing. The session gets a ticket for its
   * sign-in attempts, and is saved.
   *
   * Errors for `next(err)`: `missing_credentials` (400), `too_many_attempts` (429), and those of Elastic Path or the setup
   * that are known by then.
   */
  requestOtp(): RequestHandler {
    return requestOtp(this.#services)
  }

  /**
   * Returns an Express handler that makes the signed-in shopper act for the account in the body. It calls `verify`, replaces
   * `req.user` and the session's user, saves the session and calls `next()`. If it fails, it changes nothing.
   *
   * Errors for `next(err)`: `missing_credentials` (400), `not_signed_in` or `account_token_refused` (401),
   * `account_not_found` or `refused_by_verify` (403), `session_failed` (500), and those of Elastic Path or the setup.
   */
  switchAccount(): RequestHandler {
    return switchAccount(this.#services)
  }

  /**
   * Returns an Express handler that renews the account token of an active shopper before it expires, and writes it to the
   * session. It calls `verify` with the renewed user. Put it after `passport.session()`. If a renewal fails, the request
   * continues with the token that the shopper has.
   *
   * @throws TypeError if `within` is not a number above 0.
   */
  keepFresh(options: KeepFreshOptions = {}): RequestHandler {
    return keepFresh(this.#services, options)
  }

  /**
   * Requests a code, for any framework, job or script. Resolves alike whether the username exists or not, at a multiple of
   * the option `uniformResponseTime`. Calls for one username within half a minute send one request.
   *
   * @param username - As typed; it is normalized.
   * @param options - `session`: the shopper's session object. It gets a ticket for its sign-in attempts; save it afterwards.
   * @throws ElasticPathError `missing_credentials` (400), `too_many_attempts` (429), or a status from 500 for Elastic Path
   * or the setup.
   */
  async createOtpRequest(
    username: string,
    options: { session?: object | null | undefined } = {},
  ): Promise<void> {
    const { settings, codeRequests } = this.#services
    const startedAt = performance.now()
    try {
      await this.#services.run({ name: 'code-request' }, async (context) => {
        const normalized = toUsername(username, settings)
        if (normalized === undefined) {
          throw new ElasticPathError('missing_credentials', 'A username is required to request a code.')
        }
        const { done } = await codeRequests.start(normalized, options.session, context)
        await context.upstream(done)
      })
    } finally {
      const { uniformResponseTime: unit } = settings
      const elapsed = performance.now() - startedAt
      if (unit > 0) await untilUniformTime(startedAt, Math.ceil(elapsed / unit) * unit)
    }
  }

  /**
   * Lists the accounts that a signed-in member belongs to, without tokens.
   *
   * @param user - The signed-in user.
   * @param page - The part of the list.
   * @throws RangeError if the page is invalid.
   * @throws ElasticPathError `not_signed_in` or `account_token_refused` (401), or a status from 500.
   */
  async listAccounts(
    user: PasswordlessOtpUser,
    page: {
      /** The number of accounts, 1 to 100. @default 25 */
      limit?: number | undefined
      /** The number of accounts to skip. @default 0 */
      offset?: number | undefined
    } = {},
  ): Promise<{
    /** In Elastic Path's order. */
    accounts: AccountSummary[]
    /** The number of accounts that the member belongs to. */
    total: number
  }> {
    const { settings, commerce, run } = this.#services
    return run({}, (context) =>
      listAccounts(commerce.client, context, requireUser(user, settings.name), page),
    )
  }

  /**
   * Returns the user with another account and its token, as a new object. It does not call `verify` and changes no session:
   * keep the result.
   *
   * @param user - The signed-in user. Fields that the app added are kept.
   * @param accountId - One of the member's accounts, on any page of the list.
   * @throws ElasticPathError `account_not_found` (403) if the member does not belong to the account, `not_signed_in` or
   * `account_token_refused` (401), or a status from 500.
   */
  selectAccount<User extends PasswordlessOtpUser>(user: User, accountId: string): Promise<User> {
    const { settings, commerce, run } = this.#services
    return run({ name: 'switch' }, async (context) => {
      const checked = requireUser(user, settings.name)
      return withAccount(checked, await fetchAccount(commerce.client, context, checked, accountId))
    })
  }

  /**
   * Returns the user with a renewed token, as a new object. It does not call `verify` and changes no session: keep the result.
   *
   * @param user - The signed-in user. Fields that the app added are kept.
   * @throws ElasticPathError `not_signed_in` or `account_token_refused` (401) if the token expired or was revoked,
   * `account_not_found` (403) if the member no longer belongs to the account, or a status from 500.
   */
  renewAccount<User extends PasswordlessOtpUser>(user: User): Promise<User> {
    const { settings, commerce, run } = this.#services
    return run({ name: 'renewal' }, async (context) => {
      const checked = requireUser(user, settings.name)
      const renewed = await renewHeldTokens(commerce.client, context, checked)
      if (!renewed.removed) return withTokens(checked, renewed)
      throw new ElasticPathError('account_not_found', 'The member no longer belongs to this account.')
    })
  }

  /**
   * Calls Elastic Path with the app's access token, for example for the catalog or a guest's cart. A bound WHATWG `fetch`.
   *
   * Relative URLs are appended to `baseUrl`. Redirects are returned and not followed. A status is never thrown.
   *
   * @throws TypeError for another origin, and for a path with a dot segment, an encoded slash or a backslash.
   * @throws ElasticPathError if there is no access token, or for a network failure.
   */
  readonly fetch: typeof fetch

  /**
   * Returns a `fetch` that calls Elastic Path as the account that the user acts for: it sends the account token, too.
   *
   * @param user - The signed-in user, usually `req.user`.
   * @returns A function like {@link PasswordlessOtpStrategy.fetch}. It also rejects with `not_signed_in` (401),
   * `account_required` (403) or `account_token_expired` (401), before anything is sent.
   */
  fetchAs(user: unknown): typeof fetch {
    return createFetchAs(this.#services, user)
  }

  /**
   * Returns the app's access token. It is fetched once for all callers, and renewed before it expires.
   *
   * @throws ElasticPathError `client_refused` (500), or a status from 502.
   */
  accessToken(): Promise<string> {
    return accessToken(this.#services)
  }

  /**
   * For `passport.serializeUser`: the session keeps the user as it is. The function is bound. It also accepts the users of
   * other strategies of this class.
   *
   * Its error is `unexpected_user` (500) if the user's fields are missing or invalid.
   */
  readonly serializeUser = (
    user: unknown,
    done: (error: unknown, user?: PasswordlessOtpUser) => void,
  ): void => {
    if (isPasswordlessOtpUser(user)) done(null, user)
    else done(invalidUser())
  }

  /** For `passport.deserializeUser`: an invalid user, and one whose token expired, is signed out. The function is bound. */
  readonly deserializeUser = (
    stored: unknown,
    done: (error: unknown, user?: PasswordlessOtpUser | false) => void,
  ): void => {
    if (!isPasswordlessOtpUser(stored)) {
      done(null, false)
      return
    }
    const held = heldToken(stored)
    done(null, !held || remainingLife(held) > 0 ? stored : false)
  }

  /**
   * Resolves when the access token, the realm and the password profile are known and a connection is open. Rejects with
   * what is wrong. Use it as a readiness probe, and at the start, so that the first shopper does not wait. Results are
   * reused for a minute.
   *
   * @throws ElasticPathError that says what to do, such as `client_refused`, `realm_not_found`,
   * `password_profile_ambiguous` or `unreachable`.
   */
  ready(): Promise<void> {
    const { commerce, run } = this.#services
    return run({}, (context) => commerce.store.check(context))
  }

  /**
   * Closes the strategy's connections when all operations in progress are done, at the latest after `timeout`. It does not
   * close your own dispatcher. Later calls fail with `strategy_closed`.
   */
  close(): Promise<void> {
    return this.#services.commerce.close()
  }
}
