import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { Transport } from '../../lib/commerce/transport'
import { AnswerReader } from '../../lib/commerce/answer-reader'
import { Context } from '../../lib/context'
import type { ElasticPathError } from '../../lib/errors'
import { afterTest, holdTime, httpResponse, inContext, listen } from './support'
import { compareErrors } from '../support/errors'

compareErrors()

const OK = httpResponse(200, '{}')

/** A store whose connections do with each request what the test says, and a transport to it. */
async function open(serve: (socket: Socket, request: string) => void) {
  const { url, sockets } = await listen((socket) => {
    socket.on('data', (data) => serve(socket, String(data)))
  })
  // The client's own sockets are counted, because a server may see the end of one after the start of the next.
  let [now, most] = [0, 0]
  const count = (message: unknown): void => {
    most = Math.max(most, ++now)
    ;(message as { socket: Socket }).socket.once('close', () => now--)
  }
  subscribe('net.client.socket', count)
  afterTest(() => Promise.resolve(unsubscribe('net.client.socket', count)))
  const baseUrl = new URL(url)
  const transport = new Transport({ baseUrl, headers: {}, timeout: 10_000, dispatcher: undefined })
  afterTest(() => transport.close())
  const send = async (context?: Context): Promise<number> => {
    const request = { method: 'GET', path: '/', headers: {}, repeat: 'always' } as const
    const work = async (own: Context) =>
      (await transport.send(request, own, (of, name) => new AnswerReader(of, name))).answer.status
    return context ? work(context) : inContext(work, 60_000)
  }
  return { transport, send, sockets, most: () => most, now: () => now }
}

/** Resolves when a socket of the server is closed. */
const closed = (socket: Socket) => new Promise((resolve) => socket.once('close', resolve))

test('200 shoppers with restarts in between open at most 64 connections, and close leaves none', async () => {
  let requests = 0
  let restart = (): void => undefined
  const { transport, send, sockets, most, now } = await open((socket) => {
    if (++requests % 50 === 0) restart()
    else setImmediate(() => socket.destroyed || socket.write(OK))
  })
  restart = () => {
    // Node never closes a socket that is reset after its own end, and then spins at the exit of the process.
    for (const socket of sockets) if (socket.writable) socket.resetAndDestroy()
  }
  const shoppers = Array.from({ length: 200 }, async () => {
    const statuses = []
    for (let i = 0; i < 2; i++)
      statuses.push(await send().catch((error: unknown) => (error as ElasticPathError).code))
    return statuses
  })
  const outcomes = (await Promise.all(shoppers)).flat()
  expect(new Set(outcomes).has(200)).toBe(true)
  for (const outcome of outcomes) expect([200, 'unreachable']).toContain(outcome)
  expect(most()).toBe(64)
  await transport.close()
  expect(now()).toBe(0)
})

test('all requests are answered by 64 connections, without restarts', async () => {
  const { send, most } = await open((socket) => socket.write(OK))
  const statuses = await Promise.all(Array.from({ length: 200 }, () => send()))
  expect(statuses).toEqual(Array.from({ length: 200 }, () => 200))
  expect(most()).toBe(64)
})

describe('after a network failover', () => {
  test('one timeout without a byte discards the idle connections, so the next request succeeds', async () => {
    holdTime()
    const dead = new Set<Socket>()
    let received: () => void = () => undefined
    const { send, sockets } = await open((socket) => {
      if (!dead.has(socket)) socket.write(OK)
      received()
    })
    await Promise.all(Array.from({ length: 10 }, () => send()))
    expect(sockets.size).toBe(10)
    for (const socket of sockets) dead.add(socket)

    const context = new Context(1000)
    const silent = new Promise<void>((resolve) => (received = resolve))
    const first = send(context)
    await silent
    const all = [...sockets].map(closed)
    jest.advanceTimersByTime(1000)
    await expect(first).rejects.toMatchObject({ code: 'timeout', status: 504 })
    await Promise.all(all)
    expect(await send()).toBe(200)
  })

  test('a timeout after a part of a response keeps the idle connections', async () => {
    holdTime()
    let serve = (socket: Socket): unknown => socket.write(OK)
    const { send, sockets } = await open((socket) => serve(socket))
    await Promise.all([send(), send()])
    const slow = new Promise<Socket>((resolve) => {
      serve = (socket) =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', () => {
          resolve(socket)
        })
    })
    const context = new Context(1000)
    const cutOff = send(context)
    const slowSocket = await slow
    const [kept] = [...sockets].filter((socket) => socket !== slowSocket)
    const served = new Set<Socket>()
    serve = (socket) => {
      served.add(socket)
      return socket.write(OK)
    }
    // Another response, after the headers have certainly arrived.
    await send()
    jest.advanceTimersByTime(1000)
    await expect(cutOff).rejects.toMatchObject({ code: 'timeout' })
    served.clear()
    await Promise.all([send(), send()])
    expect(served).toContain(kept)
  })
})

test('a request whose context ends while it waits for a connection is not sent', async () => {
  const waiting: Socket[] = []
  let paths = 0
  let full: () => void = () => undefined
  const { send } = await open((socket) => {
    paths++
    waiting.push(socket)
    if (waiting.length === 64) full()
  })
  const busy = new Promise<void>((resolve) => (full = resolve))
  const requests = Array.from({ length: 64 }, () => send())
  await busy
  const context = new Context(5000)
  const late = send(context)
  context.end()
  await expect(late).rejects.toMatchObject({ code: 'request_aborted' })
  for (const socket of waiting) socket.write(OK)
  await Promise.all(requests)
  expect(paths).toBe(64)
})

test('close fails a request that waits for a connection, and one that comes later', async () => {
  let full: () => void = () => undefined
  const sockets: Socket[] = []
  const { send, transport } = await open((socket) => {
    sockets.push(socket)
    if (sockets.length === 64) full()
  })
  const busy = new Promise<void>((resolve) => (full = resolve))
  const requests = Array.from({ length: 64 }, () => send())
  await busy
  const waiting = send()
  const closing = transport.close()
  await expect(waiting).rejects.toMatchObject({ code: 'strategy_closed' })
  await expect(send()).rejects.toMatchObject({ code: 'strategy_closed' })
  for (const socket of sockets) socket.write(OK)
  expect(await Promise.all(requests)).toEqual(Array.from({ length: 64 }, () => 200))
  await closing
})

test('close cuts off a response that is still being read after the timeout', async () => {
  holdTime()
  let received: () => void = () => undefined
  const { send, transport } = await open(() => received())
  const sent = new Promise<void>((resolve) => (received = resolve))
  const hanging = send(new Context(60_000))
  await sent
  const closing = transport.close()
  jest.advanceTimersByTime(10_000)
  await closing
  await expect(hanging).rejects.toMatchObject({ code: 'unreachable' })
})
