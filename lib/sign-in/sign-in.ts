import type { Request } from 'express'
import type { Attempt, Attempts } from '../codes/attempts'
import { readTicket, spendTicket } from '../codes/tickets'
import { renewTokens, summarize } from '../commerce/account-tokens'
import type { Commerce } from '../commerce/commerce'
import type { TokenPage } from '../commerce/token-page'
import type { Context } from '../context'
import { ElasticPathError, type Failure } from '../errors'
import type { Settings } from '../options'
import { toHeldToken } from '../token'
import type { PasswordlessOtpUser, SignInInfo } from '../user'
import { chooseAccount, chooseNone, firstPageWindow, type AccountChoice } from './account-choice'
import { readCredentials, type Credentials } from './credentials'
import type { Exchanged, Exchanges } from './exchanges'
import { askVerify, type AnyVerify } from './verify'

/** What sign-ins work with. */
export interface SignInServices {
  readonly settings: Settings
  readonly commerce: Commerce
  readonly attempts: Attempts
  readonly exchanges: Exchanges
  readonly verify: AnyVerify | undefined
}

/** How a sign-in ended: with a user, a refusal by verify, or a failure that the shopper can correct. */
export type SignIn =
  { user: unknown; info: object | string } | { refusal: object | string | undefined } | Failure

/**
 * One sign-in, from the request to the user: credentials, limit, exchange, account, verify. A failure that the shopper can
 * correct is returned; everything else is thrown. The attempt is counted before Elastic Path is asked.
 */
export async function signIn(services: SignInServices, req: Request, context: Context): Promise<SignIn> {
  const { settings, commerce, verify } = services
  const credentials = readCredentials(req.body, settings)
  if (!credentials) return { failure: 'missing_credentials' }
  const { username, accountId } = credentials
  const first = await redeem(services, req, credentials, context)
  if ('failure' in first) return first

  // The code is used up. Any of the account tokens can read further pages (docs/elastic-path-facts.md#13).
  const { accountMemberId } = first
  const [held] = first.tokens
  const choice: AccountChoice = held
    ? await chooseAccount(settings, { req, accountId, context }, first, (window) =>
        renewTokens(commerce.client, context, held, accountMemberId, window),
      )
    : chooseNone(settings, accountId)
  if ('failure' in choice) return choice

  const user: PasswordlessOtpUser = {
    accountMemberId,
    username,
    strategy: settings.name,
    account: choice.account ?? null,
  }
  if (!choice.account && held) user.selectionToken = toHeldToken(held)
  const info: SignInInfo = { accounts: first.tokens.map(summarize), totalAccounts: first.total }
  if (!verify) return { user, info }
  const verdict = await askVerify(verify, settings, req, user, context)
  return verdict.user ? { user: verdict.user, info: verdict.info ?? info } : { refusal: verdict.info }
}

async function redeem(
  services: SignInServices,
  req: Request,
  credentials: Credentials,
  context: Context,
): Promise<TokenPage | Failure> {
  const { settings, attempts, exchanges } = services
  const { username, accountId, proof } = credentials
  const session: unknown = (req as { session?: unknown }).session
  const window = firstPageWindow(settings, accountId)
  // The second submission of a form costs no exchange, so it takes no attempt if the first one is being exchanged.
  const submitted = exchanges.find(req, credentials, window)
  let exchanged: Exchanged
  if (submitted) exchanged = await context.upstream(submitted)
  else {
    const attempt = await attempts.take(username, { ticket: readTicket(session, username), proof }, context)
    if ('retryAfter' in attempt) return { failure: 'too_many_attempts', retryAfter: attempt.retryAfter }
    try {
      exchanged = await exchanges.exchange(req, credentials, window, attempt.privileged, context)
    } catch (error) {
      await refundUnchecked(attempt, error, context)
      throw error
    }
    if (exchanged !== 'refused') await attempt.accept(context)
  }
  if (exchanged === 'refused') return { failure: 'invalid_credentials' }
  spendTicket(session)
  if (context.ended) throw context.ended
  return exchanged
}

/** Refunds an attempt if its error says nothing about the code. */
async function refundUnchecked(attempt: Attempt, error: unknown, context: Context): Promise<void> {
  // An outage or a misconfiguration says nothing about the code. A request that the client aborted could be a guess.
  if (!(error instanceof ElasticPathError) || error.code === 'request_aborted') return
  await attempt.refund(context)
  if (context.ended) throw context.ended
}
