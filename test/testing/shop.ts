import type { SimulatorOptions } from '../../lib/testing'
import { ADA, at, openStore, type Reply } from './support'

const BOB = 'bob@example.com'
export const LAMP = {
  id: '11111111-1111-4111-8111-111111111111',
  name: 'Lamp',
  sku: 'lamp',
  price: 4900,
  stock: 5,
}
export const MUG = { id: '22222222-2222-4222-8222-222222222222', name: 'Mug', sku: 'mug', price: 1600 }
export const lamps = (quantity: unknown) => ({ type: 'cart_item', id: LAMP.id, quantity })
export const mugs = (quantity: unknown) => ({ type: 'cart_item', sku: 'mug', quantity })
export const card = { type: 'custom_item', name: 'Card', sku: 'card', quantity: 1, price: { amount: 300 } }
export const account = (...ids: string[]) => ({ data: ids.map((id) => ({ type: 'account', id })) })

/** Starts a simulator with Ada in the account `a` and Bob in the account `b`, their tokens, and a guest without one. */
export async function openShop(options: SimulatorOptions = {}) {
  const members = [
    { id: 'ada', username: ADA, accounts: [{ id: 'a', name: 'A' }] },
    { id: 'bob', username: BOB, accounts: [{ id: 'b', name: 'B' }] },
  ]
  const store = await openStore({ members, products: [LAMP, MUG], ...options })
  const ada = await store.client.signIn()
  const otp = store.simulator.issueCode(BOB)
  const bob = String(at((await store.client.exchange(otp, { username: BOB })).json, 'data', 0, 'token'))
  return { ...store, ada, bob, guest: store.client }
}

/** The quantities in a response with items, by SKU. */
export function quantities({ json }: Reply): Record<string, unknown> {
  const items = at(json, 'data') as unknown[]
  return Object.fromEntries(items.map((item) => [String(at(item, 'sku')), at(item, 'quantity')] as const))
}

/** The status, title and detail of a response with an error. */
export function errorOf({ status, json }: Reply): string {
  const [title, detail] = ['title', 'detail'].map((name) => at(json, 'errors', 0, name))
  return `${status} ${String(title)}` + (typeof detail === 'string' ? `: ${detail}` : '')
}
