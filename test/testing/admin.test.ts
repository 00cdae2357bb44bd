import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ElasticPathSimulator } from '../../lib/testing'
import { ADA, at, Client, compareResponses, detailOf, openStore, useFakeClock } from './support'

compareResponses()

const CODE_EVENT = 'one-time-password-token-request.created'
const INTEGRATIONS = '/v2/integrations'
const NO_DATA = 'the body must have data'
const NOT_FOUND = 'The resource could not be found'
const BAD_PAGE = 'page[limit] must be 0 to 100, page[offset] 0 to 10000'
const TIMEOUT = 'account_management_authentication_token_timeout_secs'
const PROFILE = 'c5687352-d102-46fd-b85e-256f10574019'

async function openAdmin(options = {}) {
  const store = await openStore({ passwordProfiles: [{ id: PROFILE, oneTimePasswords: false }], ...options })
  const profiles = `/v2/authentication-realms/${store.simulator.realmId}/password-profiles`
  return { ...store, admin: await Client.admin(store.simulator), profiles }
}

const servers: ReturnType<typeof createServer>[] = []
afterEach(async () => {
  jest.useRealTimers()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
})

/** Instead of a status: the webhook never responds, or closes the connection. */
const [HANG, CLOSE] = [0, 1]
const BODIES: Record<number, string> = { 500: 'broken', 503: 'é'.repeat(1001) }

