import type { Account } from './members'
import { listing, PAGE_REFUSAL, pageOf } from './paging'
import type { ApiRequest } from './routes'
import type { Answer, Store } from './store'

/** The held account token of a request (fact 6). */
export function accountTokenOf({ headers }: ApiRequest): string | undefined {
  const token = headers['ep-account-management-authentication-token']
  return typeof token === 'string' && token !== '' ? token : undefined
}

/** `GET /v2/accounts`: those of the member whose token is held. */
export function accounts(store: Store, request: ApiRequest): Answer {
  const held = holderOf(store, request)
  if ('refusal' in held) return held.refusal
  const page = pageOf(request.query)
  if (!page) return store.refusal(400, PAGE_REFUSAL)
  const list = held.member.accounts
  const resources = list.page(page.offset, page.limit).map((account) => resource(store, request, account))
  return { status: 200, body: listing(request, page, resources, list.total) }
}

/** `GET /v2/accounts/:id`, which is how an app finds out whether an account token is taken. */
export function account(store: Store, request: ApiRequest, id: string): Answer {
  const held = holderOf(store, request)
  if ('refusal' in held) return held.refusal
  const found = held.member.accounts.find(id)
  return found ? { status: 200, body: { data: resource(store, request, found) } } : store.refusal(403)
}

function holderOf(store: Store, request: ApiRequest) {
  const token = accountTokenOf(request)
  const member = store.holder(token)
  return member ? { member } : { refusal: store.refusal(token === undefined ? 403 : 401) }
}

function resource(store: Store, { origin }: ApiRequest, { id, name }: Account) {
  return {
    id,
    type: 'account',
    name,
    legal_name: name,
    registration_id: null,
    external_ref: '',
    parent_id: null,
    meta: { timestamps: { created_at: store.startedAt, updated_at: store.startedAt } },
    links: { self: `${origin}/v2/accounts/${id}` },
  }
}
