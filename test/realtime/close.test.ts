import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { atEnd, openShop } from '../support/shop'

// Only a hang reaches it.
jest.setTimeout(120_000)

/** Runs a process in a situation until it exits by itself. Returns its events in their order. */
async function runClient(situation: string, baseUrl: string, clientId = 'client'): Promise<string[]> {
  const args = [join(__dirname, 'client.cjs'), situation, baseUrl, clientId]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 100_000 })
  return stdout.trim().split('\n')
}

/** A server that accepts connections and sends nothing. */
async function openSilentServer(): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

describe('A process that closes its strategy exits by itself', () => {
  it('with idle connections', async () => {
    const { simulator } = await openShop()
    const events = await runClient('idle', simulator.url, simulator.clientId)
    expect(events).toEqual(['left: nothing', 'exit'])
  })

  it('with a response that nobody reads, which is cut off', async () => {
    const { simulator } = await openShop()
    simulator.route('GET', '/large', () => ({ status: 200, body: 'x'.repeat(8_000_000) }))
    const events = await runClient('unread', simulator.url, simulator.clientId)
    expect(events).toEqual(['200', 'left: nothing', 'exit'])
  })

  it('after a request whose response never came', async () => {
    const { simulator } = await openShop()
    simulator.fault('any', 'hang', { times: Infinity })
    const events = await runClient('waiting', simulator.url, simulator.clientId)
    expect(events).toEqual(['timeout', 'left: nothing', 'exit'])
  })

  it('after a request whose connection never opened', async () => {
    const events = await runClient('waiting', `https://127.0.0.1:${await openSilentServer()}`)
    expect(events).toEqual(['timeout', 'left: nothing', 'exit'])
  })

  it('after a request that was in progress and ended first', async () => {
    const { simulator } = await openShop()
    const events = await runClient('busy', simulator.url, simulator.clientId)
    expect(events).toEqual(['works', 'closed', 'left: nothing', 'exit'])
  })
})

it('opens at most 64 connections for 200 parallel shoppers while Elastic Path restarts, and leaves none', async () => {
  const sockets = new Set<Socket>()
  // A connection that was refused was never open.
  const open = (): number => [...sockets].filter(({ destroyed }) => !destroyed).length
  let most = 0
  const count = (message: unknown): void => {
    const { socket } = message as { socket: Socket }
    sockets.add(socket.once('close', () => sockets.delete(socket)))
    most = Math.max(most, open())
  }
  subscribe('net.client.socket', count)
  atEnd(() => Promise.resolve(unsubscribe('net.client.socket', count)))
  const { simulator, strategy } = await openShop()
  await strategy.accessToken()

  const restarts: Promise<void>[] = []
  let requests = 0
  simulator.on('request', () => {
    if (++requests % 150 === 0)
      restarts.push(Promise.resolve(restarts.at(-1)).then(() => simulator.restart()))
  })
  const visits = Array.from({ length: 200 }, async () => {
    const outcomes: unknown[] = []
    for (let visit = 0; visit < 3; visit++) {
      outcomes.push(await strategy.fetch('/catalog/products').then(read, codeOf))
    }
    return outcomes
  })
  const outcomes = new Set((await Promise.all(visits)).flat())
  await Promise.all(restarts)
  expect(restarts.length).toBeGreaterThan(0)
  expect(outcomes).toContain(200)
  for (const outcome of outcomes) expect([200, 'unreachable', 'bad_answer']).toContain(outcome)
  expect(most).toBe(64)
  await strategy.close()
  expect(sockets.size).toBe(0)
})

async function read(response: Response): Promise<number> {
  await response.text()
  return response.status
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code
}
