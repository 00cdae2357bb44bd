import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { createFetch, createFetchAs } from '../../lib/calls/fetch'
import { afterTest } from '../commerce/support'
import { openServices } from './support'

async function listen(handler: (req: IncomingMessage, res: ServerResponse, body: Buffer) => void) {
  const seen: {
    method?: string | undefined
    url: string
    headers: IncomingMessage['headers']
    body: string
  }[] = []
  let tokens = 0
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (c: Buffer) => chunks.push(c))
    req.on('end', () => {
      if (req.url?.endsWith('/oauth/access_token')) {
        res.end(JSON.stringify({ access_token: `bearer-${++tokens}`, expires_in: 3600 }))
        return
      }
      const body = Buffer.concat(chunks)
      seen.push({ method: req.method, url: req.url ?? '', headers: req.headers, body: body.toString() })
      handler(req, res, body)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close').catch(() => 0)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    tokens: () => tokens,
    server,
  }
}

test('smoke', async () => {
  const { url, seen } = await listen((req, res) => {
    res.setHeader('set-cookie', ['a=1', 'b=2'])
    res.statusCode = 201
    res.end('hello')
  })
  const { services, messages } = openServices({ baseUrl: url + '/base' })
  const fetch = createFetch(services)
  const r = await fetch('/v2/carts?x=..%2F', { method: 'post', body: new URLSearchParams({ a: 'b' }) })
  console.log(r.status, r.url, await r.text(), r.headers.getSetCookie(), seen, messages)
  const fd = new FormData()
  fd.set('f', new Blob(['abc'], { type: 'text/x' }), 'f.txt')
  for (const body of [
    fd,
    new Blob(['blob'], { type: 'a/b' }),
    new Uint8Array([65, 66]),
    new Uint8Array([65]).buffer,
    new Blob(['st']).stream(),
    'str',
  ] as const) {
    seen.length = 0
    const r = await fetch('v2/x', { method: 'PUT', body, duplex: 'half' } as never)
    await r.text()
    console.log(seen[0]?.headers, seen[0]?.body)
  }
  seen.length = 0
  await (
    await fetch(
      new Request(url + '/base/v2/y', {
        method: 'PATCH',
        body: '{"a":1}',
        headers: { 'content-type': 'application/json' },
      }),
    )
  ).text()
  console.log(seen)
})
for (const [enc, fn] of Object.entries({
  gzip: gzipSync,
  deflate: deflateSync,
  Deflate: deflateRawSync,
  br: brotliCompressSync,
  'gzip, br': (b: Buffer) => brotliCompressSync(gzipSync(b)),
  identity: (b: Buffer) => b,
  foo: (b: Buffer) => b,
}))
  test('enc ' + enc, async () => {
    const big = 'x'.repeat(300000)
    const { url } = await listen((req, res) => {
      res.setHeader('content-encoding', enc)
      res.end(fn(Buffer.from(big)))
    })
    const { services } = openServices({ baseUrl: url })
    const r = await createFetch(services)('/')
    expect(await r.text()).toBe(big)
  })
test('large', async () => {
  const { url } = await listen((req, res) => {
    const chunk = Buffer.alloc(1 << 20)
    Readable.from(
      (function* () {
        for (let i = 0; i < 100; i++) yield chunk
      })(),
    ).pipe(res)
  })
  const { services } = openServices({ baseUrl: url })
  const r = await createFetch(services)('/')
  let n = 0,
    max = 0
  for await (const c of r.body as never as AsyncIterable<Uint8Array>) {
    n += c.length
    max = Math.max(max, process.memoryUsage().arrayBuffers)
  }
  console.log(n, max / 1e6)
})
