import { card, errorOf, lamps, mugs, openShop, quantities } from './shop'
import { ADA, at, Client, compareResponses } from './support'

compareResponses()

const contact = { email: ADA, name: 'Ada' }
const name = { first_name: 'A', last_name: 'L' }
const address = { ...name, line_1: '1 St', postcode: '1', country: 'US', region: 'CA' }
const carts = [{ id: 'x', items: [{ sku: 'lamp', quantity: 2 }] }]
const noLamps = '400 Insufficient stock: There is not enough stock to add Lamp to your cart'

type Shop = Awaited<ReturnType<typeof openShop>>

/** Checks out the cart `x`, as a guest, Ada, Bob or an administrator. */
async function checkout({ simulator, guest, ada, bob }: Shop, who: string, data: object = { contact }) {
  const client = who === 'admin' ? await Client.admin(simulator) : guest
  return client.call('POST', '/v2/carts/x/checkout', { data }, { ada, bob }[who])
}

/** The path of the only order. */
const pathOf = ({ simulator }: Shop) => `/v2/orders/${String(simulator.orders[0]?.id)}`

const noId = '400 Bad Request: account must have an id'
const noEmail = '400 Bad Request: contact must have an email'
const noField = '400 Bad Request: an address lacks a field'

describe('orders', () => {
  test('are created from a cart, which does not change, and are listed for the account', async () => {
    const shop = await openShop({ carts })
    const { simulator, guest, ada } = shop
    const data = { contact, order_number: 'n1', shipping_address: address, billing_address: address }
    const made = await checkout(shop, 'ada', data)
    expect([made.status, at(made.json, 'data')]).toMatchObject([
      201,
      {
        type: 'order',
        order_number: 'n1',
        status: 'incomplete',
        payment: 'unpaid',
        contact,
        shipping_address: address,
        meta: { display_price: { with_tax: { amount: 9800, formatted: '$98.00' } } },
        relationships: { account: { data: { id: 'a' } }, account_member: { data: { id: 'ada' } } },
      },
    ])
    expect(simulator.cart('x')?.items).toHaveLength(1)
    expect(simulator.products[0]?.stock).toBe(3)
    const id = String(at(made.json, 'data', 'id'))
    simulator.advance(1)
    await checkout(shop, 'ada', { contact, account: { id: 'a' } })
    expect(errorOf(await checkout(shop, 'ada'))).toBe(noLamps)
    const read = (path: string) => guest.call('GET', `/v2/orders${path}`, undefined, ada)
    const list = await read('')
    expect([at(list.json, 'meta', 'results', 'total'), at(list.json, 'data', 1, 'id')]).toEqual([2, id])
    const items = await read(`/${id}/items`)
    expect(at(items.json, 'data')).toMatchObject([{ sku: 'lamp', quantity: 2, unit_price: { amount: 4900 } }])
    for (const query of ['', '?include=promotions'])
      expect((await read(`/${id}${query}`)).json).not.toHaveProperty('included')
    const one = await read(`/${id}?include=promotions,items`)
    expect(at(one.json, 'included', 'items', 0, 'name')).toBe('Lamp')
  })

  test.each([
    ['their account', true, 'ada', 'ada'],
    ['another account', false, 'bob', 'ada'],
    ['a guest', false, 'guest', 'ada'],
    ['an administrator', true, 'admin', 'ada'],
    ['the guest who made them', false, 'guest', 'guest'],
    ['an account, if a guest made them', false, 'ada', 'guest'],
    ['an administrator, if a guest made them', true, 'admin', 'guest'],
  ])('are visible to %s: %p', async (_, isVisible, reader, buyer) => {
    const shop = await openShop({ carts })
    const { simulator, guest, ada, bob } = shop
    await checkout(shop, buyer)
    const client = reader === 'admin' ? await Client.admin(simulator) : guest
    const read = (path: string) => client.call('GET', path, undefined, { ada, bob }[reader])
    for (const query of ['', '?include=items', '/items']) {
      const reply = await read(pathOf(shop) + query)
      if (isVisible) expect(reply.status).toBe(200)
      else expect(errorOf(reply)).toBe('404 Not Found: Order not found')
    }
    const list = await read('/v2/orders')
    expect(at(list.json, 'meta', 'results', 'total')).toBe(reader === 'guest' ? undefined : Number(isVisible))
  })

  test.each([
    ['filter=eq(external_ref,r1)', ['n1']],
    ['filter=eq(external_ref,none)', []],
    ['filter=eq(account_id,a)', ['n2', 'n1']],
    ['filter=eq(account_id,b)', []],
    ['filter=eq(payment,paid)&sort=created_at', ['n2', 'n1']],
    ['filter=not_eq(external_ref,r1)', ['n2', 'n1']],
    ['filter=eq(external_ref,r1):eq(payment,paid)', ['n2', 'n1']],
  ])('are listed, newest first, with %s', async (query, numbers) => {
    const shop = await openShop({ carts })
    for (const n of [1, 2])
      await checkout(shop, 'ada', { contact, order_number: `n${n}`, external_ref: `r${n}` })
    const { json } = await shop.guest.call('GET', `/v2/orders?${query}`, undefined, shop.ada)
    expect((at(json, 'data') as unknown[]).map((order) => at(order, 'order_number'))).toEqual(numbers)
  })

  const county = { ...address, region: undefined, county: 'Kent' }
  test.each([
    ['a guest', 'guest', { customer: { name: 'G', email: 'g@example.com' } }, undefined],
    ['a contact without a name', 'ada', { contact: { email: ADA } }, 'a'],
    ['the account of the token', 'ada', { contact, account: { id: 'a', member_id: 'ada' } }, 'a'],
    ['an administrator, with any account', 'admin', { contact, account: { id: 'b', member_id: 'bob' } }, 'b'],
    ['an administrator, without an account', 'admin', { contact }, undefined],
    ['a county in place of a region', 'ada', { contact, billing_address: county }, 'a'],
  ])('are created for %s', async (_, who, data, accountId) => {
    const shop = await openShop({ carts })
    expect((await checkout(shop, who, data)).status).toBe(201)
    expect(shop.simulator.orders.map((order) => order.accountId)).toEqual([accountId])
  })

  test.each([
    ['a guest, for an account', 'guest', { contact, account: { id: 'b' } }, '403 Forbidden'],
    ['another account', 'ada', { contact, account: { id: 'b' } }, '403 Forbidden'],
    ['another member', 'ada', { contact, account: { id: 'a', member_id: 'bob' } }, '403 Forbidden'],
    ['a guest, without an account id', 'guest', { contact, account: {} }, noId],
    ['a member, without an account id', 'ada', { contact, account: { id: '' } }, noId],
    ['an administrator, without an account id', 'admin', { contact, account: {} }, noId],
    ['an administrator, with a number as the id', 'admin', { contact, account: { id: 1 } }, noId],
    ['an administrator, with text as the account', 'admin', { contact, account: 'b' }, noId],
    ['a contact without an email', 'ada', { contact: { name: 'Ada' } }, noEmail],
    ['no contact', 'ada', {}, noEmail],
    ['text as an address', 'ada', { contact, billing_address: 'here' }, noField],
  ])('are not created for %s', async (_, who, data, error) => {
    const shop = await openShop({ carts })
    expect(errorOf(await checkout(shop, who, data))).toBe(error)
    expect(shop.simulator.orders).toEqual([])
  })

  test.each(Object.keys(address))('are not created if an address has no %s', async (field) => {
    const shop = await openShop({ carts })
    for (const kind of ['billing_address', 'shipping_address'])
      expect(errorOf(await checkout(shop, 'ada', { contact, [kind]: { ...address, [field]: '' } }))).toBe(
        noField,
      )
    expect(shop.simulator.orders).toEqual([])
  })

  test('are not created from an empty cart', async () => {
    expect(errorOf(await checkout(await openShop(), 'ada'))).toBe('400 Bad Request: The cart is empty')
  })

  test('are not created if two items of a cart from the start exceed the stock together', async () => {
    const items = [{ sku: 'lamp', quantity: 3 }, { sku: 'mug' }, { sku: 'lamp', quantity: 3 }]
    const shop = await openShop({ carts: [{ id: 'x', items }] })
    const { simulator, guest } = shop
    expect(quantities(await guest.call('GET', '/v2/carts/x/items'))).toEqual({ lamp: 6, mug: 1 })
    const error = errorOf(await checkout(shop, 'guest'))
    expect([error, simulator.orders, simulator.products[0]?.stock]).toEqual([noLamps, [], 5])
  })

  test('can contain products without tracked stock, and custom items', async () => {
    const shop = await openShop()
    const { simulator, guest, ada } = shop
    await guest.call('POST', '/v2/carts/x/items', { data: [card, mugs(1), lamps(2)] })
    await checkout(shop, 'ada')
    const items = await guest.call('GET', `${pathOf(shop)}/items`, undefined, ada)
    expect(quantities(items)).toEqual({ card: 1, mug: 1, lamp: 2 })
    expect(at(items.json, 'data', 0)).not.toHaveProperty('product_id')
    expect(at(items.json, 'data', 0, 'relationships', 'cart_item', 'data', 'type')).toBe('custom_item')
    expect(simulator.products.map(({ stock }) => stock)).toEqual([3, undefined])
  })

  test('are created once if the response is lost after the effect', async () => {
    const shop = await openShop({ carts })
    const { simulator } = shop
    simulator.fault('POST /v2/carts/:id/checkout', 'half_valid')
    simulator.fault('POST /v2/carts/:id/checkout', 'reset', { afterEffect: true })
    await checkout(shop, 'ada')
    expect([simulator.orders, simulator.products[0]?.stock]).toEqual([[], 5])
    await expect(checkout(shop, 'ada')).rejects.toThrow()
    expect([simulator.orders.length, simulator.products[0]?.stock]).toEqual([1, 3])
  })

  test.each([
    ['purchase', 'paid', 'complete', [0, 9800, 0]],
    ['authorize', 'authorized', 'processing', [0, 0, 9800]],
  ])(
    'are %sd once, and then show what is owed, paid and authorized',
    async (method, payment, status, amounts) => {
      const shop = await openShop({ carts })
      const { simulator, guest, ada } = shop
      await checkout(shop, 'ada')
      const path = pathOf(shop)
      const pay = () => guest.call('POST', `${path}/payments`, { data: { gateway: 'manual', method } }, ada)
      const prices = async () => {
        const { json } = await guest.call('GET', path, undefined, ada)
        const price = (name: string) => at(json, 'data', 'meta', 'display_price', name, 'amount')
        return ['balance_owing', 'paid', 'authorized'].map(price)
      }
      expect(await prices()).toEqual([9800, 0, 0])
      expect((await pay()).status).toBe(200)
      expect([simulator.orders, await prices()]).toMatchObject([[{ payment, status }], amounts])
      expect(errorOf(await pay())).toBe('409 Conflict: The order is paid already')
    },
  )

  const noGateway = '422 Unprocessable Entity: The payment gateway is not enabled for this store'
  test.each([
    [{ gateway: 'manual', method: 'purchase' }, false, noGateway],
    [{ gateway: 'stripe', method: 'purchase' }, true, noGateway],
    [{ gateway: 'manual', method: 'give' }, true, '400 Bad Request: Request could not be processed'],
  ])('are not paid by %j, payment gateway: %p: %s', async (data, paymentGateway, error) => {
    const shop = await openShop({ carts, paymentGateway })
    const { simulator, guest, ada, bob } = shop
    await checkout(shop, 'ada')
    const pay = (token: string) => guest.call('POST', `${pathOf(shop)}/payments`, { data }, token)
    expect(errorOf(await pay(bob))).toBe('404 Not Found: Order not found')
    expect(errorOf(await pay(ada))).toBe(error)
    expect(simulator.orders).toMatchObject([{ payment: 'unpaid', status: 'incomplete' }])
  })

  test('are added to a cart with the type order_items, except for what is out of stock, and custom items', async () => {
    const shop = await openShop({ carts })
    const { simulator, guest } = shop
    await guest.call('POST', '/v2/carts/x/items', { data: [mugs(1), card] })
    await checkout(shop, 'ada')
    const data = { type: 'order_items', order_id: simulator.orders[0]?.id }
    const reorder = (options?: object) => guest.call('POST', '/v2/carts/y/items', { data, options })
    expect(quantities(await reorder())).toEqual({ lamp: 2, mug: 1 })
    const again = await reorder()
    expect([again.status, quantities(again)]).toEqual([201, { lamp: 2, mug: 2 }])
    expect(at(again.json, 'errors')).toMatchObject([{ title: 'Insufficient stock' }])
    expect(errorOf(await reorder({ add_all_or_nothing: true }))).toBe(noLamps)
  })
})
