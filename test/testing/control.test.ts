import { once } from 'node:events'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { ElasticPathSimulator, type Fault, type RouteAnswer, type RouteHandler } from '../../lib/testing'
import { ADA, at, compareResponses, detailOf, openStore, useFakeClock } from './support'

compareResponses()

const SETTINGS = '/v2/settings/account-authentication'

/** Opens a connection to the simulator and collects the text that it receives. */
function openSocket(url: string, allowHalfOpen = false) {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen })
  const state = { socket, text: '', closed: new Promise((resolve) => socket.once('close', resolve)) }
  socket.on('data', (chunk: Buffer) => (state.text += chunk.toString()))
  socket.on('error', () => undefined)
  return state
}

describe('hold', () => {
  test('holds a request without an effect until it is released', async () => {
    const { simulator, client } = await openStore()
    const held = simulator.hold('exchange')
    const otp = simulator.issueCode(ADA)
    const exchange = client.exchange(otp)
    expect(await held.arrived).toBe(simulator.requests[0])
    expect([simulator.requests[0]?.status, held.count]).toEqual([undefined, 1])
    expect((await client.exchange(otp)).status).toBe(201)
    held.release()
    expect((await exchange).status).toBe(400)
  })

  test('holds only the response if `afterEffect` is true', async () => {
    const { simulator, client } = await openStore()
    const held = simulator.hold('exchange', { afterEffect: true })
    const otp = simulator.issueCode(ADA)
    const exchange = client.exchange(otp)
    await held.arrived
    expect((await client.exchange(otp)).status).toBe(400)
    held.release()
    expect((await exchange).status).toBe(201)
  })

  test('skips `after` requests and holds the next `times`', async () => {
    const { simulator, client } = await openStore()
    const held = simulator.hold('account_settings', { times: 2, after: 1 })
    expect((await client.settings()).status).toBe(200)
    const first = client.settings()
    await held.arrived
    const arrived = simulator.nextRequest('account_settings')
    const second = client.settings()
    await arrived
    expect((await client.settings()).status).toBe(200)
    expect(held.count).toBe(2)
    held.release()
    expect([(await first).status, (await second).status]).toEqual([200, 200])
    expect((await client.settings()).status).toBe(200)
  })

  test.each([
    [{ time: 2 }, 'Unknown option of a hold: time. Known options: times, after, afterEffect'],
    [{ times: 1.5 }, 'times must be a whole number, 1 or more, or Infinity, not 1.5'],
    [{ times: 0 }, 'times must be a whole number, 1 or more, or Infinity, not 0'],
    [{ times: NaN }, 'times must be a whole number, 1 or more, or Infinity, not NaN'],
    [{ after: 0.5 }, 'after must be a whole number, 0 or more, not 0.5'],
    [{ after: -1 }, 'after must be a whole number, 0 or more, not -1'],
  ])('throws for the options %j', async (options: object, message) => {
    const { simulator } = await openStore()
    expect(() => simulator.hold('any', options)).toThrow(message)
    expect(() => simulator.fault('any', 'hang', options)).toThrow(message.replace('hold', 'fault'))
  })

  test('applies faults after the release', async () => {
    const { simulator, client } = await openStore()
    const held = simulator.hold('any')
    const settings = client.settings()
    await held.arrived
    simulator.fault('account_settings', { status: 503 })
    held.release()
    expect((await settings).status).toBe(503)
  })

  test('rejects `arrived` if it is released or the simulator is stopped before a request arrives', async () => {
    const { simulator } = await openStore()
    const released = simulator.hold('any')
    released.release()
    await expect(released.arrived).rejects.toThrow('released before a request arrived')
    const stopped = simulator.hold('any')
    await simulator.stop()
    await expect(stopped.arrived).rejects.toThrow('stopped')
    await expect(simulator.hold('any').arrived).rejects.toThrow('stopped')
  })
})

