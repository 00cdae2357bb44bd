import { runInThisContext } from 'node:vm'
import { MockAgent, type Dispatcher } from 'undici'
import { createFetch } from '../../lib/calls/fetch'
import { renewTokens } from '../../lib/commerce/account-tokens'
import type { Commerce } from '../../lib/commerce/commerce'
import { openServices } from '../calls/support'
import { HELD, inContext, openCommerce, openStore } from './support'
import { compareErrors } from '../support/errors'

compareErrors()

/** The dispatcher of Node's own fetch, which is of undici 6 in Node 20 and 22, and of undici 7 in Node 24. */
async function dispatcherOfNode(): Promise<Dispatcher> {
  await fetch('data:,')
  const outside = runInThisContext('globalThis') as Record<symbol, Dispatcher>
  const dispatcher = outside[Symbol.for('undici.globalDispatcher.1')]
  if (!dispatcher) throw new Error('Node has no global dispatcher')
  return dispatcher
}

const renew = ({ client }: Commerce) =>
  inContext((context) => renewTokens(client, context, HELD, 'a member', { limit: 25, offset: 0 }))

describe('the dispatcher of the app', () => {
  test("can be that of Node's own fetch, of another version of undici", async () => {
    const dispatcher = await dispatcherOfNode()
    const { simulator, commerce } = await openStore({ dispatcher })
    await inContext((context) => commerce.store.check(context))
    simulator.fault('renewal', { rateLimited: 7 })
    await expect(renew(commerce)).rejects.toMatchObject({ retryAfter: 7 })
    simulator.fault('renewal', 'truncated')
    await expect(renew(commerce)).rejects.toMatchObject({ code: 'bad_answer' })
    simulator.fault('renewal', 'reset', { times: Infinity })
    await expect(renew(commerce)).rejects.toMatchObject({ code: 'unreachable' })

    const { services } = openServices({ clientId: simulator.clientId, baseUrl: simulator.url, dispatcher })
    const response = await createFetch(services)('/v2/settings/account-authentication')
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(await response.json()).toHaveProperty('data')
  })

  test('can be a mock', async () => {
    const mock = new MockAgent()
    mock.disableNetConnect()
    const store = mock.get('https://useast.api.elasticpath.com')
    store
      .intercept({ path: '/oauth/access_token', method: 'POST' })
      .reply(200, { access_token: 'bearer', expires_in: 3600 })
    store
      .intercept({ path: /account-members/, method: 'POST' })
      .reply(201, { data: [], meta: { account_member_id: 'a member', results: { total: 0 } } })
    expect(await renew(openCommerce({ dispatcher: mock }))).toMatchObject({ tokens: [], total: 0 })
    await mock.close()
  })
})
