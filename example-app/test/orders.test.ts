import { MINUTE } from './support/clock'
import { openBasketShop, ordersOf, readyToOrder, type BasketShop } from './support/basket'
import { GRACE, newMember } from './support/shop'
import { redirectOf, Visitor } from './support/visitor'

let shop: BasketShop
beforeAll(async () => (shop = await openBasketShop()))
afterEach(() => shop.store.clearFaults())
afterAll(() => shop.close())

const basketSize = async (visitor: Visitor) =>
  ((await visitor.get('/basket')).text.match(/class="quantity"/g) ?? []).length

const OTHERS = Array.from({ length: 100 }, (_, n) => ({
  id: `other-${n}`,
  order_number: `NQ-${n}`,
  external_ref: `other-${n}`,
  payment: n === 0 ? 'unpaid' : 'refunded',
  meta: {
    display_price: { with_tax: { formatted: '£86.00' } },
    timestamps: { created_at: new Date(n * 1000).toISOString() },
  },
}))
/** The first page of an account's orders, of which there are many more. */
const listOf = (data: object[]) => ({ status: 200, body: { data, meta: { results: { total: 5_000 } } } })
const listings = () =>
  shop.store.requests
    .filter(({ method, path }) => `${method} ${path}` === 'GET /v2/orders')
    .map(({ query }) => query)

describe('the orders page', () => {
  it('shows the newest 100 orders with one call, and which of them are unpaid', async () => {
    const { visitor, account } = await readyToOrder(shop)
    shop.store.clearRequests()
    shop.store.fault('GET /v2/orders', listOf(OTHERS))
    const { text } = await visitor.get('/orders')
    expect(listings()).toEqual([
      { filter: `eq(account_id,${account})`, sort: '-created_at', 'page[limit]': '100' },
    ])
    expect(text).toContain('The newest 100 orders of')
    expect(text.match(/>NQ-\d+</g)).toHaveLength(100)
    expect(text).toMatch(/>NQ-99<[^]*>NQ-0</)
    expect(text.match(/not paid yet/g)).toHaveLength(1)
  })
})

