import { lines, openBasketShop, savedOf, type BasketShop } from './support/basket'
import { GRACE, newMember } from './support/shop'
import { redirectOf, Visitor } from './support/visitor'

let shop: BasketShop
beforeAll(async () => (shop = await openBasketShop()))
afterEach(() => shop.store.clearFaults())
afterAll(() => shop.close())

/** A guest with these items in the basket. */
async function guestWith(...skus: string[]): Promise<Visitor> {
  const visitor = new Visitor(shop)
  await visitor.get('/')
  for (const sku of skus) expect((await visitor.post('/basket', { sku })).status).toBe(303)
  return visitor
}

/** A member of one account, who is signed in and has these items in the basket. */
async function memberWith(...skus: string[]) {
  const username = newMember(shop)
  const visitor = await guestWith(...skus)
  await visitor.signIn(username)
  await visitor.get('/basket')
  return { visitor, username, account: shop.accountOf(username), member: shop.memberId(username) }
}

const basketOf = async (visitor: Visitor) => lines(await visitor.get('/basket')).map(([name, n]) => [name, n])
const cartsOf = (account: string) => shop.store.carts.filter(({ accounts }) => accounts.includes(account))

describe('the basket', () => {
  it('is an Elastic Path cart that the first item creates, and no page, header or log line has its id', async () => {
    const before = shop.store.carts.length
    const visitor = await guestWith('rope', 'rope', 'lamp')
    const cart = shop.store.carts.at(-1)
    expect(shop.store.carts).toHaveLength(before + 1)
    expect(cart?.items.map(({ sku, quantity }) => [sku, quantity])).toEqual([
      ['rope', 2],
      ['lamp', 1],
    ])
    const pages = [await visitor.get('/basket'), await visitor.get('/'), await visitor.get('/login')]
    // Errors are logged, too.
    shop.store.fault('POST /v2/carts/:id/items', 'reset')
    pages.push(await visitor.post('/basket', { sku: 'rope' }))
    for (const { text, headers } of pages) expect(JSON.stringify([text, headers])).not.toContain(cart?.id)
    expect(shop.log.text()).not.toContain(cart?.id)
    expect(lines(pages[0])).toEqual([
      ['Mooring rope', 2, '£172.00'],
      ['Deck lamp', 1, '£142.00'],
    ])
    expect(pages[0]?.text).toMatch(/Total<\/span> <strong>£314\.00/)
    expect(pages[0]?.text).toContain('Sign in to order')
  })

  it('changes quantities and removes items', async () => {
    const visitor = await guestWith('rope', 'lamp')
    const itemIn = async (name: string) => {
      const { text } = await visitor.get('/basket')
      return new RegExp(`${name}</strong>[\\s\\S]*?name="item" value="([^"]+)"`).exec(text)?.[1] ?? ''
    }
    await visitor.submit('/basket/items', { item: await itemIn('Mooring rope'), quantity: '7' })
    expect(await basketOf(visitor)).toEqual([
      ['Mooring rope', 7],
      ['Deck lamp', 1],
    ])
    await visitor.submit('/basket/items', { item: await itemIn('Mooring rope'), remove: '1' })
    const { text } = await visitor.submit('/basket/items', {
      item: await itemIn('Deck lamp'),
      quantity: '50',
    })
    expect(text).toMatch(/<strong>Deck lamp<\/strong>: not enough stock/)
    expect(await basketOf(visitor)).toEqual([['Deck lamp', 1]])
    for (const quantity of ['-1', '1.5', 'x', '1000'])
      expect(
        (await visitor.post('/basket/items', { item: await itemIn('Deck lamp'), quantity })).status,
      ).toBe(400)
  })

  it.each([
    ['POST /v2/carts', 'reset', true],
    ['POST /v2/carts/:id/items', 'reset', true],
    ['POST /v2/carts/:id/items', { status: 503 }, false],
  ] as const)('shows what is known if the answer of %s is lost: %j', async (call, fault, afterEffect) => {
    const visitor = await guestWith()
    shop.store.fault(call, fault, { afterEffect, times: Infinity })
    expect(redirectOf(await visitor.post('/basket', { sku: 'rope', name: 'Mooring rope' }))).toEqual([
      303,
      '/basket',
    ])
    shop.store.clearFaults()
    const page = await visitor.get('/basket')
    expect(page.text).toMatch(/didn’t confirm a change[\s\S]*<strong>Mooring rope<\/strong>/)
    expect(lines(page)).toHaveLength(call === 'POST /v2/carts/:id/items' && afterEffect ? 1 : 0)
  })
})

