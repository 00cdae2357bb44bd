import dns from 'node:dns'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { Agent } from 'undici'
import type { PasswordlessOtpStrategyOptions } from '../../lib'
import { atEnd } from '../support/shop'
import { authority } from './certificates'
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
const known = authority('An authority')
const unknown = authority('Nobody')

export const NETWORKS: readonly Network[] = [
  {
    name: 'a self-signed certificate',
    result: '502 unreachable',
    says: NOT_TRUSTED,
    open: (port) => certified(port, unknown.own, false),
  },
  {
    name: 'a certificate of an unknown authority',
    result: '502 unreachable',
    says: NOT_TRUSTED,
    open: (port) => certified(port, unknown.certify({ host: HOST }), false),
  },
  {
    name: 'an expired certificate',
    result: '502 unreachable',
    says: NOT_TRUSTED,
    open: (port) =>
      certified(port, known.certify({ host: HOST, until: new Date(Date.now() - 3_600_000) }), true),
  },
  {
    name: 'a certificate of another host',
    result: '502 unreachable',
    says: NOT_TRUSTED,
    open: (port) => certified(port, known.certify({ host: 'elsewhere.example' }), true),
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

/** A TLS server with a certificate. If it is mended, it has a right one. */
async function certified(
  port: number,
  certificate: { cert: string; key: string },
  trusts: boolean,
): Promise<Broken> {
  const server = createTlsServer(certificate, (socket) => pipeTo(port, socket))
  server.on('tlsClientError', () => undefined)
  const baseUrl = `https://${HOST}:${await listen(server)}`
  if (!trusts) return { options: { baseUrl } }
  const dispatcher = new Agent({ connect: { ca: known.own.cert } })
  atEnd(() => dispatcher.destroy())
  const good = known.certify({ host: HOST })
  return { options: { baseUrl, dispatcher }, mend: () => server.setSecureContext(good) }
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

function nameless(port: number): Broken {
  const lookup = jest.spyOn(dns, 'lookup').mockImplementation(((
    _host: string,
    _options: object,
    done: (e: Error) => void,
  ) => {
    done(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }))
  }) as typeof dns.lookup)
  atEnd(() => Promise.resolve(lookup.mockRestore()))
  return { options: { baseUrl: `http://${HOST}:${port}` }, mend: () => lookup.mockRestore() }
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
