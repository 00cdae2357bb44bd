import { add, additionsOf, remove, setQuantity, type Change, type ItemError } from './cart-items'
import { itemsBody } from './cart-resources'
import { cartOf } from './cart-routes'
import type { Cart } from './carts'
import { dataOf, field, isObject, jsonOf } from './fields'
import type { Answer, ApiRequest } from './messages'
import type { Store } from './store'

// As in Elastic Path, any access token can read and write any cart. The cart's id is the only protection.

/** `GET /v2/carts/:id/items`. */
export function cartItems(store: Store, request: ApiRequest): Answer {
  return { status: 200, body: itemsBody(store, request.origin, cartOf(store, request)) }
}

/**
 * `POST /v2/carts/:id/items`: adds one entry or a list of entries. An entry of the type `cart_items` or `order_items`
 * adds all items of another cart or of an order. Sending it twice adds them twice.
 */
export function addCartItems(store: Store, request: ApiRequest): Answer {
  const read = jsonOf(store, request.body)
  if (read.refusal) return read.refusal
  const { data, options } = read.json
  const entries: unknown[] = Array.isArray(data) ? data : [data]
  const type = field(data, 'type')
  const isBulk = Array.isArray(data) || type === 'cart_items' || type === 'order_items'
  const allOrNothing = isObject(options) && options['add_all_or_nothing'] === true
  const steps = entries.flatMap((entry) => additionsOf(store, entry))
  const changes = steps.map((step) => (cart: Cart) => add(store, cart, step))
  return apply(store, request, changes, 201, allOrNothing || !isBulk)
}

/** `PUT /v2/carts/:id/items`: sets the quantities of several items. */
export function updateCartItems(store: Store, request: ApiRequest): Answer {
  const read = jsonOf(store, request.body)
  if (read.refusal) return read.refusal
  const { data, options } = read.json
  if (!Array.isArray(data)) return store.refusal(400, 'data must be a list of items')
  const allOrNothing = !isObject(options) || options['update_all_or_nothing'] !== false
  const changes = (data as unknown[]).map(
    (entry) => (cart: Cart) =>
      setQuantity(store, cart, field(entry, 'id') ?? '', isObject(entry) ? entry['quantity'] : undefined),
  )
  return apply(store, request, changes, 200, allOrNothing)
}

/** `DELETE /v2/carts/:id/items`: removes all items. */
export function deleteCartItems(store: Store, request: ApiRequest): Answer {
  store.carts.save({ ...cartOf(store, request), items: [] })
  return { status: 204 }
}

/** `PUT /v2/carts/:id/items/:item`: sets the quantity. */
export function updateCartItem(store: Store, request: ApiRequest): Answer {
  const read = dataOf(store, request.body)
  if (read.refusal) return read.refusal
  const { item = '' } = request.params
  const change = (cart: Cart) => setQuantity(store, cart, item, read.data['quantity'])
  return apply(store, request, [change], 200, true)
}

/** `DELETE /v2/carts/:id/items/:item`. */
export function deleteCartItem(store: Store, request: ApiRequest): Answer {
  const { item = '' } = request.params
  return apply(store, request, [(cart) => remove(cart, item)], 200, true)
}

/** Applies changes in order. A refused change is reported; with `allOrNothing` it prevents all other changes, too. */
function apply(
  store: Store,
  request: ApiRequest,
  changes: readonly ((cart: Cart) => Change)[],
  status: number,
  allOrNothing: boolean,
): Answer {
  let cart = cartOf(store, request)
  const errors: ItemError[] = []
  for (const make of changes) {
    const change = make(cart)
    if (change.error) errors.push(change.error)
    else cart = { ...cart, items: change.items }
  }
  const [first] = errors
  if (first && allOrNothing) return { status: first.status, body: { errors: errors.map(inDialect(store)) } }
  if (errors.length < changes.length) cart = store.carts.save(cart)
  return { status, body: itemsBody(store, request.origin, cart, errors.map(inDialect(store))) }
}

function inDialect(store: Store) {
  const asNumber = store.settings.errorStatusType === 'number'
  return ({ status, ...error }: ItemError) => ({ ...error, status: asNumber ? status : String(status) })
}
