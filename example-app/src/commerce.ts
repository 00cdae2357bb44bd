import {
  ACCOUNT_TOKEN_HEADER,
  PasswordlessOtpStrategy,
  type AccountToken,
  type PasswordlessOtpStrategyOptions,
} from 'passport-elasticpath-otp'
import type { StoreConfig } from './config'
import type { Storage } from './storage'

export function createStrategy(
  store: PasswordlessOtpStrategyOptions,
  storage: Storage,
): PasswordlessOtpStrategy {
  return new PasswordlessOtpStrategy({
    ...store,
    // Who belongs to several companies chooses after the sign-in.
    selectAccount: 'sole',
    limiter: storage.guesses,
    requestLimiter: storage.codeRequests,
    messages: {
      missing_credentials: 'Please type the code from the e-mail.',
      invalid_credentials:
        'That code did not work. It may be mistyped, used before, or too old. Compare it with the newest e-mail, or ask for a new one.',
    },
  })
}

/** What the account page shows. */
interface AccountDetails {
  name: string
  legalName: string
  registrationId?: string
}

export type AccountReader = (account: AccountToken) => Promise<AccountDetails>

/** Why an account could not be read; error pages go by the status, `accountRoutes` by the code. */
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

/** Any call to Commerce for a shopper looks like this one: the shop's bearer, and the account's token in its header. */
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
      if (!response.ok) throw new Error(`Commerce answered ${response.status} to ${path}`)
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
      // The bearer, or the account token: a new bearer tells.
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
