import { holderOf } from './held-token'
import type { Account } from './members'
import type { Answer, ApiRequest } from './messages'
import { listing, pageOf } from './paging'
import type { Store } from './store'

/** `GET /v2/accounts`: lists the accounts of the member that the account token belongs to. */
export function accounts(store: Store, request: ApiRequest): Answer {
  const held = holderOf(store, request)
  if (held.refusal) return held.refusal
  if (!held.holder) return store.refusal(403)
  const page = pageOf(store, request.query)
  if (page.refusal) return page.refusal
  const list = held.holder.member.accounts
  const resources = list.page(page.offset, page.limit).map((account) => resource(store, request, account))
  return { status: 200, body: listing(request, page, resources, list.total) }
}

/** `GET /v2/accounts/:id`. Returns 404 for an account that the member does not belong to. */
export function account(store: Store, request: ApiRequest): Answer {
  const held = holderOf(store, request)
  if (held.refusal) return held.refusal
  if (!held.holder) return store.refusal(403)
  const found = held.holder.member.accounts.find(request.params['id'] ?? '')
  return found ? { status: 200, body: { data: resource(store, request, found) } } : store.refusal(404)
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
