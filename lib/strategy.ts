import type { Request, RequestHandler } from 'express'
import { listAccounts, renewAccount, requireUser, selectAccount } from './accounts'
import { CodeRequests } from './code-requests'
import { Commerce } from './commerce/commerce'
import { Operation, type Departure } from './commerce/operation'
import { toUsername } from './credentials'
import { observe, type DiagnosticMessage } from './diagnostics'
import { asError, ElasticPathError } from './errors'
import { FAILURE_STATUS, type Failure, type FailureCode, type FailureInfo } from './failures'
import { keepFresh, type KeepFreshOptions } from './handlers/keep-fresh'
import { requestOtp } from './handlers/request-otp'
import { switchAccount } from './handlers/switch-account'
import { departureOf, end, endsOf, PassportStrategy, type Ends } from './passport'
import { readOptions, type PasswordlessOtpStrategyOptions, type Settings } from './options'
import { signIn } from './sign-in'
import { isPasswordlessOtpUser, remainingLife, type AccountSummary, type PasswordlessOtpUser } from './user'
import { askVerify, type AnyVerify, type VerifyFunction, type VerifyFunctionWithRequest } from './verify'

declare global {
  // Express gathers what its middleware puts on a request in this namespace.
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** What `strategy.requestOtp()` asked for: the username, normalised. */
      otpRequest?: { username: string }
    }
  }
}

type Outcome =
  | { user: unknown; info: object | string }
  | {
      failure: FailureCode | 'refused_by_verify'
      info: FailureInfo | object | string | undefined
      status?: number
    }

/**
 * Signs shoppers in to an Elastic Path Commerce store with a username and a one-time code from the request's body.
 *
 * ```ts
 * const strategy = new PasswordlessOtpStrategy({ clientId: process.env.EPCC_CLIENT_ID })
 * passport.use(strategy)
 * passport.serializeUser(strategy.serializeUser)
 * passport.deserializeUser(strategy.deserializeUser)
 * app.post('/login', passport.authenticate('passwordless-otp', { successRedirect: '/', failureRedirect: '/login' }))
 * ```
 *
 * `req.user` is a {@link PasswordlessOtpUser}, `req.authInfo` a {@link SignInInfo}. What the shopper can put right
 * fails, with a {@link FailureInfo}; what the shopper cannot is an {@link ElasticPathError} for `next(err)`.
 */
export class PasswordlessOtpStrategy extends PassportStrategy {
  /** The name for `passport.authenticate`. */
  override readonly name: string
  // Out of reach of console.log and JSON.stringify, for the client secret is in them. Passport's copies of a strategy,
  // which have no such fields, come here only by the function that the constructor binds.
  readonly #settings: Settings
  readonly #commerce: Commerce
  readonly #codeRequests: CodeRequests

  /** With `passReqToCallback`, `verify` gets the request first. */
  constructor(
    options: PasswordlessOtpStrategyOptions & { passReqToCallback: true },
    verify: VerifyFunctionWithRequest,
  )
  /**
   * @param options - `clientId` is required.
   * @param verify - Turns the signed-in user into the app's own. Without it, `req.user` is the signed-in user.
   * @throws TypeError that names the option at fault: a value that makes no sense, or a name that is no option's.
   */
  constructor(options: PasswordlessOtpStrategyOptions, verify?: VerifyFunction)
  constructor(options: PasswordlessOtpStrategyOptions, verify?: VerifyFunction | VerifyFunctionWithRequest) {
    const settings = readOptions(options)
    if (verify !== undefined && typeof verify !== 'function') {
      throw new TypeError('PasswordlessOtpStrategy: verify must be a function')
    }
    super(function (req) {
      void authenticate(endsOf(this), req)
    })
    this.name = settings.name
    this.#settings = settings
    this.#commerce = new Commerce(settings)
    this.#codeRequests = new CodeRequests(this.#commerce, settings)

    const authenticate = async (ends: Ends, req: Request): Promise<void> => {
      let outcome: Outcome
      try {
        outcome = await this.#signIn(req, verify as AnyVerify | undefined)
      } catch (error) {
        end(ends, req, () => ends.error(asError(error)))
        return
      }
      end(ends, req, () => {
        if ('user' in outcome) ends.success(outcome.user as Express.User, outcome.info as object)
        else ends.fail(outcome.info, outcome.status)
      })
    }
  }

