import { collectDiagnostics, openShop } from '../support/shop'

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
