import type { Request } from 'express'
import { firstWindow, selectAccount, selectNone } from './account-selection'
import type { CodeRequests } from './code-requests'
import { exchangeCode, renewTokens, summarize, type TokenPage } from './commerce/account-tokens'
import type { Commerce } from './commerce/commerce'
import type { Operation } from './commerce/operation'
import { readCredentials } from './credentials'
import { ElasticPathError } from './errors'
import type { Failure } from './failures'
import { giveBackTries, giveBackTry, limiterKey, takeTry } from './limits'
import type { Settings } from './options'
import type { PasswordlessOtpUser, SignInInfo } from './user'

/** A sign-in that Elastic Path agreed to. */
export interface SignedIn {
  user: PasswordlessOtpUser
  info: SignInInfo
}

/**
 * One sign-in, from the request to the user. What the shopper can put right is a Failure; all else is thrown.
 * The order matters: a try is taken before Elastic Path is asked, and the code is exchanged once.
 */
export async function signIn(
  settings: Settings,
  commerce: Commerce,
  codeRequests: CodeRequests,
  req: Request,
  operation: Operation,
): Promise<SignedIn | Failure> {
  const credentials = readCredentials(req.body, settings)
  if (!credentials) return { failure: 'missing_credentials' }
  const { username, otp, accountId } = credentials
  const { limiter } = settings
  const key = limiter ? limiterKey('sign-in', username) : ''
  const retryAfter = limiter && (await takeTry(limiter, key, operation))
  if (retryAfter !== undefined) return { failure: 'too_many_attempts', retryAfter }

  const { client } = commerce
  let first: TokenPage | 'refused'
  try {
    const passwordProfileId = await commerce.settings.passwordProfileId(operation)
    const window = firstWindow(settings, accountId)
    first = await exchangeCode(client, operation, { passwordProfileId, username, otp }, window)
  } catch (error) {
    if (isNobodysGuess(error)) {
      codeRequests.codeSpent(username)
      if (limiter) await giveBackTry(limiter, key, operation)
    }
    throw error
  }
  if (first === 'refused') return { failure: 'invalid_credentials' }
  if (limiter) await giveBackTries(limiter, key, operation)
  await codeRequests.codeAccepted(username, operation)

  // The code is spent. What else is needed, any of the tokens it brought will fetch (fact 13).
  const { accountMemberId } = first
  const [held] = first.tokens
  const selection = held
    ? await selectAccount(settings, { req, accountId, operation }, first, (window) =>
        renewTokens(client, operation, held, accountMemberId, window),
      )
    : selectNone(settings, accountId)
  if ('failure' in selection) return selection

  const { account } = selection
  const choosing = !account && held ? { selectionToken: { token: held.token, expires: held.expires } } : {}
  return {
    user: { accountMemberId, username, account: account ?? null, ...choosing },
    info: { accounts: first.tokens.map(summarize), totalAccounts: first.total },
  }
}

/** An outage or a wrong setup, which told nobody whether the code is right. Who left early may have come to guess. */
function isNobodysGuess(error: unknown): boolean {
  return error instanceof ElasticPathError && error.code !== 'request_aborted'
}
