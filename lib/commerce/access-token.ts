import { ElasticPathError } from '../errors'
import { isToken } from '../user'
import { exchange, isSuccess, parse, refusalOf } from './client'
import { asObject, at } from './json'
import type { Operation } from './operation'
import { Shared } from './shared'
import type { Transport } from './transport'

export interface ClientCredentials {
  clientId: string
  clientSecret: string | undefined
}

const CALL = { method: 'POST', path: '/oauth/access_token', parse: parseAccessToken } as const
// Renewed this long before its end, so that a sign-in under way does not outlive it; a short-lived one earlier.
const MARGIN = 60_000
const MARGIN_SHARE = 0.1

/** The store's access token: one for all, fetched once for all who wait, renewed before it ends. */
export class AccessToken {
  private readonly shared: Shared<string>
  private readonly form: string

  constructor(
    private readonly transport: Transport,
    { clientId, clientSecret }: ClientCredentials,
  ) {
    this.form = new URLSearchParams(
      clientSecret === undefined
        ? { grant_type: 'implicit', client_id: clientId }
        : { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret },
    ).toString()
    this.shared = new Shared((operation) => this.fetch(operation))
  }

  get(operation: Operation): Promise<string> {
    return this.shared.get(operation)
  }

  /** Elastic Path refused it: whoever needs one next fetches a new one. */
  forget(token: string): void {
    this.shared.forget(token)
  }

  private async fetch(operation: Operation): Promise<{ value: string; until: number }> {
    const answer = await exchange(this.transport, operation, {
      method: CALL.method,
      path: CALL.path,
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: this.form,
      repeatable: true,
    })
    if (isSuccess(answer.status)) return parse(answer, CALL)
    const refusal = refusalOf(answer, CALL, this.form)
    throw new ElasticPathError(
      'client_refused',
      `Elastic Path answered ${refusal.status} to ${CALL.method} ${CALL.path}: it does not know this client. ` +
        'Check clientId and clientSecret, and that baseUrl is the region of their store.',
      { upstreamStatus: refusal.status },
    )
  }
}

/** Fact 2: the API description wraps in `data` what the service sends bare. */
function parseAccessToken(json: unknown): { value: string; until: number } | undefined {
  const body = asObject(at(json, 'data')) ?? json
  const token = at(body, 'access_token')
  const lifetime = readLifetime(at(body, 'expires_in'), at(body, 'expires'))
  if (!isToken(token) || lifetime === undefined) return undefined
  return { value: token, until: Date.now() + lifetime - Math.min(MARGIN, lifetime * MARGIN_SHARE) }
}

/** Milliseconds. Our clock and Elastic Path's may differ, so that a length says more than a moment. */
function readLifetime(expiresIn: unknown, expires: unknown): number | undefined {
  if (expiresIn !== undefined) return isSeconds(expiresIn) ? expiresIn * 1000 : undefined
  return isSeconds(expires) ? expires * 1000 - Date.now() : undefined
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
