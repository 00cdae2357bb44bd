import { ADA, at, compareResponses, openStore, useFakeClock, type Client, type Reply } from './support'
import type { Fault } from '../../lib/testing'

compareResponses()
afterEach(() => jest.useRealTimers())

/** Starts a simulator and signs Ada in. `renew` sends a renewal with her account token. */
async function openForRenewal() {
  const store = await openStore({ members: [{ username: ADA, accounts: 2 }] })
  const token = await store.client.signIn()
  store.simulator.clearRequests()
  return { ...store, renew: () => store.client.renew(token) }
}

describe('a fault', () => {
  test.each<[Fault, number, RegExp]>([
    ['html', 502, /^<!doctype html>/],
    ['malformed', 201, /^\{"data":\[\{"type":$/],
    ['refused_bearer', 401, /"Unable to validate access token"/],
    [{ status: 599 }, 599, /"Error"/],
    [{ status: 503 }, 503, /"Service Unavailable"/],
    [{ status: 400 }, 400, /"Bad Request"/],
    [{ status: 399 }, 399, /^$/],
    [{ status: 200 }, 200, /^$/],
    [{ status: 500, body: 'down' }, 500, /^down$/],
    [{ status: 200, body: { data: 1 } }, 200, /^\{"data":1\}$/],
    [{ redirect: 'http://127.0.0.1:1/' }, 307, /^$/],
    [{ rateLimited: undefined }, 429, /"Too Many Requests"/],
    [{ delay: 1 }, 201, /"data":\[/],
  ])('%j applies to the next request and returns %i', async (fault, status, text) => {
    const { simulator, renew } = await openForRenewal()
    simulator.fault('renewal', fault)
    const reply = await renew()
    expect(reply.status).toBe(status)
    expect(reply.text).toMatch(text)
    expect(simulator.requests.map(({ call, status }) => [call, status])).toEqual([['renewal', status]])
    expect((await renew()).status).toBe(201)
  })

  test('sends the header Location, Retry-After or a custom one', async () => {
    const { simulator, renew } = await openForRenewal()
    simulator.fault('renewal', { redirect: 'http://127.0.0.1:1/' })
    simulator.fault('renewal', { rateLimited: 7 })
    simulator.fault('renewal', { status: 503, headers: { 'retry-after': 'soon' } })
    expect((await renew()).headers.get('location')).toBe('http://127.0.0.1:1/')
    expect((await renew()).headers.get('retry-after')).toBe('7')
    expect((await renew()).headers.get('retry-after')).toBe('soon')
  })

  test.each<[Fault, string | null, string | null]>([
    [{ status: 200 }, null, '0'],
    [{ status: 204 }, null, null],
    [{ status: 304 }, null, null],
    [{ status: 200, body: '' }, 'application/json', '0'],
    [{ status: 200, body: [1] }, 'application/json', '3'],
    [{ status: 200, body: 'é', headers: { 'Content-Type': 'text/plain' } }, 'text/plain', '2'],
    ['html', 'text/html', '69'],
  ])('%j sends the content type %p and the length %p', async (fault, type, length) => {
    const { simulator, renew } = await openForRenewal()
    simulator.fault('renewal', fault)
    const { headers } = await renew()
    expect([headers.get('content-type'), headers.get('content-length')]).toEqual([type, length])
  })

  test('half_valid appends an invalid entry to a list', async () => {
    const { simulator, renew } = await openForRenewal()
    simulator.fault('renewal', 'half_valid')
    const { status, json } = await renew()
    expect(status).toBe(201)
    expect(at(json, 'data', 0, 'token')).toEqual(expect.any(String))
    expect(at(json, 'data', 2, 'token')).toBe(42)
  })

  test('half_valid replaces a value in every kind of response', async () => {
    const { simulator, client } = await openStore()
    simulator.fault('any', 'half_valid', { times: Infinity })
    expect(at((await client.authenticate()).json, 'access_token')).toBe(42)
    simulator.clearFaults()
    await client.authenticate()
    simulator.fault('any', 'half_valid', { times: Infinity })
    expect(
      at((await client.settings()).json, 'data', 'relationships', 'authentication_realm', 'data', 'id'),
    ).toBe(42)
    expect(at((await client.passwordProfiles()).json, 'data', 1, 'id')).toBeNull()
    expect(at((await client.send('/nothing')).json, 'data')).toEqual([null])
    expect((await client.askForCode()).json).toEqual({ data: [null] })
  })

  test.each<Fault>(['reset', 'truncated'])('%s breaks the connection of the client', async (fault) => {
    const { simulator, renew } = await openForRenewal()
    simulator.fault('renewal', fault)
    await expect(renew()).rejects.toThrow(/fetch failed|terminated/)
    expect((await renew()).status).toBe(201)
    expect(simulator.errors).toEqual([])
  })

  test('truncated breaks the connection even if the regular response has no body', async () => {
    const { simulator, client } = await openStore()
    simulator.fault('otp_request', 'truncated')
    await expect(client.askForCode()).rejects.toThrow('terminated')
    expect(simulator.requests[0]?.status).toBe(202)
  })

  test('oversized sends a body of 64 MiB', async () => {
    const { simulator, renew } = await openForRenewal()
    simulator.fault('renewal', 'oversized')
    const { status, text } = await renew()
    expect([status, text.length]).toEqual([201, 64 * 1024 * 1024 + '{"data":""}'.length])
    expect([text.slice(0, 10), text.slice(-3)]).toEqual(['{"data":"x', 'x"}'])
  })

  test('hang sends nothing until the simulator stops', async () => {
    const { simulator, client } = await openStore()
    simulator.fault('any', 'hang')
    const arrived = simulator.nextRequest()
    const settings = client.settings()
    await arrived
    await simulator.stop()
    await expect(settings).rejects.toThrow('fetch failed')
    expect(simulator.errors).toEqual([])
  })

  test.each<[string, (client: Client) => Promise<Reply>, number, string]>([
    ['an empty', (client) => client.askForCode(), 202, '{}'],
    ['a', (client) => client.send('/x'), 404, '{"errors":[{"title":"Not Found","status":"404"}]}'],
  ])('slow sends one byte of %s body every 100 ms', async (_, send, status, text) => {
    useFakeClock()
    const { simulator, client } = await openStore()
    simulator.fault('any', 'slow')
    const [arrived, answered] = [simulator.nextRequest(), simulator.nextAnswer()]
    const reply = send(client)
    await arrived
    jest.advanceTimersByTime(100 * text.length - 1)
    expect(jest.getTimerCount()).toBe(1)
    jest.advanceTimersByTime(1)
    expect(await reply).toMatchObject({ status, text })
    expect((await reply).headers.get('content-length')).toBe(`${text.length}`)
    await answered
  })

  test('slow sends the headers, and part of the body until the simulator stops', async () => {
    useFakeClock()
    const { simulator } = await openStore()
    simulator.fault('any', 'slow')
    const response = await fetch(`${simulator.url}/v2/settings/account-authentication`)
    expect(response.status).toBe(401)
    const text = response.text()
    await simulator.stop()
    expect(jest.getTimerCount()).toBe(0)
    await expect(text).rejects.toThrow('terminated')
  })

  test('applies `times` times', async () => {
    const { simulator, renew } = await openForRenewal()
    const fault = simulator.fault('renewal', { status: 500 }, { times: 2 })
    expect([(await renew()).status, (await renew()).status, (await renew()).status]).toEqual([500, 500, 201])
    expect(fault.hits).toBe(2)
  })

  test('skips `after` requests first', async () => {
    const { simulator, renew } = await openForRenewal()
    simulator.fault('renewal', { status: 500 }, { after: 1 })
    expect([(await renew()).status, (await renew()).status, (await renew()).status]).toEqual([201, 500, 201])
  })

  test('applies until it is removed if `times` is Infinity', async () => {
    const { simulator, renew } = await openForRenewal()
    const fault = simulator.fault('any', { status: 500 }, { times: Infinity })
    expect([(await renew()).status, (await renew()).status]).toEqual([500, 500])
    fault.remove()
    expect((await renew()).status).toBe(201)
    expect(fault.hits).toBe(2)
  })

  test('applies to its own kind of request only', async () => {
    const { simulator, client, renew } = await openForRenewal()
    const fault = simulator.fault('exchange', { status: 500 })
    expect((await renew()).status).toBe(201)
    expect((await client.exchange('wrong1')).status).toBe(500)
    expect(fault.hits).toBe(1)
  })

  test('that cannot be sent is reported, and closes the connection', async () => {
    const { simulator, client } = await openStore()
    simulator.on('error', () => undefined)
    simulator.fault('any', { status: 200, body: 1n })
    await expect(client.settings()).rejects.toThrow('fetch failed')
    expect(simulator.errors).toEqual([expect.any(TypeError)])
    expect((await client.settings()).status).toBe(200)
  })
})

describe('the effect of a request with a fault', () => {
  const faults: Fault[] = ['reset', 'truncated', 'malformed', 'half_valid', 'html', { status: 500 }]

  test.each(faults)('does not happen by default, so the code stays valid: %j', async (fault) => {
    const { simulator, client } = await openStore()
    const otp = simulator.issueCode(ADA)
    simulator.fault('exchange', fault)
    await client.exchange(otp).catch(() => undefined)
    expect((await client.exchange(otp)).status).toBe(201)
  })

  test.each(faults)('happens with `afterEffect`, so the code is used up: %j', async (fault) => {
    const { simulator, client } = await openStore()
    const otp = simulator.issueCode(ADA)
    simulator.fault('exchange', fault, { afterEffect: true })
    await client.exchange(otp).catch(() => undefined)
    expect((await client.exchange(otp)).status).toBe(400)
  })

  test.each(faults)('creates a code only with `afterEffect`: %j', async (fault) => {
    const { simulator, client } = await openStore()
    simulator.fault('otp_request', fault)
    simulator.fault('otp_request', fault, { afterEffect: true })
    await client.askForCode().catch(() => undefined)
    expect(simulator.mailbox).toHaveLength(0)
    await client.askForCode().catch(() => undefined)
    expect(simulator.mailbox).toHaveLength(1)
  })

  test('happens after a delay if the client waits', async () => {
    const { simulator, client } = await openStore()
    const otp = simulator.issueCode(ADA)
    simulator.fault('exchange', { delay: 1 })
    expect((await client.exchange(otp)).status).toBe(201)
    expect((await client.exchange(otp)).status).toBe(400)
  })

  test('is canceled if the simulator stops during a delay', async () => {
    useFakeClock()
    const { simulator, client } = await openStore()
    simulator.fault('exchange', { delay: 3_600_000 })
    const arrived = simulator.nextRequest('exchange')
    const exchange = client.exchange(simulator.issueCode(ADA))
    await arrived
    expect(jest.getTimerCount()).toBe(1)
    await simulator.stop()
    expect(jest.getTimerCount()).toBe(0)
    await expect(exchange).rejects.toThrow('fetch failed')
  })
})
