import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ElasticPathSimulator } from '../../lib/testing'
import { ADA, at, compareResponses, openStore, useFakeClock } from './support'

compareResponses()

interface Delivery {
  headers: IncomingHttpHeaders
  event: unknown
}

/**
 * A shop's webhook. It returns these statuses in order, and then the last one for all further deliveries. 0 means no
 * response.
 */
class Shop {
  readonly deliveries: Delivery[] = []
  private readonly server: Server

  constructor(private readonly statuses: number[]) {
    this.server = createServer((request, response) => {
      let text = ''
      request.on('data', (chunk: Buffer) => (text += chunk.toString()))
      request.on('end', () => {
        this.deliveries.push({ headers: request.headers, event: JSON.parse(text) })
        const status = this.statuses.length > 1 ? this.statuses.shift() : this.statuses[0]
        if (status) response.writeHead(status).end()
        response.on('close', () => this.server.emit('end-of-delivery'))
        this.server.emit('delivery')
      })
    })
  }

  async open(): Promise<string> {
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/webhooks/otp`
  }

  async hasGot(count: number): Promise<Delivery[]> {
    while (this.deliveries.length < count) await once(this.server, 'delivery')
    return this.deliveries
  }

  /** Resolves when the next delivery has ended, with or without a response. */
  async hasEnded(): Promise<void> {
    await once(this.server, 'end-of-delivery')
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, 'close')
  }
}

let shop: Shop
afterEach(async () => {
  jest.useRealTimers()
  await shop.close()
})

async function openWithShop(statuses: number[], more: { attempts?: number; timeout?: number } = {}) {
  shop = new Shop(statuses)
  const url = await shop.open()
  return { url, ...(await openStore({ webhook: { url, secretKey: 'squirrel', retryDelay: 1, ...more } })) }
}

// The numbers of facts refer to docs/elastic-path-facts.md.
test('a code is delivered in the documented envelope with the secret key (facts 22 and 23)', async () => {
  const { url, simulator, client } = await openWithShop([204])
  const member = simulator.addMember({ username: 'bob', email: 'bob@example.com', name: 'Bob' })
  await client.askForCode('bob')
  const [delivery] = await shop.hasGot(1)
  const [code] = simulator.mailbox
  expect(delivery?.headers).toMatchObject({
    'x-moltin-secret-key': 'squirrel',
    'content-type': 'application/json',
  })
  expect(delivery?.event).toEqual({
    id: code?.eventId,
    triggered_by: 'one-time-password-token-request.created',
    attempt: 1,
    store_id: expect.any(String) as string,
    org_id: expect.any(String) as string,
    integration: {
      id: expect.any(String) as string,
      integration_type: 'webhook',
      name: expect.any(String) as string,
      description: expect.any(String) as string,
    },
    payload: {
      authentication_realm_id: simulator.realmId,
      created_at: code?.createdAt,
      one_time_password_token: code?.otp,
      password_profile_id: simulator.passwordProfileId,
      purpose: 'passwordless_authentication',
      updated_at: code?.createdAt,
      user_authentication_info: { email: 'bob@example.com', id: member.id, name: 'Bob' },
      user_authentication_password_profile_info: {
        id: expect.any(String) as string,
        password_profile_id: simulator.passwordProfileId,
        username: 'bob',
      },
    },
    configuration: { secret_key: 'squirrel', url },
  })
})

test.each([
  ['an error', 500],
  ['a redirect', 302],
  ['a page that does not exist', 404],
])('the same event is delivered again with the next attempt number after %s (fact 24)', async (_, status) => {
  const { client } = await openWithShop([status, status, 200])
  await client.askForCode()
  const deliveries = await shop.hasGot(3)
  expect(deliveries.map(({ event }) => at(event, 'attempt'))).toEqual([1, 2, 3])
  expect(new Set(deliveries.map(({ event }) => at(event, 'id'))).size).toBe(1)
})

test('a webhook that does not respond in time gets the event again', async () => {
  const { client } = await openWithShop([0, 204], { timeout: 50 })
  await client.askForCode()
  const [, second] = await shop.hasGot(2)
  expect(at(second?.event, 'attempt')).toBe(2)
})

test('an event is not delivered again after a 2xx response', async () => {
  const { simulator, client } = await openWithShop([204, 503])
  await client.askForCode()
  await shop.hasGot(1)
  await client.askForCode()
  const [first, second] = simulator.mailbox.map(({ eventId }) => eventId)
  const ids = (await shop.hasGot(3)).map(({ event }) => at(event, 'id'))
  expect(ids.slice(0, 3)).toEqual([first, second, second])
})

test('an event that always fails is delivered `attempts` times', async () => {
  const { simulator, client } = await openWithShop([503], { attempts: 2 })
  await client.askForCode()
  await shop.hasGot(2)
  await client.askForCode()
  const [first, second] = simulator.mailbox.map(({ eventId }) => eventId)
  const ids = (await shop.hasGot(4)).map(({ event }) => at(event, 'id'))
  expect(ids.slice(0, 4)).toEqual([first, first, second, second])
})

test('a code request succeeds even if its webhook cannot be reached', async () => {
  shop = new Shop([204])
  const url = await shop.open()
  const { simulator, client } = await openStore({ webhook: { url: 'http://127.0.0.1:1/', secretKey: 'x' } })
  expect((await client.askForCode()).status).toBe(202)
  simulator.deliverTo({ url, secretKey: 'x' })
  await client.askForCode()
  expect(at((await shop.hasGot(1))[0]?.event, 'payload', 'one_time_password_token')).toBe(
    simulator.lastCode(ADA),
  )
})

test.each<[string, (simulator: ElasticPathSimulator) => unknown]>([
  ['the simulator stops', (simulator) => simulator.stop()],
  ['the webhook is removed', (simulator) => simulator.deliverTo(undefined)],
])('a delivery that hangs is canceled and not logged when %s', async (_, end) => {
  useFakeClock()
  const { url, simulator, client } = await openWithShop([0, 204])
  const ended = shop.hasEnded()
  await client.askForCode()
  await shop.hasGot(1)
  await end(simulator)
  await ended
  await fetch(url, { method: 'POST', body: '"later"' })
  expect(simulator.deliveries).toEqual([])
})

test('a failed delivery is not retried after the simulator has stopped', async () => {
  useFakeClock()
  const { url, simulator, client } = await openWithShop([503])
  const delivery = simulator.nextDelivery()
  await client.askForCode()
  await delivery
  await simulator.stop()
  jest.advanceTimersByTime(1)
  await fetch(url, { method: 'POST', body: '"after the retry"' })
  expect(shop.deliveries.map(({ event }) => at(event, 'attempt'))).toEqual([1, undefined])
})

test('`deliveryDelay` delays events, so that they can arrive in another order (fact 24)', async () => {
  useFakeClock()
  const { simulator, client } = await openWithShop([204])
  simulator.configure({ deliveryDelay: 60_000 })
  await client.askForCode()
  simulator.configure({ deliveryDelay: 0 })
  await client.askForCode()
  await shop.hasGot(1)
  jest.advanceTimersByTime(60_000)
  const ids = (await shop.hasGot(2)).map(({ event }) => at(event, 'id'))
  expect(ids).toEqual(simulator.mailbox.map(({ eventId }) => eventId).reverse())
})

test('`deliverTo` cancels the deliveries to its last webhook, and no others', async () => {
  useFakeClock()
  shop = new Shop([204])
  const url = await shop.open()
  const { simulator, client } = await openStore({ integrations: [{ id: 'mine', url }], deliveryDelay: 1000 })
  await client.askForCode()
  simulator.deliverTo({ url, secretKey: 'squirrel' })
  await client.askForCode()
  simulator.deliverTo(undefined)
  jest.advanceTimersByTime(1000)
  const deliveries = await shop.hasGot(2)
  expect(deliveries.map(({ event }) => at(event, 'integration', 'id'))).toEqual(['mine', 'mine'])
})

test('no event is delivered while there is no webhook', async () => {
  const { url, simulator, client } = await openWithShop([204])
  simulator.deliverTo(undefined)
  await client.askForCode()
  simulator.deliverTo({ url, secretKey: 'squirrel' })
  await client.askForCode()
  const ids = (await shop.hasGot(1)).map(({ event }) => at(event, 'id'))
  expect(ids).toEqual([simulator.mailbox[1]?.eventId])
})
