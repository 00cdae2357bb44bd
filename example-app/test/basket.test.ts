import { openBasketShop, lines, savedOf, type BasketShop } from './support/basket'
import { ADA, GRACE } from './support/shop'
import { redirectOf, Visitor } from './support/visitor'

let shop: BasketShop
beforeEach(async () => (shop = await openBasketShop()))
afterEach(() => shop.close())

const guestWith = async (...skus: string[]) => {
  const visitor = new Visitor(shop)
  await visitor.get('/')
  for (const sku of skus) expect((await visitor.post('/basket', { sku })).status).toBe(303)
  return visitor
}

describe('the basket of a guest', () => {
  it('is an Elastic Path cart that the first item creates, and no page has its id', async () => {
    const visitor = await guestWith('rope', 'rope', 'lamp')
    const [cart, ...others] = shop.store.carts
    expect(others).toEqual([])
    expect(cart?.items.map(({ sku, quantity }) => [sku, quantity])).toEqual([
      ['rope', 2],
      ['lamp', 1],
    ])
    const pages = [await visitor.get('/basket'), await visitor.get('/'), await visitor.get('/login')]
    for (const page of pages) expect(JSON.stringify([page.text, page.headers])).not.toContain(cart?.id)
    expect(shop.log.text()).not.toContain(cart?.id)
    expect(lines(pages[0])).toEqual([
      ['Mooring rope', 2, '£172.00'],
      ['Deck lamp', 1, '£142.00'],
    ])
    expect(pages[0]?.text).toMatch(/Total<\/span> <strong>£314\.00/)
    expect(pages[0]?.text).toContain('Sign in to order')
  })
})

describe('the sign-in', () => {
  it('makes the guest’s cart the account’s', async () => {
    const visitor = await guestWith('rope')
    const [cart] = shop.store.carts
    await visitor.signIn(ADA)
    await visitor.get('/account')
    expect(shop.store.carts).toEqual([
      expect.objectContaining({
        id: cart?.id,
        accounts: [shop.accountOf(ADA)],
        description: shop.memberId(ADA),
      }),
    ])
    expect(lines(await visitor.get('/basket'))).toEqual([['Mooring rope', 1, '£86.00']])
  })

  it('with several companies does so after the choice', async () => {
    const visitor = await guestWith('rope')
    await visitor.signIn(GRACE)
    expect(lines(await visitor.get('/basket'))).toHaveLength(1)
    const [first, second] = shop.accountsOf(GRACE)
    await visitor.submit('/accounts/switch', { account_id: first ?? '' })
    expect(shop.store.carts[0]?.accounts).toEqual([first])
    expect(lines(await visitor.get('/basket'))).toHaveLength(1)
    await visitor.submit('/accounts/switch', { account_id: second ?? '' })
    expect(lines(await visitor.get('/basket'))).toEqual([])
    expect(shop.store.carts[0]?.accounts).toEqual([first])
    await visitor.submit('/accounts/switch', { account_id: first ?? '' })
    expect(lines(await visitor.get('/basket'))).toHaveLength(1)
  })
})

it('adds a saved basket', async () => {
  shop.store.addCart({
    accounts: [shop.accountOf(ADA)],
    items: [{ sku: 'rope', quantity: 3 }, { sku: 'buoy' }],
  })
  const visitor = await guestWith('rope')
  await visitor.signIn(ADA)
  const page = await visitor.get('/basket')
  const form = { saved: savedOf(page), account_id: shop.accountOf(ADA), action: 'add' }
  expect(redirectOf(await visitor.post('/basket/saved', form))).toEqual([303, '/basket'])
  const after = await visitor.get('/basket')
  expect(lines(after)).toEqual([
    ['Mooring rope', 4, '£344.00'],
    ['Marker buoy', 1, '£64.00'],
  ])
  expect(savedOf(after)).toBe('')
})
