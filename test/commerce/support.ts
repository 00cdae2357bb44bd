import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Commerce } from '../../lib/commerce/commerce'
import { Context } from '../../lib/context'
import { readOptions, type PasswordlessOtpStrategyOptions } from '../../lib/options'
import { ElasticPathSimulator, type SimulatorOptions } from '../../lib/testing'
import type { HeldToken } from '../../lib/token'
import { recordError } from '../support/errors'

export const ADA = 'ada@example.com'

/** A token that a member holds. The simulator does not know it, so calls with it need a fault. */
export const HELD: HeldToken = { token: 'held', expires: '2999-01-01T00:00:00Z', received: 0, lifetime: 3600 }

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  jest.useRealTimers()
  for (const close of closing.splice(0).reverse()) await close()
})

/** Calls a function after the test. */
export function afterTest(close: () => Promise<unknown>): void {
  closing.push(close)
}

/** The commerce of a strategy with these options. It is closed after the test. */
export function openCommerce(options: Partial<PasswordlessOtpStrategyOptions>): Commerce {
  const as = (text: string): string => text
  const settings = readOptions(
    { clientId: 'client', ...options },
    { normalizeUsername: as, normalizeOtp: as },
  )
  const commerce = new Commerce(settings)
  afterTest(() => commerce.close())
  return commerce
}

/** A store with one member, Ada, and the commerce of a strategy. Both are closed after the test. */
export async function openStore(
  options: Partial<PasswordlessOtpStrategyOptions> = {},
  store: SimulatorOptions = {},
) {
  const simulator = await ElasticPathSimulator.start({ members: [{ username: ADA }], ...store })
  afterTest(() => simulator.stop())
  const commerce = openCommerce({ clientId: simulator.clientId, baseUrl: simulator.url, ...options })
  return { simulator, commerce }
}

/** Does work in a new context, which ends with the work. */
export async function inContext<T>(work: (context: Context) => T | Promise<T>, timeout = 5000): Promise<T> {
  const context = new Context(timeout)
  try {
    return await work(context)
  } catch (error) {
    recordError(error)
    throw error
  } finally {
    context.end()
  }
}

/** Time that only the test advances. Sockets work on. */
export function holdTime(): void {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
}

/** Serves connections until the end of the test. Returns the URL and the open sockets. */
export async function listen(
  serve: (socket: Socket) => void,
): Promise<{ url: string; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    serve(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets }
}

/** A response with a JSON body, as text for a socket. */
export function httpResponse(
  status: number,
  body: string | Buffer,
  headers: Record<string, string> = {},
): Buffer {
  const lines = [`HTTP/1.1 ${status} Any`, `Content-Length: ${Buffer.byteLength(body)}`]
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), Buffer.from(body)])
}
