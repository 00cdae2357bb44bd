import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { inspect } from 'node:util'
import type { Dispatcher } from 'undici'
import type { ElasticPathError } from '../../lib'
import { Operation } from '../../lib/commerce/operation'
import { Transport } from '../../lib/commerce/transport'

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'
let server: Server
let transport: Transport
let received: number

/** A server of which each connection answers so many requests, and breaks at the next one. */
async function listen(answersPerConnection: number, breakOff: (socket: Socket) => void): Promise<void> {
  received = 0
  server = createServer((socket) => {
    let answers = 0
    socket.on('error', () => undefined)
    socket.on('data', () => {
      received++
      if (answers++ < answersPerConnection) socket.write(ANSWER)
      else breakOff(socket)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  transport = new Transport(
    new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    undefined,
    1000,
  )
}

/** Sends a request, or several of one operation; answers with the last status. */
async function send(repeatable: boolean, calls = 1): Promise<number> {
  const operation = new Operation(2000)
  let status = 0
  try {
    for (let call = 0; call < calls; call++) {
      const request = { method: 'POST' as const, path: '/', headers: {}, body: 'code', repeatable }
      status = (await transport.send(request, operation)).status
      // undici hands a connection back a turn of the loop after its answer was read.
      await new Promise((resolve) => setImmediate(resolve))
    }
  } finally {
    operation.end()
  }
  return status
}

const breaks: [string, (socket: Socket) => void][] = [
  ['closed', (socket) => socket.destroy()],
  ['reset', (socket) => socket.resetAndDestroy()],
]

describe.each(breaks)('a connection that is %s', (_how, breakOff) => {
  afterEach(async () => {
    await transport.close()
    server.close()
  })

  test('as a code goes out on it after it was kept alive is replaced by a new one, once', async () => {
    await listen(1, breakOff)
    expect([await send(false), await send(false)]).toEqual([200, 200])
    expect(received).toBe(3)
  })

  test('as a code goes out on it for the first time is not replaced: the code may be spent', async () => {
    await listen(0, breakOff)
    await expect(send(false)).rejects.toMatchObject({ code: 'unreachable', status: 502 })
    expect(received).toBe(1)
  })

  test('under the second call of one operation is not replaced: it did not lie idle', async () => {
    await listen(1, breakOff)
    await expect(send(false, 2)).rejects.toMatchObject({ code: 'unreachable' })
    expect(received).toBe(2)
  })

  test('at what may be sent twice is replaced by a new one, once', async () => {
    await listen(0, breakOff)
    await expect(send(true)).rejects.toMatchObject({ code: 'unreachable', status: 502 })
    expect(received).toBe(2)
  })
})

describe('a dispatcher of the app itself', () => {
  /** How an error leaves a request that goes through a dispatcher which fails so: how often it was sent, and as what. */
  async function fail(error: unknown, repeatable: boolean) {
    const dispatch = jest.fn((_options: unknown, handler: Dispatcher.DispatchHandler) => {
      queueMicrotask(() => handler.onResponseError?.(undefined as never, error as Error))
      return true
    })
    const close = jest.fn()
    const dispatcher = { dispatch, close, destroy: close } as unknown as Dispatcher
    const through = new Transport(new URL('http://store.example/base/'), dispatcher, 1000)
    const operation = new Operation(2000)
    const request = { method: 'GET' as const, path: '/path?secret', headers: {}, repeatable }
    const thrown: unknown = await through.send(request, operation).catch((reason: unknown) => reason)
    operation.end()
    await through.close()
    expect(close).not.toHaveBeenCalled()
    return { sent: dispatch.mock.calls.length, thrown: thrown as ElasticPathError, calls: operation.calls }
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
  ])('that %s is unreachable; so often is a request sent', async (_how, error, once, repeatable) => {
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
          /^No answer from GET http:\/\/store\.example\/base\/path: [A-Z_]+|connection failed\. Check baseUrl, and that/,
        ) as string,
      })
      expect(inspect(thrown)).not.toMatch(/secret|pieces/)
    }
  })

  test('names the code of what failed, where it is one', async () => {
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
  ])('that trusts no certificate (%s) says what is missing, and asks once', async (code) => {
    const { thrown, sent } = await fail(failure(code), true)
    expect(sent).toBe(1)
    expect(thrown.message).toMatch(/a proxy in between needs a dispatcher with its CA\.$/)
  })

  test.each([
    ['its parser rejects', Object.assign(new Error('x'), { name: 'HTTPParserError', code: 'HPE_INVALID' })],
    ['has endless headers', failure('UND_ERR_HEADERS_OVERFLOW')],
  ])('whose answer %s has a bad answer', async (_what, error) => {
    const { thrown, sent } = await fail(error, true)
    expect(sent).toBe(1)
    expect(thrown).toMatchObject({
      code: 'bad_answer',
      message: "Elastic Path's answer to GET http://store.example/base/path is not HTTP",
    })
  })

  test('that throws is like one that fails', async () => {
    const dispatch = () => {
      throw failure('EOTHER')
    }
    const through = new Transport(new URL('http://store.example'), { dispatch } as never, 1000)
    const operation = new Operation(2000)
    const request = { method: 'GET' as const, path: '/', headers: {}, repeatable: true }
    await expect(through.send(request, operation)).rejects.toMatchObject({ code: 'unreachable' })
    operation.end()
  })
})
