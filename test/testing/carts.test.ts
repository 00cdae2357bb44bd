import type { SimulatorOptions } from '../../lib/testing'
import { account, card, errorOf, LAMP, lamps, MUG, mugs, openShop, quantities } from './shop'
import { ADA, at, Client, compareResponses, openStore, useFakeClock } from './support'

compareResponses()

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

  test('has no product with an unknown id', async () => {
    const { simulator } = await openStore()
    expect(() => simulator.setStock('x', 1)).toThrow('No product has the id x')
  })
})

describe('the simulator', () => {
  const quantity = 'The quantity of mug must be a whole number, 1 or more, not'
  test.each([
    [
      'The price of x must be a whole number of minor units, 0 or more',
      { products: [{ name: 'x', price: 1.5 }] },
    ],
    [
      'The stock must be a whole number, 0 or more, not -1',
      { products: [{ name: 'x', price: 1, stock: -1 }] },
    ],
    [
      'The product id y is already in use',
      {
        products: [
          { ...MUG, id: 'y' },
          { ...LAMP, id: 'y' },
        ],
      },
    ],
    ['The SKU mug is already in use', { products: [MUG, { ...MUG, id: 'y' }] }],
    ['Unknown option of a product: prise. Known options: id, name,', { products: [{ name: 'x', prise: 1 }] }],
    ['Invalid currency code : dollars', { currency: 'dollars' }],
    ['No product has the SKU x', { carts: [{ items: [{ sku: 'x' }] }] }],
    ['The cart id x is already in use', { carts: [{ id: 'x' }, { id: 'x' }] }],
    ['Unknown option of a cart: quote. Known options: id, name,', { carts: [{ quote: true }] }],
    ['Unknown option of an item: id. Known options: sku, quantity', { carts: [{ items: [{ id: 'x' }] }] }],
    [`${quantity} 0`, { carts: [{ items: [{ sku: 'mug', quantity: 0 }] }] }],
    [`${quantity} -1`, { carts: [{ items: [{ sku: 'mug', quantity: -1 }] }] }],
    [`${quantity} 1.5`, { carts: [{ items: [{ sku: 'mug', quantity: 1.5 }] }] }],
  ])('throws at the start: %s', async (message, options) => {
    await expect(openShop(options as SimulatorOptions)).rejects.toThrow(message)
  })
})

