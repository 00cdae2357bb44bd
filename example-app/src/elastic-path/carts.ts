import { z } from 'zod'
import { call, readAll, type Fetch } from './call'

// A cart's id is all that protects its content: whoever knows it can read and change the cart, and check it out.

export type CartSummary = z.infer<typeof Cart>
export type CartItem = z.infer<typeof Item>
export type CartContent = Awaited<ReturnType<typeof readItems>>

const Prices = z.object({ with_tax: z.object({ formatted: z.string() }) })
const Cart = z
  .object({
    id: z.string().min(1),
    description: z.string().nullish(),
    is_quote: z.boolean().nullish(),
    meta: z.object({ timestamps: z.object({ updated_at: z.string() }) }),
  })
  .transform(({ id, description, is_quote: isQuote, meta }) => ({
    id,
    description: description ?? '',
    isQuote: isQuote === true,
    updatedAt: Date.parse(meta.timestamps.updated_at) || 0,
  }))
const Item = z
  .object({
    id: z.string().min(1),
    type: z.string(),
    product_id: z.string().nullish(),
    name: z.string(),
    quantity: z.number().int(),
    meta: z.object({
      display_price: z.object({
        with_tax: z.object({
          unit: z.object({ formatted: z.string() }),
          value: z.object({ formatted: z.string() }),
        }),
      }),
    }),
  })
  .transform(({ id, type, product_id: productId, name, quantity, meta }) => ({
    id,
    /** Undefined for a custom item, and for what is no product, such as a discount. */
    productId: type === 'cart_item' ? (productId ?? undefined) : undefined,
    isProduct: type === 'cart_item' || type === 'custom_item',
    name,
    quantity,
    price: meta.display_price.with_tax.unit.formatted,
    value: meta.display_price.with_tax.value.formatted,
  }))
const Items = z.object({ data: z.array(Item), meta: z.object({ display_price: Prices }) })
const Created = z.object({ data: z.object({ id: z.string().min(1) }) })
const Anything = z.unknown()

const pathOf = (cartId: string) => `/v2/carts/${encodeURIComponent(cartId)}`
const itemPath = (cartId: string, itemId: string) => `${pathOf(cartId)}/items/${encodeURIComponent(itemId)}`

/** The carts that an account's list has, the last written to first. Quotes are left out. */
export async function listCarts(fetch: Fetch): Promise<CartSummary[]> {
  const carts = await readAll(fetch, '/v2/carts', Cart)
  return carts.filter(({ isQuote }) => !isQuote).sort((a, b) => b.updatedAt - a.updatedAt)
}

/** Creates a cart. As an account, it is that account's. */
export async function createCart(fetch: Fetch, description = ''): Promise<string> {
  const body = { data: { name: 'Basket', description } }
  return (await call(fetch, '/v2/carts', Created, { method: 'POST', body })).data.id
}

export async function describeCart(fetch: Fetch, cartId: string, description: string): Promise<void> {
  await call(fetch, pathOf(cartId), Anything, { method: 'PUT', body: { data: { description } } })
}

/** The items of a cart and their total. A cart that does not exist is empty. */
export async function readItems(fetch: Fetch, cartId: string) {
  return contentOf(await call(fetch, `${pathOf(cartId)}/items`, Items))
}

/** Adds to the quantity of a product. Each call adds. */
export async function addItem(
  fetch: Fetch,
  cartId: string,
  item: { id: string } | { sku: string },
  quantity: number,
) {
  const body = { data: { type: 'cart_item', ...item, quantity } }
  return contentOf(await call(fetch, `${pathOf(cartId)}/items`, Items, { method: 'POST', body }))
}

/** Sets the quantity of an item. Calling it twice does nothing more. */
export async function setQuantity(fetch: Fetch, cartId: string, itemId: string, quantity: number) {
  const body = { data: { id: itemId, quantity } }
  return contentOf(await call(fetch, itemPath(cartId, itemId), Items, { method: 'PUT', body }))
}

export async function removeItem(fetch: Fetch, cartId: string, itemId: string): Promise<void> {
  await call(fetch, itemPath(cartId, itemId), Anything, { method: 'DELETE' })
}

export async function emptyCart(fetch: Fetch, cartId: string): Promise<void> {
  await call(fetch, `${pathOf(cartId)}/items`, Anything, { method: 'DELETE' })
}

/** Adds the account to those that list the cart. It stays readable for whoever knows its id. */
export async function associateCart(fetch: Fetch, cartId: string, accountId: string): Promise<void> {
  await relate(fetch, cartId, accountId, 'POST')
}

/** Takes the cart off the account's list. Unlike a deletion, this works for the last cart too. */
export async function disassociateCart(fetch: Fetch, cartId: string, accountId: string): Promise<void> {
  await relate(fetch, cartId, accountId, 'DELETE')
}

async function relate(
  fetch: Fetch,
  cartId: string,
  accountId: string,
  method: 'POST' | 'DELETE',
): Promise<void> {
  const body = { data: [{ type: 'account', id: accountId }] }
  await call(fetch, `${pathOf(cartId)}/relationships/accounts`, Anything, { method, body })
}

function contentOf({ data, meta }: z.infer<typeof Items>) {
  const items = data.filter(({ isProduct }) => isProduct)
  const count = items.reduce((sum, { quantity }) => sum + quantity, 0)
  return { items, count, total: meta.display_price.with_tax.formatted }
}
