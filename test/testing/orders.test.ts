import { card, errorOf, mugs, openShop, quantities } from './shop'
import { ADA, at, Client, compareResponses } from './support'

compareResponses()

const contact = { email: ADA, name: 'Ada' }
const name = { first_name: 'A', last_name: 'L' }
const address = { ...name, line_1: '1 St', postcode: '1', country: 'US', region: 'CA' }
const carts = [{ id: 'x', items: [{ sku: 'lamp', quantity: 2 }] }]
const noLamps = '400 Insufficient stock: There is not enough stock to add Lamp to your cart'

const noId = '400 Bad Request: account must have an id'
const noEmail = '400 Bad Request: contact must have an email'
const noField = '400 Bad Request: an address lacks a field'

describe('orders', () => {
  test('are created from a cart, which does not change, and are listed for the account', async () => {
    const { simulator, guest, ada } = await openShop({ carts })
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
    expect(errorOf(await guest.call('POST', '/v2/carts/x/checkout', { data: { contact } }, ada))).toBe(
      noLamps,
    )
    const list = await guest.call('GET', '/v2/orders', undefined, ada)
    expect([at(list.json, 'meta', 'results', 'total'), at(list.json, 'data', 1, 'id')]).toEqual([2, id])
    const items = await guest.call('GET', `/v2/orders/${id}/items`, undefined, ada)
    expect(at(items.json, 'data')).toMatchObject([{ sku: 'lamp', quantity: 2, unit_price: { amount: 4900 } }])
    for (const query of ['', '?include=promotions'])
      expect((await guest.call('GET', `/v2/orders/${id}${query}`, undefined, ada)).json).not.toHaveProperty(
        'included',
      )
    const one = await guest.call('GET', `/v2/orders/${id}?include=promotions,items`, undefined, ada)
    expect(at(one.json, 'included', 'items', 0, 'name')).toBe('Lamp')
  })

  const found = [200, 200, 200, 1]
  test.each([
    ['its account', 'ada', { contact }, 'ada', found],
    ['another account', 'bob', { contact }, 'ada', [404, 404, 404, 0]],
    ['a guest', 'guest', { contact }, 'ada', [404, 404, 404, undefined]],
    ['an administrator', 'admin', { contact }, 'ada', found],
    ['its own guest', 'guest', { customer: contact }, 'guest', [404, 404, 404, undefined]],
    ['an account, if a guest made it', 'ada', { customer: contact }, 'guest', [404, 404, 404, 0]],
    ['an administrator, if a guest made it', 'admin', { customer: contact }, 'guest', found],
  ])('are visible to %s or not', async (_, reader, data, buyer, expected) => {
    const { simulator, guest, ada, bob } = await openShop({ carts })
    const tokenOf = (who: string) => ({ ada, bob })[who]
    await guest.call('POST', '/v2/carts/x/checkout', { data }, tokenOf(buyer))
    const client = reader === 'admin' ? await Client.admin(simulator) : guest
    const read = (path: string) => client.call('GET', `/v2/orders${path}`, undefined, tokenOf(reader))
    const path = `/${String(simulator.orders[0]?.id)}`
    const replies = [await read(path), await read(`${path}?include=items`), await read(`${path}/items`)]
    const total = at((await read('')).json, 'meta', 'results', 'total')
    expect([...replies.map(({ status }) => status), total]).toEqual(expected)
    if (expected !== found) expect(errorOf(await read(path))).toBe('404 Not Found: Order not found')
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
    const { guest, ada } = await openShop({ carts })
    for (const n of [1, 2]) {
      const data = { contact, order_number: `n${n}`, external_ref: `r${n}` }
      await guest.call('POST', '/v2/carts/x/checkout', { data }, ada)
    }
    const { json } = await guest.call('GET', `/v2/orders?${query}`, undefined, ada)
    expect((at(json, 'data') as unknown[]).map((order) => at(order, 'order_number'))).toEqual(numbers)
  })

  const county = { ...address, region: undefined, county: 'Kent' }
  test.each([
    ['a guest', 'guest', { customer: { name: 'G', email: 'g@example.com' } }, undefined],
    ['a contact without a name', 'ada', { contact: { email: ADA } }, 'a'],
    ['the account of the token', 'ada', { contact, account: { id: 'a', member_id: 'ada' } }, 'a'],
    ['an administrator, with any account', 'admin', { contact, account: { id: 'b', member_id: 'bob' } }, 'b'],
    ['an administrator, without an account', 'admin', { contact }, undefined],
    [
      'a county in place of a region',
      'ada',
      { contact, billing_address: county, shipping_address: county },
      'a',
    ],
  ])('are created for %s', async (_, who, data, accountId) => {
    const { simulator, guest, ada } = await openShop({ carts })
    const client = who === 'admin' ? await Client.admin(simulator) : guest
    const token = who === 'ada' ? ada : undefined
    expect((await client.call('POST', '/v2/carts/x/checkout', { data }, token)).status).toBe(201)
    expect(simulator.orders.map((order) => order.accountId)).toEqual([accountId])
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
    const { simulator, guest, ada } = await openShop({ carts })
    const client = who === 'admin' ? await Client.admin(simulator) : guest
    const token = who === 'ada' ? ada : undefined
    expect(errorOf(await client.call('POST', '/v2/carts/x/checkout', { data }, token))).toBe(error)
    expect(simulator.orders).toEqual([])
  })

  test.each(Object.keys(address))('are not created if an address has no %s', async (field) => {
    const { simulator, guest, ada } = await openShop({ carts })
    for (const kind of ['billing_address', 'shipping_address']) {
      const data = { contact, [kind]: { ...address, [field]: '' } }
      expect(errorOf(await guest.call('POST', '/v2/carts/x/checkout', { data }, ada))).toBe(noField)
    }
    expect(simulator.orders).toEqual([])
  })

  test('are not created from an empty cart', async () => {
    const { guest, ada } = await openShop()
    const reply = await guest.call('POST', '/v2/carts/x/checkout', { data: { contact } }, ada)
    expect(errorOf(reply)).toBe('400 Bad Request: The cart is empty')
  })

  test('are not created if two items of a cart from the start exceed the stock together', async () => {
    const items = [{ sku: 'lamp', quantity: 3 }, { sku: 'mug' }, { sku: 'lamp', quantity: 3 }]
    const { simulator, guest } = await openShop({ carts: [{ id: 'x', items }] })
    expect(quantities(await guest.call('GET', '/v2/carts/x/items'))).toEqual({ lamp: 6, mug: 1 })
    const reply = await guest.call('POST', '/v2/carts/x/checkout', { data: { contact } })
    expect([errorOf(reply), simulator.orders, simulator.products[0]?.stock]).toEqual([noLamps, [], 5])
  })

  test('can contain products without tracked stock, and custom items', async () => {
    const { simulator, guest, ada } = await openShop({ carts })
    await guest.call('POST', '/v2/carts/x/items', { data: [mugs(1), card] })
    await guest.call('POST', '/v2/carts/x/checkout', { data: { contact } }, ada)
    const path = `/v2/orders/${String(simulator.orders[0]?.id)}/items`
    const expected = { lamp: 2, mug: 1, card: 1 }
    expect(quantities(await guest.call('GET', path, undefined, ada))).toEqual(expected)
    expect(simulator.products.map(({ stock }) => stock)).toEqual([3, undefined])
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
    ['purchase', 'paid', 'complete', [0, 9800, 0]],
    ['authorize', 'authorized', 'processing', [0, 0, 9800]],
  ])(
    'are %sd once, and then show what is owed, paid and authorized',
    async (method, payment, status, amounts) => {
      const { simulator, guest, ada } = await openShop({ carts })
      await guest.call('POST', '/v2/carts/x/checkout', { data: { contact } }, ada)
      const path = `/v2/orders/${String(simulator.orders[0]?.id)}`
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
    const { simulator, guest, ada, bob } = await openShop({ carts, paymentGateway })
    await guest.call('POST', '/v2/carts/x/checkout', { data: { contact } }, ada)
    const path = `/v2/orders/${String(simulator.orders[0]?.id)}/payments`
    expect(errorOf(await guest.call('POST', path, { data }, bob))).toBe('404 Not Found: Order not found')
    expect(errorOf(await guest.call('POST', path, { data }, ada))).toBe(error)
    expect(simulator.orders).toMatchObject([{ payment: 'unpaid', status: 'incomplete' }])
  })

  test('are added to a cart with the type order_items, except for what is out of stock, and custom items', async () => {
    const { simulator, guest, ada } = await openShop({ carts })
    await guest.call('POST', '/v2/carts/x/items', { data: [mugs(1), card] })
    await guest.call('POST', '/v2/carts/x/checkout', { data: { contact } }, ada)
    const data = { type: 'order_items', order_id: simulator.orders[0]?.id }
    const reorder = (options?: object) => guest.call('POST', '/v2/carts/y/items', { data, options })
    expect(quantities(await reorder())).toEqual({ lamp: 2, mug: 1 })
    const again = await reorder()
    expect([again.status, quantities(again)]).toEqual([201, { lamp: 2, mug: 2 }])
    expect(at(again.json, 'errors')).toMatchObject([{ title: 'Insufficient stock' }])
    expect(errorOf(await reorder({ add_all_or_nothing: true }))).toBe(noLamps)
  })
})
