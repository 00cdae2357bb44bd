import { z } from 'zod'
import { call, readPage, type Fetch } from './call'

export type Order = z.infer<typeof Order>

const Order = z
  .object({
    id: z.string().min(1),
    order_number: z.string().nullish(),
    external_ref: z.string().nullish(),
    payment: z.string(),
    meta: z.object({
      display_price: z.object({ with_tax: z.object({ formatted: z.string() }) }),
      timestamps: z.object({ created_at: z.string() }),
    }),
  })
  .transform(({ id, order_number: number, external_ref: reference, payment, meta }) => ({
    id,
    number: number ?? id,
    reference: reference ?? undefined,
    // Authorized, refunded and partially paid orders have been paid for, too.
    isPaid: payment !== 'unpaid',
    total: meta.display_price.with_tax.formatted,
    createdAt: new Date(Date.parse(meta.timestamps.created_at) || 0),
  }))
const One = z.object({ data: Order })
const Items = z.object({ data: z.array(z.object({ name: z.string(), quantity: z.number() })) })

const pathOf = (orderId: string) => `/v2/orders/${encodeURIComponent(orderId)}`

/** Orders that are listed: as many as Elastic Path returns in one call. */
export const MOST_ORDERS = 100

/** The account's newest orders, the newest first. */
export async function listOrders(fetch: Fetch, accountId: string): Promise<Order[]> {
  const orders = await findOrders(fetch, `eq(account_id,${accountId})`)
  return orders.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
}

/** The account's order with this reference. */
export async function findOrder(fetch: Fetch, reference: string): Promise<Order | undefined> {
  const orders = await findOrders(fetch, `eq(external_ref,${reference})`)
  return orders.find((order) => order.reference === reference)
}

/** One page of the account's orders. Without a filter, Elastic Path refuses if the store has 10,000 orders. */
async function findOrders(fetch: Fetch, filter: string): Promise<Order[]> {
  const query = `filter=${encodeURIComponent(filter)}&sort=-created_at&page[limit]=${MOST_ORDERS}`
  return (await readPage(fetch, `/v2/orders?${query}`, Order)).records
}

/** An order of the account, with its items. */
export async function readOrder(fetch: Fetch, orderId: string) {
  const { data: order } = await call(fetch, pathOf(orderId), One)
  const { data: items } = await call(fetch, `${pathOf(orderId)}/items`, Items)
  return { ...order, items }
}

interface Delivery {
  first_name: string
  last_name: string
  company_name: string
  line_1: string
  city: string
  region: string
  postcode: string
  country: string
}

interface Checkout {
  cartId: string
  contact: { name: string; email: string }
  address: Delivery
  orderNumber: string
  /** By which an order is found whose answer was lost. */
  reference: string
}

/** Makes an order of a cart's items. Each call makes one. */
export async function checkOut(fetch: Fetch, { cartId, contact, address, orderNumber, reference }: Checkout) {
  const body = {
    data: {
      contact,
      billing_address: address,
      shipping_address: address,
      order_number: orderNumber,
      external_ref: reference,
    },
  }
  const path = `/v2/carts/${encodeURIComponent(cartId)}/checkout`
  return (await call(fetch, path, One, { method: 'POST', body })).data
}

/** Pays by invoice. A store without a payment gateway refuses. */
export async function payByInvoice(fetch: Fetch, orderId: string): Promise<void> {
  const body = { data: { gateway: 'manual', method: 'purchase' } }
  await call(fetch, `${pathOf(orderId)}/payments`, z.unknown(), { method: 'POST', body })
}
