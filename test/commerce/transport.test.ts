import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { inspect } from 'node:util'
import type { Dispatcher } from 'undici'
import { AnswerReader } from '../../lib/commerce/answer-reader'
import { Transport, type Repeat } from '../../lib/commerce/transport'
import type { Context } from '../../lib/context'
import type { ElasticPathError } from '../../lib/errors'
import { afterTest, httpResponse, inContext, listen } from './support'
import { compareErrors } from '../support/errors'

compareErrors()

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const SETTINGS = { headers: {}, timeout: 1000, dispatcher: undefined }
const read = (context: Context, name: () => string) => new AnswerReader(context, name)

/** Starts a server. Each connection responds to some requests with 200, then ends in the given way. */
async function serve(answersPerConnection: number, end: (socket: Socket) => void) {
  const requests: string[] = []
  const { url } = await listen((socket) => {
    let answers = 0
    socket.on('data', (data) => {
      requests.push(String(data))
      if (answers++ < answersPerConnection) socket.write(httpResponse(200, '{}'))
      else end(socket)
    })
  })
  const transport = new Transport({ ...SETTINGS, baseUrl: new URL(url) })
  afterTest(() => transport.close())

  /** Sends a request, or several of one context. Resolves with the last status. */
  const send = (repeat: Repeat, calls = 1) =>
    inContext(async (context) => {
      let status = 0
      for (let call = 0; call < calls; call++) {
        const request = { method: 'POST', path: '/', headers: {}, body: 'code', repeat }
        status = (await transport.send(request, context, read)).answer.status
      }
      return status
    })
  return { send, requests }
}

const UNREACHABLE = { code: 'unreachable', status: 502 }

describe.each<[string, (socket: Socket) => void]>([
  ['closes', (socket) => socket.destroy()],
  ['resets', (socket) => socket.resetAndDestroy()],
])('a server that %s its connection', (_how, end) => {
  test('after it was kept alive gets the code once more, on a new connection', async () => {
    const { send, requests } = await serve(1, end)
    expect([await send('if stale'), await send('if stale')]).toEqual([200, 200])
    expect(requests).toHaveLength(3)
  })

  test.each<[string, number, number, Repeat, number]>([
    ['a code on a new connection', 0, 1, 'if stale', 1],
    ['a code on a connection that served the same context', 1, 2, 'if stale', 2],
    ['a request that it may have read', 1, 2, 'if unread', 2],
    ['a stream', 1, 2, 'never', 2],
    ['a repeatable request whose repetition also fails', 0, 1, 'always', 2],
  ])('does not get %s again', async (_what, answers, calls, repeat, received) => {
    const { send, requests } = await serve(answers, end)
    await expect(send(repeat, calls)).rejects.toMatchObject(UNREACHABLE)
    expect(requests).toHaveLength(received)
  })
})

describe('a 408', () => {
  const timeOut = (socket: Socket): void => {
    socket.end(httpResponse(408, '', { Connection: 'close' }))
  }

  test.each<Repeat>(['always', 'if stale', 'if unread'])(
    'on a kept-alive connection repeats a request (%s) once: the server has not read it',
    async (repeat) => {
      const { send, requests } = await serve(1, timeOut)
      expect([await send(repeat), await send(repeat)]).toEqual([200, 200])
      expect(requests).toHaveLength(3)
    },
  )

  test('is returned if it comes on a new connection, or to a stream', async () => {
    const fresh = await serve(0, timeOut)
    expect(await fresh.send('always')).toBe(408)
    expect(fresh.requests).toHaveLength(1)
    const stream = await serve(1, timeOut)
    expect(await stream.send('never', 2)).toBe(408)
  })
})

test('every request has the User-Agent of this version, unless the option headers has another', async () => {
  const requests: string[] = []
  const { url } = await listen((socket) => {
    socket.on('data', (data) => {
      requests.push(String(data))
      socket.write(httpResponse(200, '{}'))
    })
  })
  for (const headers of [{ 'x-request-store-id': 'store' }, { 'user-agent': 'shop/1' }]) {
    const transport = new Transport({ ...SETTINGS, headers, baseUrl: new URL(url) })
    afterTest(() => transport.close())
    const request = { method: 'GET', path: '/', headers: {}, repeat: 'always' as const }
    await inContext((context) => transport.send(request, context, read))
  }
  expect(requests[0]).toContain(`user-agent: passport-elasticpath-otp/${version}\r\n`)
  expect(requests[0]).toContain('x-request-store-id: store\r\n')
  expect(requests[1]).toContain('user-agent: shop/1\r\n')
})