describe('a request about carts or orders', () => {
  test.each([
    'POST /v2/carts',
    'PUT /v2/carts/x',
    'POST /v2/carts/x/items',
    'PUT /v2/carts/x/items',
    'PUT /v2/carts/x/items/y',
    'POST /v2/carts/x/relationships/accounts',
    'DELETE /v2/carts/x/relationships/accounts',
    'POST /v2/carts/x/checkout',
    'POST /v2/orders/:order/payments',
  ])('is refused if its body is not JSON, or not an object: %s', async (call) => {
    const { simulator, guest, ada } = await openShop({ carts: [{ id: 'x', items: [{ sku: 'mug' }] }] })
    await guest.call('POST', '/v2/carts/x/checkout', { data: { contact: { email: ADA } } }, ada)
    const [method = '', path = ''] = call.replace(':order', String(simulator.orders[0]?.id)).split(' ')
    expect(errorOf(await guest.call(method, path, '{', ada))).toBe('400 Bad Request: malformed JSON')
    expect(errorOf(await guest.call(method, path, [], ada))).toBe('400 Bad Request: the body must have data')
    expect(errorOf(await guest.call(method, path, undefined, ada))).toBe('415 Unsupported Media Type')
  })

  test.each([
    'GET /v2/carts',
    'POST /v2/carts',
    'POST /v2/carts/x/relationships/accounts',
    'DELETE /v2/carts/x/relationships/accounts',
    'POST /v2/carts/x/checkout',
    'GET /v2/orders',
    'GET /v2/orders/y',
    'GET /v2/orders/y/items',
    'POST /v2/orders/y/payments',
  ])('is refused if the account token is invalid: %s', async (call) => {
    const { guest } = await openShop()
    const [method = '', path = ''] = call.split(' ')
    const body = method === 'GET' ? undefined : { data: {} }
    expect(errorOf(await guest.call(method, path, body, 'x'))).toBe('401 Unauthorized')
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
    const guests = await guest.call('POST', '/v2/carts', {
      data: { contact: { email: 'guest@example.com' } },
    })
    expect(at(guests.json, 'data', 'relationships', 'accounts', 'data')).toEqual([])
  })

  const noEmails = 'Carts with accounts cannot have contact emails.'
  const noEmail = 'contact.email must be an email address'
  test.each([
    [{ name: '' }, 'x', 'name must not be empty'],
    [{ description: 1 }, 'x', 'description must be text'],
    [{ contact: { email: 'guest' } }, 'x', noEmail],
    [{ contact: { email: '@example.com' } }, 'x', noEmail],
    [{ contact: { email: 'guest@' } }, 'x', noEmail],
    [{ contact: { email: 'a guest@example.com' } }, 'x', noEmail],
    [{ contact: { email: 'guest@example.com or so' } }, 'x', noEmail],
    [{ contact: { email: 'guest@example.com' } }, 'of-a', noEmails],
  ])('does not change by %j', async (data, id, detail) => {
    const { simulator, guest, ada } = await openShop({
      carts: [{ id: 'x' }, { id: 'of-a', accounts: ['a'] }],
    })
    const before = simulator.carts
    expect(errorOf(await guest.call('PUT', `/v2/carts/${id}`, { data }))).toBe(`400 Bad Request: ${detail}`)
    expect(errorOf(await guest.call('POST', '/v2/carts', { data }, ada))).toBe(`400 Bad Request: ${detail}`)
    expect(simulator.carts).toEqual(before)
  })

  test('keeps its contact email until the contact changes', async () => {
    const carts = [
      { id: 'x', contactEmail: 'guest@example.com' },
      { id: 'y', accounts: ['a'] },
    ]
    const { simulator, guest } = await openShop({ carts })
    await guest.call('PUT', '/v2/carts/x', { data: { name: 'Mine' } })
    expect(simulator.cart('x')?.contactEmail).toBe('guest@example.com')
    for (const id of ['x', 'y'])
      expect((await guest.call('PUT', `/v2/carts/${id}`, { data: { contact: { name: 'G' } } })).status).toBe(
        200,
      )
    expect(simulator.cart('x')?.contactEmail).toBeUndefined()
  })

  test('includes its items if the query has `include=items`', async () => {
    const { guest } = await openShop({ carts: [{ id: 'x', items: [{ sku: 'mug', quantity: 2 }] }] })
    for (const query of ['', '?include=promotions'])
      expect((await guest.call('GET', `/v2/carts/x${query}`)).json).not.toHaveProperty('included')
    const { json } = await guest.call('GET', '/v2/carts/x?include=promotions,items')
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
    await guest.call('POST', '/v2/carts/x/items', { data: [lamps(6)] })
    expect([simulator.cart('x')?.expiresAt, simulator.cart('x')?.accounts]).toEqual([before, ['a']])
    await day()
    expect(simulator.carts).toEqual([])
    expect(quantities(await guest.call('GET', '/v2/carts/x/items', undefined, ada))).toEqual({})
  })
})

