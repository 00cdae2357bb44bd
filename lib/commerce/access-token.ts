import type { Context } from '../context'
import { ElasticPathError } from '../errors'
import { asObject, at } from '../json'
import type { Settings } from '../options'
import { isToken } from '../token'
import { exchange, isSuccess, nameOf, parse, refusalOf } from './exchange'
import { Shared, type Found } from './shared'
import type { Transport } from './transport'

const CALL = { method: 'POST', path: '/oauth/access_token', parse: parseAccessToken } as const
// The token is renewed a minute before it expires, or after 90 % of a short lifetime, so that it does not expire during
// a sign-in.
const MARGIN = 60_000
const MARGIN_SHARE = 0.1
const REFUSAL_INTERVAL = 10_000

/** The app's access token. Concurrent callers share one fetch, and it is renewed before it expires. */
export class AccessToken {
  private readonly shared: Shared<string>
  private readonly form: string
  private lastRefusal = -Infinity

  constructor(
    private readonly transport: Transport,
    { clientId, clientSecret }: Pick<Settings, 'clientId' | 'clientSecret'>,
  ) {
    this.form = new URLSearchParams(
      clientSecret === undefined
        ? { grant_type: 'implicit', client_id: clientId }
        : { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret },
    ).toString()
    this.shared = new Shared((context) => this.fetch(context))
  }

  get(context: Context): string | Promise<string> {
    return this.shared.get(context)
  }

  /** Elastic Path refused this token: the next `get` fetches a new one. */
  forget(token: string): void {
    this.shared.forget(token)
  }

  /** Like `forget`, but at most once in ten seconds, so that calls that are always refused do not flood the store. */
  refuse(token: string): void {
    if (performance.now() - this.lastRefusal < REFUSAL_INTERVAL) return
    // If another call has replaced the token already, nothing is forgotten.
    if (this.shared.forget(token)) this.lastRefusal = performance.now()
  }

  private async fetch(context: Context): Promise<Found<string>> {
    const { answer } = await exchange(this.transport, context, {
      method: CALL.method,
      path: CALL.path,
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
      body: this.form,
      repeat: 'always',
    })
    if (isSuccess(answer.status)) return parse(answer, CALL)
    const { status } = refusalOf(answer, CALL, this.form)
    throw new ElasticPathError(
      'client_refused',
      `Elastic Path refused the client with ${status} to ${nameOf(CALL)}. ` +
        (status === 404
          ? 'Check baseUrl: nothing at this address issues access tokens.'
          : 'Check clientId and clientSecret, and that baseUrl is the region of the store that they belong to.'),
      { upstreamStatus: status },
    )
  }
}

// The OpenAPI description has the token in `data`, but the service does not (docs/elastic-path-facts.md#2).
function parseAccessToken(json: unknown, _text: string, now: () => number): Found<string> | undefined {
  const body = asObject(at(json, 'data')) ?? json
  const token = at(body, 'access_token')
  const lifetime = readLifetime(at(body, 'expires_in'), at(body, 'expires'), now)
  if (!isToken(token) || lifetime === undefined) return undefined
  return { value: token, lifetime: lifetime - Math.min(MARGIN, lifetime * MARGIN_SHARE) }
}

/** The lifetime in milliseconds. `expires_in` is preferred to `expires`, because the clocks may differ. */
function readLifetime(expiresIn: unknown, expires: unknown, now: () => number): number | undefined {
  if (expiresIn !== undefined) return isSeconds(expiresIn) ? expiresIn * 1000 : undefined
  return isSeconds(expires) ? Math.max(0, expires * 1000 - now()) : undefined
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