describe('the name of a product in a form', () => {
  it('is shown up to 100 characters if a change fails', async () => {
    const visitor = await guestWith()
    shop.store.fault('POST /v2/carts/:id/items', { status: 503 })
    const page = await visitor.submit('/basket', { sku: 'rope', name: 'x'.repeat(5_000) })
    expect(page.text).toMatch(/>x{100}</)
  })
})

describe('the sign-in', () => {
  it('makes the guest’s cart the account’s', async () => {
    const { visitor, account, member } = await memberWith('rope')
    expect(cartsOf(account)).toEqual([
      expect.objectContaining({ description: member, items: [expect.objectContaining({ sku: 'rope' })] }),
    ])
    expect(await basketOf(visitor)).toEqual([['Mooring rope', 1]])
  })

  it('with several companies does so after the choice, and a switch does not take the basket along', async () => {
    const visitor = await guestWith('rope')
    await visitor.signIn(GRACE)
    expect(await basketOf(visitor)).toHaveLength(1)
    const [first = '', second = ''] = shop.accountsOf(GRACE)
    for (const [account, expected] of [
      [first, 1],
      [second, 0],
      [first, 1],
    ] as const) {
      await visitor.submit('/accounts/switch', { account_id: account })
      expect(await basketOf(visitor)).toHaveLength(expected)
    }
    expect(cartsOf(first)).toHaveLength(1)
    expect(cartsOf(second)).toEqual([])
  })

  it('continues the member’s last cart if the guest has none, past 100 others, and quotes aside', async () => {
    const username = newMember(shop)
    const [account, description] = [shop.accountOf(username), shop.memberId(username)]
    for (let n = 0; n < 105; n++) shop.store.addCart({ accounts: [account] })
    // Empty carts of colleagues, whatever their number, hide nothing of the member's own.
    shop.store.addCart({ accounts: [account], description, items: [{ sku: 'lamp' }] })
    shop.clock(1)
    shop.store.addCart({ accounts: [account], description, items: [{ sku: 'rope' }] })
    shop.clock(1)
    shop.store.addCart({ accounts: [account], description, items: [{ sku: 'buoy' }], isQuote: true })
    const visitor = await guestWith()
    await visitor.signIn(username)
    const page = await visitor.get('/basket')
    expect(lines(page)).toEqual([['Mooring rope', 1, '£86.00']])
    expect(page.text).toContain('You also have a saved basket with 1 item')
  })

  it('offers the carts of colleagues and planted ones with their content, and continues none', async () => {
    const username = newMember(shop)
    const colleague = { accounts: [shop.accountOf(username)], description: 'somebody else' }
    shop.store.addCart({ ...colleague, items: [{ sku: 'rope', quantity: 3 }] })
    const visitor = await guestWith()
    await visitor.signIn(username)
    const page = await visitor.get('/basket')
    expect(lines(page)).toEqual([])
    expect(page.text).toMatch(/also has a basket with 3 items[\s\S]*3 × Mooring rope/)
    expect(page.text).toMatch(/If you add its items to your basket, they leave your colleague’s/)
  })

  it('keeps the items of a guest’s cart with a contact’s email, which cannot be the account’s', async () => {
    const visitor = await guestWith('rope', 'rope', 'buoy')
    const cart = shop.store.carts.at(-1)
    const token = (await (
      await fetch(`${shop.store.url}/oauth/access_token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'implicit', client_id: shop.store.clientId }),
      })
    ).json()) as { access_token: string }
    await fetch(`${shop.store.url}/v2/carts/${cart?.id}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token.access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ data: { contact: { email: 'guest@example.com' } } }),
    })
    const username = newMember(shop)
    await visitor.signIn(username)
    expect(await basketOf(visitor)).toEqual([
      ['Mooring rope', 2],
      ['Marker buoy', 1],
    ])
    expect(cartsOf(shop.accountOf(username))).toHaveLength(1)
  })

  it('as somebody else while signed in starts with their own basket', async () => {
    const { visitor } = await memberWith('rope')
    await visitor.signIn(newMember(shop))
    expect(await basketOf(visitor)).toEqual([])
  })

  const CALLS = [
    'GET /v2/carts',
    'GET /v2/carts/:id/items',
    'POST /v2/carts/:id/relationships/accounts',
    'PUT /v2/carts/:id',
  ] as const
  const FAULTS = [
    ['an answer that is lost', 'reset', true],
    ['503', { status: 503 }, false],
    ['503 although it was done', { status: 503 }, true],
    ['malformed JSON', 'malformed', true],
  ] as const
  it.each(
    CALLS.flatMap((call) =>
      FAULTS.map(([what, fault, afterEffect]) => [call, what, fault, afterEffect] as const),
    ),
  )('succeeds although %s gets %s, and the basket follows later', async (call, _what, fault, afterEffect) => {
    const username = newMember(shop)
    const visitor = await guestWith('rope')
    shop.store.fault(call, fault, { afterEffect, times: Infinity })
    expect(redirectOf(await visitor.signIn(username))).toEqual([303, '/account'])
    expect((await visitor.get('/account')).status).toBe(200)
    shop.store.clearFaults()
    expect(await basketOf(visitor)).toEqual([['Mooring rope', 1]])
    expect(cartsOf(shop.accountOf(username))).toEqual([
      expect.objectContaining({ description: shop.memberId(username) }),
    ])
  })

  it('binds the basket to the account that was chosen, also if its answer is lost before a switch', async () => {
    const username = newMember(shop, 2)
    const [first = '', second = ''] = shop.accountsOf(username)
    const visitor = await guestWith('rope')
    await visitor.signIn(username)
    await visitor.get('/accounts')
    shop.store.fault('POST /v2/carts/:id/relationships/accounts', 'reset', {
      afterEffect: true,
      times: Infinity,
    })
    await visitor.submit('/accounts/switch', { account_id: first })
    shop.store.clearFaults()
    await visitor.submit('/accounts/switch', { account_id: second })
    expect(await basketOf(visitor)).toEqual([])
    expect(cartsOf(second)).toEqual([])
    await visitor.submit('/accounts/switch', { account_id: first })
    expect(await basketOf(visitor)).toEqual([['Mooring rope', 1]])
  })
})

