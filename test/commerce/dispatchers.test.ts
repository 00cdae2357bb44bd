import { runInThisContext } from 'node:vm'
import { MockAgent, type Dispatcher } from 'undici'
import { PasswordlessOtpStrategy } from '../../lib'
import { ElasticPathSimulator } from '../../lib/testing'

const USER = {
  accountMemberId: 'a member',
  username: 'ada@example.com',
  account: null,
  selectionToken: { token: 'held', expires: '2999-01-01T00:00:00Z' },
}

/** The dispatcher of Node's own fetch, which is of undici 6 in Node 20 and 22, and of undici 7 in Node 24. */
async function dispatcherOfNode(): Promise<Dispatcher> {
  await fetch('data:,')
  const outside = runInThisContext('globalThis') as Record<symbol, Dispatcher>
  const dispatcher = outside[Symbol.for('undici.globalDispatcher.1')]
  if (!dispatcher) throw new Error('Node has no global dispatcher')
  return dispatcher
}

describe('a dispatcher of the app itself', () => {
  test("can be that of Node's own fetch, of an older or newer undici", async () => {
    await using simulator = await ElasticPathSimulator.start()
    const strategy = new PasswordlessOtpStrategy({
      clientId: simulator.clientId,
      baseUrl: simulator.url,
      dispatcher: await dispatcherOfNode(),
      timeout: 3000,
    })
    await strategy.ready()

    simulator.fault('otp_request', { rateLimited: 7 }, { times: Infinity })
    await expect(strategy.createOtpRequest('ada@example.com')).rejects.toMatchObject({ retryAfter: 7 })
    simulator.fault('renewal', 'truncated')
    await expect(strategy.listAccounts(USER)).rejects.toMatchObject({ code: 'bad_answer' })
    simulator.fault('renewal', 'reset', { times: Infinity })
    await expect(strategy.listAccounts(USER)).rejects.toMatchObject({ code: 'unreachable' })
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
    const strategy = new PasswordlessOtpStrategy({ clientId: 'any', dispatcher: mock })

    expect(await strategy.listAccounts(USER)).toEqual({ accounts: [], total: 0 })
    await mock.close()
  })
})
