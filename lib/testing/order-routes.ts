import { randomUUID } from 'node:crypto'
import { shortage } from './cart-items'
import { itemPrices, totals } from './cart-resources'
import { cartOf, includesItems } from './cart-routes'
import type { Cart, CartItem } from './carts'
import { dataOf, field, isObject } from './fields'
import { holderOf } from './held-token'
import type { Answer, ApiRequest } from './messages'
import { totalOf, type Order } from './orders'
import { paged } from './paging'
import type { Holder, Store } from './store'

/**
 * `POST /v2/carts/:id/checkout`: creates an order from a cart's items. The order belongs to the account of the account
 * token. If the grant is `client_credentials`, it belongs to the account in the body. Otherwise, it is a guest's order.
 * The cart does not change.
 */
export function checkout(store: Store, request: ApiRequest): Answer {
  const held = holderOf(store, request)
  if (held.refusal) return held.refusal
  const read = dataOf(store, request.body)
  if (read.refusal) return read.refusal
  const buyer = buyerOf(store, request, read.data, held.holder)
  if ('refusal' in buyer) return buyer.refusal
  const { billing_address: billing, shipping_address: shipping } = read.data
  for (const address of [billing, shipping]) {
    if (address !== undefined && !isAddress(address)) return store.refusal(400, 'an address lacks a field')
  }
  const cart = cartOf(store, request)
  if (cart.items.length === 0) return store.refusal(400, 'The cart is empty')
  const missing = cart.items.map((item) => shortage(store.catalog, item, item.quantity)).find(Boolean)
  if (missing) return store.refusal(missing.status, missing.detail, missing.title, missing.meta)
  takeFromStock(store, cart)
  const order = store.orders.add({
    ...buyer,
    cartId: cart.id,
    orderNumber: field(read.data, 'order_number'),
    externalRef: field(read.data, 'external_ref'),
    billingAddress: isObject(billing) ? billing : undefined,
    shippingAddress: isObject(shipping) ? shipping : undefined,
    items: cart.items,
    createdAt: store.isoNow(),
  })
  return { status: 201, body: { data: resource(store, request, order) } }
}

/** The supported filters. All others are ignored. */
const FILTERS = new Map<string, (order: Order) => string | undefined>([
  ['account_id', ({ accountId }) => accountId],
  ['external_ref', ({ externalRef }) => externalRef],
])

/**
 * `GET /v2/orders`: lists the account's orders, or all if the grant is `client_credentials`. Newest first. `sort` is
 * ignored, and so is `filter`, except `eq(external_ref,…)` and `eq(account_id,…)`.
 */
export function orders(store: Store, request: ApiRequest): Answer {
  const held = holderOf(store, request)
  if (held.refusal) return held.refusal
  if (!held.holder && request.grant !== 'client_credentials') return store.refusal(403)
  const [, name = '', value] = /^eq\((\w+),([^)]*)\)$/.exec(request.query.get('filter') ?? '') ?? []
  const filter = FILTERS.get(name)
  const visible = store.orders.all
    .filter((order) => isVisible(request, held.holder, order) && (!filter || filter(order) === value))
    .reverse()
  return paged(store, request, visible, (order) => resource(store, request, order))
}

/** `GET /v2/orders/:id`. Returns 404 for the order of another account. */
export function order(store: Store, request: ApiRequest): Answer {
  const found = orderOf(store, request)
  if ('refusal' in found) return found.refusal
  const data = resource(store, request, found.order)
  if (!includesItems(request.query)) return { status: 200, body: { data } }
  const items = found.order.items.map((item) => itemResource(store, item))
  return { status: 200, body: { data, included: { items } } }
}

/** `GET /v2/orders/:id/items`. */
export function orderItems(store: Store, request: ApiRequest): Answer {
  const found = orderOf(store, request)
  if ('refusal' in found) return found.refusal
  return { status: 200, body: { data: found.order.items.map((item) => itemResource(store, item)) } }
}

/** `POST /v2/orders/:id/payments`, for the gateway `manual`. */
export function payOrder(store: Store, request: ApiRequest): Answer {
  const found = orderOf(store, request)
  if ('refusal' in found) return found.refusal
  const read = dataOf(store, request.body)
  if (read.refusal) return read.refusal
  const { gateway, method } = read.data
  if (method !== 'purchase' && method !== 'authorize')
    return store.refusal(400, 'Request could not be processed')
  if (gateway !== 'manual' || !store.settings.paymentGateway) {
    return store.refusal(422, 'The payment gateway is not enabled for this store')
  }
  if (found.order.payment !== 'unpaid') return store.refusal(409, 'The order is paid already')
  const isPurchase = method === 'purchase'
  const paid = store.orders.save({
    ...found.order,
    payment: isPurchase ? 'paid' : 'authorized',
    status: isPurchase ? 'complete' : 'processing',
    updatedAt: store.isoNow(),
  })
  return { status: 200, body: { data: transaction(store, paid, method) } }
}