describe('the sign-out', () => {
  it('shows an empty basket, and the account’s cart waits', async () => {
    const { visitor, username } = await memberWith('rope')
    await visitor.post('/logout')
    expect(await basketOf(visitor)).toEqual([])
    await visitor.signIn(username)
    expect(await basketOf(visitor)).toEqual([['Mooring rope', 1]])
  })
})

describe('a cart that the account’s list does not have', () => {
  it('is not shown as the account’s, although its id is known', async () => {
    const { visitor, account } = await memberWith('rope')
    const [cart] = cartsOf(account)
    const held = shop.store.requests
      .filter(({ headers }) => headers['ep-account-management-authentication-token'])
      .at(-1)
    await fetch(`${shop.store.url}/v2/carts/${cart?.id}/relationships/accounts`, {
      method: 'DELETE',
      headers: {
        authorization: held?.headers.authorization ?? '',
        'ep-account-management-authentication-token': String(
          held?.headers['ep-account-management-authentication-token'],
        ),
        'content-type': 'application/json',
      },
      body: JSON.stringify({ data: [{ type: 'account', id: account }] }),
    })
    expect(await basketOf(visitor)).toEqual([])
  })
})

describe('a saved basket', () => {
  /** A member with a rope in the basket and another cart of three ropes and a buoy. */
  async function withSaved() {
    const found = await memberWith('rope')
    const { account, member, visitor } = found
    const items = [{ sku: 'rope', quantity: 3 }, { sku: 'buoy' }]
    shop.store.addCart({ accounts: [account], description: member, items })
    const page = await visitor.get('/basket')
    const form = (action: string) => ({ saved: savedOf(page), account_id: account, action })
    return { ...found, page, form }
  }
  const TOGETHER = [
    ['Mooring rope', 4],
    ['Marker buoy', 1],
  ]

  it('is offered, and is never merged silently', async () => {
    const { visitor, page } = await withSaved()
    expect(page.text).toContain('You also have a saved basket with 4 items')
    expect(await basketOf(visitor)).toEqual([['Mooring rope', 1]])
  })

  it('is continued if the shopper switches to it, also at the next sign-in', async () => {
    const { visitor, form, username } = await withSaved()
    shop.clock(1)
    await visitor.submit('/basket/saved', form('switch'))
    const saved = [
      ['Mooring rope', 3],
      ['Marker buoy', 1],
    ]
    expect(await basketOf(visitor)).toEqual(saved)
    await visitor.post('/logout')
    await visitor.signIn(username)
    expect(await basketOf(visitor)).toEqual(saved)
  })

  it('is added once, also if it is pressed twice, in two tabs and on two devices at the same moment', async () => {
    const { visitor, username, account } = await memberWith('rope')
    const items = [{ sku: 'rope', quantity: 3 }, { sku: 'buoy' }]
    shop.store.addCart({ accounts: [account], items })
    const phone = await guestWith()
    await phone.signIn(username)
    const form = { account_id: account, action: 'add', saved: savedOf(await visitor.get('/basket')) }
    await phone.get('/basket')
    const presses = [visitor, phone, visitor, phone].map((tab) => tab.post('/basket/saved', form))
    for (const response of await Promise.all(presses)) expect(redirectOf(response)).toEqual([303, '/basket'])
    await visitor.post('/basket/saved', form)
    const page = await phone.get('/basket')
    expect(lines(page).map(([name, n]) => [name, n])).toEqual(TOGETHER)
    expect(savedOf(page)).toBe('')
  })

  const CALLS = [
    'GET /v2/carts',
    'GET /v2/carts/:id/items',
    'POST /v2/carts/:id/items',
    'PUT /v2/carts/:id/items/:item',
    'DELETE /v2/carts/:id/relationships/accounts',
  ] as const
  it.each(
    CALLS.flatMap((call) => [
      [call, 'reset', true] as const,
      [call, { status: 503 }, true] as const,
      [call, { status: 503 }, false] as const,
      [call, 'malformed', true] as const,
    ]),
  )(
    'is added once although %s fails (%j, done: %p) and it is pressed again',
    async (call, fault, afterEffect) => {
      const { visitor, form } = await withSaved()
      shop.store.fault(call, fault, { afterEffect, times: Infinity })
      const first = await visitor.post('/basket/saved', form('add'))
      shop.store.clearFaults()
      expect([303, 502]).toContain(first.status)
      for (const [name, quantity] of await basketOf(visitor)) {
        expect(quantity).toBeLessThanOrEqual(name === 'Mooring rope' ? 4 : 1)
      }
      await visitor.post('/basket/saved', form('add'))
      const page = await visitor.get('/basket')
      expect(lines(page).map(([name, n]) => [name, n])).toEqual(TOGETHER)
      expect(savedOf(page)).toBe('')
    },
  )

  it('says which items nobody knows of, and adds nothing to what was changed meanwhile', async () => {
    const { visitor, form } = await withSaved()
    shop.store.fault('PUT /v2/carts/:id/items/:item', 'reset', { afterEffect: true, times: Infinity })
    shop.store.fault('GET /v2/carts/:id/items', { status: 503 }, { after: 2, times: Infinity })
    await visitor.post('/basket/saved', form('add'))
    shop.store.clearFaults()
    const { text } = await visitor.get('/basket')
    expect(text).toMatch(/didn’t confirm a change[\s\S]*Mooring rope/)
    const item = /name="item" value="([^"]+)"/.exec(text)?.[1] ?? ''
    await visitor.submit('/basket/items', { item, quantity: '2' })
    await visitor.post('/basket/saved', form('add'))
    expect(await basketOf(visitor)).toEqual([
      ['Mooring rope', 2],
      ['Marker buoy', 1],
    ])
  })

  it('names the items that are refused, and keeps them', async () => {
    const { visitor, account, member } = await memberWith('lamp')
    shop.store.addCart({
      accounts: [account],
      description: member,
      items: [{ sku: 'lamp', quantity: 12 }, { sku: 'rope' }],
    })
    const saved = savedOf(await visitor.get('/basket'))
    const page = await visitor.submit('/basket/saved', { saved, account_id: account, action: 'add' })
    expect(page.text).toContain('<strong>Deck lamp</strong>: not enough stock')
    expect(lines(page).map(([name, n]) => [name, n])).toEqual([
      ['Deck lamp', 1],
      ['Mooring rope', 1],
    ])
    expect(page.text).toContain('You also have a saved basket with 12 items')
    const [lamp] = shop.store.products.filter(({ sku }) => sku === 'lamp')
    shop.store.setStock(lamp?.id ?? '', 20)
    await visitor.submit('/basket/saved', { saved, account_id: account, action: 'add' })
    shop.store.setStock(lamp?.id ?? '', 12)
    expect(await basketOf(visitor)).toContainEqual(['Deck lamp', 13])
  })

  it('of another account cannot be named', async () => {
    const { form } = await withSaved()
    const { visitor, account } = await memberWith('buoy')
    await visitor.submit('/basket/saved', { ...form('add'), account_id: account })
    expect(await basketOf(visitor)).toEqual([['Marker buoy', 1]])
  })
})