  /**
   * An Express handler that asks Elastic Path for a code for the body's username, sets `req.otpRequest = { username }`
   * and calls `next()`: alike, whether the username exists or not, and on a grid of 250 ms. A second request for the
   * same username within half a minute asks nothing.
   *
   * Errors, to `next(err)`: `missing_credentials` (400) for a body without a username, `too_many_attempts` (429) for
   * too many codes for one username, and those of a store or a setup that does not work.
   */
  requestOtp(): RequestHandler {
    return requestOtp(this.#settings, (read, departure) => this.#askForCode(read, departure))
  }

  /**
   * An Express handler by which a signed-in shopper acts for the account that the body names. It replaces `req.user`
   * and the session's user and calls `next()`. The rest of the session stays as it is; where the switch fails, all of
   * it does.
   *
   * Errors, to `next(err)`: `missing_credentials` (400) for a body without an account, `not_signed_in` or
   * `account_token_refused` (401), `account_not_found` (403) where the member does not belong to it, those of a store or
   * a setup that does not work, and the session store's own where it cannot save.
   */
  switchAccount(): RequestHandler {
    return switchAccount(this.#settings, (choose, keep, departure) =>
      this.#run(
        'switch',
        async (operation) => {
          const { user, accountId } = choose()
          await keep(await selectAccount(this.#commerce.client, operation, user, accountId), operation)
        },
        departure,
      ),
    )
  }

  /**
   * An Express handler that renews the account token of an active shopper before it ends, once for any number of
   * parallel requests, and writes it to the session. Where Elastic Path does not renew it, the token in hand serves
   * until it ends: a request is never refused for it. Put it behind `passport.session()`.
   *
   * @throws TypeError where `within` is not a number above 0.
   */
  keepFresh(options: KeepFreshOptions = {}): RequestHandler {
    return keepFresh(options, (user) => this.renewAccount(user))
  }

  /**
   * Asks Elastic Path for a code, for any framework, job or script. Resolves alike whether the username exists or not;
   * calls for one username within half a minute ask once. Unlike {@link PasswordlessOtpStrategy.requestOtp} it keeps
   * to no grid of time.
   *
   * @param username - As typed; it is normalised.
   * @throws ElasticPathError `missing_credentials` (400) for no username, `too_many_attempts` (429) for too many codes
   * for one username, or a status from 500 on for Elastic Path or the setup.
   */
  async createOtpRequest(username: string): Promise<void> {
    await this.#askForCode(() => toUsername(username, this.#settings.normalizeUsername))
  }

  /**
   * A page of the accounts that a signed-in member belongs to, without tokens, and how many there are in all.
   *
   * @param user - The signed-in user.
   * @param page - The part of the list.
   * @throws RangeError for a page that there cannot be.
   * @throws ElasticPathError `not_signed_in` or `account_token_refused` (401), or a status from 500 on.
   */
  listAccounts(
    user: PasswordlessOtpUser,
    page: {
      /** How many accounts: 1 to 100, default 25. */
      limit?: number | undefined
      /** How many accounts to leave out before them: default 0. */
      offset?: number | undefined
    } = {},
  ): Promise<{
    /** In Elastic Path's order. */
    accounts: AccountSummary[]
    /** How many there are in all. */
    total: number
  }> {
    return this.#run(undefined, (operation) =>
      listAccounts(this.#commerce.client, operation, requireUser(user), page),
    )
  }

  /**
   * The user, acting for another account: a new object with a new token. Changes no session; keep what it resolves to.
   *
   * @param user - The signed-in user; what the app added to it stays.
   * @param accountId - One of the member's accounts, on whichever page of the list.
   * @throws ElasticPathError `account_not_found` (403) for an account that the member does not belong to,
   * `not_signed_in` or `account_token_refused` (401), or a status from 500 on.
   */
  selectAccount<User extends PasswordlessOtpUser>(user: User, accountId: string): Promise<User> {
    return this.#run('switch', (operation) =>
      selectAccount(this.#commerce.client, operation, requireUser(user), accountId),
    )
  }

  /**
   * The user, with a token that has its full lifetime before it: a new object. Changes no session; keep what it
   * resolves to.
   *
   * @param user - The signed-in user; what the app added to it stays.
   * @throws ElasticPathError `not_signed_in` or `account_token_refused` (401) where the token in hand counts no more,
   * `account_not_found` (403) where the member has left the account, or a status from 500 on.
   */
  renewAccount<User extends PasswordlessOtpUser>(user: User): Promise<User> {
    return this.#run('renewal', (operation) =>
      renewAccount(this.#commerce.client, operation, requireUser(user)),
    )
  }

  /**
   * For `passport.serializeUser`: the session keeps the user as it is. What lacks this package's fields is the error
   * `unexpected_user`. Bound, so that it can be passed as it is.
   */
  readonly serializeUser = (
    user: unknown,
    done: (error: unknown, user?: PasswordlessOtpUser) => void,
  ): void => {
    let checked: PasswordlessOtpUser
    try {
      checked = requireUser(user)
    } catch (error) {
      done(error)
      return
    }
    done(null, checked)
  }

  /** For `passport.deserializeUser`: a user whose token has ended, or that is none, is signed out. Bound, too. */
  readonly deserializeUser = (
    stored: unknown,
    done: (error: unknown, user?: PasswordlessOtpUser | false) => void,
  ): void => {
    done(null, isPasswordlessOtpUser(stored) && remainingLife(stored) > 0 ? stored : false)
  }

  /**
   * Resolves once the access token, the realm and the password profile are found and a connection is open; rejects
   * with what is wrong. For a readiness probe, and so that the first shopper does not wait for it. What was found is
   * believed for a minute.
   *
   * @throws ElasticPathError that says what to set or whom to ask, such as `client_refused`, `realm_not_found`,
   * `password_profile_ambiguous` or `unreachable`.
   */
  ready(): Promise<void> {
    return this.#run(undefined, (operation) => this.#commerce.settings.check(operation))
  }

  /**
   * Ends the strategy's connections when what is under way is through, after the option `timeout` at the latest; a
   * dispatcher of the app's own is left alone.
   * What is asked of the strategy afterwards is the error `strategy_closed`.
   */
  close(): Promise<void> {
    return this.#commerce.close()
  }

  #signIn(req: Request, verify: AnyVerify | undefined): Promise<Outcome> {
    const work = async (operation: Operation): Promise<Outcome> => {
      const signedIn = await signIn(this.#settings, this.#commerce, this.#codeRequests, req, operation)
      if ('failure' in signedIn) return this.#failureOf(signedIn, req)
      if (!verify) return signedIn
      const args = this.#settings.passReqToCallback ? [req, signedIn.user] : [signedIn.user]
      const { user, info } = await askVerify(verify, args, operation)
      return user ? { user, info: info ?? signedIn.info } : { failure: 'refused_by_verify', info }
    }
    return this.#run('sign-in', work, departureOf(req), (outcome) =>
      'failure' in outcome ? outcome.failure : undefined,
    )
  }

  #failureOf({ failure, retryAfter }: Failure, req: Request): Outcome {
    const info: FailureInfo = { code: failure, message: this.#settings.messages[failure] }
    if (retryAfter !== undefined) {
      info.retryAfter = retryAfter
      // Passport ends the response itself, and knows nothing of this header; Express has put the response here.
      if (req.res?.headersSent === false) req.res.setHeader('Retry-After', String(retryAfter))
    }
    return { failure, info, status: FAILURE_STATUS[failure] }
  }

  #askForCode(read: () => string | undefined, departure?: Departure): Promise<string> {
    return this.#run(
      'code-request',
      async (operation) => {
        const username = read()
        if (username === undefined) {
          throw new ElasticPathError('missing_credentials', 'A username is needed to ask for a code')
        }
        await this.#codeRequests.ask(username, operation)
        return username
      },
      departure,
    )
  }

  #run<T>(
    name: DiagnosticMessage['operation'] | undefined,
    work: (operation: Operation) => Promise<T>,
    departure?: Departure,
    failureIn?: (result: T) => DiagnosticMessage['code'],
  ): Promise<T> {
    const operation = new Operation(this.#settings.timeout, departure)
    return observe(name, operation, () => this.#commerce.during(() => work(operation)), failureIn)
  }
}
