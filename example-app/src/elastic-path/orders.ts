import { z } from 'zod'
import { call, readAll, type Fetch } from './call'

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
    isPaid: payment === 'paid' || payment === 'authorized',
    total: meta.display_price.with_tax.formatted,
    createdAt: new Date(Date.parse(meta.timestamps.created_at) || 0),
  }))
const One = z.object({ data: Order })
const Items = z.object({ data: z.array(z.object({ name: z.string(), quantity: z.number() })) })

const pathOf = (orderId: string) => `/v2/orders/${encodeURIComponent(orderId)}`

/** The account's orders, the newest first. */
export async function listOrders(fetch: Fetch): Promise<Order[]> {
  const orders = await readAll(fetch, '/v2/orders', Order)
  return orders.sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
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