describe('a dispatcher of the app', () => {
  /** Sends a request through a dispatcher that fails with this error. */
  async function fail(error: unknown, repeatable: boolean) {
    const dispatch = jest.fn((_options: unknown, handler: Dispatcher.DispatchHandler) => {
      queueMicrotask(() => handler.onResponseError?.(undefined as never, error as Error))
      return true
    })
    const close = jest.fn()
    const dispatcher = { dispatch, close, destroy: close } as unknown as Dispatcher
    const transport = new Transport({
      ...SETTINGS,
      dispatcher,
      baseUrl: new URL('http://store.example/base/'),
    })
    const repeat = repeatable ? 'always' : 'if stale'
    const request = { method: 'GET', path: '/path?secret', headers: {}, repeat } as const
    const [thrown, calls] = await inContext(async (context) => {
      const reason: unknown = await transport.send(request, context, read).catch((error: unknown) => error)
      return [reason as ElasticPathError, context.calls]
    })
    await transport.close()
    expect(close).not.toHaveBeenCalled()
    return { sent: dispatch.mock.calls.length, thrown, calls }
  }
  const failure = (code: string, fields: object = {}) =>
    Object.assign(new Error('with pieces of a request'), { code, ...fields })

  test.each<[string, unknown, number, number]>([
    ...[
      'ECONNREFUSED',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'UND_ERR_CONNECT_TIMEOUT',
    ].map((code): [string, unknown, number, number] => [`never connected: ${code}`, failure(code), 2, 2]),
    ['found no address', new AggregateError([failure('ECONNREFUSED'), failure('EOTHER')]), 2, 2],
    ['was reset', failure('ECONNRESET'), 1, 2],
    ['broke a pipe', failure('EPIPE'), 1, 2],
    ['lost its socket', failure('UND_ERR_SOCKET'), 1, 2],
    ['lost a fresh socket', failure('UND_ERR_SOCKET', { socket: { bytesRead: 0 } }), 1, 2],
    ['lost a socket kept alive', failure('UND_ERR_SOCKET', { socket: { bytesRead: 9 } }), 2, 2],
    ['lost a socket of null', failure('UND_ERR_SOCKET', { socket: null }), 1, 2],
    ['lost a socket of text', failure('UND_ERR_SOCKET', { socket: 'bytesRead' }), 1, 2],
    ['lost a socket that counts in words', failure('UND_ERR_SOCKET', { socket: { bytesRead: '9' } }), 1, 2],
    ['lost a socket that counts nothing', failure('UND_ERR_SOCKET', { socket: {} }), 1, 2],
    ['failed otherwise', failure('EOTHER'), 1, 1],
    ['failed otherwise on a socket kept alive', failure('EOTHER', { socket: { bytesRead: 9 } }), 1, 1],
    ['failed without a code', new Error('with pieces of a request'), 1, 1],
    ['failed with a code in words', failure('with pieces of a request'), 1, 1],
    ['failed with an endless code', failure('E'.repeat(61)), 1, 1],
    ['failed with what is no error', 'with pieces of a request', 1, 1],
    ['failed with nothing', undefined, 1, 1],
  ])('that %s is unreachable, after one or two attempts', async (_how, error, once, repeatable) => {
    const one = await fail(error, false)
    expect([one.sent, one.calls]).toEqual([once, once])
    const other = await fail(error, true)
    expect([other.sent, other.calls]).toEqual([repeatable, repeatable])
    for (const { thrown } of [one, other]) {
      expect(thrown).toMatchObject({
        code: 'unreachable',
        status: 502,
        cause: expect.any(Error) as Error,
        message: expect.stringMatching(
          /^No response to GET http:\/\/store\.example\/base\/path: ([A-Z_]+|connection failed)\. Check baseUrl, and that/,
        ) as string,
      })
      expect(inspect(thrown)).not.toMatch(/secret|pieces/)
    }
  })

  test('has the code of the failure in its error, if it is a code', async () => {
    const { thrown } = await fail(failure('EOTHER'), false)
    expect(thrown.message).toContain(': EOTHER. ')
    expect(thrown.cause).toMatchObject({ code: 'EOTHER', message: 'connection failed: EOTHER' })
    const { thrown: nameless } = await fail(failure('with pieces'), false)
    expect(nameless.message).toContain(': connection failed. ')
    expect(nameless.cause).toMatchObject({ message: 'connection failed: unknown' })
    expect(nameless.cause).not.toHaveProperty('code')
  })

  test.each([
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])(
    'that does not trust a certificate (%s) rejects with the option to set, after one attempt',
    async (code) => {
      const { thrown, sent } = await fail(failure(code), true)
      expect(sent).toBe(1)
      expect(thrown.message).toMatch(/set dispatcher to one with the CA of the proxy\.$/)
    },
  )

  test.each([
    ['is not HTTP', Object.assign(new Error('x'), { name: 'HTTPParserError', code: 'HPE_INVALID' })],
    ['has too large headers', failure('UND_ERR_HEADERS_OVERFLOW')],
  ])('whose response %s rejects with bad_answer', async (what, error) => {
    const { thrown, sent } = await fail(error, true)
    expect(sent).toBe(1)
    expect(thrown).toMatchObject({
      code: 'bad_answer',
      message: `Elastic Path's response to GET http://store.example/base/path ${what}.`,
    })
  })

  test('that throws is unreachable', async () => {
    const dispatcher = {
      dispatch: () => {
        throw failure('EOTHER')
      },
    }
    const transport = new Transport({
      ...SETTINGS,
      dispatcher: dispatcher as unknown as Dispatcher,
      baseUrl: new URL('http://store.example'),
    })
    const request = { method: 'GET', path: '/', headers: {}, repeat: 'always' } as const
    await expect(inContext((context) => transport.send(request, context, read))).rejects.toMatchObject(
      UNREACHABLE,
    )
  })
})