function buyerOf(
  store: Store,
  { grant }: ApiRequest,
  data: Record<string, unknown>,
  holder: Holder | undefined,
) {
  const { account, contact, customer } = data
  const person = contact ?? customer
  const email = field(person, 'email')
  if (email === undefined) return { refusal: store.refusal(400, 'contact must have an email') }
  const by = { contact: { name: field(person, 'name') ?? '', email } }
  if (account === undefined) return { ...by, accountId: holder?.account.id, memberId: holder?.member.id }
  const accountId = field(account, 'id')
  if (accountId === undefined) return { refusal: store.refusal(400, 'account must have an id') }
  const memberId = field(account, 'member_id') ?? holder?.member.id
  const isAllowed = holder
    ? accountId === holder.account.id && memberId === holder.member.id
    : grant === 'client_credentials'
  return isAllowed ? { ...by, accountId, memberId } : { refusal: store.refusal(403) }
}

function isAddress(value: unknown): boolean {
  const needed = ['first_name', 'last_name', 'line_1', 'postcode', 'country']
  const region = field(value, 'region') ?? field(value, 'county')
  return region !== undefined && needed.every((name) => field(value, name) !== undefined)
}

function takeFromStock(store: Store, { items }: Cart): void {
  for (const { productId, quantity } of items) {
    const product = store.catalog.get(productId)
    if (product?.stock !== undefined) store.catalog.setStock(product.id, product.stock - quantity)
  }
}

function orderOf(store: Store, request: ApiRequest): { order: Order } | { refusal: Answer } {
  const held = holderOf(store, request)
  if (held.refusal) return held
  const found = store.orders.get(request.params['id'] ?? '')
  if (found && isVisible(request, held.holder, found)) return { order: found }
  return { refusal: store.refusal(404, 'Order not found') }
}

function isVisible({ grant }: ApiRequest, holder: Holder | undefined, { accountId }: Order): boolean {
  return holder ? accountId === holder.account.id : grant === 'client_credentials'
}

function resource(store: Store, { origin }: ApiRequest, one: Order) {
  const total = totals(store.catalog, one.items)
  const [due, nothing] = [store.catalog.money(totalOf(one.items)), store.catalog.money(0)]
  const { id, orderNumber, externalRef, billingAddress, shippingAddress, accountId, memberId } = one
  const relationship = (type: string, to: string) => ({ data: { type, id: to } })
  return {
    type: 'order',
    id,
    order_number: orderNumber,
    external_ref: externalRef,
    status: one.status,
    payment: one.payment,
    shipping: 'unfulfilled',
    anonymized: false,
    ...(accountId === undefined ? { customer: one.contact } : { contact: one.contact }),
    billing_address: billingAddress,
    shipping_address: shippingAddress,
    links: { self: `${origin}/v2/orders/${id}` },
    meta: {
      display_price: {
        ...total,
        balance_owing: one.payment === 'unpaid' ? due : nothing,
        paid: one.payment === 'paid' ? due : nothing,
        authorized: one.payment === 'authorized' ? due : nothing,
      },
      timestamps: { created_at: one.createdAt, updated_at: one.updatedAt },
    },
    relationships: {
      items: { data: one.items.map((item) => ({ type: 'item', id: item.id })) },
      store: relationship('store', store.storeId),
      ...(accountId !== undefined && { account: relationship('account', accountId) }),
      ...(memberId !== undefined && { account_member: relationship('account_member', memberId) }),
    },
  }
}

function itemResource({ catalog }: Store, item: CartItem) {
  const { id, productId, name, sku, quantity, price, createdAt, updatedAt } = item
  const { currency } = catalog
  return {
    type: 'order_item',
    id,
    quantity,
    ...(productId !== undefined && {
      product_id: productId,
      catalog_id: catalog.id,
      catalog_source: 'pim',
    }),
    name,
    sku,
    unit_price: { amount: price, currency, includes_tax: false },
    value: { amount: price * quantity, currency, includes_tax: false },
    links: {},
    meta: {
      display_price: itemPrices(catalog, item),
      timestamps: { created_at: createdAt, updated_at: updatedAt },
    },
    relationships: {
      cart_item: { data: { type: productId === undefined ? 'custom_item' : 'cart_item', id } },
    },
  }
}

function transaction({ catalog }: Store, one: Order, method: 'purchase' | 'authorize') {
  const amount = totalOf(one.items)
  return {
    id: randomUUID(),
    type: 'transaction',
    reference: 'manual',
    name: '',
    gateway: 'manual',
    amount,
    refunded_amount: 0,
    currency: catalog.currency,
    transaction_type: method,
    status: 'complete',
    relationships: { order: { data: { type: 'order', id: one.id } } },
    meta: {
      display_price: catalog.money(amount),
      display_refunded_amount: { total: catalog.money(0) },
      timestamps: { created_at: one.updatedAt, updated_at: one.updatedAt },
    },
  }
}
