import type { Context } from '../context'
import { ElasticPathError } from '../errors'
import type { AccessToken } from './access-token'
import { ClockSkew } from './clock-skew'
import { exchange, isSuccess, misconfigured, nameOf, parse, refusalOf, type Parse } from './exchange'
import type { Refusal } from './refusal'
import type { Transport } from './transport'

export interface Call<T> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  headers?: Record<string, string>
  body?: unknown
  /** Whether Elastic Path may receive it twice without harm. */
  repeatable: boolean
  /** Whether it carries a code or an account token, so that a 401 may be about these and not the access token. */
  carriesCredentials?: true
  /** Statuses that are a refusal with any body, because even a proxy's page may depend on the input. */
  anyWords?: readonly number[]
  parse: Parse<T>
}

/** Calls Elastic Path with the app's access token. */
export class CommerceClient {
  /** Called when a response says that the realm or the password profile may no longer exist. */
  onStoreGone: () => void = () => undefined
  readonly clockSkew = new ClockSkew()

  constructor(
    private readonly transport: Transport,
    private readonly accessToken: AccessToken,
  ) {}

  /** Makes a call. Returns its result, or Elastic Path's refusal. Everything else is an ElasticPathError. */
  async call<T>(
    context: Context,
    call: Call<T>,
  ): Promise<{ result: T } | { refusal: Refusal; sentBefore: boolean }> {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body)
    let renewed = false
    let sentBefore = false
    for (;;) {
      const token = this.accessToken.get(context)
      // Almost always, it is a text. An `await` of a text costs as much as one of a promise.
      const bearer = typeof token === 'string' ? token : await token
      const headers: Record<string, string> = {
        accept: 'application/json',
        authorization: `Bearer ${bearer}`,
        ...call.headers,
      }
      if (body !== undefined) headers['content-type'] = 'application/json'
      const sent = await exchange(this.transport, context, {
        method: call.method,
        path: call.path,
        headers,
        body,
        repeat: call.repeatable ? 'always' : 'if stale',
      })
      const { answer } = sent
      sentBefore ||= sent.sentBefore
      if (isSuccess(answer.status)) return { result: parse(answer, call) }
      const refusal = refusalOf(answer, call, [headers, call.body])
      const ofAccessToken =
        refusal.ofAccessToken || (refusal.status === 401 && !call.carriesCredentials && !refusal.ofRealm)
      if (!ofAccessToken) return { refusal, sentBefore }
      if (renewed) {
        throw new ElasticPathError(
          'access_token_refused',
          'Elastic Path refuses an access token that it has just issued. ' +
            'Check that clientId belongs to the store behind baseUrl, and to its region.',
          { upstreamStatus: answer.status },
        )
      }
      renewed = true
      this.accessToken.forget(bearer)
    }
  }

  /** Makes a call. If it is refused, the setup of the app or of the store is wrong. */
  async require<T>(context: Context, call: Call<T>, advice: string): Promise<T> {
    const outcome = await this.call(context, call)
    if ('result' in outcome) return outcome.result
    throw misconfigured(outcome.refusal, nameOf(call), advice)
  }
}
