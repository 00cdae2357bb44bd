import { openBasketShop, type BasketShop } from './support/basket'
import { GRACE, newMember } from './support/shop'
import { redirectOf, Visitor } from './support/visitor'

let shop: BasketShop
beforeAll(async () => (shop = await openBasketShop()))
afterEach(() => shop.store.clearFaults())
afterAll(() => shop.close())

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
async function readyToOrder() {
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

const ordersOf = (account: string) => shop.store.orders.filter(({ accountId }) => accountId === account)
const basketSize = async (visitor: Visitor) =>
  ((await visitor.get('/basket')).text.match(/class="quantity"/g) ?? []).length

describe('ordering', () => {
  it('ends on a page with an order number, empties the basket, and the orders page lists it', async () => {
    const { visitor, account, form } = await readyToOrder()
    const page = await visitor.submit('/order', form)
    const number = /order number is <strong>(NQ-\w+)</.exec(page.text)?.[1]
    expect(ordersOf(account)).toEqual([
      expect.objectContaining({
        orderNumber: number,
        payment: 'paid',
        items: [expect.objectContaining({ sku: 'rope' })],
      }),
    ])
    expect(page.text).not.toContain('not paid')
    expect(await basketSize(visitor)).toBe(0)
    expect((await visitor.get('/orders')).text).toContain(number)
    const other = new Visitor(shop)
    await other.signIn(newMember(shop))
    expect((await other.get('/orders')).text).toContain('No orders yet.')
    expect((await other.get(`/orders/${ordersOf(account)[0]?.id}`)).status).toBe(404)
  })

  it('explains if the store has no payment gateway', async () => {
    shop.store.configure({ paymentGateway: false })
    const { visitor, form } = await readyToOrder()
    const page = await visitor.submit('/order', form)
    shop.store.configure({ paymentGateway: true })
    expect(page.text).toMatch(/NQ-\w+[\s\S]*placed, but not paid: this store has no payment gateway/)
  })

  it('twice at the same moment is one order', async () => {
    const { visitor, account, form } = await readyToOrder()
    const statuses = (await Promise.all([1, 2, 3].map(() => visitor.post('/order', form)))).map(
      ({ status }) => status,
    )
    expect(statuses).toEqual([303, 303, 303])
    expect(ordersOf(account)).toHaveLength(1)
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
      const { visitor, account, form } = await readyToOrder()
      shop.store.fault(call, fault, { afterEffect, times: Infinity })
      expect([303, 502]).toContain((await visitor.post('/order', form)).status)
      shop.store.clearFaults()
      expect((await visitor.post('/order', form)).status).toBe(303)
      expect(ordersOf(account)).toHaveLength(1)
      expect(await basketSize(visitor)).toBe(0)
    },
  )

  it('is refused if the basket has changed since the page was opened', async () => {
    const { visitor, account, form } = await readyToOrder()
    await visitor.post('/basket', { sku: 'buoy' })
    const { status, text } = await visitor.post('/order', form)
    expect([status, text.includes('Your basket has changed')]).toEqual([409, true])
    expect(ordersOf(account)).toEqual([])
  })

  it('asks again for what is missing, and keeps what was typed', async () => {
    const { visitor, account, form } = await readyToOrder()
    const { status, text } = await visitor.post('/order', { ...form, city: ' ', country: 'England' })
    expect(status).toBe(400)
    expect(text.match(/name="(city|country)"[^>]*aria-invalid="true"/g)).toHaveLength(2)
    expect(text).toContain('value="12 Quay Street"')
    expect(ordersOf(account)).toEqual([])
  })

  it('names why the store does not accept it', async () => {
    const { visitor, form } = await readyToOrder()
    const refusal = { errors: [{ status: 400, title: 'Insufficient stock' }] }
    shop.store.fault('POST /v2/carts/:id/checkout', { status: 400, body: refusal })
    const { status, text } = await visitor.post('/order', form)
    expect([status, text.includes('didn’t accept the order: not enough stock')]).toEqual([409, true])
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
