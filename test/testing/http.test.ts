import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { ElasticPathSimulator } from '../../lib/testing'
import { ADA, at, compareResponses, openStore, TOKEN_TYPE, TOKENS } from './support'

compareResponses()

const SETTINGS = '/v2/settings/account-authentication'

/** Sends bytes over a new connection. Resolves with everything that it receives until the connection ends. */
async function sendRaw(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let received = ''
  socket.on('data', (chunk) => (received += chunk.toString()))
  socket.on('error', () => undefined)
  socket.end(bytes)
  await closed(socket)
  return received
}

/** Resolves when a connection has closed, with or without an error. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

// The numbers of facts refer to docs/elastic-path-facts.md.
describe('a request', () => {
  test.each([
    ['GET', '/'],
    ['POST', '/v2/account-members/tokens/'],
    ['GET', '/v2/accounts/a/b'],
    ['GET', '//v2/accounts'],
    ['GET', '/v2/%E0%A4%A'],
    ['GET', '/v2/carts/%E0%A4%A'],
    ['DELETE', '/pcm/products'],
  ])('to an unknown endpoint returns 404 in JSON:API style: %s %s (fact 25)', async (method, path) => {
    const { simulator, client } = await openStore()
    const reply = await client.send(path, { method })
    expect([reply.status, reply.json]).toEqual([404, { errors: [{ title: 'Not Found', status: '404' }] }])
    expect(simulator.requests[0]?.call).toBe('other')
  })

  test.each([
    ['GET', TOKENS, 'POST'],
    ['POST', SETTINGS, 'GET, PUT'],
    ['DELETE', '/v2/accounts', 'GET'],
    ['GET', '/oauth/access_token', 'POST'],
  ])('with the wrong method returns 405: %s %s allows %s', async (method, path, allowed) => {
    const { client } = await openStore()
    const reply = await client.send(path, { method })
    expect([reply.status, reply.headers.get('allow')]).toEqual([405, allowed])
  })

  test.each(['', '{', '{"data":', 'null x', '\u0000'])(
    'with the malformed body %p returns 400',
    async (body) => {
      const { client } = await openStore()
      const headers = { 'content-type': 'application/json' }
      expect((await client.send(TOKENS, { method: 'POST', headers, body })).status).toBe(400)
    },
  )

  test.each([null, 1, 'text', [], {}, { data: null }, { data: [] }, { data: 'x' }])(
    'with the JSON %j returns 400',
    async (value) => {
      const { client } = await openStore()
      expect((await client.send(TOKENS, { method: 'POST', body: JSON.stringify(value) })).status).toBe(400)
      expect(
        (await client.send(client.otpRequestPath(), { method: 'POST', body: JSON.stringify(value) })).status,
      ).toBe(400)
    },
  )

  test.each([
    ...['text/plain', 'application/x-www-form-urlencoded', 'application/json+x', 'x/application/json', ''],
  ])('with the content type %p returns 415', async (type) => {
    const { simulator, client } = await openStore()
    const body = JSON.stringify(client.exchangeBody(simulator.issueCode(ADA)))
    expect(
      (await client.send(TOKENS, { method: 'POST', headers: { 'content-type': type }, body })).status,
    ).toBe(415)
  })

  test('is accepted if its content type has a charset or ends with +json', async () => {
    const { simulator, client } = await openStore()
    for (const type of ['Application/JSON ; charset=utf-8', 'application/vnd.api+json']) {
      const body = client.exchangeBody(simulator.issueCode(ADA))
      expect(
        (await client.send(TOKENS, { method: 'POST', headers: { 'content-type': type }, body })).status,
      ).toBe(201)
    }
  })

  test('with `__proto__` or deep nesting is validated like any other', async () => {
    const { client } = await openStore()
    const proto = '{"data":{"__proto__":{"type":"x","username":"y"},"constructor":1}}'
    expect((await client.send(TOKENS, { method: 'POST', body: proto })).status).toBe(422)
    const deep = `{"data":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
    expect((await client.send(TOKENS, { method: 'POST', body: deep })).status).toBe(400)
    expect({}).not.toHaveProperty('username')
  })

  test.each([
    [16 * 1024, 400, true],
    [16 * 1024 + 1, 400, false],
    [256 * 1024, 400, false],
    [256 * 1024 + 1, 413, false],
    [16 * 1024 * 1024, 413, false],
  ])('with a body of %i bytes returns %i. The body is recorded: %p', async (size, status, isRecorded) => {
    const { simulator, client } = await openStore()
    const body = JSON.stringify(client.exchangeBody('wrong1')).padStart(size)
    expect((await client.send(TOKENS, { method: 'POST', body })).status).toBe(status)
    expect(simulator.requests[0]?.body !== undefined).toBe(isRecorded)
  })

  test.each<[string, (token: string) => string, number]>([
    ['two spaces', (token) => `Bearer  ${token}`, 200],
    ['a scheme in lower case', (token) => `bearer ${token}`, 200],
    ['no token', () => 'Bearer', 401],
    ['no scheme', (token) => token, 401],
    ['another scheme', (token) => `Basic ${token}`, 401],
    ['text before the scheme', (token) => `x Bearer ${token}`, 401],
    ['text after the token', (token) => `Bearer ${token} x`, 401],
    ['text before the token', (token) => `Bearer x${token}`, 401],
    ['a longer signature', (token) => `Bearer ${token}A`, 401],
    ['another signature', (token) => `Bearer ${token.slice(0, -4)}AAAA`, 401],
    ['no signature', (token) => `Bearer ${token.slice(0, -43)}`, 401],
    ['a malformed token', () => 'Bearer x', 401],
  ])('whose header Authorization has %s', async (_, authorization, status) => {
    const { client } = await openStore()
    const token = String(at((await client.authenticate()).json, 'access_token'))
    const reply = await client.send(SETTINGS, { headers: { authorization: authorization(token) } })
    expect(reply.status).toBe(status)
  })

  test('without the header Authorization returns 401', async () => {
    const { simulator } = await openStore()
    expect((await fetch(simulator.url + SETTINGS)).status).toBe(401)
  })

  test('with an access token of another store returns 401', async () => {
    const [mine, other] = [await openStore(), await openStore()]
    const token = String(at((await other.client.authenticate()).json, 'access_token'))
    const headers = { authorization: `Bearer ${token}` }
    expect((await mine.client.send(SETTINGS, { headers })).status).toBe(401)
  })

  test('that is not HTTP returns 400, and the simulator keeps running', async () => {
    const { simulator, client } = await openStore()
    expect(await sendRaw(simulator.url, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
    expect((await client.settings()).status).toBe(200)
  })

  test('is ignored if the client disconnects in the middle of the body', async () => {
    const { simulator, client } = await openStore()
    await sendRaw(simulator.url, `POST ${TOKENS} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"da`)
    expect(simulator.requests).toEqual([])
    expect((await client.settings()).status).toBe(200)
  })

  test('with an endless body is cut off', async () => {
    const { simulator, client } = await openStore()
    const socket = connect(Number(new URL(simulator.url).port), '127.0.0.1')
    const end = closed(socket)
    socket.on('error', () => undefined)
    socket.write(`POST ${TOKENS} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`)
    const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`
    while (!socket.destroyed) await new Promise<unknown>((resolve) => socket.write(chunk, resolve))
    await end
    expect((await client.settings()).status).toBe(200)
  })
})

describe('the record of requests', () => {
  test('contains the request and the status of the response', async () => {
    const { simulator, client } = await openStore()
    const body = client.exchangeBody('wrong1')
    await client.send(`${TOKENS}?page[limit]=5`, { method: 'POST', body, headers: { 'x-mine': 'yes' } })
    expect(simulator.requests).toMatchObject([
      {
        call: 'exchange',
        method: 'POST',
        path: TOKENS,
        query: { 'page[limit]': '5' },
        headers: { 'x-mine': 'yes' },
        body,
        status: 400,
      },
    ])
  })

  test('contains forms, text and malformed bodies', async () => {
    const { simulator, client } = await openStore()
    await client.authenticate()
    await client.send(TOKENS, { method: 'POST', body: '{' })
    await client.send(TOKENS, { method: 'POST', body: 'text', headers: { 'content-type': 'text/plain' } })
    await client.send(TOKENS, { method: 'POST' })
    expect(simulator.requests.map(({ body }) => body)).toEqual([
      { grant_type: 'implicit', client_id: simulator.clientId },
      '{',
      'text',
      undefined,
    ])
  })

  test.each([
    ['/v2/carts', {}],
    ['/v2/carts?', {}],
    ['/v2/carts?a=b?c&d', { a: 'b?c', d: '' }],
  ])('contains the whole query of %s', async (path, query) => {
    const { simulator, client } = await openStore()
    await client.send(path)
    expect(simulator.requests).toMatchObject([{ path: '/v2/carts', query }])
    expect(simulator.requests[0]?.query).toEqual(query)
  })

  test('counts the requests of each kind', async () => {
    const { simulator, client } = await openStore()
    const token = await client.signIn()
    await client.renew(token)
    await client.renew(token)
    await client.askForCode()
    await client.settings()
    await client.passwordProfiles()
    await client.accounts(token, '/x')
    await client.send('/elsewhere')
    await client.call('POST', '/v2/carts', { data: { authentication_mechanism: TOKEN_TYPE } })
    const calls = ['access_token', 'exchange', 'renewal', 'otp_request', 'account_settings'] as const
    expect(calls.map((call) => simulator.count(call))).toEqual([0, 1, 2, 1, 1])
    expect(
      (['password_profiles', 'accounts', 'other'] as const).map((call) => simulator.count(call)),
    ).toEqual([1, 1, 1])
    expect(simulator.count('POST /v2/carts')).toBe(1)
    simulator.clearRequests()
    expect([simulator.count('renewal'), simulator.requests.length]).toEqual([0, 0])
  })

  test('keeps the last 1,000 requests and codes, and counts all', async () => {
    const { simulator, client } = await openStore()
    await client.askForCode()
    const [first] = simulator.requests
    const body = JSON.stringify(first?.body)
    const head = [
      `POST ${client.otpRequestPath()} HTTP/1.1`,
      `Host: x\r\nAuthorization: ${first?.headers.authorization ?? ''}`,
      `Content-Type: application/json\r\nContent-Length: ${body.length}`,
    ].join('\r\n')
    // Pipelined on one connection, which is much faster than 1,009 calls of fetch.
    await sendRaw(simulator.url, `${head}\r\n\r\n${body}`.repeat(1009))
    expect([simulator.requests.length, simulator.mailbox.length]).toEqual([1000, 1000])
    expect(simulator.count('otp_request')).toBe(1010)
    expect(simulator.mailbox.at(-1)?.otp).toBe(simulator.lastCode(ADA))
  })
})

describe('the server', () => {
  test('starts without requests, codes, errors and deliveries', async () => {
    const simulator = await ElasticPathSimulator.start()
    const { requests, mailbox, errors, deliveries } = simulator
    expect([requests, mailbox, errors, deliveries]).toEqual([[], [], [], []])
    await simulator.stop()
  })

  test('listens on loopback, on the port of the option `port`', async () => {
    const { simulator } = await openStore()
    const port = Number(new URL(simulator.url).port)
    expect(simulator.url).toBe(`http://127.0.0.1:${port}`)
    await simulator.stop()
    const again = await ElasticPathSimulator.start({ port })
    expect(again.url).toBe(simulator.url)
    await again.stop()
    await again.stop()
  })

  test('keeps connections alive until `dropConnections` is called', async () => {
    const { simulator } = await openStore()
    const socket = connect(Number(new URL(simulator.url).port), '127.0.0.1')
    const answers: string[] = []
    socket.on('data', (chunk) => answers.push(chunk.toString()))
    for (const expected of [1, 2]) {
      socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n')
      while (answers.length < expected) await once(socket, 'data')
    }
    const end = closed(socket)
    simulator.dropConnections()
    await end
  })

  test('refuses connections after it was stopped', async () => {
    const { simulator, client } = await openStore()
    await simulator.stop()
    await expect(client.settings()).rejects.toThrow('fetch failed')
  })

  test('stops when it is disposed', async () => {
    const simulator = await ElasticPathSimulator.start()
    await simulator[Symbol.asyncDispose]()
    await expect(fetch(simulator.url)).rejects.toThrow('fetch failed')
  })
})

test('the accounts of a member are generated when they are read', async () => {
  const { simulator } = await openStore()
  const { accounts } = simulator.addMember({ username: 'many', accounts: 10_000 })
  const [first] = accounts.page(9_900, 100)
  const [again] = accounts.page(9_900, 100)
  expect(again).toEqual(first)
  // Two objects with the same content: the accounts are not stored, so a large number of them needs no memory.
  expect(again).not.toBe(first)
})

test('the accounts of a member can be read in pages and found by their id', async () => {
  const { simulator } = await openStore()
  const { accounts } = simulator.addMember({ username: 'many', accounts: 300 })
  const [last] = accounts.page(299, 10)
  expect(accounts.find(last?.id ?? '')).toEqual({ id: last?.id, name: 'Account 300' })
  expect(accounts.find((last?.id ?? '').slice(0, -2) + 'ff')).toBeUndefined()
  expect(accounts.find('nonsense')).toBeUndefined()
  expect(at(accounts.page(300, 10))).toEqual([])
})
