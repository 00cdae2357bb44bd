import {
  ACCOUNT_TOKEN_HEADER,
  PasswordlessOtpStrategy,
  type AccountToken,
  type PasswordlessOtpStrategyOptions,
} from 'passport-elasticpath-otp'
import type { StoreConfig } from './config'
import type { Storage } from './storage/storage'

export function createStrategy(
  store: PasswordlessOtpStrategyOptions,
  storage: Pick<Storage, 'guesses' | 'codeRequests'>,
): PasswordlessOtpStrategy {
  return new PasswordlessOtpStrategy({
    ...store,
    // A member of several companies chooses one after the sign-in.
    selectAccount: 'sole',
    limiter: storage.guesses,
    requestLimiter: storage.codeRequests,
  })
}

/** What the account page shows. */
interface AccountDetails {
  name: string
  legalName: string
  registrationId?: string
}

export type AccountReader = (account: AccountToken) => Promise<AccountDetails>

/** Why an account could not be read. Error pages use the status, `accountRoutes` uses the code. */
class CommerceError extends Error {
  readonly status: number

  constructor(
    readonly code: 'unavailable' | 'account_token_refused',
    options?: ErrorOptions,
  ) {
    super('The account could not be read', options)
    this.status = code === 'unavailable' ? 502 : 401
  }
}

/** Calls Elastic Path for a shopper: with the shop's access token, and the account token in its header. */
export function createAccountReader({
  baseUrl,
  clientId,
  clientSecret,
}: Pick<StoreConfig, 'baseUrl' | 'clientId'> & { clientSecret?: string | undefined }): AccountReader {
  let bearer: { token: string; expires: number } | undefined

  async function call(path: string, init: RequestInit): Promise<Record<string, unknown> | 'refused'> {
    try {
      const options: RequestInit = { ...init, redirect: 'error', signal: AbortSignal.timeout(5_000) }
      const response = await fetch(new URL(path, baseUrl), options)
      if (response.status === 401) return 'refused'
      if (!response.ok) throw new Error(`Elastic Path returned ${response.status} for ${path}`)
      return (await response.json()) as Record<string, unknown>
    } catch (cause) {
      throw new CommerceError('unavailable', { cause })
    }
  }

  async function accessToken(): Promise<string> {
    if (bearer && bearer.expires > Date.now() + 60_000) return bearer.token
    const body = new URLSearchParams({
      client_id: clientId,
      ...(clientSecret === undefined
        ? { grant_type: 'implicit' }
        : { grant_type: 'client_credentials', client_secret: clientSecret }),
    })
    const answer = await call('/oauth/access_token', { method: 'POST', body })
    if (answer === 'refused') throw new CommerceError('unavailable')
    bearer = { token: String(answer['access_token']), expires: Number(answer['expires']) * 1000 }
    return bearer.token
  }

  return async ({ id, name, token }) => {
    const read = async () => {
      const headers = { authorization: `Bearer ${await accessToken()}`, [ACCOUNT_TOKEN_HEADER]: token }
      return call(`/v2/accounts/${encodeURIComponent(id)}`, { headers })
    }
    let answer = await read()
    if (answer === 'refused') {
      // Either of the two tokens was refused. A new access token shows which.
      bearer = undefined
      answer = await read()
    }
    if (answer === 'refused') throw new CommerceError('account_token_refused')
    const account = (answer['data'] ?? {}) as Record<string, unknown>
    const text = (field: string) => (typeof account[field] === 'string' ? account[field] : undefined)
    const registrationId = text('registration_id')
    return {
      name: text('name') ?? name,
      legalName: text('legal_name') ?? name,
      ...(registrationId && { registrationId }),
    }
  }
}