describe('ordering', () => {
  it('ends on a page with an order number, empties the basket, and the orders page lists it', async () => {
    const { visitor, account, form } = await readyToOrder(shop)
    const page = await visitor.submit('/order', form)
    const number = /order number is <strong>(NQ-\w+)</.exec(page.text)?.[1]
    expect(ordersOf(shop, account)).toEqual([
      expect.objectContaining({
        orderNumber: number,
        payment: 'paid',
        items: [expect.objectContaining({ sku: 'rope' })],
      }),
    ])
    expect(page.text).not.toContain('invoice')
    expect(await basketSize(visitor)).toBe(0)
    expect((await visitor.get('/orders')).text).toContain(number)
    const other = new Visitor(shop)
    await other.signIn(newMember(shop))
    expect((await other.get('/orders')).text).toContain('No orders yet.')
    expect((await other.get(`/orders/${ordersOf(shop, account)[0]?.id}`)).status).toBe(404)
  })

  it('explains if the store has no payment gateway', async () => {
    shop.store.configure({ paymentGateway: false })
    const { visitor, form } = await readyToOrder(shop)
    const page = await visitor.submit('/order', form)
    shop.store.configure({ paymentGateway: true })
    expect(page.text).toMatch(/NQ-\w+[\s\S]*is placed\. We couldn’t issue the invoice yet/)
  })

  it('twice at the same moment is one order', async () => {
    const { visitor, account, form } = await readyToOrder(shop)
    const statuses = (await Promise.all([1, 2, 3].map(() => visitor.post('/order', form)))).map(
      ({ status }) => status,
    )
    expect(statuses).toEqual([303, 303, 303])
    expect(ordersOf(shop, account)).toHaveLength(1)
  })

  it.each(
    (
      [
        'GET /v2/carts',
        'GET /v2/carts/:id/items',
        'GET /v2/orders',
        'POST /v2/carts/:id/checkout',
        'POST /v2/orders/:id/payments',
        'DELETE /v2/carts/:id/items',
      ] as const
    ).flatMap((call) => [
      [call, 'reset', true] as const,
      [call, { status: 503 }, false] as const,
      [call, 'malformed', true] as const,
    ]),
  )(
    'is done once although %s fails (%j, done: %p) and it is sent again',
    async (call, fault, afterEffect) => {
      const { visitor, account, form } = await readyToOrder(shop)
      shop.store.fault(call, fault, { afterEffect, times: Infinity })
      expect([303, 502]).toContain((await visitor.post('/order', form)).status)
      shop.store.clearFaults()
      shop.clock(MINUTE + 1)
      expect((await visitor.post('/order', form)).status).toBe(303)
      expect(ordersOf(shop, account)).toHaveLength(1)
      expect(await basketSize(visitor)).toBe(0)
    },
  )

  it('is not sent again for a minute if the store did not confirm it', async () => {
    const { visitor, account, form } = await readyToOrder(shop)
    shop.store.clearRequests()
    shop.store.fault('POST /v2/carts/:id/checkout', { status: 503 })
    for (const wait of [0, MINUTE - 1]) {
      shop.clock(wait)
      const page = await visitor.submit('/order', form)
      expect(page.text).toContain('Wait a minute and reload this page.')
      expect(shop.store.count('POST /v2/carts/:id/checkout')).toBe(1)
    }
    shop.clock(2)
    await visitor.submit('/order', form)
    expect(ordersOf(shop, account)).toHaveLength(1)
  })

  it('is not sent again if the list of orders lacks it', async () => {
    const { visitor, account, form } = await readyToOrder(shop)
    shop.store.fault('DELETE /v2/carts/:id/items', { status: 503 })
    await visitor.post('/order', form)
    shop.store.fault('GET /v2/orders', listOf([]))
    expect(redirectOf(await visitor.post('/order', form))).toEqual([303, '/orders?unconfirmed'])
    expect(ordersOf(shop, account)).toHaveLength(1)
  })

  it('takes one call to look for the order, and takes no other order for it', async () => {
    const { visitor, account, form } = await readyToOrder(shop)
    shop.store.clearRequests()
    shop.store.fault('GET /v2/orders', listOf(OTHERS))
    await visitor.post('/order', form)
    expect(ordersOf(shop, account)).toHaveLength(1)
    expect(listings()).toEqual([expect.objectContaining({ filter: `eq(external_ref,${form.order})` })])
  })

  it('is refused if the basket has changed since the page was opened', async () => {
    const { visitor, account, form } = await readyToOrder(shop)
    await visitor.post('/basket', { sku: 'buoy' })
    const { status, text } = await visitor.post('/order', form)
    expect([status, text.includes('Your basket has changed')]).toEqual([409, true])
    expect(ordersOf(shop, account)).toEqual([])
  })

  it.each(['England', 'QQ'])(
    'asks again for what is missing or no country (%s), and keeps the rest',
    async (country) => {
      const { visitor, account, form } = await readyToOrder(shop)
      const { status, text } = await visitor.post('/order', { ...form, city: ' ', country })
      expect(status).toBe(400)
      expect(text.match(/name="(city|country)"[^>]*aria-invalid="true"/g)).toHaveLength(2)
      expect(text).toContain('value="12 Quay Street"')
      expect(ordersOf(shop, account)).toEqual([])
    },
  )

  it('names why the store does not accept it', async () => {
    const { visitor, form } = await readyToOrder(shop)
    const refusal = { errors: [{ status: 400, title: 'Insufficient stock' }] }
    shop.store.fault('POST /v2/carts/:id/checkout', { status: 400, body: refusal })
    const { status, text } = await visitor.post('/order', form)
    expect([status, text.includes('Your order wasn’t placed: not enough stock.')]).toEqual([409, true])
  })

  it.each(['/order', '/orders', '/orders/x'])(
    'needs a sign-in and a company on %s, and comes back',
    async (path) => {
      const visitor = new Visitor(shop)
      expect(redirectOf(await visitor.get(path))).toEqual([
        303,
        `/login?returnTo=${encodeURIComponent(path)}`,
      ])
      await visitor.signIn(GRACE)
      expect(redirectOf(await visitor.get(path))).toEqual([303, '/accounts'])
      await visitor.get('/accounts')
      const [account = ''] = shop.accountsOf(GRACE)
      expect(redirectOf(await visitor.post('/accounts/switch', { account_id: account }))).toEqual([303, path])
    },
  )
})
