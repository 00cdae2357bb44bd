import { randomUUID } from 'node:crypto'
import type { Cart, CartItem } from './carts'
import { isWhole, type Catalog } from './catalog'
import { field, isObject } from './fields'
import type { Store } from './store'

/** An error of Elastic Path for an item that cannot be added or changed. */
export interface ItemError {
  status: number
  title: string
  detail: string
  meta?: Record<string, unknown>
}

/** The items after a change, or the error that prevents the change. */
export type Change = { items: readonly CartItem[]; error?: never } | { error: ItemError }

/** The data of an item to add to a cart. */
type Addition = Pick<CartItem, 'productId' | 'sku' | 'name' | 'description' | 'price' | 'quantity'>

/** One addition to a cart, or the error that prevents it. */
type Step = { addition: Addition; error?: never } | { error: ItemError }

// Elastic Path documents the limit, but not the response beyond it.
const MOST_ITEMS = 100

/** Parses an entry of the body of `POST …/items`: one item, or all items of another cart or of an order. */
export function additionsOf(store: Store, entry: unknown): Step[] {
  if (!isObject(entry)) return [refuse(400, 'Bad Request', 'An item must be an object')]
  switch (entry['type']) {
    case 'cart_item':
      return [product(store.catalog, entry)]
    case 'custom_item':
      return [custom(entry)]
    case 'cart_items': {
      const id = field(entry, 'cart_id')
      if (id === undefined) return [refuse(400, 'Bad Request', 'cart_id is required')]
      return (store.carts.get(id)?.items ?? []).map((addition) => ({ addition }))
    }
    case 'order_items': {
      const id = field(entry, 'order_id')
      if (id === undefined) return [refuse(400, 'Bad Request', 'order_id is required')]
      return reordered(store.orders.get(id)?.items ?? [])
    }
    case 'promotion_item': {
      const meta = { code: entry['code'] }
      return [refuse(404, 'Not Found', 'No promotion could be found with the given code.', meta)]
    }
    default:
      return [refuse(400, 'Bad Request', 'type is not a type of cart item')]
  }
}

/** Increases the quantity if the cart has the same item already. Otherwise appends an item. */
export function add(store: Store, { items }: Cart, step: Step): Change {
  if (step.error) return step
  const { productId, sku, name, description, price } = step.addition
  const same = items.find((item) => isSame(item, step.addition))
  const quantity = (same?.quantity ?? 0) + step.addition.quantity
  const error = shortage(store.catalog, step.addition, quantity)
  if (error) return { error }
  const now = store.isoNow()
  if (same) return { items: items.map((one) => (one === same ? { ...one, quantity, updatedAt: now } : one)) }
  if (items.length >= MOST_ITEMS) return refuse(400, 'Bad Request', 'The cart has too many items')
  const item = { productId, sku, name, description, price, quantity, createdAt: now, updatedAt: now }
  return { items: [...items, { id: randomUUID(), ...item }] }
}

/** Sets the quantity of an item. 0 removes it. */
export function setQuantity(store: Store, cart: Cart, itemId: string, quantity: unknown): Change {
  const item = cart.items.find(({ id }) => id === itemId)
  if (!item) return itemNotFound(itemId)
  if (!isWhole(quantity)) return tooSmall(quantity, 0)
  if (quantity === 0) return remove(cart, itemId)
  const error = shortage(store.catalog, item, quantity)
  const changed = { ...item, quantity, updatedAt: store.isoNow() }
  return error ? { error } : { items: cart.items.map((one) => (one === item ? changed : one)) }
}

/** Removes an item. */
export function remove(cart: Cart, itemId: string): Change {
  const items = cart.items.filter(({ id }) => id !== itemId)
  return items.length < cart.items.length ? { items } : itemNotFound(itemId)
}

/** Returns an error if a quantity of an item is not in stock. */
export function shortage(
  catalog: Catalog,
  { productId, name, sku }: Pick<CartItem, 'productId' | 'name' | 'sku'>,
  quantity: number,
): ItemError | undefined {
  const stock = catalog.get(productId)?.stock
  if (stock === undefined || quantity <= stock) return undefined
  const detail = `There is not enough stock to add ${name} to your cart`
  return { status: 400, title: 'Insufficient stock', detail, meta: { id: productId, sku } }
}

/** In Elastic Path, custom items cannot be ordered again. */
function reordered(items: readonly CartItem[]): Step[] {
  return items.filter(({ productId }) => productId !== undefined).map((addition) => ({ addition }))
}

function isSame(item: CartItem, addition: Addition): boolean {
  if (item.productId !== addition.productId) return false
  const isCustom = item.productId === undefined
  return (
    !isCustom || (item.sku === addition.sku && item.name === addition.name && item.price === addition.price)
  )
}

function product(catalog: Catalog, entry: Record<string, unknown>): Step {
  const id = field(entry, 'id')
  const sku = field(entry, 'sku')
  const found = id !== undefined ? catalog.get(id) : catalog.withSku(sku)
  if (!found) {
    const meta = id !== undefined ? { id } : { sku }
    return refuse(404, 'Product not found', 'The requested product could not be found', meta)
  }
  const quantity = entry['quantity']
  if (!isWhole(quantity) || quantity === 0) return tooSmall(quantity, 1)
  const { name, description, price } = found
  return { addition: { productId: found.id, sku: found.sku, name, description, price, quantity } }
}

function custom(entry: Record<string, unknown>): Step {
  const name = field(entry, 'name')
  const quantity = entry['quantity']
  const price = isObject(entry['price']) ? entry['price']['amount'] : undefined
  if (name === undefined) return refuse(400, 'Bad Request', 'A custom item must have a name')
  if (!isWhole(quantity) || quantity === 0) return tooSmall(quantity, 1)
  if (!isWhole(price)) return tooSmall(price, 0)
  const sku = field(entry, 'sku') ?? ''
  const description = field(entry, 'description') ?? ''
  return { addition: { productId: undefined, sku, name, description, price, quantity } }
}

function itemNotFound(id: string) {
  return refuse(404, 'Not Found', 'Item was not found in the cart', { id })
}

function tooSmall(value: unknown, least: number) {
  return refuse(400, 'number_gte', `Must be greater than or equal to ${least}`, { value: value ?? 0 })
}

function refuse(
  status: number,
  title: string,
  detail: string,
  meta?: Record<string, unknown>,
): { error: ItemError } {
  return { error: { status, title, detail, ...(meta && { meta }) } }
}
