import type { Answer, ApiRequest } from './messages'
import type { Holder, Store } from './store'

/** The account token of a request. */
export function accountTokenOf({ headers }: ApiRequest): string | undefined {
  const token = headers['ep-account-management-authentication-token']
  return typeof token === 'string' && token !== '' ? token : undefined
}

/** Whose account token a request has: nobody's without one, and a refusal if it is invalid. */
export function holderOf(
  store: Store,
  request: ApiRequest,
): { refusal?: never; holder: Holder | undefined } | { refusal: Answer } {
  const token = accountTokenOf(request)
  const holder = store.holder(token)
  return token === undefined || holder ? { holder } : { refusal: store.refusal(401) }
}
