import dns from 'node:dns'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { Agent } from 'undici'
import type { PasswordlessOtpStrategyOptions } from '../../lib'
import { atEnd } from '../support/shop'
import type { Result } from './table'

/** A way to Elastic Path that does not lead there. */
export interface Broken {
  options: Partial<PasswordlessOtpStrategyOptions>
  /** Lets the way lead there from now on. */
  mend?: () => unknown
  /** Resolves when a connection arrived that gets no response. */
  arrived?: Promise<unknown>
}

interface Network {
  name: string
  result: Result
  /** What the message says, as a regular expression. */
  says: string
  /** @param port - The port of Elastic Path. */
  open: (port: number) => Broken | Promise<Broken>
}

const NOT_TRUSTED = 'certificate is not trusted'
const CHECK = 'Check baseUrl'
const HOST = 'localhost'
const pem = (name: string): string => readFileSync(join(__dirname, 'certificates', `${name}.pem`), 'utf8')

export const NETWORKS: readonly Network[] = [
  {
    name: 'a self-signed certificate',
    result: '502 unreachable',
    says: NOT_TRUSTED,
    open: (port) => certified(port, 'localhost', false),
  },
  {
    name: 'an expired certificate',
    result: '502 unreachable',
    says: NOT_TRUSTED,
    open: (port) => certified(port, 'expired', true),
  },
  {
    name: 'a certificate of another host',
    result: '502 unreachable',
    says: NOT_TRUSTED,
    open: (port) => certified(port, 'elsewhere', true),
  },
  {
    name: 'a server without TLS',
    result: '502 unreachable',
    says: CHECK,
    open: (port) => ({ options: { baseUrl: `https://127.0.0.1:${port}` } }),
  },
  {
    name: 'a TLS handshake that does not end',
    result: '504 timeout',
    says: 'did not respond within',
    open: (port) => badly(port, () => undefined, 'https'),
  },
  {
    name: 'a host name that DNS does not know',
    result: '502 unreachable',
    says: 'ENOTFOUND',
    open: nameless,
  },
  { name: 'a refused connection', result: '502 unreachable', says: 'ECONNREFUSED', open: refusing },
  {
    name: 'a server that never sends a byte',
    result: '504 timeout',
    says: 'did not respond within',
    open: (port) => badly(port, () => undefined),
  },
  {
    name: 'a server that closes each connection',
    result: '502 unreachable',
    says: CHECK,
    open: (port) => badly(port, (socket) => socket.destroy()),
  },
  {
    name: 'a server that does not speak HTTP',
    result: '502 bad_answer',
    says: 'is not HTTP',
    open: (port) => badly(port, (socket) => socket.once('data', () => socket.write('220 mail ready\r\n'))),
  },
]

/** A TLS server with a self-signed certificate. If it is mended, it has a right one. */
async function certified(port: number, certificate: string, isTrusted: boolean): Promise<Broken> {
  const key = pem('key')
  const server = createTlsServer({ key, cert: pem(certificate) }, (socket) => pipeTo(port, socket))
  server.on('tlsClientError', () => undefined)
  const baseUrl = `https://${HOST}:${await listen(server)}`
  if (!isTrusted) return { options: { baseUrl } }
  const dispatcher = new Agent({ connect: { ca: [pem(certificate), pem('localhost')] } })
  atEnd(() => dispatcher.destroy())
  return {
    options: { baseUrl, dispatcher },
    mend: () => server.setSecureContext({ key, cert: pem('localhost') }),
  }
}

/** A server that does something bad with each connection. */
async function badly(port: number, treat: (socket: Socket) => void, scheme = 'http'): Promise<Broken> {
  let mended = false
  const server = createServer((socket) => {
    if (mended) return pipeTo(port, socket)
    socket.on('error', () => socket.destroy())
    treat(socket)
  })
  const arrived = once(server, 'connection')
  const baseUrl = `${scheme}://127.0.0.1:${await listen(server)}`
  return { options: { baseUrl }, arrived, ...(scheme === 'http' && { mend: () => (mended = true) }) }
}

async function refusing(port: number): Promise<Broken> {
  const first = createServer()
  const own = await listen(first)
  await new Promise((resolve) => first.close(resolve))
  return {
    options: { baseUrl: `http://127.0.0.1:${own}` },
    mend: () =>
      listen(
        createServer((socket) => pipeTo(port, socket)),
        own,
      ),
  }
}

/** A name that DNS does not know until it is mended. */
function nameless(port: number): Broken {
  const { lookup } = dns
  const spy = jest.spyOn(dns, 'lookup').mockImplementation(((name: string, ...rest: unknown[]) => {
    const done = rest.at(-1) as (error: Error) => void
    if (name === HOST) done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }))
    else Reflect.apply(lookup, dns, [name, ...rest])
  }) as typeof lookup)
  atEnd(() => Promise.resolve(spy.mockRestore()))
  return { options: { baseUrl: `http://${HOST}:${port}` }, mend: () => spy.mockRestore() }
}

function pipeTo(port: number, socket: Socket): void {
  const onward = connect(port, '127.0.0.1')
  socket.on('error', () => onward.destroy()).on('close', () => onward.destroy())
  onward.on('error', () => socket.destroy())
  socket.pipe(onward).pipe(socket)
}

/** Listens until the end of the test. */
async function listen(server: Server, port = 0): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  atEnd(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}
