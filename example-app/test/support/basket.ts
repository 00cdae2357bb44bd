import type { Response } from 'supertest'
import { moveClock } from './clock'
import { newMember, openDemo, type TestShop } from './shop'
import { Visitor } from './visitor'

/** A shop with a store of its own, and what its tests ask about it. */
export interface BasketShop extends TestShop {
  memberId(username: string): string
  accountOf(username: string): string
  accountsOf(username: string): string[]
  /** Moves the clock by seconds, so that what comes now is later. */
  clock(seconds: number): void
}

export async function openBasketShop(): Promise<BasketShop> {
  const shop = await openDemo()
  const member = (username: string) => {
    const found = shop.store.members.find((one) => one.username === username)
    if (!found) throw new Error(`${username} is no member`)
    return found
  }
  const accountsOf = (username: string) =>
    member(username)
      .accounts.page(0, 2)
      .map(({ id }) => id)
  return {
    ...shop,
    memberId: (username) => member(username).id,
    accountsOf,
    clock: moveClock,
    accountOf: (username) => accountsOf(username)[0] ?? '',
  }
}

/** The lines of a basket page: name, quantity and price. */
export function lines(page: Response | undefined): [name: string, quantity: number, value: string][] {
  const pattern =
    /<strong>([^<]+)<\/strong>\s*<span class="amount">([^<]+)<\/span>[\s\S]*?name="quantity"[^>]*value="(\d+)"/g
  return Array.from((page?.text ?? '').matchAll(pattern), ([, name = '', value = '', quantity]) => [
    name,
    Number(quantity),
    value,
  ])
}

/** What stands for the first saved basket that a page offers; empty if there is none. */
export function savedOf(page: Response, which = 0): string {
  return [...page.text.matchAll(/name="saved" value="(\w+)"/g)][which]?.[1] ?? ''
}

const ADDRESS = {
  email: 'ada@example.com',
  first_name: 'Ada',
  last_name: 'Byron',
  line_1: '12 Quay Street',
  city: 'Fernley',
  region: 'Cornwall',
  postcode: 'TR1 1AA',
  country: 'gb',
}

/** A member with a rope in the basket, on the page that asks for the address. */
export async function readyToOrder(shop: BasketShop) {
  const username = newMember(shop)
  const account = shop.accountOf(username)
  const visitor = new Visitor(shop)
  await visitor.signIn(username)
  await visitor.get('/')
  await visitor.post('/basket', { sku: 'rope' })
  const { text } = await visitor.get('/order')
  const order = /name="order" value="(\w+)"/.exec(text)?.[1] ?? ''
  const form = { ...ADDRESS, account_id: account, order }
  return { visitor, account, form }
}

export const ordersOf = ({ store }: BasketShop, account: string) =>
  store.orders.filter(({ accountId }) => accountId === account)
