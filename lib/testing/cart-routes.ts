import { cartResource, itemResource } from './cart-resources'
import type { Cart } from './carts'
import { dataOf, field, isObject, jsonOf } from './fields'
import { holderOf } from './held-token'
import type { Answer, ApiRequest } from './messages'
import { paged } from './paging'
import type { Store } from './store'

const CARTS_PER_PAGE = 100

/**
 * `GET /v2/carts`: lists the carts of the account, or all carts if the grant is `client_credentials`. `filter` and
 * `sort` are ignored.
 */
export function carts(store: Store, request: ApiRequest): Answer {
  const held = holderOf(store, request)
  if (held.refusal) return held.refusal
  if (!held.holder && request.grant !== 'client_credentials') return store.refusal(403)
  const listed = held.holder ? store.carts.ofAccount(held.holder.account.id) : store.carts.all
  const resource = (cart: Cart) => cartResource(store, request.origin, cart, true)
  return paged(store, request, listed, resource, CARTS_PER_PAGE)
}

/** `POST /v2/carts`. With an account token, the cart is associated with the account. */
export function createCart(store: Store, request: ApiRequest): Answer {
  const held = holderOf(store, request)
  if (held.refusal) return held.refusal
  const read = dataOf(store, request.body)
  if (read.refusal) return read.refusal
  const accounts = held.holder ? [held.holder.account.id] : []
  const refusal = refusalOf(store, accounts, read.data)
  if (refusal) return refusal
  const cart = { ...store.carts.create(), accounts }
  return answerWith(store, request, change(store, cart, read.data), 201)
}

/** `GET /v2/carts/:id`, with any token. If no cart has the id, an empty one is created. */
export function cart(store: Store, request: ApiRequest): Answer {
  return answerWith(store, request, cartOf(store, request))
}

/** `PUT /v2/carts/:id`, with any token. */
export function updateCart(store: Store, request: ApiRequest): Answer {
  const read = dataOf(store, request.body)
  if (read.refusal) return read.refusal
  const found = cartOf(store, request)
  const refusal = refusalOf(store, found.accounts, read.data)
  return refusal ?? answerWith(store, request, change(store, found, read.data))
}

/** `DELETE /v2/carts/:id`, with any token. */
export function deleteCart(store: Store, request: ApiRequest): Answer {
  const { id, accounts } = cartOf(store, request)
  if (accounts.some((account) => store.carts.ofAccount(account).length === 1)) {
    const detail =
      'This is the last cart associated with a customer and it cannot be deleted, try disassociating instead'
    return store.refusal(400, detail, 'Last cart')
  }
  store.carts.delete(id)
  return { status: 204 }
}

/** `POST /v2/carts/:id/relationships/accounts`: associates the cart with an account. */
export function associateAccounts(store: Store, request: ApiRequest): Answer {
  const read = accountsOf(store, request)
  if (read.refusal) return read.refusal
  const found = cartOf(store, request)
  if (found.contactEmail !== undefined) {
    const detail = 'Unable to associate accounts to carts with contact emails attached.'
    return store.refusal(400, detail, 'Cannot associate accounts to carts with contact emails')
  }
  const accounts = [...new Set([...found.accounts, ...read.ids])]
  if (accounts.length === found.accounts.length) return { status: 204 }
  if (accounts.length > MOST_ACCOUNTS) return store.refusal(400, 'too many accounts')
  store.carts.associate(found, accounts)
  return { status: 200, body: { data: accounts.map((id) => ({ type: 'account', id })) } }
}

/** `DELETE /v2/carts/:id/relationships/accounts`: removes the association with an account. */
export function disassociateAccounts(store: Store, request: ApiRequest): Answer {
  const read = accountsOf(store, request)
  if (read.refusal) return read.refusal
  const found = cartOf(store, request)
  const accounts = found.accounts.filter((id) => !read.ids.includes(id))
  store.carts.associate(found, accounts)
  return { status: 204 }
}

/** Returns the cart in the path. As in Elastic Path, any request for a cart creates it if it does not exist. */
export function cartOf(store: Store, { params }: ApiRequest): Cart {
  return store.carts.open(params['id'] ?? '')
}

const MOST_ACCOUNTS = 1000

/** The accounts in a body: only the account token's own, or any account if the grant is `client_credentials`. */
function accountsOf(
  store: Store,
  request: ApiRequest,
): { refusal?: never; ids: string[] } | { refusal: Answer } {
  const held = holderOf(store, request)
  if (held.refusal) return held
  const { holder } = held
  if (!holder && request.grant !== 'client_credentials') return { refusal: store.refusal(403) }
  const read = jsonOf(store, request.body)
  if (read.refusal) return read
  const { data } = read.json
  const accountId = (one: unknown) =>
    isObject(one) && one['type'] === 'account' ? field(one, 'id') : undefined
  const ids = Array.isArray(data) ? data.map(accountId) : []
  const known = ids.filter((id) => id !== undefined)
  if (known.length === 0 || known.length < ids.length) {
    return { refusal: store.refusal(400, 'data must be a list of accounts') }
  }
  const isForeign = holder && known.some((id) => id !== holder.account.id)
  return isForeign ? { refusal: store.refusal(403) } : { ids: known }
}

function refusalOf(
  store: Store,
  accounts: readonly string[],
  data: Record<string, unknown>,
): Answer | undefined {
  const { name, description, contact } = data
  if (name !== undefined && field(data, 'name') === undefined)
    return store.refusal(400, 'name must not be empty')
  if (description !== undefined && typeof description !== 'string')
    return store.refusal(400, 'description must be text')
  const email = field(contact, 'email')
  if (email !== undefined && !/^[^@\s]+@[^@\s]+$/.test(email))
    return store.refusal(400, 'contact.email must be an email address')
  return email !== undefined && accounts.length > 0
    ? store.refusal(400, 'Carts with accounts cannot have contact emails.')
    : undefined
}

function change(store: Store, cart: Cart, data: Record<string, unknown>): Cart {
  const { description, contact, custom_attributes: attributes } = data
  return store.carts.save({
    ...cart,
    name: field(data, 'name') ?? cart.name,
    description: typeof description === 'string' ? description : cart.description,
    contactEmail: contact === undefined ? cart.contactEmail : field(contact, 'email'),
    customAttributes: isObject(attributes) ? attributes : cart.customAttributes,
  })
}

/** Whether the query asks for items: `include=items`, or a list that contains `items`. */
export function includesItems(query: URLSearchParams): boolean {
  return query.get('include')?.split(',').includes('items') ?? false
}

function answerWith(store: Store, { origin, query }: ApiRequest, cart: Cart, status = 200): Answer {
  const data = cartResource(store, origin, cart)
  if (!includesItems(query)) return { status, body: { data } }
  const items = cart.items.map((item) => itemResource(store, origin, item))
  return { status, body: { data, included: { items } } }
}