describe('nextRequest, nextAnswer and on', () => {
  test('report only requests of the given kind', async () => {
    const { simulator, client } = await openStore()
    const request = simulator.nextRequest('otp_request')
    const answer = simulator.nextAnswer('POST /v2/account-members/tokens')
    const kinds: string[] = []
    const off = simulator.on('answer', ({ call, status }) => kinds.push(`${call} ${String(status)}`))
    await client.settings()
    await client.askForCode()
    await client.exchange('wrong1')
    expect((await request).call).toBe('otp_request')
    expect(await answer).toMatchObject({ call: 'exchange', status: 400 })
    off()
    expect(kinds).toEqual(['account_settings 200', 'otp_request 202', 'exchange 400'])
  })

  test('report no answer if a fault prevents it', async () => {
    const { simulator, client } = await openStore()
    const statuses: unknown[] = []
    simulator.on('answer', ({ status }) => statuses.push(status))
    simulator.fault('any', 'reset')
    await expect(client.settings()).rejects.toThrow('fetch failed')
    const answered = simulator.nextAnswer()
    await client.settings()
    await answered
    expect(statuses).toEqual([200])
  })

  test('nextCode waits for the code of its username', async () => {
    const { simulator, client } = await openStore({ members: [{ username: ADA }, { username: 'bob' }] })
    const [any, bob] = [simulator.nextCode(), simulator.nextCode('bob')]
    await client.askForCode()
    await client.askForCode('bob')
    expect([await any, await bob]).toEqual(simulator.mailbox)
  })

  test('accept any names of path parameters, and throw for unknown endpoints', async () => {
    const { simulator, client } = await openStore()
    await client.call('GET', '/v2/carts/a')
    expect(simulator.count('GET /v2/carts/:cartId')).toBe(1)
    expect(simulator.count('any')).toBe(1)
    for (const use of ['fault', 'hold', 'nextRequest', 'nextAnswer', 'count'] as const) {
      const call = () =>
        use === 'fault' ? simulator.fault('GET /v2/cart', 'hang') : simulator[use]('GET /v2/cart')
      expect(call).toThrow(
        /^Unknown kind of request: GET \/v2\/cart\. Known kinds: access_token, .*GET \/v2\/carts\/:id$/,
      )
    }
  })
})

