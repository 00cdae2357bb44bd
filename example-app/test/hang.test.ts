import { lines, openBasketShop, ordersOf, readyToOrder, type BasketShop } from './support/basket'
import { newMember } from './support/shop'
import { redirectOf, Visitor } from './support/visitor'

// Here the tests move timers too, and with them the time that a page waits for Elastic Path.
let shop: BasketShop
beforeAll(async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
  shop = await openBasketShop()
})
afterEach(() => shop.store.clearFaults())
afterAll(() => shop.close())

/** Lets the time pass that a page waits for, once Elastic Path has got the call. */
async function waitFor<T>(call: Parameters<BasketShop['store']['nextRequest']>[0], work: () => Promise<T>) {
  const arrived = shop.store.nextRequest(call)
  const result = work()
  await arrived
  jest.advanceTimersByTime(8_000)
  return result
}

describe('a store that does not answer', () => {
  it('to a checkout, but makes the order, leads to the order, which is paid, and the basket is empty', async () => {
    const { visitor, account, form } = await readyToOrder(shop)
    shop.store.fault('POST /v2/carts/:id/checkout', 'hang', { afterEffect: true })
    const response = await waitFor('POST /v2/carts/:id/checkout', () => visitor.post('/order', form))
    const [order, ...others] = ordersOf(shop, account)
    expect(redirectOf(response)).toEqual([303, `/orders/${order?.id}`])
    expect([order?.payment, others]).toEqual(['paid', []])
    expect(lines(await visitor.get('/basket'))).toEqual([])
  })

  it.each(['GET /v2/carts', 'POST /v2/carts/:id/relationships/accounts', 'PUT /v2/carts/:id'] as const)(
    'to %s does not prevent the sign-in, and only one page waits for it',
    async (call) => {
      const visitor = new Visitor(shop)
      await visitor.get('/')
      await visitor.post('/basket', { sku: 'rope' })
      shop.store.fault(call, 'hang', { times: Infinity })
      expect(redirectOf(await visitor.signIn(newMember(shop)))).toEqual([303, '/account'])
      expect((await waitFor(call, () => visitor.get('/account'))).status).toBe(200)
      expect((await visitor.get('/account')).status).toBe(200)
      expect((await waitFor(call, () => visitor.get('/basket'))).status).toBe(502)
      shop.store.clearFaults()
      expect((await visitor.get('/basket')).text).toContain('Mooring rope')
    },
  )

  it('to an item leads to the basket, which says so', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/')
    shop.store.fault('POST /v2/carts/:id/items', 'hang', { afterEffect: true })
    const response = await waitFor('POST /v2/carts/:id/items', () => visitor.post('/basket', { sku: 'rope' }))
    expect(redirectOf(response)).toEqual([303, '/basket'])
    const { text } = await visitor.get('/basket')
    expect(text).toContain('didn’t confirm a change')
    expect(text).toContain('<strong>Mooring rope</strong>')
  })
})