const noLamps = '400 Insufficient stock: There is not enough stock to add Lamp to your cart'

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
    expect(errorOf(await put(other, 1))).toBe('404 Not Found: Item was not found in the cart')
    for (const quantity of [-1, 1.5, '1', undefined])
      expect(errorOf(await put(lamp, quantity))).toBe(`400 number_gte: Must be greater than or equal to 0`)
    expect(errorOf(await put(lamp, 6))).toBe(noLamps)
    const removed = await guest.call('DELETE', `${path}/${String(lamp)}`)
    expect([removed.status, quantities(removed)]).toEqual([200, { mug: 1 }])
    expect((await guest.call('DELETE', `${path}/${String(lamp)}`)).status).toBe(404)
  })

  const atLeast1 = '400 number_gte: Must be greater than or equal to 1'
  const noProduct = '404 Product not found: The requested product could not be found'
  test.each([
    [lamps(6), noLamps],
    [lamps(0), atLeast1],
    [mugs(1.5), atLeast1],
    [{ ...card, quantity: 0 }, atLeast1],
    [{ ...card, quantity: 1.5 }, atLeast1],
    [{ ...card, price: { amount: -1 } }, '400 number_gte: Must be greater than or equal to 0'],
    [{ ...card, price: 300 }, '400 number_gte: Must be greater than or equal to 0'],
    [{ ...card, name: '' }, '400 Bad Request: A custom item must have a name'],
    [{ type: 'cart_item', id: 'x', quantity: 1 }, noProduct],
    [{ type: 'cart_item', sku: 'x', quantity: 1 }, noProduct],
    [{ type: 'cart_item', quantity: 1 }, noProduct],
    [
      { type: 'promotion_item', code: 'x' },
      '404 Not Found: No promotion could be found with the given code.',
    ],
    [{ type: 'gift' }, '400 Bad Request: type is not a type of cart item'],
    [null, '400 Bad Request: An item must be an object'],
  ])('are refused if the entry is %j: %s', async (data, error) => {
    const { simulator, guest } = await openShop()
    expect(errorOf(await guest.call('POST', '/v2/carts/x/items', { data }))).toBe(error)
    expect(simulator.cart('x')?.items).toEqual([])
  })

  test.each([
    ['nothing', {}, [1, 2]],
    ['the SKU', { sku: 'other' }, [1, 1, 1]],
    ['the lack of a SKU', { sku: undefined }, [1, 1, 1]],
    ['the name', { name: 'Other' }, [1, 1, 1]],
    ['the price', { price: { amount: 1 } }, [1, 1, 1]],
    ['the description', { description: 'Other' }, [1, 2]],
    ['all, but equal to a product', { name: 'Mug', sku: 'mug', price: { amount: 1600 } }, [1, 1, 1]],
  ])(
    'are the same custom item unless they differ in SKU, name or price; they differ in %s',
    async (_, changes, expected) => {
      const { simulator, guest } = await openShop()
      const described = { ...card, description: 'Folded.' }
      await guest.call('POST', '/v2/carts/x/items', { data: [mugs(1), described] })
      await guest.call('POST', '/v2/carts/x/items', { data: { ...described, ...changes } })
      expect(simulator.cart('x')?.items.map(({ quantity }) => quantity)).toEqual(expected)
    },
  )

  test('are at most 100 different ones', async () => {
    const { simulator, guest } = await openShop()
    const cards = Array.from({ length: 100 }, (_, n) => ({ ...card, sku: `card-${n}` }))
    const post = (data: unknown) => guest.call('POST', '/v2/carts/x/items', { data })
    await post(cards)
    expect(errorOf(await post(mugs(1)))).toBe('400 Bad Request: The cart has too many items')
    expect((await post(cards[99])).status).toBe(201)
    expect(simulator.cart('x')?.items).toHaveLength(100)
    expect(simulator.cart('x')?.items.at(-1)?.quantity).toBe(2)
  })

  test('in a list are added as far as possible, or all or none with `add_all_or_nothing`', async () => {
    const { guest } = await openShop()
    const post = (options?: object) =>
      guest.call('POST', '/v2/carts/x/items', { data: [lamps(9), mugs(1)], options })
    expect([await post(), await post({ add_all_or_nothing: false })].map(quantities)).toEqual([
      { mug: 1 },
      { mug: 2 },
    ])
    expect(errorOf(await post({ add_all_or_nothing: true }))).toBe(noLamps)
    expect(quantities(await guest.call('GET', '/v2/carts/x/items'))).toEqual({ mug: 2 })
  })

  test.each(['string', 'number'] as const)(
    'have errors whose status is a %s, as the setting says',
    async (type) => {
      const { guest } = await openShop({ errorStatusType: type })
      const reply = await guest.call('POST', '/v2/carts/x/items', { data: [lamps(9)] })
      expect([reply.status, typeof at(reply.json, 'errors', 0, 'status')]).toEqual([201, type])
    },
  )

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
    for (const options of [undefined, {}, { update_all_or_nothing: true }])
      expect(errorOf(await put(options))).toBe(noLamps)
    expect(simulator.cart('x')?.items.map(({ quantity }) => quantity)).toEqual([1, 1])
    expect(quantities(await put({ update_all_or_nothing: false }))).toEqual({ lamp: 1, mug: 4 })
  })

  test.each([
    [{}, '400 Bad Request: data must be a list of items'],
    [[{ quantity: 1 }], '404 Not Found: Item was not found in the cart'],
    [[{ id: 'x', quantity: 1 }], '404 Not Found: Item was not found in the cart'],
    [[null], '404 Not Found: Item was not found in the cart'],
  ])('are not updated in bulk by %j', async (data, error) => {
    const { guest } = await openShop({ carts: [{ id: 'x', items: [{ sku: 'mug' }] }] })
    expect(errorOf(await guest.call('PUT', '/v2/carts/x/items', { data }))).toBe(error)
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
    expect(errorOf(await post({ add_all_or_nothing: true }))).toBe(noLamps)
    const partial = await post()
    expect([partial.status, at(partial.json, 'errors', 0, 'title')]).toEqual([201, 'Insufficient stock'])
    simulator.setStock(LAMP.id, undefined)
    expect(quantities(await post())).toEqual({ lamp: 6 })
    expect(simulator.cart('y')?.items).toHaveLength(1)
  })

  test.each([
    { type: 'cart_items', cart_id: 'none' },
    { type: 'order_items', order_id: 'none' },
  ])('of a cart or an order that does not exist are none: %j', async (data) => {
    const { guest } = await openShop()
    const reply = await guest.call('POST', '/v2/carts/x/items', { data })
    expect([reply.status, quantities(reply)]).toEqual([201, {}])
  })

  test.each(['cart', 'order'])('of a %s need its id', async (what) => {
    const { guest } = await openShop()
    const reply = await guest.call('POST', '/v2/carts/x/items', { data: { type: `${what}_items` } })
    expect([reply.status, at(reply.json, 'errors', 0, 'detail')]).toEqual([201, `${what}_id is required`])
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
    ['another account, too', 'ada', account('a', 'b'), 403],
    ['a body without a list', 'ada', { data: {} }, 400],
    ['an empty list', 'ada', { data: [] }, 400],
    ['another type', 'ada', { data: [{ type: 'customer', id: 'a' }] }, 400],
    ['another type, too', 'ada', { data: [...account('a').data, { type: 'customer', id: 'a' }] }, 400],
  ])('cannot be changed with %s', async (_, who, body, status) => {
    const { guest, ada } = await openShop()
    const token = who === 'ada' ? ada : who
    for (const method of ['POST', 'DELETE'])
      expect((await guest.call(method, '/v2/carts/x/relationships/accounts', body, token)).status).toBe(
        status,
      )
  })

  test('can have up to 1000 accounts, which an administrator adds', async () => {
    const { simulator } = await openShop()
    const admin = await Client.admin(simulator)
    const post = (...ids: string[]) =>
      admin.call('POST', '/v2/carts/x/relationships/accounts', account(...ids))
    expect((await post(...Array.from({ length: 1000 }, (_, n) => `account-${n}`))).status).toBe(200)
    expect(errorOf(await post('one-more'))).toBe('400 Bad Request: too many accounts')
    expect(simulator.cart('x')?.accounts).toHaveLength(1000)
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
    expect(errorOf(reply)).toBe(
      '400 Cannot associate accounts to carts with contact emails: ' +
        'Unable to associate accounts to carts with contact emails attached.',
    )
  })

  test('include the last cart until its association is removed', async () => {
    const { simulator, guest, ada } = await openShop({
      carts: [
        { id: 'x', accounts: ['a'] },
        { id: 'y', accounts: ['a'] },
      ],
    })
    expect((await guest.call('DELETE', '/v2/carts/x')).status).toBe(204)
    expect(errorOf(await guest.call('DELETE', '/v2/carts/y'))).toMatch(
      /^400 Last cart: This is the last cart/,
    )
    await guest.call('DELETE', '/v2/carts/y/relationships/accounts', account('a'), ada)
    expect((await guest.call('DELETE', '/v2/carts/y')).status).toBe(204)
    expect(simulator.carts).toEqual([])
  })
})

describe('timestamps of carts and orders', () => {
  afterEach(() => jest.useRealTimers())

  test('end a cart at the moment at which it expires', async () => {
    useFakeClock()
    const { simulator } = await openShop({ cartExpiryDays: 1, carts: [{ id: 'x' }] })
    simulator.advance(86_399)
    expect(simulator.carts).toHaveLength(1)
    simulator.advance(1)
    expect([simulator.cart('x'), simulator.carts]).toEqual([undefined, []])
  })

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