describe('a fault', () => {
  test.each([
    ['gzip', promisify(gunzip)],
    ['deflate', promisify(inflate)],
    ['br', promisify(brotliDecompress)],
  ] as const)('compresses the regular response with %s', async (compressed, decompress) => {
    const { simulator } = await openStore()
    simulator.fault('account_settings', { compressed })
    const { socket, closed } = openSocket(simulator.url)
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.write(`GET ${SETTINGS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    await closed
    const bytes = Buffer.concat(chunks)
    expect(bytes.toString('latin1')).toContain(`content-encoding: ${compressed}\r\n`)
    const body = await decompress(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4))
    expect(JSON.parse(body.toString())).toHaveProperty('errors')
  })

  test.each([400, 401, 403, 404, 422])(
    'returns %i with the error that the realm of the token was not found',
    async (status) => {
      const { simulator, client } = await openStore()
      simulator.fault('exchange', { realmNotFound: status })
      const reply = await client.exchange('wrong1')
      expect([reply.status, detailOf(reply)]).toEqual([
        status,
        'the authorization realm for the token could not be found',
      ])
    },
  )

  test.each([
    ['request_timeout', false, /^HTTP\/1.1 408 [^]*connection: close/i],
    ['close', false, /^$/],
    ['reset', true, /^$/],
    ['truncated', false, /^HTTP\/1.1 404 [^]*content-length: 49\r\n[^]*\r\n\{"errors":\[\{"title":"Not$/],
  ] as const)(
    'closes a keep-alive connection if it is %s. The client gets an error: %p',
    async (fault, hadError, text) => {
      const { simulator } = await openStore()
      const connection = openSocket(simulator.url)
      connection.socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n')
      await once(connection.socket, 'data')
      connection.text = ''
      simulator.fault('any', fault)
      connection.socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n')
      expect(await connection.closed).toBe(hadError)
      expect(connection.text).toMatch(text)
      expect(simulator.errors).toEqual([])
    },
  )

  test('resets a connection with a pipelined request', async () => {
    const { simulator } = await openStore()
    const connection = openSocket(simulator.url)
    simulator.fault('any', 'hang')
    simulator.fault('any', 'reset')
    connection.socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2))
    expect(await connection.closed).toBe(true)
  })

  test('closes a connection that the simulator has ended before', async () => {
    const { simulator } = await openStore()
    simulator.dropConnections()
    const { socket } = openSocket(simulator.url, true)
    socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n')
    await simulator.nextAnswer()
    simulator.expireConnections()
    await once(socket, 'end')
    simulator.fault('any', 'reset')
    const closed = new Promise((resolve) => simulator.on('connections', resolve))
    socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n')
    expect([await closed, simulator.errors]).toEqual([0, []])
    socket.destroy()
  })

  const properties = 'status, delay, redirect, rateLimited, compressed, realmNotFound'
  const words =
    'hang, reset, close, request_timeout, truncated, oversized, slow, html, malformed, half_valid, refused_bearer'
  test.each<[unknown, string, string]>([
    ['hangs', 'TypeError', `A fault must be one of ${words}, not hangs`],
    [
      { statsu: 503 },
      'TypeError',
      `Unknown option of a fault: statsu. Known options: ${properties}, body, headers`,
    ],
    [{}, 'TypeError', `A fault must have exactly one of these properties: ${properties}`],
    [{ body: 'x' }, 'TypeError', `A fault must have exactly one of these properties: ${properties}`],
    [
      { delay: 1, status: 503 },
      'TypeError',
      `A fault must have exactly one of these properties: ${properties}`,
    ],
    [{ delay: 1, body: 'x' }, 'TypeError', 'Only a fault with a status can have a body and headers'],
    [{ status: 199 }, 'RangeError', 'status must be a whole number from 200 to 599, not 199'],
    [{ status: 503.5 }, 'RangeError', 'status must be a whole number from 200 to 599, not 503.5'],
    [{ rateLimited: -1 }, 'RangeError', 'rateLimited must be a number from 0 to 9007199254740991, not -1'],
    [{ status: 600 }, 'RangeError', 'status must be a whole number from 200 to 599, not 600'],
    [{ status: '503' }, 'RangeError', 'status must be a whole number from 200 to 599, not 503'],
    [{ status: 200, headers: { a: '\n' } }, 'TypeError', 'Invalid character in header content ["a"]'],
    [{ status: 200, headers: { 'a b': '' } }, 'TypeError', 'Header name must be a valid HTTP token ["a b"]'],
    [{ redirect: 'http://x/\n' }, 'TypeError', 'Invalid character in header content ["redirect"]'],
    [{ delay: -1 }, 'RangeError', 'delay must be a number from 0 to 2147483647, not -1'],
    [{ delay: 2 ** 31 }, 'RangeError', 'delay must be a number from 0 to 2147483647, not 2147483648'],
    [{ compressed: 'zip' }, 'TypeError', 'compressed must be one of gzip, deflate, br, not zip'],
    [{ realmNotFound: 399 }, 'RangeError', 'realmNotFound must be a whole number from 400 to 599, not 399'],
    [{ realmNotFound: 600 }, 'RangeError', 'realmNotFound must be a whole number from 400 to 599, not 600'],
  ])('throws when it is set to the invalid value %j', async (fault, name, message) => {
    const { simulator } = await openStore()
    const set = () => simulator.fault('any', fault as Fault)
    expect(set).toThrow(expect.objectContaining({ name, message }) as Error)
  })

  test.each<Fault>([{ delay: 0 }, { delay: 2 ** 31 - 1 }, { realmNotFound: 599 }])(
    'can be set to %j',
    async (fault) => {
      const { simulator } = await openStore()
      expect(simulator.fault('any', fault).hits).toBe(0)
    },
  )
})

describe('the connections', () => {
  test('are counted, and emit an event when they open and close', async () => {
    const { simulator } = await openStore()
    simulator.dropConnections()
    const counts: number[] = []
    const closed = new Promise<void>((resolve) => {
      simulator.on('connections', (open) => {
        counts.push(open)
        if (counts.length > 1 && open === 0) resolve()
      })
    })
    const { socket } = openSocket(simulator.url)
    socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
    expect(simulator.connections).toBeGreaterThan(0)
    simulator.dropConnections()
    await closed
    expect([simulator.connections, counts.at(-1)]).toEqual([0, 0])
  })

  test('get a 408 and close if they are idle when `expireConnections` is called', async () => {
    const { simulator } = await openStore()
    const [idle, busy] = [openSocket(simulator.url), openSocket(simulator.url)]
    const held = simulator.hold('any')
    busy.socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n')
    await held.arrived
    idle.socket.write('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n')
    await simulator.nextAnswer()
    simulator.expireConnections()
    await idle.closed
    expect(idle.text).toMatch(/^HTTP\/1.1 404 [^]*}HTTP\/1.1 408 Request Timeout\r\n/)
    held.release()
    await once(busy.socket, 'data')
    expect(busy.text).toMatch(/^HTTP\/1.1 404 /)
    busy.socket.destroy()
  })

  test('are refused while the simulator restarts, and accepted on the same port afterwards', async () => {
    const { simulator, client } = await openStore()
    const otp = simulator.issueCode(ADA)
    const url = simulator.url
    const failures: unknown[] = []
    await simulator.restart(async () => {
      failures.push(await client.settings().catch(String))
    })
    expect([failures, simulator.url]).toEqual([['TypeError: fetch failed'], url])
    expect((await client.exchange(otp)).status).toBe(201)
  })

  test('stay refused if the simulator is stopped while it restarts', async () => {
    const { simulator, client } = await openStore()
    await expect(simulator.restart(() => simulator.stop())).rejects.toThrow('The simulator was stopped')
    await expect(simulator.restart()).rejects.toThrow('The simulator was stopped')
    await expect(client.settings()).rejects.toThrow('fetch failed')
  })

  test.each([
    [{ port: 'abc' }, 'port must be a whole number from 0 to 65535, not abc'],
    [{ port: 65_536 }, 'port must be a whole number from 0 to 65535, not 65536'],
    [{ host: '' }, 'host must not be empty'],
  ])('need a valid address: %j', async (options: object, message) => {
    await expect(ElasticPathSimulator.start(options)).rejects.toThrow(message)
  })
})

describe('the clock', () => {
  afterEach(() => jest.useRealTimers())

  test('can differ from the machine’s clock, and sets the header `Date`', async () => {
    const { simulator, client } = await openStore({ clockSkew: -7200 })
    const dateOf = async () => Date.parse((await client.settings()).headers.get('date') ?? '')
    expect(Math.abs((await dateOf()) - Date.now() + 7_200_000)).toBeLessThan(60_000)
    simulator.setClockSkew(0)
    await client.authenticate()
    simulator.advance(60)
    expect(Math.abs((await dateOf()) - Date.now() - 60_000)).toBeLessThan(30_000)
    expect(() => simulator.setClockSkew(NaN)).toThrow(RangeError)
    await expect(ElasticPathSimulator.start({ clockSkew: Infinity })).rejects.toThrow(RangeError)
  })

  test('follows Jest’s fake timers, as do all delays', async () => {
    useFakeClock()
    const { simulator, client } = await openStore()
    jest.setSystemTime(Date.parse('2030-01-01T00:00:00Z'))
    expect(simulator.now().toISOString()).toBe('2030-01-01T00:00:00.000Z')
    await client.authenticate()
    simulator.fault('account_settings', { delay: 3_600_000 })
    const arrived = simulator.nextRequest('account_settings')
    const settings = client.settings()
    await arrived
    jest.advanceTimersByTime(3_600_000)
    expect((await settings).headers.get('date')).toBe('Tue, 01 Jan 2030 01:00:00 GMT')
    expect((await client.settings()).status).toBe(401)
  })
})

describe('route', () => {
  async function openWithRoute(handler: RouteHandler) {
    const store = await openStore()
    store.simulator.on('error', () => undefined)
    store.simulator.route('POST', '/v2/x/:id/y', handler)
    return store
  }

  test('sends the response of the handler', async () => {
    const requests: unknown[] = []
    const { simulator, client } = await openWithRoute((request) => {
      requests.push(request)
      return { status: 201, body: { data: request.params['id'] }, headers: { 'x-mine': 'yes' } }
    })
    const token = await client.signIn()
    const reply = await client.call('POST', '/v2/x/a%20b/y?page[limit]=2', { data: 1 }, token)
    expect([reply.status, reply.json, reply.headers.get('x-mine')]).toEqual([201, { data: 'a b' }, 'yes'])
    const [member] = simulator.members
    expect(requests).toMatchObject([
      {
        params: { id: 'a b' },
        query: { 'page[limit]': '2' },
        body: { data: 1 },
        account: member?.accounts.page(0, 1)[0],
        member: { username: ADA },
        grant: 'implicit',
      },
    ])
    expect(simulator.requests.at(-1)?.call).toBe('POST /v2/x/:id/y')
  })

  test.each<[RouteAnswer, string | null, string]>([
    [{ status: 200 }, null, ''],
    [{ status: 200, body: 'x' }, 'application/json', 'x'],
    [{ status: 200, body: null }, 'application/json', 'null'],
    [{ status: 599, body: {} }, 'application/json', '{}'],
    [{ status: 200, body: '<p>', headers: { 'Content-Type': 'text/html' } }, 'text/html', '<p>'],
  ])('sends %j with the content type %p', async (answer, type, text) => {
    const { client } = await openWithRoute(() => answer)
    const reply = await client.call('POST', '/v2/x/1/y')
    expect([reply.status, reply.headers.get('content-type'), reply.text]).toEqual([answer.status, type, text])
  })

  test('matches its whole path literally', async () => {
    const { simulator, client } = await openStore()
    simulator.route('GET', '/v2/a.b', ({ params }) => ({ status: 200, body: params }))
    const paths = ['/v2/a.b', '/v2/axb', '/v2/a.b/c', '/x/v2/a.b']
    const replies = await Promise.all(paths.map((path) => client.send(path)))
    expect(replies.map(({ status }) => status)).toEqual([200, 404, 404, 404])
    expect(replies[0]?.json).toEqual({})
  })

  test.each([
    ['an invalid access token', { authorization: 'Bearer x' }, 401],
    ['an invalid account token', { 'EP-Account-Management-Authentication-Token': 'x' }, 401],
    ['no account token', {}, 200],
    ['an empty account token', { 'EP-Account-Management-Authentication-Token': '' }, 200],
  ])('validates the tokens of a request with %s', async (_, headers, status) => {
    const { client } = await openWithRoute(({ account }) => ({ status: 200, body: { account } }))
    expect((await client.send('/v2/x/1/y', { method: 'POST', headers })).status).toBe(status)
    expect((await client.send('/v2/x/1/y')).status).toBe(405)
  })

  test('accepts requests without tokens if `open` is true', async () => {
    const { simulator } = await openStore()
    const headers = { 'content-type': 'text/html' }
    simulator.route('GET', '/', () => ({ status: 200, body: '<h1>', headers }), { open: true })
    const page = await fetch(simulator.url)
    expect([page.headers.get('content-type'), await page.text()]).toEqual(['text/html', '<h1>'])
  })

  test('takes precedence over the built-in endpoints until it is removed', async () => {
    const { simulator, client } = await openStore()
    const route = simulator.route('GET', SETTINGS, () => ({ status: 204 }))
    expect((await client.settings()).status).toBe(204)
    route.remove()
    expect((await client.settings()).status).toBe(200)
  })

  const statusError = 'The status of a response must be 200 to 599, not'
  test.each<[string, RouteHandler, string]>([
    [
      'throws',
      () => {
        throw new Error('mine')
      },
      'mine',
    ],
    ['rejects', () => Promise.reject(new Error('mine')), 'mine'],
    ['returns the status 199', () => ({ status: 199 }), `${statusError} 199`],
    ['returns the status 600', () => ({ status: 600 }), `${statusError} 600`],
    ['returns the status 200.5', () => ({ status: 200.5 }), `${statusError} 200.5`],
    [
      'returns an unknown option',
      () => ({ status: 200, code: 1 }),
      'Unknown option of an answer: code. Known options: status, body, headers',
    ],
    ['returns an invalid header', () => ({ status: 200, headers: { a: '\n' } }), 'Invalid character'],
    ['returns an invalid header name', () => ({ status: 200, headers: { 'a b': '' } }), 'Header name'],
    ['returns a body that JSON cannot represent', () => ({ status: 200, body: 1n }), 'serialize a BigInt'],
    ['returns undefined', () => undefined as never, 'undefined'],
  ])('returns 500 and reports the error if the handler %s', async (_, handler, message) => {
    const { simulator, client } = await openWithRoute(handler)
    expect((await client.call('POST', '/v2/x/1/y')).status).toBe(500)
    expect(simulator.errors.map(String)).toEqual([expect.stringContaining(message)])
    expect((await client.settings()).status).toBe(200)
  })

  test('closes the connection and reports the error if Node rejects the headers of the response', async () => {
    const { simulator, client } = await openWithRoute(() => ({ status: 200, headers: { trailer: 'x' } }))
    const post = () => client.call('POST', '/v2/x/1/y')
    await expect(post()).rejects.toThrow('fetch failed')
    simulator.fault('any', { delay: 0 })
    await expect(post()).rejects.toThrow('fetch failed')
    expect(simulator.errors).toHaveLength(2)
  })

  test('emits an event for each error, and a process warning only if there is no listener', async () => {
    const { simulator, client } = await openStore()
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
    const error = new Error('mine')
    simulator.route('GET', '/x', () => Promise.reject(error))
    await client.call('GET', '/x')
    const reported = new Promise((resolve) => simulator.on('error', resolve))
    await client.call('GET', '/x')
    expect(await reported).toBe(error)
    expect(warn.mock.calls).toEqual([[error.stack, 'RouteError']])
    warn.mockRestore()
  })

  test('keeps the last 100 errors', async () => {
    let calls = 0
    const { simulator, client } = await openWithRoute(() => Promise.reject(new Error(`${++calls}`)))
    for (let i = 0; i < 101; i++) await client.call('POST', '/v2/x/1/y')
    expect([simulator.errors.length, String(simulator.errors[0])]).toEqual([100, 'Error: 2'])
  })

  test('supports faults by method and path, and calls the handler only with `afterEffect`', async () => {
    let calls = 0
    const { simulator, client } = await openWithRoute(() => ({ status: 200, body: { data: ++calls } }))
    const post = () => client.call('POST', '/v2/x/1/y')
    simulator.fault('POST /v2/x/:id/y', 'malformed')
    expect([(await post()).status, calls]).toEqual([200, 0])
    simulator.fault('POST /v2/x/:id/y', { compressed: 'gzip' })
    expect([(await post()).json, calls]).toEqual([{ data: {} }, 0])
    simulator.fault('POST /v2/x/:id/y', 'reset', { afterEffect: true })
    await expect(post()).rejects.toThrow('fetch failed')
    expect(calls).toBe(1)
    expect(at((await post()).json, 'data')).toBe(2)
  })

  const methodError = 'The method of a route must be GET, POST, PUT, PATCH or DELETE, not'
  const pathError = 'The path of a route must start with / and have no query, unlike'
  test.each<[string, string, object, string]>([
    ['FETCH', '/x', {}, `${methodError} FETCH`],
    ['FORGET', '/x', {}, `${methodError} FORGET`],
    ['GETTER', '/x', {}, `${methodError} GETTER`],
    ['GET', 'x', {}, `${pathError} x`],
    ['GET', 'x/y', {}, `${pathError} x/y`],
    ['GET', '/x?y', {}, `${pathError} /x?y`],
    ['GET', '/x', { opne: true }, 'Unknown option of a route: opne. Known options: open'],
  ])('throws for %s %s %j', async (method, path, options, message) => {
    const { simulator } = await openStore()
    const add = () => simulator.route(method as 'GET', path, () => ({ status: 200 }), options)
    expect(add).toThrow(expect.objectContaining({ name: 'TypeError', message }) as Error)
  })
})
