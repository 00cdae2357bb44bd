import { field } from './fields'
import type { ApiRequest } from './routes'
import type { Answer, Store } from './store'

/** Facts 2 and 3. */
export function accessToken(store: Store, { body }: ApiRequest): Answer {
  // A body of another kind than a form has no fields.
  const form = body.kind === 'form' ? body.value : {}
  const grant = field(form, 'grant_type')
  if (grant !== 'implicit' && grant !== 'client_credentials') return store.refusal(400)
  const isKnown =
    field(form, 'client_id') === store.clientId &&
    (grant === 'implicit' || field(form, 'client_secret') === store.clientSecret)
  if (!isKnown) return store.refusal(401)
  const expires = store.now() + store.accessTokenLifetime
  const token = {
    access_token: store.accessTokens.make(expires),
    token_type: 'Bearer',
    identifier: grant,
    expires_in: store.accessTokenLifetime / 1000,
    expires: Math.floor(expires / 1000),
  }
  return { status: 200, body: store.dialect.wrapAccessToken ? { data: token } : token }
}
