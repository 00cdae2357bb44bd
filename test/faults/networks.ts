import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import {
  connect,
  createServer,
  type AddressInfo,
  type LookupFunction,
  type Server,
  type Socket,
} from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { Agent } from 'undici'
import type { PasswordlessOtpStrategyOptions } from '../../lib'
import { atEnd } from '../support/shop'
import type { Result } from './table'

/** A network failure on the way to Elastic Path. */
interface Broken {
  options: Partial<PasswordlessOtpStrategyOptions>
  /** Repairs the connection. */
  mend?: () => unknown
  /** Resolves when a connection has arrived that gets no response. */
  arrived?: Promise<unknown>
}

/** The name; what the shop gets; what the message says; and what opens it before the port of Elastic Path. */
type Network = readonly [
  name: string,
  result: Result,
  says: string,
  open: (port: number) => Broken | Promise<Broken>,
]

const NOT_TRUSTED = 'certificate is not trusted'
const NO_RESPONSE = 'did not respond within'
const CHECK = 'Check baseUrl'
const HOST = 'localhost'
const pem = (name: string): string => readFileSync(join(__dirname, 'certificates', `${name}.pem`), 'utf8')

export const NETWORKS: readonly Network[] = [
  [
    'a self-signed certificate',
    '502 unreachable',
    NOT_TRUSTED,
    (port) => certified(port, 'localhost', false),
  ],
  ['an expired certificate', '502 unreachable', NOT_TRUSTED, (port) => certified(port, 'expired', true)],
  [
    'a certificate of another host',
    '502 unreachable',
    NOT_TRUSTED,
    (port) => certified(port, 'elsewhere', true),
  ],
  [
    'a TLS handshake that does not end',
    '504 timeout',
    NO_RESPONSE,
    (port) => badly(port, doNothing, 'https'),
  ],
  ['a hostname that DNS does not know', '502 unreachable', 'ENOTFOUND', nameless],
  ['a refused connection', '502 unreachable', 'ECONNREFUSED', refusing],
  ['a server that never sends a byte', '504 timeout', NO_RESPONSE, (port) => badly(port, doNothing)],
  ['a server that closes each connection', '502 unreachable', CHECK, (port) => badly(port, hangUp)],
  ['a server that does not speak HTTP', '502 bad_answer', 'is not HTTP', (port) => badly(port, greet)],
]

function doNothing(): void {
  // The connection stays open.
}

function hangUp(socket: Socket): void {
  socket.destroy()
}

function greet(socket: Socket): void {
  socket.once('data', () => socket.write('220 mail ready\r\n'))
}

/** A TLS server with a self-signed certificate. After the repair, it has a valid one. */
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

/** A server that fails each connection in the given way. */
async function badly(port: number, treat: (socket: Socket) => void, scheme = 'http'): Promise<Broken> {
  let mended = false
  const server = createServer((socket) => {
    if (mended) pipeTo(port, socket)
    else treat(socket.on('error', () => socket.destroy()))
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

/** A host name that DNS does not resolve until it is repaired. */
function nameless(port: number): Broken {
  let address: string | undefined
  const noSuchName = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
  const lookup: LookupFunction = (_name, _options, done) => {
    done(address === undefined ? noSuchName : null, [{ address: address ?? '', family: 4 }])
  }
  const dispatcher = new Agent({ connect: { lookup } })
  atEnd(() => dispatcher.destroy())
  return { options: { baseUrl: `http://${HOST}:${port}`, dispatcher }, mend: () => (address = '127.0.0.1') }
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