/** Starts a webhook that returns these statuses in order, and then the last one for all further deliveries. */
async function openWebhook(...statuses: number[]) {
  const events: unknown[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      events.push({ secret: request.headers['x-moltin-secret-key'], ...(JSON.parse(text) as object) })
      const status = statuses.length > 1 ? statuses.shift() : statuses[0]
      if (status === CLOSE) request.socket.destroy()
      else if (status) response.writeHead(status).end(BODIES[status])
    })
  })
  const received = once(server, 'request')
  servers.push(server.listen(0, '127.0.0.1'))
  await once(server, 'listening')
  return { events, received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/otp` }
}

/** Resolves when this many deliveries have succeeded or failed. */
async function hasDelivered(simulator: ElasticPathSimulator, total: number): Promise<void> {
  while (simulator.deliveries.length < total) await simulator.nextDelivery()
}

const integration = (url: string, fields: Record<string, unknown> = {}) => ({
  data: {
    type: 'integration',
    name: 'passport-elasticpath-otp',
    enabled: true,
    integration_type: 'webhook',
    observes: [CODE_EVENT],
    configuration: { url, secret_key: 'squirrel' },
    ...fields,
  },
})

describe('an implicit access token', () => {
  test.each([
    ['GET', INTEGRATIONS, 403],
    ['POST', INTEGRATIONS, 403],
    ['GET', `${INTEGRATIONS}/logs`, 403],
    ['GET', `${INTEGRATIONS}/x`, 403],
    ['PUT', `${INTEGRATIONS}/x`, 403],
    ['DELETE', `${INTEGRATIONS}/x`, 403],
    ['GET', `${INTEGRATIONS}/x/jobs`, 403],
    ['GET', `${INTEGRATIONS}/x/jobs/y/logs`, 403],
    ['PUT', '/v2/settings/account-authentication', 403],
    ['PUT', '/v2/settings/cart', 403],
    ['POST', 'profiles', 403],
    ['PUT', `profiles/${PROFILE}`, 403],
    ['GET', 'profiles', 200],
    ['GET', `profiles/${PROFILE}`, 200],
    ['GET', '/v2/settings/cart', 200],
  ])('sends %s %s and gets the status %i', async (method, path, status) => {
    const { client, profiles } = await openAdmin()
    const body = method === 'GET' ? undefined : {}
    expect((await client.call(method, path.replace('profiles', profiles), body)).status).toBe(status)
  })
})

describe('password profiles', () => {
  test('are read, created and updated', async () => {
    const { simulator, admin, profiles } = await openAdmin()
    const plain = await admin.call('POST', profiles, { data: { type: 'password_profile', name: 'Plain' } })
    expect(at(plain.json, 'data')).toMatchObject({ name: 'Plain', enable_one_time_password_token: false })
    const data = { type: 'password_profile', name: 'Codes', enable_one_time_password_token: true }
    const created = await admin.call('POST', profiles, { data })
    expect([created.status, at(created.json, 'data')]).toEqual([
      201,
      expect.objectContaining({ ...data, username_format: 'any' }),
    ])
    expect(simulator.passwordProfileId).toBe(at(created.json, 'data', 'id'))
    const update = { id: PROFILE, type: 'password_profile', name: 'Changed', username_format: 'email' }
    expect((await admin.call('PUT', `${profiles}/${PROFILE}`, { data: update })).status).toBe(200)
    const read = await admin.call('GET', `${profiles}/${PROFILE}`)
    expect(at(read.json, 'data')).toMatchObject({ ...update, enable_one_time_password_token: false })
    const realm = await admin.call('GET', profiles.replace('/password-profiles', ''))
    expect(at(realm.json, 'data', 'id')).toBe(simulator.realmId)
  })

  test.each([
    [{}, {}],
    [{ id: PROFILE, name: 'Changed' }, { name: 'Changed' }],
    [{ name: '', description: 'For codes' }, { description: 'For codes' }],
    [{ name: 1, description: 1 }, {}],
    [{ username_format: 'any' }, { username_format: 'any' }],
    [{ username_format: 'email' }, {}],
    [{ enable_one_time_password_token: true }, { enable_one_time_password_token: true }],
  ])('keep what the update %j does not change', async (update, changed) => {
    const { admin, profiles } = await openAdmin({
      passwordProfiles: [{ id: PROFILE, name: 'Codes', usernameFormat: 'email', oneTimePasswords: false }],
    })
    const path = `${profiles}/${PROFILE}`
    const { meta: _meta, ...before } = at((await admin.call('GET', path)).json, 'data') as { meta: unknown }
    const updated = await admin.call('PUT', path, { data: { type: 'password_profile', ...update } })
    expect([updated.status, at(updated.json, 'data')]).toMatchObject([200, { ...before, ...changed }])
    expect((await admin.call('GET', path)).json).toEqual(updated.json)
  })

  test.each([
    ['PUT', '/x', {}, 404],
    ['GET', '/x', undefined, 404],
    ['PUT', `/${PROFILE}`, [], 400],
    ['PUT', `/${PROFILE}`, { type: 'profile' }, 422],
    ['PUT', `/${PROFILE}`, { id: 'other', type: 'password_profile' }, 422],
    ['PUT', `/${PROFILE}`, { type: 'password_profile', username_format: 'phone' }, 422],
    ['PUT', `/${PROFILE}`, { type: 'password_profile', enable_one_time_password_token: 'yes' }, 422],
    ['POST', '', { type: 'password_profile' }, 422],
    ['POST', '', [], 400],
  ])('do not change if a request is refused: %s %s %j returns %i', async (method, path, data, status) => {
    const { admin, profiles, simulator } = await openAdmin()
    const before = simulator.profiles
    const call = (base: string) => admin.call(method, base + path, data && { data })
    expect((await call(profiles)).status).toBe(status)
    expect((await call(profiles.replace(simulator.realmId, 'other'))).status).toBe(404)
    expect(simulator.profiles).toEqual(before)
  })
})

describe('settings', () => {
  test('are changed by an administrator, and apply to new carts', async () => {
    const { simulator, admin } = await openAdmin()
    const put = async (path: string, data: object) => (await admin.call('PUT', path, { data })).status
    const [account, cart] = ['/v2/settings/account-authentication', '/v2/settings/cart']
    expect(await put(account, { [TIMEOUT]: 1200 })).toBe(200)
    expect(at((await admin.settings()).json, 'data', TIMEOUT)).toBe(1200)
    expect(await put(cart, { cart_expiry_days: 30 })).toBe(200)
    expect(at((await admin.call('GET', cart)).json, 'data', 'cart_expiry_days')).toBe(30)
    expect(simulator.addCart({}).expiresAt).toBe(
      new Date(Date.parse(simulator.carts[0]?.updatedAt ?? '') + 30 * 86_400_000).toISOString(),
    )
  })
})

const BAD_TIMEOUT = "Validation failed: field 'Timeout' on the 'gt' tag."
const BAD_EXPIRY = 'cart_expiry_days must be 1 to 365'
describe.each<[string, unknown, number, string | undefined]>([
  ['account-authentication', {}, 200, undefined],
  ['account-authentication', { [TIMEOUT]: 1 }, 200, undefined],
  ['account-authentication', { [TIMEOUT]: 0 }, 422, BAD_TIMEOUT],
  ['account-authentication', { [TIMEOUT]: 1.5 }, 422, BAD_TIMEOUT],
  ['account-authentication', [], 400, NO_DATA],
  ['cart', { cart_expiry_days: 1 }, 200, undefined],
  ['cart', { cart_expiry_days: 365 }, 200, undefined],
  ['cart', { cart_expiry_days: 0 }, 400, BAD_EXPIRY],
  ['cart', { cart_expiry_days: 366 }, 400, BAD_EXPIRY],
  ['cart', { cart_expiry_days: '7' }, 400, BAD_EXPIRY],
  ['cart', {}, 400, BAD_EXPIRY],
  ['cart', [], 400, NO_DATA],
])('the %s settings', (name, data, status, detail) => {
  test(`return ${status} for ${JSON.stringify(data)} and change only what is valid`, async () => {
    const { admin } = await openAdmin()
    const read = async () => at((await admin.call('GET', `/v2/settings/${name}`)).json, 'data')
    const before = await read()
    const reply = await admin.call('PUT', `/v2/settings/${name}`, { data })
    expect([reply.status, detailOf(reply)]).toEqual([status, detail])
    expect(await read()).toEqual(status === 200 ? { ...(before as object), ...(data as object) } : before)
  })
})

describe('integrations', () => {
  test('are created, listed, updated, disabled and deleted', async () => {
    const { simulator, client, admin } = await openAdmin({ passwordProfiles: [{}] })
    const { url, events } = await openWebhook(204)
    const created = await admin.call('POST', INTEGRATIONS, integration(url))
    const id = String(at(created.json, 'data', 'id'))
    expect([created.status, simulator.integrations]).toMatchObject([200, [{ id, enabled: true }]])
    const delivery = simulator.nextDelivery()
    await client.askForCode()
    expect(await delivery).toMatchObject({ integrationId: id, attempt: 1, succeeded: true, status: 204 })
    expect(events).toMatchObject([
      { secret: 'squirrel', integration: { id, name: 'passport-elasticpath-otp' } },
    ])

    const path = `${INTEGRATIONS}/${id}`
    const off = { data: { type: 'integration', enabled: false } }
    expect(at((await admin.call('PUT', path, off)).json, 'data')).toMatchObject({
      enabled: false,
      observes: [CODE_EVENT],
      configuration: { url, secret_key: 'squirrel' },
    })
    await client.askForCode()
    await admin.call('PUT', path, integration(url, { observes: ['order.created'] }))
    await client.askForCode()
    expect(at((await admin.call('GET', path)).json, 'data', 'observes')).toEqual(['order.created'])
    simulator.publish('order.created', { data: 1 })
    expect(await simulator.nextDelivery()).toMatchObject({ event: 'order.created' })
    expect(events).toHaveLength(2)

    expect((await admin.call('DELETE', path)).status).toBe(200)
    expect((await admin.call('GET', path)).status).toBe(404)
    expect(at((await admin.call('GET', INTEGRATIONS)).json, 'meta', 'results', 'total')).toBe(0)
  })

  const url = 'https://shop.example/otp'
  test.each<[Record<string, unknown>, string]>([
    [{ type: 'webhook' }, "field 'Type' on the 'oneof' tag"],
    [{ name: '' }, "field 'Name' on the 'required' tag"],
    [{ integration_type: 'mail' }, "field 'IntegrationType' on the 'oneof' tag"],
    [{ observes: ['all', 1] }, "field 'Observes' on the 'dive' tag"],
    [{ configuration: [url] }, "field 'Configuration' on the 'required' tag"],
    [{ configuration: {} }, "field 'URL' on the 'url' tag"],
    [{ configuration: { url: [url] } }, "field 'URL' on the 'url' tag"],
    [{ configuration: { url: 'shttp://shop.example' } }, "field 'URL' on the 'url' tag"],
    [{ configuration: { url, secret_key: 'a\nb' } }, "field 'SecretKey' on the 'printascii' tag"],
    [{ configuration: { url, secret_key: 42 } }, "field 'SecretKey' on the 'printascii' tag"],
    [
      { type: 'x', name: 1, observes: 1 },
      "field 'Type' on the 'oneof' tag; field 'Name' on the 'required' tag; field 'Observes' on the 'dive' tag",
    ],
  ])('are not created with %j', async (fields, complaints) => {
    const { admin, simulator } = await openAdmin()
    const reply = await admin.call('POST', INTEGRATIONS, integration(url, fields))
    expect([reply.status, detailOf(reply)]).toEqual([422, `Validation failed: ${complaints}.`])
    expect(simulator.integrations).toEqual([])
  })

  test.each([
    ['POST', '', [], 400, NO_DATA],
    ['PUT', '/mine', [], 400, NO_DATA],
    ['GET', '/x', undefined, 404, NOT_FOUND],
    ['PUT', '/x', {}, 404, NOT_FOUND],
    ['DELETE', '/x', undefined, 404, NOT_FOUND],
    ['GET', '/x/jobs', undefined, 404, NOT_FOUND],
    ['GET', '/x/logs', undefined, 404, NOT_FOUND],
    ['GET', '/mine/jobs/x/logs', undefined, 404, NOT_FOUND],
    ['GET', '?page[limit]=101', undefined, 400, BAD_PAGE],
    ['GET', '/logs?page[limit]=101', undefined, 400, BAD_PAGE],
  ])('are refused: %s %s %j returns %i', async (method, path, data, status, detail) => {
    const { admin, simulator } = await openAdmin({ integrations: [{ id: 'mine', url }] })
    const before = simulator.integrations
    const reply = await admin.call(method, INTEGRATIONS + path, data && { data })
    expect([reply.status, detailOf(reply)]).toEqual([status, detail])
    expect(simulator.integrations).toEqual(before)
  })

  test('are webhooks that are disabled and observe nothing by default', async () => {
    const { admin } = await openAdmin()
    const data = { type: 'integration', name: 'Mine', configuration: { url } }
    const created = await admin.call('POST', INTEGRATIONS, { data })
    const defaults = { description: '', enabled: false, integration_type: 'webhook', observes: [] }
    expect(at(created.json, 'data')).toMatchObject({ ...data, ...defaults })
  })

  test('keep what an update does not change', async () => {
    const { admin } = await openAdmin({ integrations: [{ id: 'mine', url }] })
    const put = async (fields: object) =>
      at(
        (await admin.call('PUT', `${INTEGRATIONS}/mine`, { data: { type: 'integration', ...fields } })).json,
        'data',
      )
    const seeded = { name: 'Integration', description: '', enabled: true, integration_type: 'webhook' }
    expect(await put({})).toMatchObject({ ...seeded, observes: [CODE_EVENT], configuration: { url } })
    expect(await put({ description: 'Codes' })).toMatchObject({ ...seeded, description: 'Codes' })
    const off = { enabled: false, integration_type: 'stomp', observes: [] }
    expect(await put(off)).toMatchObject({ ...seeded, description: 'Codes', ...off })
    expect(await put({ description: 1, enabled: 'yes' })).toMatchObject({
      description: 'Codes',
      enabled: false,
    })
  })

  test('for queues are stored but get no deliveries', async () => {
    const { client, admin, simulator } = await openAdmin({ passwordProfiles: [{}] })
    const fields = { integration_type: 'aws_sqs', configuration: { url: 'x', region: 'y' } }
    expect((await admin.call('POST', INTEGRATIONS, integration('', fields))).status).toBe(200)
    await client.askForCode()
    expect(
      (await admin.call('GET', `${INTEGRATIONS}/${simulator.integrations[0]?.id ?? ''}/jobs`)).json,
    ).toMatchObject({
      data: [],
    })
  })

  test('retry a delivery in the same job, with a log entry for each attempt', async () => {
    useFakeClock()
    const { url } = await openWebhook(500, 204)
    const integrations = [{ id: 'mine', url, retryDelay: 60_000 }]
    const { simulator, client, admin } = await openAdmin({
      passwordProfiles: [{}],
      integrations,
      deliveryDelay: 1000,
    })
    for (const wait of [1000, 60_000]) {
      if (wait === 1000) await client.askForCode()
      const delivery = simulator.nextDelivery()
      jest.advanceTimersByTime(wait)
      await delivery
    }
    const jobs = await admin.call('GET', `${INTEGRATIONS}/mine/jobs`)
    const job = String(at(jobs.json, 'data', 0, 'id'))
    for (const path of [`mine/jobs/${job}/logs`, 'mine/logs', 'logs']) {
      const { json } = await admin.call('GET', `${INTEGRATIONS}/${path}`)
      expect(at(json, 'data')).toMatchObject([
        { attempt: 1, succeeded: false, status_code: 500, body: 'broken' },
        { attempt: 2, succeeded: true, status_code: 204, error_detail: '' },
      ])
    }
    expect(simulator.deliveries.map(({ attempt }) => attempt)).toEqual([1, 2])
  })

  test('list only their own jobs and log entries, in pages', async () => {
    const { url } = await openWebhook(204)
    const { simulator, admin } = await openAdmin({
      integrations: [
        { id: 'carts', url, observes: ['cart.updated'] },
        { id: 'orders', url, observes: ['order.created', 'order.paid'] },
      ],
    })
    for (const event of ['cart.updated', 'order.created', 'order.paid']) {
      const delivery = simulator.nextDelivery()
      simulator.publish(event, {})
      await delivery
    }
    const [cart, created, paid] = simulator.deliveries.map(({ jobId }) => jobId)
    const list = async (path: string) => (await admin.call('GET', `${INTEGRATIONS}${path}`)).json
    const jobsOf = async (path: string) => {
      const logs = at(await list(path), 'data') as unknown[]
      return logs.map((log) => at(log, 'relationships', 'job', 'data', 'id') ?? at(log, 'id'))
    }
    expect(await jobsOf('/carts/jobs')).toEqual([cart])
    expect(await jobsOf('/orders/jobs')).toEqual([created, paid])
    expect(await jobsOf('/carts/logs')).toEqual([cart])
    expect(await jobsOf('/orders/logs')).toEqual([created, paid])
    expect(await jobsOf(`/orders/jobs/${paid ?? ''}/logs`)).toEqual([paid])
    expect(await jobsOf('/logs')).toEqual([cart, created, paid])
    expect(await jobsOf('/logs?page[limit]=1&page[offset]=1')).toEqual([created])
    expect(at(await list(`/carts/jobs/${paid ?? ''}/logs`), 'errors', 0, 'status')).toBe('404')
  })

  test('that are deleted are not retried', async () => {
    useFakeClock()
    const { url } = await openWebhook(500)
    const { simulator, client, admin } = await openAdmin({
      passwordProfiles: [{}],
      integrations: ['deleted', 'kept'].map((id) => ({ id, url, retryDelay: 1000, attempts: 3 })),
    })
    await client.askForCode()
    await hasDelivered(simulator, 2)
    await admin.call('DELETE', `${INTEGRATIONS}/deleted`)
    for (const total of [3, 4]) {
      jest.advanceTimersByTime(1000)
      await hasDelivered(simulator, total)
    }
    const attemptsOf = (id: string) =>
      simulator.deliveries.filter((one) => one.integrationId === id).map(({ attempt }) => attempt)
    expect([attemptsOf('deleted'), attemptsOf('kept')]).toEqual([[1], [1, 2, 3]])
  })

  test('include the webhook of `deliverTo`', async () => {
    const { simulator, admin } = await openAdmin({ passwordProfiles: [{}] })
    simulator.deliverTo({ url: 'http://127.0.0.1:1/', secretKey: 'x' })
    const listed = await admin.call('GET', INTEGRATIONS)
    expect(at(listed.json, 'data')).toMatchObject([{ name: 'One-time passwords', enabled: true }])
    simulator.deliverTo(undefined)
    expect(simulator.integrations).toEqual([])
  })

  const outside = 'Received a status code outside of 2xx range - treating webhook as a fail'
  const failed = 'The connection to the webhook failed'
  test.each<[string, number | string, number, string]>([
    ['returns 200', 200, 200, ''],
    ['returns 300', 300, 300, outside],
    ['returns 503 with a long page', 503, 503, outside],
    ['does not respond for 10 s', HANG, 0, 'The webhook did not respond in time'],
    ['closes the connection', CLOSE, 0, failed],
    ['refuses the connection', 'http://127.0.0.1:1/', 0, failed],
    ['refuses the connection for TLS', 'https://127.0.0.1:1/', 0, failed],
    ['has a URL in upper case and refuses the connection', 'HTTPS://127.0.0.1:1/', 0, failed],
  ])('log the delivery to a webhook that %s', async (_, behavior, status_code, error_detail) => {
    useFakeClock()
    const webhook = await openWebhook(typeof behavior === 'number' ? behavior : 204)
    const url = typeof behavior === 'string' ? behavior : webhook.url
    const { simulator, client, admin } = await openAdmin({
      passwordProfiles: [{}],
      integrations: [{ url, attempts: 1 }],
    })
    const ended = simulator.nextDelivery()
    expect((await client.askForCode()).status).toBe(202)
    if (behavior === HANG) {
      await webhook.received
      jest.advanceTimersByTime(10_000)
    }
    const succeeded = error_detail === ''
    expect(await ended).toMatchObject({
      succeeded,
      status: status_code || undefined,
      errorDetail: error_detail,
    })
    const logs = await admin.call('GET', `${INTEGRATIONS}/logs`)
    expect(at(logs.json, 'data')).toMatchObject([{ succeeded, status_code, error_detail }])
    if (behavior === 503) expect(at(logs.json, 'data', 0, 'body')).toBe('é'.repeat(1000))
  })

  test.each([
    [{ url: 'ftp://x' }, 'http'],
    [{ url: 'http://x', secretKey: '\n' }, 'printable ASCII'],
    [{ url: 'http://%@x' }, 'http'],
    [{ url: 'http://a:%@x' }, 'http'],
    [{ url: 'http://x', observe: [] }, 'Unknown option of an integration: observe'],
    [{ url: 'http://x', attempts: 0 }, 'attempts must be a number from 1 to 100, not 0'],
    [{ url: 'http://x', attempts: 101 }, 'attempts must be a number from 1 to 100, not 101'],
    [{ url: 'http://x', retryDelay: -1 }, 'retryDelay must be a number from 0 to 2147483647, not -1'],
    [{ url: 'http://x', timeout: 0 }, 'timeout must be a number from 1 to 2147483647, not 0'],
    [{ url: 'http://x', timeout: 2 ** 31 }, 'timeout must be a number from 1 to 2147483647, not 2147483648'],
  ])('throw if the option is %j', async (seed, message) => {
    await expect(
      ElasticPathSimulator.start({ members: [{ username: ADA }], integrations: [seed] }),
    ).rejects.toThrow(message)
  })
})
