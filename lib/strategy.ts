import type { Request, RequestHandler } from 'express'
import { listAccounts, renewAccount, requireUser, selectAccount } from './accounts'
import { CodeRequests } from './code-requests'
import { openCommerce, type Commerce } from './commerce/commerce'
import { Operation, type Departure } from './commerce/operation'
import { toUsername } from './credentials'
import { observe, type DiagnosticMessage } from './diagnostics'
import { ElasticPathError } from './errors'
import { FAILURE_STATUS, type Failure, type FailureCode, type FailureInfo } from './failures'
import { keepFresh, type KeepFreshOptions } from './handlers/keep-fresh'
import { requestOtp } from './handlers/request-otp'
import { switchAccount } from './handlers/switch-account'
import { Base, departureOf, end, endsOf, type Ends } from './passport'
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
 * What the shopper can put right fails, with a {@link FailureInfo}; what the shopper cannot is an
 * {@link ElasticPathError}. The constructor throws a TypeError that names the option at fault.
 */
export class PasswordlessOtpStrategy extends Base {
  override readonly name: string
  private readonly settings: Settings
  private readonly commerce: Commerce
  private readonly codeRequests: CodeRequests

  constructor(
    options: PasswordlessOtpStrategyOptions & { passReqToCallback: true },
    verify: VerifyFunctionWithRequest,
  )
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
    this.settings = settings
    this.commerce = openCommerce(settings)
    this.codeRequests = new CodeRequests(this.commerce, settings)

    const authenticate = async (ends: Ends, req: Request): Promise<void> => {
      let outcome: Outcome
      try {
        outcome = await this.signIn(req, verify as AnyVerify | undefined)
      } catch (error) {
        end(ends, req, () => ends.error(error))
        return
      }
      end(ends, req, () => {
        if ('user' in outcome) ends.success(outcome.user as Express.User, outcome.info as object)
        else ends.fail(outcome.info, outcome.status)
      })
    }
  }

  /**
   * A handler that asks Elastic Path for a code for the body's username, sets `req.otpRequest = { username }` and
   * calls `next()`: alike, whether the username exists or not. A body without a username is an error of status 400,
   * too many codes for one username one of status 429.
   */
  requestOtp(): RequestHandler {
    return requestOtp(this.settings, (username, departure) => this.askForCode(username, departure))
  }

  /**
   * A handler by which a signed-in shopper acts for the account that the body names. It replaces `req.user` and the
   * session's user and calls `next()`; the rest of the session stays, and where it fails everything does. Errors:
   * status 400 without an account, 401 where nobody is signed in, 403 where the member does not belong to it.
   */
  switchAccount(): RequestHandler {
    return switchAccount(this.settings, (choose, departure) =>
      this.run(
        'switch',
        async (operation) => {
          const { user, accountId } = choose()
          return selectAccount(this.commerce.client, operation, user, accountId)
        },
        departure,
      ),
    )
  }

  /**
   * A handler that renews the account token of an active shopper before it ends, once for any number of parallel
   * requests, and always calls `next()`: where Elastic Path does not renew it, the token in hand serves until it ends.
   */
  keepFresh(options: KeepFreshOptions = {}): RequestHandler {
    return keepFresh(options, (user) => this.renewAccount(user))
  }

  /**
   * Asks for a code. Resolves alike whether the username exists or not, and once for calls within half a minute.
   * Rejects with an ElasticPathError: 400 for no username, 429 for too many codes, 5xx for Elastic Path or the setup.
   */
  async createOtpRequest(username: string): Promise<void> {
    await this.askForCode(toUsername(username, this.settings.normalizeUsername))
  }

  /**
   * A page of the member's accounts.
   * @param page `limit`, 1 to 100, default 25, and `offset` in accounts, default 0; a RangeError beyond.
   */
  listAccounts(
    user: PasswordlessOtpUser,
    page: { limit?: number | undefined; offset?: number | undefined } = {},
  ): Promise<{ accounts: AccountSummary[]; total: number }> {
    return this.run(undefined, (operation) =>
      listAccounts(this.commerce.client, operation, requireUser(user), page),
    )
  }

  /** The user acting for another account. Rejects with code `account_not_found`, status 403, for a stranger's. */
  selectAccount<User extends PasswordlessOtpUser>(user: User, accountId: string): Promise<User> {
    return this.run('switch', (operation) =>
      selectAccount(this.commerce.client, operation, requireUser(user), accountId),
    )
  }

  /** The user with a token of a full lifetime. Rejects with status 401 where the one in hand does not count any more. */
  renewAccount<User extends PasswordlessOtpUser>(user: User): Promise<User> {
    return this.run('renewal', (operation) =>
      renewAccount(this.commerce.client, operation, requireUser(user)),
    )
  }

  /** For `passport.serializeUser`: the session keeps the user as it is. */
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

  /** For `passport.deserializeUser`: a user whose token has ended, or that is none, is signed out. */
  readonly deserializeUser = (
    stored: unknown,
    done: (error: unknown, user?: PasswordlessOtpUser | false) => void,
  ): void => {
    done(null, isPasswordlessOtpUser(stored) && remainingLife(stored) > 0 ? stored : false)
  }

  /**
   * Resolves once the access token, the realm and the password profile are found and a connection is open; rejects
   * with what is wrong. For a readiness probe, and so that the first shopper does not wait for it.
   */
  ready(): Promise<void> {
    return this.run(undefined, (operation) => this.commerce.settings.check(operation))
  }

  /** Ends the strategy's connections when what is under way is through; a dispatcher of the app's own is left alone. */
  close(): Promise<void> {
    return this.commerce.close()
  }

  private signIn(req: Request, verify: AnyVerify | undefined): Promise<Outcome> {
    const operation = new Operation(this.settings.timeout, departureOf(req))
    const work = async (): Promise<Outcome> => {
      const signedIn = await signIn(this.settings, this.commerce, this.codeRequests, req, operation)
      if ('failure' in signedIn) return this.failureOf(signedIn, req)
      if (!verify) return signedIn
      const args = this.settings.passReqToCallback ? [req, signedIn.user] : [signedIn.user]
      const { user, info } = await askVerify(verify, args, operation)
      return user ? { user, info: info ?? signedIn.info } : { failure: 'refused_by_verify', info }
    }
    return observe('sign-in', operation, work, (outcome) =>
      'failure' in outcome ? outcome.failure : undefined,
    )
  }

  private failureOf({ failure, retryAfter }: Failure, req: Request): Outcome {
    const info: FailureInfo = { code: failure, message: this.settings.messages[failure] }
    if (retryAfter !== undefined) {
      info.retryAfter = retryAfter
      // Passport ends the response itself, and knows nothing of this header; Express has put the response here.
      if (req.res?.headersSent === false) req.res.setHeader('Retry-After', String(retryAfter))
    }
    return { failure, info, status: FAILURE_STATUS[failure] }
  }

  private askForCode(username: string | undefined, departure?: Departure): Promise<void> {
    return this.run(
      'code-request',
      async (operation) => {
        if (username === undefined) {
          throw new ElasticPathError('missing_credentials', 'A username is needed to ask for a code')
        }
        await this.codeRequests.ask(username, operation)
      },
      departure,
    )
  }

  private run<T>(
    name: DiagnosticMessage['operation'] | undefined,
    work: (operation: Operation) => Promise<T>,
    departure?: Departure,
  ): Promise<T> {
    const operation = new Operation(this.settings.timeout, departure)
    return observe(name, operation, () => work(operation))
  }
}
