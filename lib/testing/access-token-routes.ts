import { field } from './fields'
import type { Answer, ApiRequest } from './messages'
import type { Store } from './store'

/** `POST /oauth/access_token`, form-encoded. */
export function accessToken(store: Store, { body }: ApiRequest): Answer {
  // A body that is not form-encoded counts as an empty form, so Elastic Path's 400 follows.
  const form = body.kind === 'form' ? body.value : {}
  const grant = field(form, 'grant_type')
  if (grant !== 'implicit' && grant !== 'client_credentials') return store.refusal(400)
  const isKnown =
    field(form, 'client_id') === store.clientId &&
    (grant === 'implicit' || field(form, 'client_secret') === store.clientSecret)
  if (!isKnown) return store.refusal(401)
  const { accessTokenLifetime, wrapAccessToken } = store.settings
  const expires = store.now() + Math.round(accessTokenLifetime * 1000)
  const token = {
    access_token: store.accessTokens.make(expires, grant),
    token_type: 'Bearer',
    identifier: grant,
    expires_in: accessTokenLifetime,
    expires: Math.floor(expires / 1000),
  }
  return { status: 200, body: wrapAccessToken ? { data: token } : token }
}
