import type { SimulatorOptions } from '../../lib/testing'
import { ADA, at, Client, compareResponses, openStore, type Reply, useFakeClock } from './support'

compareResponses()

const BOB = 'bob@example.com'
const LAMP = { id: '11111111-1111-4111-8111-111111111111', name: 'Lamp', sku: 'lamp', price: 4900, stock: 5 }
const MUG = { id: '22222222-2222-4222-8222-222222222222', name: 'Mug', sku: 'mug', price: 1600 }
const lamps = (quantity: unknown) => ({ type: 'cart_item', id: LAMP.id, quantity })
const mugs = (quantity: unknown) => ({ type: 'cart_item', sku: 'mug', quantity })
const card = { type: 'custom_item', name: 'Card', sku: 'card', quantity: 1, price: { amount: 300 } }
const account = (...ids: string[]) => ({ data: ids.map((id) => ({ type: 'account', id })) })

/** Starts a simulator with Ada in the account `a` and Bob in the account `b`, their tokens, and a guest without one. */
async function openShop(options: SimulatorOptions = {}) {
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
function quantities({ json }: Reply): Record<string, unknown> {
  const items = at(json, 'data') as unknown[]
  return Object.fromEntries(items.map((item) => [String(at(item, 'sku')), at(item, 'quantity')] as const))
}

const errorOf = ({ status, json }: Reply) => [status, at(json, 'errors', 0, 'title')]

describe('the catalog', () => {
  test('lists products with prices and names', async () => {
    const { client, simulator } = await openShop({ currency: 'EUR' })
    const { json } = await client.call('GET', '/catalog/products?page[limit]=1')
    expect(at(json, 'data')).toMatchObject([
      {
        id: LAMP.id,
        type: 'product',
        attributes: { name: 'Lamp', sku: 'lamp', price: { EUR: { amount: 4900 } } },
        meta: { display_price: { without_tax: { amount: 4900, currency: 'EUR', formatted: '€49.00' } } },
      },
    ])
    simulator.addProduct({ name: 'Desk Mat', price: 5 })
    expect(simulator.products.at(-1)).toMatchObject({ sku: 'desk-mat', stock: undefined })
    expect((await client.call('GET', `/pcm/catalog/products/${MUG.id}`)).status).toBe(200)
    expect((await client.call('GET', '/catalog/products/x')).status).toBe(404)
  })

  test('has sample products by default', async () => {
    const { simulator } = await openStore()
    expect(simulator.products.map(({ name }) => name)).toEqual(['Desk lamp', 'Notebook', 'Mug', 'Poster'])
  })

  test.each([
    { products: [{ name: 'x', price: 1.5 }] },
    { products: [{ name: 'x', price: 1, stock: -1 }] },
    { products: [MUG, { ...MUG, id: 'y' }] },
    { products: [{ name: 'x', prise: 1 }] },
    { currency: 'dollars' },
    { carts: [{ items: [{ sku: 'x' }] }] },
    { carts: [{ id: 'x' }, { id: 'x' }] },
    { carts: [{ quote: true }] },
  ])('throws for %j', async (options) => {
    await expect(openShop(options as SimulatorOptions)).rejects.toThrow()
  })
})

describe('a cart', () => {
  test('that does not exist is created when it is read, with any token', async () => {
    const { simulator, guest } = await openShop()
    const reply = await guest.call('GET', '/v2/carts/a%20cart')
    expect([reply.status, at(reply.json, 'data')]).toMatchObject([
      200,
      { id: 'a cart', type: 'cart', name: 'Cart', is_quote: false, relationships: { items: { data: [] } } },
    ])
    expect(simulator.cart('a cart')).toMatchObject({ items: [], accounts: [] })
    expect((await guest.send('/v2/carts/x', { headers: { authorization: '' } })).status).toBe(401)
  })

  test('is read and written by anyone who knows its id', async () => {
    const { guest, ada, bob } = await openShop()
    await guest.call('POST', '/v2/carts/x/relationships/accounts', account('a'), ada)
    expect((await guest.call('POST', '/v2/carts/x/items', { data: mugs(1) }, bob)).status).toBe(201)
    expect(quantities(await guest.call('GET', '/v2/carts/x/items'))).toEqual({ mug: 1 })
    expect((await guest.call('DELETE', '/v2/carts/x/items', undefined, bob)).status).toBe(204)
    expect(quantities(await guest.call('GET', '/v2/carts/x/items', undefined, ada))).toEqual({})
  })

  test('is created and changed with name, description, contact and attributes', async () => {
    const { simulator, guest, ada } = await openShop()
    const data = {
      name: 'Mine',
      description: 'ada',
      custom_attributes: { x: { type: 'string', value: 'y' } },
    }
    const created = await guest.call('POST', '/v2/carts', { data }, ada)
    const id = String(at(created.json, 'data', 'id'))
    expect([created.status, at(created.json, 'data')]).toMatchObject([201, data])
    expect(simulator.cart(id)?.accounts).toEqual(['a'])
    const put = await guest.call('PUT', `/v2/carts/${id}`, { data: { description: '' } })
    expect(at(put.json, 'data')).toMatchObject({ name: 'Mine', description: '' })
    const contact = { contact: { email: 'g@example.com' } }
    expect((await guest.call('PUT', `/v2/carts/${id}`, { data: contact })).status).toBe(400)
    expect((await guest.call('POST', '/v2/carts', { data: contact }, ada)).status).toBe(400)
    expect(at((await guest.call('PUT', '/v2/carts/g', { data: contact })).json, 'data')).toMatchObject(
      contact,
    )
    for (const bad of [{ name: '' }, { description: 1 }, { contact: { email: 'x' } }])
      expect((await guest.call('PUT', '/v2/carts/g', { data: bad })).status).toBe(400)
    expect(simulator.carts).toHaveLength(2)
  })

  test('includes its items if the query has `include=items`', async () => {
    const { guest } = await openShop({ carts: [{ id: 'x', items: [{ sku: 'mug', quantity: 2 }] }] })
    const { json } = await guest.call('GET', '/v2/carts/x?include=items')
    expect(at(json, 'included', 'items', 0)).toMatchObject({ sku: 'mug', quantity: 2 })
    expect(at(json, 'data', 'meta', 'display_price', 'with_tax')).toEqual({
      amount: 3200,
      currency: 'USD',
      formatted: '$32.00',
    })
  })

  test('with an encoded slash in its id gives access to other resources', async () => {
    const { guest, ada } = await openShop()
    const reply = await guest.call('GET', '/v2/carts/..%2Forders', undefined, ada)
    expect([reply.status, at(reply.json, 'data')]).toEqual([200, []])
  })

  test('expires some days after its last write, which reads and associations do not extend', async () => {
    const { simulator, guest, ada } = await openShop({ cartExpiryDays: 2 })
    const day = async () => {
      simulator.advance(87_000)
      await guest.authenticate()
    }
    await guest.call('POST', '/v2/carts/x/items', { data: mugs(1) })
    await day()
    await guest.call('POST', '/v2/carts/x/items', { data: mugs(1) })
    const before = simulator.cart('x')?.expiresAt
    await day()
    await guest.call('GET', '/v2/carts/x')
    await guest.call('POST', '/v2/carts/x/relationships/accounts', account('a'), await guest.signIn())
    await guest.call('POST', '/v2/carts/x/items', { data: lamps(6) })
    expect([simulator.cart('x')?.expiresAt, simulator.cart('x')?.accounts]).toEqual([before, ['a']])
    await day()
    expect(simulator.cart('x')).toBeUndefined()
    expect(quantities(await guest.call('GET', '/v2/carts/x/items', undefined, ada))).toEqual({})
  })
})

describe('items', () => {
  test('are added, increased, changed and removed', async () => {
    const { guest } = await openShop()
    const path = '/v2/carts/x/items'
    await guest.call('POST', path, { data: lamps(1) })
    await guest.call('POST', path, { data: card })
    const added = await guest.call('POST', path, { data: [lamps(2), mugs(1), card] })
    expect([added.status, quantities(added)]).toEqual([201, { lamp: 3, card: 2, mug: 1 }])
    expect(at(added.json, 'data', 0)).toMatchObject({
      type: 'cart_item',
      product_id: LAMP.id,
      unit_price: { amount: 4900 },
      value: { amount: 14_700 },
    })
    expect(at(added.json, 'meta', 'display_price', 'with_tax', 'amount')).toBe(3 * 4900 + 600 + 1600)
    const [lamp, other] = [0, 1].map((i) => String(at(added.json, 'data', i, 'id')))
    const put = (id: unknown, quantity: unknown) =>
      guest.call('PUT', `${path}/${String(id)}`, { data: { type: 'cart_item', id, quantity } })
    expect(quantities(await put(lamp, 5))).toEqual({ lamp: 5, card: 2, mug: 1 })
    expect(quantities(await put(other, 0))).toEqual({ lamp: 5, mug: 1 })
    expect(errorOf(await put(other, 1))).toEqual([404, 'Not Found'])
    expect(errorOf(await put(lamp, -1))).toEqual([400, 'number_gte'])
    const removed = await guest.call('DELETE', `${path}/${String(lamp)}`)
    expect([removed.status, quantities(removed)]).toEqual([200, { mug: 1 }])
    expect((await guest.call('DELETE', `${path}/${String(lamp)}`)).status).toBe(404)
  })

  test.each([
    [lamps(6), 400, 'Insufficient stock'],
    [lamps(0), 400, 'number_gte'],
    [mugs(1.5), 400, 'number_gte'],
    [{ ...card, price: { amount: -1 } }, 400, 'number_gte'],
    [{ ...card, name: '' }, 400, 'Bad Request'],
    [{ type: 'cart_item', id: 'x', quantity: 1 }, 404, 'Product not found'],
    [{ type: 'cart_item', sku: 'x', quantity: 1 }, 404, 'Product not found'],
    [{ type: 'promotion_item', code: 'x' }, 404, 'Not Found'],
    [{ type: 'gift' }, 400, 'Bad Request'],
    [null, 400, 'Bad Request'],
  ])('are refused if the entry is %j: %i %s', async (data, status, title) => {
    const { simulator, guest } = await openShop()
    const reply = await guest.call('POST', '/v2/carts/x/items', { data })
    expect(errorOf(reply)).toEqual([status, title])
    expect(simulator.cart('x')?.items).toEqual([])
    if (title === 'Insufficient stock')
      expect(at(reply.json, 'errors', 0)).toMatchObject({
        detail: 'There is not enough stock to add Lamp to your cart',
        meta: { id: LAMP.id },
      })
  })

  test('in a list are added as far as possible, or all or none with `add_all_or_nothing`', async () => {
    const { guest } = await openShop()
    const post = (options?: object) =>
      guest.call('POST', '/v2/carts/x/items', { data: [lamps(9), mugs(1)], options })
    const some = await post()
    expect([some.status, quantities(some), at(some.json, 'errors', 0, 'title')]).toEqual([
      201,
      { mug: 1 },
      'Insufficient stock',
    ])
    expect(errorOf(await post({ add_all_or_nothing: true }))).toEqual([400, 'Insufficient stock'])
    expect(quantities(await guest.call('GET', '/v2/carts/x/items'))).toEqual({ mug: 1 })
  })

  test('are updated in bulk, all or none by default', async () => {
    const { simulator, guest } = await openShop({
      carts: [{ id: 'x', items: [{ sku: 'lamp' }, { sku: 'mug' }] }],
    })
    const [lamp, mug] = (simulator.cart('x')?.items ?? []).map(({ id }) => id)
    const data = [
      { id: lamp, quantity: 9 },
      { id: mug, quantity: 4 },
    ]
    const put = (options?: object) => guest.call('PUT', '/v2/carts/x/items', { data, options })
    expect(errorOf(await put())).toEqual([400, 'Insufficient stock'])
    expect(quantities(await put({ update_all_or_nothing: false }))).toEqual({ lamp: 1, mug: 4 })
  })

  test.each([
    ['an object', false],
    ['an array', true],
  ])('of another cart are added again with each request, by %s', async (_, inArray) => {
    const { simulator, guest } = await openShop({
      carts: [{ id: 'y', items: [{ sku: 'lamp', quantity: 2 }] }],
    })
    const merge = { type: 'cart_items', cart_id: 'y' }
    const post = (options?: object) =>
      guest.call('POST', '/v2/carts/x/items', { data: inArray ? [merge] : merge, options })
    expect(quantities(await post())).toEqual({ lamp: 2 })
    expect(quantities(await post({ add_all_or_nothing: true }))).toEqual({ lamp: 4 })
    expect(errorOf(await post({ add_all_or_nothing: true }))).toEqual([400, 'Insufficient stock'])
    simulator.setStock(LAMP.id, undefined)
    expect(quantities(await post())).toEqual({ lamp: 6 })
    expect(simulator.cart('y')?.items).toHaveLength(1)
  })

  test('are added once if only the response is lost, and not at all if the request is lost', async () => {
    const { simulator, guest } = await openShop()
    const post = () => guest.call('POST', '/v2/carts/x/items', { data: mugs(1) })
    simulator.fault('POST /v2/carts/:id/items', 'reset')
    simulator.fault('POST /v2/carts/:id/items', 'truncated', { afterEffect: true })
    simulator.fault('POST /v2/carts/:id/items', 'malformed')
    for (const expected of [undefined, 1, 1]) {
      await post().catch(() => undefined)
      expect(simulator.cart('x')?.items[0]?.quantity).toBe(expected)
    }
    expect(quantities(await post())).toEqual({ mug: 2 })
  })
})

describe('the carts of an account', () => {
  test('can include any cart whose id the account knows', async () => {
    const { simulator, guest, ada, bob } = await openShop()
    const path = '/v2/carts/x/relationships/accounts'
    const first = await guest.call('POST', path, account('a'), ada)
    expect([first.status, first.json]).toEqual([200, account('a')])
    expect((await guest.call('POST', path, account('a'), ada)).status).toBe(204)
    expect((await guest.call('POST', path, account('b'), bob)).json).toEqual(account('a', 'b'))
    expect(at((await guest.call('GET', '/v2/carts', undefined, bob)).json, 'data', 0, 'id')).toBe('x')
    expect((await guest.call('DELETE', path, account('a'), ada)).status).toBe(204)
    expect(simulator.cart('x')?.accounts).toEqual(['b'])
  })

  test.each([
    ['a guest', undefined, account('a'), 403],
    ['an invalid account token', 'x', account('a'), 401],
    ['another account', 'ada', account('b'), 403],
    ['a body without a list', 'ada', { data: {} }, 400],
    ['an empty list', 'ada', { data: [] }, 400],
    ['another type', 'ada', { data: [{ type: 'customer', id: 'a' }] }, 400],
  ])('cannot be changed with %s', async (_, who, body, status) => {
    const { guest, ada } = await openShop()
    const token = who === 'ada' ? ada : who
    for (const method of ['POST', 'DELETE'])
      expect((await guest.call(method, '/v2/carts/x/relationships/accounts', body, token)).status).toBe(
        status,
      )
  })

  test('are listed in the order of creation, without items, in pages of up to 100, and ignore filter and sort', async () => {
    const carts = Array.from({ length: 101 }, (_, i) => ({ id: `c${i}`, accounts: ['a'], isQuote: i === 1 }))
    const { simulator, guest, ada } = await openShop({ carts })
    simulator.addCart({ id: 'other', accounts: ['b'] })
    simulator.advance(60)
    await guest.call('POST', '/v2/carts/c100/items', { data: mugs(1) })
    const list = await guest.call('GET', '/v2/carts?sort=-updated_at&filter=eq(name,x)', undefined, ada)
    const ids = (at(list.json, 'data') as unknown[]).map((cart) => at(cart, 'id'))
    expect([ids.length, ids[0], at(list.json, 'data', 1, 'is_quote')]).toEqual([100, 'c0', true])
    expect(at(list.json, 'data', 0, 'relationships')).not.toHaveProperty('items')
    expect(at(list.json, 'meta', 'results', 'total')).toBe(101)
    const last = await guest.call('GET', '/v2/carts?page[offset]=100', undefined, ada)
    expect(at(last.json, 'data', 0, 'id')).toBe('c100')
    expect((await guest.call('GET', '/v2/carts?page[limit]=101', undefined, ada)).status).toBe(400)
    expect((await guest.call('GET', '/v2/carts')).status).toBe(403)
    const admin = await Client.admin(simulator)
    expect(at((await admin.call('GET', '/v2/carts')).json, 'meta', 'results', 'total')).toBe(102)
  })

  test('do not include a cart with a contact email', async () => {
    const { guest, ada } = await openShop({ carts: [{ id: 'x', contactEmail: 'g@example.com' }] })
    const reply = await guest.call('POST', '/v2/carts/x/relationships/accounts', account('a'), ada)
    expect(errorOf(reply)).toEqual([400, 'Cannot associate accounts to carts with contact emails'])
  })

  test('include the last cart until its association is removed', async () => {
    const { simulator, guest, ada } = await openShop({
      carts: [
        { id: 'x', accounts: ['a'] },
        { id: 'y', accounts: ['a'] },
      ],
    })
    expect((await guest.call('DELETE', '/v2/carts/x')).status).toBe(204)
    expect(errorOf(await guest.call('DELETE', '/v2/carts/y'))).toEqual([400, 'Last cart'])
    await guest.call('DELETE', '/v2/carts/y/relationships/accounts', account('a'), ada)
    expect((await guest.call('DELETE', '/v2/carts/y')).status).toBe(204)
    expect(simulator.carts).toEqual([])
  })
})

describe('orders', () => {
  const contact = { email: ADA, name: 'Ada' }
  const address = {
    first_name: 'A',
    last_name: 'L',
    line_1: '1 St',
    postcode: '1',
    country: 'US',
    region: 'CA',
  }
  const carts = [{ id: 'x', items: [{ sku: 'lamp', quantity: 2 }] }]

  test('are created from a cart, which does not change, and are listed for the account', async () => {
    const { simulator, guest, ada, bob } = await openShop({ carts })
    const data = { contact, order_number: 'n1', shipping_address: address, billing_address: address }
    const made = await guest.call('POST', '/v2/carts/x/checkout', { data }, ada)
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
    await guest.call('POST', '/v2/carts/x/checkout', { data: { contact, account: { id: 'a' } } }, ada)
    expect(errorOf(await guest.call('POST', '/v2/carts/x/checkout', { data: { contact } }, ada))).toEqual([
      400,
      'Insufficient stock',
    ])
    const list = await guest.call('GET', '/v2/orders', undefined, ada)
    expect([at(list.json, 'meta', 'results', 'total'), at(list.json, 'data', 1, 'id')]).toEqual([2, id])
    const items = await guest.call('GET', `/v2/orders/${id}/items`, undefined, ada)
    expect(at(items.json, 'data')).toMatchObject([{ sku: 'lamp', quantity: 2, unit_price: { amount: 4900 } }])
    const one = await guest.call('GET', `/v2/orders/${id}?include=items`, undefined, ada)
    expect(at(one.json, 'included', 'items', 0, 'name')).toBe('Lamp')
    for (const token of [bob, undefined]) {
      expect((await guest.call('GET', `/v2/orders/${id}`, undefined, token)).status).toBe(404)
      expect((await guest.call('GET', `/v2/orders/${id}/items`, undefined, token)).status).toBe(404)
    }
    expect(at((await guest.call('GET', '/v2/orders', undefined, bob)).json, 'data')).toEqual([])
    expect((await guest.call('GET', '/v2/orders')).status).toBe(403)
  })

  test.each([
    ['filter=eq(external_ref,r1)', ['n1']],
    ['filter=eq(external_ref,none)', []],
    ['filter=eq(account_id,a)', ['n2', 'n1']],
    ['filter=eq(account_id,b)', []],
    ['filter=eq(payment,paid)&sort=created_at', ['n2', 'n1']],
  ])('are listed, newest first, with %s', async (query, numbers) => {
    const { guest, ada } = await openShop({ carts })
    for (const n of [1, 2]) {
      const data = { contact, order_number: `n${n}`, external_ref: `r${n}` }
      await guest.call('POST', '/v2/carts/x/checkout', { data }, ada)
    }
    const { json } = await guest.call('GET', `/v2/orders?${query}`, undefined, ada)
    expect((at(json, 'data') as unknown[]).map((order) => at(order, 'order_number'))).toEqual(numbers)
  })

  test.each([
    ['201 for a guest', 'guest', { customer: { name: 'G', email: 'g@example.com' } }, 201, undefined],
    [
      '201 for an administrator with any account',
      'admin',
      { contact, account: { id: 'b', member_id: 'bob' } },
      201,
      'b',
    ],
    ['403 for a guest with an account', 'guest', { contact, account: { id: 'b' } }, 403, undefined],
    ['403 for another account', 'ada', { contact, account: { id: 'b' } }, 403, undefined],
    ['400 without an email address', 'ada', { contact: { name: 'Ada' } }, 400, undefined],
    [
      '400 for an incomplete address',
      'ada',
      { contact, billing_address: { line_1: '1 St' } },
      400,
      undefined,
    ],
    ['401 for an invalid account token', 'nobody', { contact }, 401, undefined],
  ])('are created only if the checkout is valid: %s', async (_, who, data, status, accountId) => {
    const { simulator, guest, ada } = await openShop({ carts })
    const token = { ada, nobody: 'x' }[who]
    const client = who === 'admin' ? await Client.admin(simulator) : guest
    expect((await client.call('POST', '/v2/carts/x/checkout', { data }, token)).status).toBe(status)
    expect(simulator.orders.map((order) => order.accountId)).toEqual(status === 201 ? [accountId] : [])
  })

  test('are not created from an empty cart', async () => {
    const { guest, ada } = await openShop()
    expect((await guest.call('POST', '/v2/carts/x/checkout', { data: { contact } }, ada)).status).toBe(400)
  })

  test('are created once if the response is lost after the effect', async () => {
    const { simulator, guest, ada } = await openShop({ carts })
    simulator.fault('POST /v2/carts/:id/checkout', 'half_valid')
    simulator.fault('POST /v2/carts/:id/checkout', 'reset', { afterEffect: true })
    const checkout = () => guest.call('POST', '/v2/carts/x/checkout', { data: { contact } }, ada)
    await checkout()
    expect([simulator.orders, simulator.products[0]?.stock]).toEqual([[], 5])
    await expect(checkout()).rejects.toThrow()
    expect([simulator.orders.length, simulator.products[0]?.stock]).toEqual([1, 3])
  })

  test.each([
    [{ gateway: 'manual', method: 'purchase' }, true, 200, 'paid', 'complete'],
    [{ gateway: 'manual', method: 'authorize' }, true, 200, 'authorized', 'processing'],
    [{ gateway: 'manual', method: 'purchase' }, false, 422, 'unpaid', 'incomplete'],
    [{ gateway: 'stripe', method: 'purchase' }, true, 422, 'unpaid', 'incomplete'],
    [{ gateway: 'manual', method: 'give' }, true, 400, 'unpaid', 'incomplete'],
  ])('respond to %j, payment gateway: %p, with %i', async (data, paymentGateway, code, payment, status) => {
    const { simulator, guest, ada, bob } = await openShop({ carts, paymentGateway })
    await guest.call('POST', '/v2/carts/x/checkout', { data: { contact } }, ada)
    const path = `/v2/orders/${simulator.orders[0]?.id ?? ''}/payments`
    expect((await guest.call('POST', path, { data }, bob)).status).toBe(404)
    expect((await guest.call('POST', path, { data }, ada)).status).toBe(code)
    expect(simulator.orders).toMatchObject([{ payment, status }])
    if (code === 200) expect((await guest.call('POST', path, { data }, ada)).status).toBe(409)
  })

  test('can be added to a cart with the type order_items', async () => {
    const { simulator, guest, ada } = await openShop({ carts })
    await guest.call('POST', '/v2/carts/x/checkout', { data: { contact } }, ada)
    const data = { type: 'order_items', order_id: simulator.orders[0]?.id }
    expect(quantities(await guest.call('POST', '/v2/carts/y/items', { data }))).toEqual({ lamp: 2 })
  })
})

describe('timestamps of carts and orders', () => {
  afterEach(() => jest.useRealTimers())

  test('follow the simulator’s clock', async () => {
    useFakeClock()
    const { simulator, guest } = await openShop()
    jest.setSystemTime(Date.parse('2030-01-01T00:00:00Z'))
    await guest.authenticate()
    await guest.call('POST', '/v2/carts/x/items', { data: mugs(1) })
    expect(simulator.cart('x')).toMatchObject({
      updatedAt: '2030-01-01T00:00:00.000Z',
      expiresAt: '2030-01-08T00:00:00.000Z',
    })
  })
})
