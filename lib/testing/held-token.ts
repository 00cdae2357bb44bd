import type { Answer, ApiRequest } from './messages'
import type { Holder, Store } from './store'

/** Returns the account token of a request. Undefined if there is none. */
export function accountTokenOf({ headers }: ApiRequest): string | undefined {
  const token = headers['ep-account-management-authentication-token']
  return typeof token === 'string' && token !== '' ? token : undefined
}

/**
 * Returns the member and account that a request's account token is for. The holder is undefined if there is no account
 * token. Returns an error response if the token is invalid.
 */
export function holderOf(
  store: Store,
  request: ApiRequest,
): { refusal?: never; holder: Holder | undefined } | { refusal: Answer } {
  const token = accountTokenOf(request)
  const holder = store.holder(token)
  return token === undefined || holder ? { holder } : { refusal: store.refusal(401) }
}