describe('a stale tab', () => {
  it('does not undo a switch if its change fails after the switch', async () => {
    const username = newMember(shop, 2)
    const [first = '', second = ''] = shop.accountsOf(username)
    const visitor = new Visitor(shop)
    await visitor.signIn(username)
    await visitor.get('/accounts')
    await visitor.submit('/accounts/switch', { account_id: first })
    const held = shop.store.hold('POST /v2/carts/:id/items')
    shop.store.fault('POST /v2/carts/:id/items', { status: 503 })
    const late = visitor.post('/basket', { sku: 'rope', account_id: first })
    await held.arrived
    await visitor.post('/accounts/switch', { account_id: second })
    held.release()
    await late
    expect((await visitor.get('/account')).text).toContain('<h1>Account 2</h1>')
  })

  it.each([
    ['/basket', { sku: 'rope' }],
    ['/basket/items', { item: 'x', quantity: '1' }],
    ['/basket/saved', { saved: 'x', action: 'add' }],
    ['/order', { order: 'x' }],
  ])('for another account changes nothing, and offers one button each way: %s', async (path, fields) => {
    const username = newMember(shop, 2)
    const [first = '', second = ''] = shop.accountsOf(username)
    const visitor = new Visitor(shop)
    await visitor.signIn(username)
    await visitor.get('/accounts')
    await visitor.submit('/accounts/switch', { account_id: second })
    shop.store.clearRequests()
    const page = await visitor.post(path, { ...fields, account_id: first, account_name: 'Account 1' })
    expect([page.status, shop.store.count('any')]).toEqual([409, 0])
    expect(page.text).toContain('You switched to Account 2 in another tab')
    expect(page.text).toContain('Continue with Account 2')
    const back = await visitor.post('/accounts/switch', { account_id: first, returnTo: '/basket' })
    expect(redirectOf(back)).toEqual([303, '/basket'])
  })
})
