import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import type { Dispatcher } from 'undici'
import { accessToken, createFetch, createFetchAs } from '../../lib/calls/fetch'
import type { PasswordlessOtpStrategyOptions } from '../../lib/options'
import { afterTest, holdTime } from '../commerce/support'
import { deferred } from '../support/clock'
import { openServices } from './support'

type Controller = Dispatcher.DispatchController

interface Received {
  method: string
  url: string
  headers: IncomingHttpHeaders
  body: string
}

const BEARER_REFUSED = JSON.stringify({ errors: [{ status: 401, title: 'Unable to validate access token' }] })
const USER = {
  accountMemberId: 'member',
  username: 'ada',
  strategy: 'passwordless-otp',
  account: {
    id: 'a',
    name: 'A',
    token: 'account-token',
    expires: '2999-01-01T00:00:00Z',
    received: Date.now(),
    lifetime: 86_400,
  },
}

/** A store that answers as the test says, and a `fetch` to it. */
async function open(
  respond: (res: ServerResponse, received: Received) => void,
  options: Partial<PasswordlessOtpStrategyOptions> = {},
) {
  const received: Received[] = []
  let tokens = 0
  const server = createServer((req, res) => {
    void (async () => {
      const body = Buffer.concat(await Readable.from(req).toArray()).toString()
      if (req.url?.endsWith('/oauth/access_token')) {
        res.end(JSON.stringify({ access_token: `bearer-${++tokens}`, expires_in: 3600 }))
        return
      }
      const request = { method: req.method ?? '', url: req.url ?? '', headers: req.headers, body }
      received.push(request)
      respond(res, request)
    })().catch(() => res.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { services, messages } = openServices({ baseUrl: `${url}/base`, ...options })
  const fetchAs = (user: unknown = USER) => createFetchAs(services, user)
  return {
    url,
    received,
    tokens: () => tokens,
    services,
    messages,
    fetch: createFetch(services),
    fetchAs,
    server,
  }
}

const ok = (res: ServerResponse) => res.end('{}')

describe('a call', () => {
  test('sends both tokens, which win over the headers of the caller, and returns a global Response', async () => {
    const { url, received, messages, fetchAs } = await open((res) => {
      res.writeHead(207, 'Multi', { 'set-cookie': ['a=1', 'b=2'] }).end('{"data":1}')
    })
    const headers = {
      Authorization: 'mine',
      'EP-Account-Management-Authentication-Token': 'mine',
      accept: 'text/x',
      host: 'x',
    }
    const response = await fetchAs()('/v2/carts?page=1', { headers })
    expect(response).toBeInstanceOf(Response)
    expect([response.status, response.statusText, response.url]).toEqual([
      207,
      'Multi',
      `${url}/base/v2/carts?page=1`,
    ])
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(await response.json()).toEqual({ data: 1 })
    expect(received[0]).toMatchObject({
      url: '/base/v2/carts?page=1',
      headers: {
        authorization: 'Bearer bearer-1',
        'ep-account-management-authentication-token': 'account-token',
        accept: 'text/x',
        'accept-encoding': 'gzip, deflate, br',
        host: url.slice(7),
      },
    })
    expect(messages).toEqual([{ operation: 'call', method: 'GET', path: '/v2/carts', upstreamStatus: 207 }])
  })

  test('without a user sends the access token only, which accessToken returns', async () => {
    const { received, services, fetch } = await open(ok)
    await fetch('v2/catalog', { headers: { 'accept-encoding': 'identity' } })
    expect(received[0]?.headers).toMatchObject({ accept: '*/*', 'accept-encoding': 'identity' })
    expect(received[0]?.headers).not.toHaveProperty('ep-account-management-authentication-token')
    expect(await accessToken(services)).toBe('bearer-1')
  })

  test.each<[string, unknown, string, number, string]>([
    ['nobody', undefined, 'not_signed_in', 401, 'Nobody is signed in.'],
    [
      "another strategy's user",
      { ...USER, strategy: 'other' },
      'not_signed_in',
      401,
      expect.stringContaining('was not signed in by the strategy "passwordless-otp"') as string,
    ],
    [
      'a user without an account',
      { ...USER, account: null },
      'account_required',
      403,
      'The user has no account. Let the shopper choose one first.',
    ],
    [
      'an expired token',
      { ...USER, account: { ...USER.account, received: 0 } },
      'account_token_expired',
      401,
      'The account token expired. The shopper has to sign in again.',
    ],
  ])('as %s is rejected before anything is sent', async (_who, user, code, status, message) => {
    const { tokens, fetchAs } = await open(ok)
    // `undefined` would select the default user.
    await expect(fetchAs(user ?? null)('/')).rejects.toMatchObject({ code, status, message })
    expect(tokens()).toBe(0)
  })

  test.each<[string, Parameters<typeof fetch>, RegExp]>([
    ['another origin', ['https://example.com/v2'], /another origin/],
    ['a Request for another origin', [new Request('https://example.com/v2')], /another origin/],
    ['a URL with an encoded slash', [new URL('https://example.com/..%2Fv2')], /encoded slash/],
    ['a path that climbs', ['/v2/carts/..%2Forders'], /encoded slash/],
    ['a GET with a body', ['/', { body: 'x' }], /^fetch: a GET request cannot have a body\.$/],
    ['a HEAD with a body', ['/', { method: 'head', body: 'x' }], /a HEAD request cannot have a body/],
    ['an invalid method', ['/', { method: 'a b' }], /^fetch: the method is invalid\.$/],
    ['a forbidden method', ['/', { method: 'trace' }], /method is invalid/],
    ['an invalid header', ['/', { headers: { 'a b': 'c' } }], /header name/],
    ['a body of no known type', ['/', { method: 'PUT', body: {} as string }], /body is of an unknown type/],
  ])('to %s is a TypeError before anything is sent', async (_what, args, message) => {
    const { tokens, fetch } = await open(ok)
    await expect(fetch(...args)).rejects.toMatchObject({
      name: 'TypeError',
      message: expect.stringMatching(message) as string,
    })
    expect(tokens()).toBe(0)
  })

  test.each<[string, () => unknown, string, string | undefined]>([
    ['a string', () => 'text', 'text', 'text/plain;charset=UTF-8'],
    [
      'URLSearchParams',
      () => new URLSearchParams({ a: 'b c' }),
      'a=b+c',
      'application/x-www-form-urlencoded;charset=UTF-8',
    ],
    ['a Blob', () => new Blob(['blob'], { type: 'a/b' }), 'blob', 'a/b'],
    ['a Blob without a type', () => new Blob(['blob']), 'blob', undefined],
    ['an ArrayBuffer', () => new Uint8Array([65, 66]).buffer, 'AB', undefined],
    ['a view', () => new Uint8Array([64, 65, 66]).subarray(1), 'AB', undefined],
    ['a stream', () => new Blob(['stream']).stream(), 'stream', undefined],
    ['an async iterable', () => Readable.from(['it', 'er']), 'iter', undefined],
  ])('sends a body that is %s', async (_what, body, expected, type) => {
    const { url, received, fetch } = await open(ok)
    await fetch('/', { method: 'put', body: body() as NonNullable<RequestInit['body']>, duplex: 'half' })
    expect(received[0]).toMatchObject({ method: 'PUT', body: expected })
    expect(received[0]?.headers['content-type']).toBe(type)
    if (_what === 'an async iterable') return
    const request = new Request(`${url}/base/v2`, {
      method: 'POST',
      body: body() as NonNullable<RequestInit['body']>,
      duplex: 'half',
    })
    await fetch(request)
    expect(received[1]).toMatchObject({ method: 'POST', url: '/base/v2', body: expected })
  })

  test('sends a form with its boundary, and a large Request as a stream', async () => {
    const { url, received, fetch } = await open(ok)
    const form = new FormData()
    form.set('file', new Blob(['content']), 'a.txt')
    await fetch('/', { method: 'POST', body: form })
    const boundary = received[0]?.headers['content-type']?.split('boundary=')[1] ?? 'none'
    expect(received[0]?.body).toContain(boundary)
    expect(received[0]?.body).toContain('content')
    const body = 'x'.repeat(200_000)
    await fetch(new Request(`${url}/base/`, { method: 'POST', body }))
    expect(received[1]?.body).toBe(body)
  })

  test('with a Request and options takes what the options say, and the rest from the Request', async () => {
    const { url, received, fetch } = await open(ok)
    const request = new Request(`${url}/base/v2`, { method: 'POST', body: 'a', headers: { 'x-a': '1' } })
    await fetch(request, { method: 'PUT' })
    expect(received[0]).toMatchObject({ method: 'PUT', url: '/base/v2', body: 'a', headers: { 'x-a': '1' } })
  })

  test('sends the length of a body that has one', async () => {
    const { received, fetch } = await open(ok)
    await fetch('/', { method: 'PUT', body: new Blob(['four']) })
    expect(received[0]?.headers).toMatchObject({ 'content-length': '4' })
    expect(received[0]?.headers).not.toHaveProperty('transfer-encoding')
  })

  test('leaves bytes to the caller, who may change them at once', async () => {
    const { received, fetch } = await open(ok)
    const bytes = [new Uint8Array([65, 66]), new Uint8Array([67, 68])] as const
    const calls = [bytes[0], bytes[1].buffer].map((body) => fetch('/', { method: 'PUT', body }))
    for (const one of bytes) one.fill(90)
    await Promise.all(calls)
    expect(received.map(({ body }) => body).sort()).toEqual(['AB', 'CD'])
  })

  test('leaves no listener on its signal', async () => {
    const { signal } = new AbortController()
    const add = jest.spyOn(signal, 'addEventListener')
    const remove = jest.spyOn(signal, 'removeEventListener')
    const { fetch } = await open(ok)
    await (await fetch('/', { signal })).text()
    const listeners = (calls: unknown[][]) => calls.map(([name, listener]) => [name, listener])
    expect(add).toHaveBeenCalled()
    expect(listeners(remove.mock.calls)).toEqual(expect.arrayContaining(listeners(add.mock.calls)))
  })

  test('rejects with the error of its own stream', async () => {
    const { fetch } = await open(ok)
    const error = new Error('The file is gone')
    const body = new ReadableStream({
      pull: () => {
        throw error
      },
    })
    await expect(fetch('/', { method: 'POST', body, duplex: 'half' })).rejects.toBe(error)
  })

  test.each([302, 307, 400, 404, 500, 503])('returns %i as it is', async (status) => {
    const { received, fetch } = await open((res) =>
      res.writeHead(status, { location: '/elsewhere' }).end('body'),
    )
    const response = await fetch('/', { method: 'POST' })
    expect([response.status, await response.text(), received.length]).toEqual([status, 'body', 1])
  })

  test.each([
    [204, 'GET'],
    [205, 'GET'],
    [304, 'GET'],
    [200, 'HEAD'],
  ] as const)('has no body with %i to %s', async (status, method) => {
    const { fetch } = await open((res) => res.writeHead(status, { 'content-encoding': 'gzip' }).end())
    expect((await fetch('/', { method })).body).toBeNull()
  })

  test.each<[string, (body: Buffer) => Buffer]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['gzip, br', (body) => brotliCompressSync(gzipSync(body))],
    ['unknown', (body) => body],
    ['gzip, unknown', (body) => body],
    ['', (body) => body],
  ])('decodes %j', async (encoding, compress) => {
    const text = 'zwölf '.repeat(50_000)
    const { fetch } = await open((res) =>
      res.setHeader('content-encoding', encoding).end(compress(Buffer.from(text))),
    )
    expect(await (await fetch('/')).text()).toBe(text)
  })

  test.each(['gzip', 'deflate', 'br'])('reads nothing in an empty body as %s', async (encoding) => {
    const { fetch } = await open((res) => res.setHeader('content-encoding', encoding).end())
    expect(await (await fetch('/')).text()).toBe('')
  })

  test.each<[string, Buffer]>([
    ['gzip', Buffer.from('not gzip')],
    ['deflate', Buffer.from([0x78, 0x9c, 0xff, 0xff, 0xff])],
    ['deflate', Buffer.from([0xff, 0xff, 0xff])],
    ['br', Buffer.from([0xff, 0xff, 0xff])],
  ])('rejects the text of a body that is not %s', async (encoding, body) => {
    const { fetch } = await open((res) => res.setHeader('content-encoding', encoding).end(body))
    await expect((await fetch('/')).text()).rejects.toThrow()
  })

  test.each(['latin1', 'utf8'] as const)(
    'passes header values on as bytes, as fetch does, if they were decoded as %s',
    async (decoding) => {
      const bytes = Buffer.from('Zoë, 20 €', 'utf8')
      const controller = { abort: jest.fn(), pause: jest.fn(), resume: jest.fn() } as unknown as Controller
      const dispatch: Dispatcher['dispatch'] = (options, handler) => {
        const headers = { 'x-name': bytes.toString(decoding), location: undefined }
        const body = options.path.endsWith('access_token') ? '{"access_token":"a","expires_in":3600}' : '{}'
        handler.onRequestStart?.(controller, {})
        handler.onResponseStart?.(controller, 200, headers, 'OK')
        handler.onResponseData?.(controller, Buffer.from(body))
        handler.onResponseEnd?.(controller, {})
        return true
      }
      const dispatcher = { dispatch, close: jest.fn(), destroy: jest.fn() } as unknown as Dispatcher
      const { fetch } = await open(ok, { dispatcher })
      const { headers } = await fetch('/')
      expect(Buffer.from(headers.get('x-name') ?? '', 'latin1')).toEqual(bytes)
      expect(headers.has('location')).toBe(false)
    },
  )

  test.each([
    [599, false],
    [600, true],
  ])('with the status %i fails: %s', async (status, fails) => {
    const { fetch } = await open((res) => res.writeHead(status).end())
    const failure = { code: 'bad_answer', status: 502, upstreamStatus: status }
    const result = await fetch('/').catch((error: unknown) => error)
    expect(result).toMatchObject(fails ? failure : { status })
    if (fails)
      expect(result).toMatchObject({
        message: expect.stringMatching(/GET .* has an invalid status/) as string,
      })
  })
})

describe('a 401 for the access token', () => {
  const refuseFirst = (res: ServerResponse, { headers }: Received) =>
    headers.authorization === 'Bearer bearer-1' ? res.writeHead(401).end(BEARER_REFUSED) : ok(res)

  test('renews it once for ten calls, and replays each', async () => {
    const { received, tokens, fetchAs } = await open(refuseFirst)
    const form = new FormData()
    form.set('a', 'b')
    const calls = Array.from({ length: 10 }, () => fetchAs()('/', { method: 'POST', body: form }))
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(
      Array.from({ length: 10 }, () => 200),
    )
    expect([received.length, tokens()]).toEqual([20, 2])
  })

  test.each([1, 65_536])('is replayed for a Request with a body of %i bytes', async (size) => {
    const { url, fetch, received } = await open(refuseFirst)
    const body = 'x'.repeat(size)
    expect((await fetch(new Request(`${url}/base/`, { method: 'POST', body }))).status).toBe(200)
    expect(received.map((request) => request.body)).toEqual([body, body])
  })

  test('is replayed whatever it says, if the call has no account token', async () => {
    const { fetch, tokens } = await open((res, { headers }) =>
      headers.authorization === 'Bearer bearer-1' ? res.writeHead(401).end('Unauthorized') : ok(res),
    )
    expect((await fetch('/')).status).toBe(200)
    expect(tokens()).toBe(2)
  })

  test('is replayed for HEAD, whose response has no body', async () => {
    const { fetch, tokens } = await open(refuseFirst)
    expect((await fetch('/', { method: 'HEAD' })).status).toBe(200)
    expect(tokens()).toBe(2)
  })

  test('and a 429 free their connections, although their bodies do not end', async () => {
    const closed: Promise<unknown>[] = []
    const { fetchAs } = await open((res, { headers, url }) => {
      const again = closed.length > (url === '/base/429' ? 1 : 0)
      if (again) {
        ok(res)
        return
      }
      closed.push(once(res, 'close'))
      if (headers.authorization === 'Bearer bearer-1')
        res.writeHead(401).write(BEARER_REFUSED.padEnd(100_000))
      else res.writeHead(429, { 'retry-after': '0' }).write('x')
    })
    expect((await fetchAs()('/401')).status).toBe(200)
    expect((await fetchAs()('/429')).status).toBe(200)
    await Promise.all(closed)
    expect(closed).toHaveLength(2)
  })

  test.each<[string, () => NonNullable<RequestInit['body']>, boolean]>([
    ['a stream', () => new Blob(['stream']).stream(), false],
    ['a large Request', () => 'x'.repeat(200_000), true],
  ])('is returned for %s, and the next call has a new token', async (_what, body, asRequest) => {
    const { fetchAs, received, url } = await open(refuseFirst)
    const init = { method: 'POST', body: body(), duplex: 'half' as const }
    const response = await (asRequest ? fetchAs()(new Request(`${url}/base/`, init)) : fetchAs()('/', init))
    expect([response.status, await response.text(), received.length]).toEqual([401, BEARER_REFUSED, 1])
    expect((await fetchAs()('/')).status).toBe(200)
  })

  test('forces at most one renewal in ten seconds', async () => {
    holdTime()
    const { tokens, received, fetchAs } = await open((res) => res.writeHead(401).end(BEARER_REFUSED))
    for (let i = 0; i < 3; i++) expect((await fetchAs()('/')).status).toBe(401)
    expect([tokens(), received.length]).toEqual([2, 4])
    jest.advanceTimersByTime(10_000)
    await fetchAs({ ...USER, account: { ...USER.account, received: Date.now() } })('/')
    expect(tokens()).toBe(3)
  })
})

test.each([
  ["the user's", true, 40],
  ["the caller's", false, 40],
  ["the user's", true, 200_000],
])('a 401 for %s account token is returned, and no access token is renewed', async (_whose, asUser, size) => {
  const refusal = '{"errors":[{"title":"Unauthorized"}]}'.padEnd(size)
  const { tokens, fetch, fetchAs } = await open((res) => res.writeHead(401).end(refusal))
  const headers = { 'EP-Account-Management-Authentication-Token': 'own' }
  const response = await (asUser ? fetchAs()('/') : fetch('/', { headers }))
  expect([response.status, await response.text(), tokens()]).toEqual([401, refusal, 1])
})

test.each([
  ['GET', '0', [429, 200]],
  ['DELETE', '0', [429, 200]],
  ['POST', '0', [429]],
  ['GET', '3600', [429]],
])('a 429 to %s with Retry-After %s gives %j', async (method, retryAfter, statuses) => {
  const sent: number[] = []
  const { fetch } = await open((res) => {
    const status = sent.length === 0 ? 429 : 200
    sent.push(status)
    res.writeHead(status, { 'retry-after': retryAfter }).end()
  })
  expect((await fetch('/', { method })).status).toBe(statuses.at(-1))
  expect(sent).toEqual(statuses)
})

describe('a failure', () => {
  test.each<[string, number, RequestInit]>([
    ['GET', 2, {}],
    ['HEAD', 2, { method: 'HEAD' }],
    ['PUT', 1, { method: 'PUT', body: 'x' }],
    ['DELETE', 1, { method: 'DELETE' }],
    ['POST without a body', 1, { method: 'POST' }],
    ['POST of a stream', 1, { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' }],
  ])('of a connection that was kept alive: a %s is sent %i times', async (_what, times, init) => {
    const { received, fetch } = await open((res) => (received.length === 1 ? ok(res) : res.destroy()))
    await (await fetch('/')).text()
    await expect(fetch('/', init)).rejects.toMatchObject({ code: 'unreachable', status: 502 })
    expect(received).toHaveLength(1 + times)
  })

  test.each<[string, number, NonNullable<RequestInit['body']>]>([
    ['text', 2, 'x'],
    ['bytes', 2, new Uint8Array([1])],
    ['a Blob', 1, new Blob(['x'])],
    ['a stream', 1, new Blob(['x']).stream()],
  ])(
    'with 408, which says that nothing was read: a POST of %s is sent %i times',
    async (_what, times, body) => {
      const { received, fetch } = await open((res) => {
        if (received.length === 2) res.writeHead(408, { connection: 'close' }).end()
        else ok(res)
      })
      await (await fetch('/')).text()
      const { status } = await fetch('/', { method: 'POST', body, duplex: 'half' })
      expect([status, received.length]).toEqual([times === 2 ? 200 : 408, 1 + times])
    },
  )

  test('with an endless 408 closes its connection and sends the request again', async () => {
    const closed = deferred()
    const { received, fetch } = await open((res) => {
      if (received.length !== 2) ok(res)
      else res.once('close', closed.resolve).writeHead(408, { 'content-length': '100' }).flushHeaders()
    })
    await (await fetch('/')).text()
    expect((await fetch('/')).status).toBe(200)
    await closed.promise
  })

  test('of a Request to end its body within the timeout is an error that blames the body', async () => {
    holdTime()
    const { url, fetch } = await open(ok, { timeout: 1000 })
    let ask: () => void = () => undefined
    const pulled = new Promise<void>((resolve) => (ask = resolve))
    const pull = (): Promise<void> => {
      ask()
      return new Promise(() => undefined)
    }
    // Without read-ahead, so that it is pulled when the library reads it.
    const body = new ReadableStream({ pull }, { highWaterMark: 0 })
    const call = fetch(new Request(`${url}/base/`, { method: 'POST', body, duplex: 'half' }))
    await pulled
    jest.advanceTimersByTime(1000)
    await expect(call).rejects.toMatchObject({
      code: 'app_timeout',
      message: expect.stringContaining("The app's own request body did not finish") as string,
    })
  })

  test('to respond within the timeout is an ElasticPathError without tokens', async () => {
    holdTime()
    let arrived: () => void = () => undefined
    const { fetch } = await open(() => arrived(), { timeout: 1000 })
    const silent = new Promise<void>((resolve) => (arrived = resolve))
    const call = fetch('/')
    await silent
    jest.advanceTimersByTime(1000)
    await expect(call).rejects.toMatchObject({ code: 'timeout', status: 504 })
  })
})

describe('a signal', () => {
  test('rejects with its reason: before, during the call, and while the body is read', async () => {
    let arrived: () => void = () => undefined
    const { tokens, messages, fetch } = await open((res, { url }) => {
      if (url === '/base/slow') res.write('a')
      else arrived()
    })
    await expect(fetch('/', { signal: AbortSignal.abort('early') })).rejects.toBe('early')
    expect(tokens()).toBe(0)
    const during = new AbortController()
    const sent = new Promise<void>((resolve) => (arrived = resolve))
    const call = fetch('/', { signal: during.signal })
    await sent
    during.abort('during')
    await expect(call).rejects.toBe('during')
    expect(messages).toMatchObject([{ failed: { code: 'request_aborted' } }])
    const late = new AbortController()
    const { body } = await fetch('/slow', { signal: late.signal })
    const reader = body?.getReader()
    expect((await reader?.read())?.value).toEqual(new Uint8Array([97]))
    late.abort('late')
    await expect(reader?.read()).rejects.toBe('late')
  })
})

describe('a body', () => {
  test('is not received to its end before somebody reads it', async () => {
    let written = 0
    const chunk = Buffer.alloc(1024 * 1024)
    const { fetch } = await open((res, { url }) => {
      const source = (function* () {
        for (; written < 100; written++) yield chunk
      })()
      if (url === '/base/large') Readable.from(source).pipe(res)
      else ok(res)
    })
    const { body } = await fetch('/large')
    // Nobody reads it during these calls.
    for (let i = 0; i < 50; i++) await (await fetch('/small')).text()
    // Some of it is in the buffers of the sockets.
    expect(written).toBeLessThan(100)
    let received = 0
    for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) received += part.length
    expect(received).toBe(100 * chunk.length)
  })

  test('that the app does not read is cut off after a minute, which frees its connection', async () => {
    holdTime()
    const { fetch, server } = await open((res) => res.write(Buffer.alloc(1024 * 1024)))
    const closed = new Promise((resolve) => {
      server.on('connection', (socket) => socket.on('close', resolve))
    })
    const { body } = await fetch('/')
    jest.advanceTimersByTime(60_000)
    await closed
    await expect(body?.getReader().read()).rejects.toMatchObject({
      code: 'timeout',
      upstreamStatus: 200,
      message: expect.stringMatching(/^The response to GET .* made no progress for a minute\.$/) as string,
    })
  })

  test('that is cut off fails with bad_answer', async () => {
    const { fetch } = await open((res) => {
      res.setHeader('content-length', 9).write('a', () => res.destroy())
    })
    await expect((await fetch('/')).text()).rejects.toMatchObject({
      code: 'bad_answer',
      upstreamStatus: 200,
      message: expect.stringMatching(/^Elastic Path's response to GET .* was cut off\.$/) as string,
    })
  })

  test('is read to its end by a reader with its own buffer', async () => {
    const { fetch } = await open((res) => res.end('abc'))
    const reader = (await fetch('/')).body?.getReader({ mode: 'byob' })
    const first = await reader?.read(new Uint8Array(10))
    expect(Buffer.from(first?.value ?? []).toString()).toBe('abc')
    expect((await reader?.read(new Uint8Array(10)))?.done).toBe(true)
  })

  test('that the app cancels frees its connection', async () => {
    let closed: Promise<unknown> = Promise.reject(new Error('not called'))
    closed.catch(() => undefined)
    const { fetch } = await open((res) => {
      closed = once(res, 'close')
      res.write('a')
    })
    await (await fetch('/')).body?.cancel()
    await closed
  })
})
