import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { accessToken, createFetch, createFetchAs } from '../../lib/calls/fetch'
import type { PasswordlessOtpStrategyOptions } from '../../lib/options'
import { afterTest, holdTime } from '../commerce/support'
import { openServices } from './support'

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
        host: url.slice(7),
      },
    })
    expect(messages).toEqual([{ operation: 'call', method: 'GET', path: '/v2/carts', upstreamStatus: 207 }])
  })

  test('without a user sends the access token only, which accessToken returns', async () => {
    const { received, services, fetch } = await open(ok)
    await fetch('v2/catalog')
    expect(received[0]?.headers).not.toHaveProperty('ep-account-management-authentication-token')
    expect(await accessToken(services)).toBe('bearer-1')
  })

  test.each<[string, unknown, string, number]>([
    ['nobody', undefined, 'not_signed_in', 401],
    ["another strategy's user", { ...USER, strategy: 'other' }, 'not_signed_in', 401],
    ['a user without an account', { ...USER, account: null }, 'account_required', 403],
    [
      'an expired token',
      { ...USER, account: { ...USER.account, received: 0 } },
      'account_token_expired',
      401,
    ],
  ])('as %s is rejected before anything is sent', async (_who, user, code, status) => {
    const { tokens, fetchAs } = await open(ok)
    // `undefined` would select the default user.
    await expect(fetchAs(user ?? null)('/')).rejects.toMatchObject({ code, status })
    expect(tokens()).toBe(0)
  })

  test.each<[string, Parameters<typeof fetch>]>([
    ['another origin', ['https://example.com/v2']],
    ['a Request for another origin', [new Request('https://example.com/v2')]],
    ['a URL with an encoded slash', [new URL('https://example.com/..%2Fv2')]],
    ['a path that climbs', ['/v2/carts/..%2Forders']],
    ['a GET with a body', ['/', { body: 'x' }]],
    ['an invalid method', ['/', { method: 'a b' }]],
    ['a forbidden method', ['/', { method: 'trace' }]],
    ['an invalid header', ['/', { headers: { 'a b': 'c' } }]],
  ])('to %s is a TypeError before anything is sent', async (_what, args) => {
    const { tokens, fetch } = await open(ok)
    await expect(fetch(...args)).rejects.toMatchObject({ name: 'TypeError' })
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
    const { fetch } = await open((res) => res.writeHead(status).end())
    expect((await fetch('/', { method })).body).toBeNull()
  })

  test.each<[string, (body: Buffer) => Buffer]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['gzip, br', (body) => brotliCompressSync(gzipSync(body))],
    ['unknown', (body) => body],
  ])('decodes %s', async (encoding, compress) => {
    const text = 'zwölf '.repeat(50_000)
    const { fetch } = await open((res) =>
      res.setHeader('content-encoding', encoding).end(compress(Buffer.from(text))),
    )
    expect(await (await fetch('/')).text()).toBe(text)
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

  test('is returned for a stream, and the next call has a new token', async () => {
    const { fetchAs, received } = await open(refuseFirst)
    const body = new Blob(['stream']).stream()
    const response = await fetchAs()('/', { method: 'POST', body, duplex: 'half' })
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

test('a 401 for the account token is returned, and no access token is renewed', async () => {
  const { tokens, fetchAs } = await open((res) =>
    res.writeHead(401).end('{"errors":[{"title":"Unauthorized"}]}'),
  )
  const response = await fetchAs()('/')
  expect([response.status, await response.text(), tokens()]).toEqual([
    401,
    '{"errors":[{"title":"Unauthorized"}]}',
    1,
  ])
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
  test('of the connection, also on one that was kept alive, does not send a POST twice', async () => {
    const { received, fetch } = await open((res) => (received.length === 1 ? ok(res) : res.destroy()))
    await (await fetch('/')).text()
    await expect(fetch('/', { method: 'POST' })).rejects.toMatchObject({ code: 'unreachable', status: 502 })
    expect(received).toHaveLength(2)
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
  test('is not received further than 64 KiB ahead of its reader', async () => {
    let written = 0
    const chunk = Buffer.alloc(1024 * 1024)
    const { fetch } = await open((res) => {
      const source = (function* () {
        for (; written < 100; written++) yield chunk
      })()
      Readable.from(source).pipe(res)
    })
    const { body } = await fetch('/')
    let [received, ahead] = [0, 0]
    for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) {
      received += part.length
      ahead = Math.max(ahead, written * chunk.length - received)
    }
    expect(received).toBe(100 * chunk.length)
    // The rest is in the buffers of the sockets.
    expect(ahead).toBeLessThan(20 * chunk.length)
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
    await expect(body?.getReader().read()).rejects.toMatchObject({ code: 'timeout' })
  })

  test('that is cut off fails with bad_answer', async () => {
    const { fetch } = await open((res) => {
      res.setHeader('content-length', 9).write('a', () => res.destroy())
    })
    await expect((await fetch('/')).text()).rejects.toMatchObject({ code: 'bad_answer' })
  })
})
