import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
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

afterEach(async () => {
  await transport.close()
  server.close()
})

const breaks: [string, (socket: Socket) => void][] = [
  ['closed', (socket) => socket.destroy()],
  ['reset', (socket) => socket.resetAndDestroy()],
]

describe.each(breaks)('a connection that is %s', (_how, breakOff) => {
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
