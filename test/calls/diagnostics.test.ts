import { collectDiagnostics, openShop } from '../support/shop'

it('names no cart id and no query in the error of a call that gets no response', async () => {
  const { strategy, simulator } = await openShop()
  await strategy.fetch('/v2/products')
  await simulator.stop()
  for (const path of ['/v2/carts/a-secret-id/items?page[limit]=1', '/v2/Carts//a-secret-id/items']) {
    const call = strategy.fetch(path)
    await expect(call).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('/carts/:id/items: ECONNREFUSED') as string,
    })
  }
})

it('publishes each call with its method, its path without query and cart id, and its status', async () => {
  const messages = collectDiagnostics()
  const { strategy, signIn } = await openShop()
  const { user } = await signIn()
  await strategy.fetchAs(user)('/v2/carts?page[limit]=1')
  await strategy.fetch('/v2/carts/a-secret-id/items')
  await strategy.fetch('/v2/unknown')
  const call = { operation: 'call', method: 'GET', outcome: 'success' }
  expect(messages.filter(({ operation }) => operation === 'call')).toMatchObject([
    { ...call, path: '/v2/carts', upstreamStatus: 200 },
    { ...call, path: '/v2/carts/:id/items', upstreamStatus: 200 },
    { ...call, path: '/v2/unknown', upstreamStatus: 404 },
  ])
})
