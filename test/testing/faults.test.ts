import { ADA, at, openStore } from './support'
import type { Fault } from '../../lib/testing'

const ATTEMPT = 'renewal'

/** The store with Ada's token, and a renewal to go wrong. */
async function openForRenewal() {
  const store = await openStore({ members: [{ username: ADA, accounts: 2 }] })
  const token = await store.client.signIn()
  store.simulator.clearRequests()
  return { ...store, renew: () => store.client.renew(token) }
}

describe('a fault', () => {
  test.each<[string, Fault, number, RegExp]>([
    ['an HTML page', 'html', 502, /^<!doctype html>/],
    ['JSON that is none', 'malformed', 201, /^\{"data":\[\{"type":$/],
    ['a refused bearer', 'refused_bearer', 401, /"Unable to validate access token"/],
    ['a status', { status: 503 }, 503, /"Service Unavailable"/],
    ['a status without a body', { status: 200 }, 200, /^$/],
    ['a status and a text', { status: 500, body: 'down' }, 500, /^down$/],
    ['a status and JSON', { status: 200, body: { data: 1 } }, 200, /^\{"data":1\}$/],
    ['a redirect', { redirect: 'http://127.0.0.1:1/' }, 307, /^$/],
    ['a rate limit', { rateLimited: undefined }, 429, /"Too Many Requests"/],
    ['a delay', { delay: 1 }, 201, /"data":\[/],
  ])('is %s', async (_, fault, status, text) => {
    const { simulator, renew } = await openForRenewal()
    simulator.fault(ATTEMPT, fault)
    const reply = await renew()
    expect(reply.status).toBe(status)
    expect(reply.text).toMatch(text)
    expect(simulator.requests.map(({ call, status }) => [call, status])).toEqual([[ATTEMPT, status]])
    expect((await renew()).status).toBe(201)
  })

  test('is where a redirect leads, when to try again, or a header of one’s own', async () => {
    const { simulator, renew } = await openForRenewal()
    simulator.fault(ATTEMPT, { redirect: 'http://127.0.0.1:1/' })
    simulator.fault(ATTEMPT, { rateLimited: 7 })
    simulator.fault(ATTEMPT, { status: 503, headers: { 'retry-after': 'soon' } })
    expect((await renew()).headers.get('location')).toBe('http://127.0.0.1:1/')
    expect((await renew()).headers.get('retry-after')).toBe('7')
    expect((await renew()).headers.get('retry-after')).toBe('soon')
  })

  test('is a list of which one entry cannot be', async () => {
    const { simulator, renew } = await openForRenewal()
    simulator.fault(ATTEMPT, 'half_valid')
    const { status, json } = await renew()
    expect(status).toBe(201)
    expect(at(json, 'data', 0, 'token')).toEqual(expect.any(String))
    expect(at(json, 'data', 2, 'token')).toBe(42)
  })

  test('is half-valid at every call that has data', async () => {
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
  })

  test.each<[string, Fault]>([
    ['a reset', 'reset'],
    ['a body cut off', 'truncated'],
  ])('is %s, which the client sees as a broken connection', async (_, fault) => {
    const { simulator, renew } = await openForRenewal()
    simulator.fault(ATTEMPT, fault)
    await expect(renew()).rejects.toThrow(/fetch failed|terminated/)
    expect((await renew()).status).toBe(201)
  })

  test('is a body of 64 MiB', async () => {
    const { simulator, renew } = await openForRenewal()
    simulator.fault(ATTEMPT, 'oversized')
    expect((await renew()).text.length).toBeGreaterThanOrEqual(64 * 1024 * 1024)
  })

  test.each<[string, Fault, boolean]>([
    ['never answered', 'hang', false],
    ['answered a byte at a time', 'slow', true],
  ])('is a request that is %s, until the store stops', async (_, fault, hasHead) => {
    const { simulator } = await openForRenewal()
    simulator.fault('any', fault)
    const answer = fetch(`${simulator.url}/v2/settings/account-authentication`)
    if (hasHead) expect((await answer).status).toBe(401)
    else while (simulator.requests.length === 0) await new Promise(setImmediate)
    const end = (hasHead ? answer.then((response) => response.text()) : answer).catch(() => 'ended')
    await simulator.stop()
    expect(await end).toBe('ended')
  })
})

describe('when a fault strikes', () => {
  test('is once, or as often as is said', async () => {
    const { simulator, renew } = await openForRenewal()
    const fault = simulator.fault(ATTEMPT, { status: 500 }, { times: 2 })
    expect([(await renew()).status, (await renew()).status, (await renew()).status]).toEqual([500, 500, 201])
    expect(fault.hits).toBe(2)
  })

  test('is after as many as are let pass', async () => {
    const { simulator, renew } = await openForRenewal()
    simulator.fault(ATTEMPT, { status: 500 }, { after: 1 })
    expect([(await renew()).status, (await renew()).status, (await renew()).status]).toEqual([201, 500, 201])
  })

  test('is always, until it is removed', async () => {
    const { simulator, renew } = await openForRenewal()
    const fault = simulator.fault('any', { status: 500 }, { times: Infinity })
    expect([(await renew()).status, (await renew()).status]).toEqual([500, 500])
    fault.remove()
    expect((await renew()).status).toBe(201)
    expect(fault.hits).toBe(2)
  })

  test('is at its own call alone', async () => {
    const { simulator, client, renew } = await openForRenewal()
    const fault = simulator.fault('exchange', { status: 500 })
    expect((await renew()).status).toBe(201)
    expect((await client.exchange('wrong1')).status).toBe(500)
    expect(fault.hits).toBe(1)
  })

  test('never is where it is told to strike nothing', async () => {
    const { simulator } = await openStore()
    expect(() => simulator.fault('any', 'hang', { times: 0 })).toThrow(RangeError)
  })
})

describe('what a fault leaves behind', () => {
  const faults: [string, Fault][] = [
    ['reset', 'reset'],
    ['truncated', 'truncated'],
    ['malformed', 'malformed'],
    ['half_valid', 'half_valid'],
    ['html', 'html'],
    ['500', { status: 500 }],
  ]

  test.each(faults)('%s: nothing, so that the code still works', async (_, fault) => {
    const { simulator, client } = await openStore()
    const otp = simulator.issueCode(ADA)
    simulator.fault('exchange', fault)
    await client.exchange(otp).catch(() => undefined)
    expect((await client.exchange(otp)).status).toBe(201)
  })

  test.each(faults)('%s: after the effect, a code that is spent', async (_, fault) => {
    const { simulator, client } = await openStore()
    const otp = simulator.issueCode(ADA)
    simulator.fault('exchange', fault, { afterEffect: true })
    await client.exchange(otp).catch(() => undefined)
    expect((await client.exchange(otp)).status).toBe(400)
  })

  test.each(faults)('%s: no code was made, or one was, after the effect', async (_, fault) => {
    const { simulator, client } = await openStore()
    simulator.fault('otp_request', fault)
    simulator.fault('otp_request', fault, { afterEffect: true })
    await client.askForCode().catch(() => undefined)
    expect(simulator.mailbox).toHaveLength(0)
    await client.askForCode().catch(() => undefined)
    expect(simulator.mailbox).toHaveLength(1)
  })

  test('a delay that the client waits for has its effect', async () => {
    const { simulator, client } = await openStore()
    const otp = simulator.issueCode(ADA)
    simulator.fault('exchange', { delay: 1 })
    expect((await client.exchange(otp)).status).toBe(201)
    expect((await client.exchange(otp)).status).toBe(400)
  })

  test('a delay that the store does not live to see leaves nothing running', async () => {
    const { simulator, client } = await openStore()
    simulator.fault('exchange', { delay: 3_600_000 })
    const exchange = client.exchange(simulator.issueCode(ADA)).catch(() => 'ended')
    while (simulator.count('exchange') === 0) await new Promise(setImmediate)
    await simulator.stop()
    expect(await exchange).toBe('ended')
  })
})
