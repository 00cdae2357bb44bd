import type { Cart, CartItem } from './carts'
import type { Catalog } from './catalog'
import { totalOf } from './orders'
import type { Store } from './store'

/** The representation of a cart in responses. The list of carts leaves out the items. */
export function cartResource(store: Store, origin: string, cart: Cart, inList = false) {
  const { id, name, description, contactEmail, accounts, items, customAttributes } = cart
  return {
    id,
    type: 'cart',
    name,
    description,
    is_quote: cart.isQuote,
    ...(contactEmail !== undefined && { contact: { email: contactEmail } }),
    ...(Object.keys(customAttributes).length > 0 && { custom_attributes: customAttributes }),
    discount_settings: { custom_discounts_enabled: false, use_rule_promotions: false },
    inventory_settings: { defer_inventory_check: false },
    links: { self: `${origin}/v2/carts/${encodeURIComponent(id)}` },
    meta: { display_price: totals(store.catalog, items), timestamps: timestampsOf(cart) },
    relationships: {
      ...(!inList && { items: { data: items.map((item) => ({ type: typeOf(item), id: item.id })) } }),
      accounts: { data: accounts.map((account) => ({ type: 'account', id: account })) },
      customers: {},
    },
  }
}

/** The representation of a cart's items in responses, with the cart's totals. */
export function itemsBody(store: Store, origin: string, cart: Cart, errors: readonly unknown[] = []) {
  return {
    data: cart.items.map((item) => itemResource(store, origin, item)),
    meta: { display_price: totals(store.catalog, cart.items), timestamps: timestampsOf(cart) },
    ...(errors.length > 0 && { errors }),
  }
}

/** The representation of an item in responses. */
export function itemResource({ catalog }: Store, origin: string, item: CartItem) {
  const { id, productId, sku, name, description, quantity, price } = item
  const { currency } = catalog
  return {
    id,
    type: typeOf(item),
    ...(productId !== undefined && {
      product_id: productId,
      catalog_id: catalog.id,
      catalog_source: 'pim',
    }),
    name,
    description,
    sku,
    slug: sku,
    image: { mime_type: '', file_name: '', href: '' },
    quantity,
    manage_stock: catalog.get(productId)?.stock !== undefined,
    unit_price: { amount: price, currency, includes_tax: false },
    value: { amount: price * quantity, currency, includes_tax: false },
    links: productId === undefined ? {} : { product: `${origin}/v2/products/${productId}` },
    meta: {
      display_price: itemPrices(catalog, item),
      timestamps: { created_at: item.createdAt, updated_at: item.updatedAt },
    },
  }
}

function typeOf({ productId }: CartItem): 'cart_item' | 'custom_item' {
  return productId === undefined ? 'custom_item' : 'cart_item'
}

/** The prices of an item: for one unit, and for its quantity. */
export function itemPrices(catalog: Catalog, { price, quantity }: CartItem) {
  const full = { unit: catalog.money(price), value: catalog.money(price * quantity) }
  const nothing = { unit: catalog.money(0), value: catalog.money(0) }
  return { with_tax: full, without_tax: full, tax: nothing, discount: nothing, without_discount: full }
}

/** The total of all items. The simulator has no taxes, discounts or shipping costs. */
export function totals(catalog: Catalog, items: readonly CartItem[]) {
  const full = catalog.money(totalOf(items))
  const nothing = catalog.money(0)
  return {
    with_tax: full,
    without_tax: full,
    tax: nothing,
    discount: nothing,
    without_discount: full,
    shipping: nothing,
    shipping_discount: nothing,
  }
}

function timestampsOf({ createdAt, updatedAt, expiresAt }: Cart) {
  return { created_at: createdAt, updated_at: updatedAt, expires_at: expiresAt }
}
