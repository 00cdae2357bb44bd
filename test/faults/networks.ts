import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { Agent } from 'undici'
import type { PasswordlessOtpStrategy, PasswordlessOtpStrategyOptions } from '../../lib'
import { authority } from './certificates'
import { problemsOfSecrets, problemsWith, withShops, type Sockets } from './matrix'
import { ALL_DOORS, healthyAnswer, OLD_TOKEN, type Door } from './rules'
import type { Attempt, Shop } from './shop'

/** A way to Elastic Path that does not lead there. */
interface Broken {
  options: Partial<PasswordlessOtpStrategyOptions>
  /** Before anything is broken, where it does not begin so. */
  begin?: (strategy: PasswordlessOtpStrategy, shop: Shop) => Promise<void>
  /** Breaks it while requests are under way. */
  breakNow?: () => Promise<void>
  /** Mends it, where that is not a matter of the shop's own setup. */
  mend?: () => unknown
  close: () => unknown
}

interface Network {
  name: string
  answer: '502 unreachable' | '502 bad_answer' | '504 timeout'
  /** What a developer has to find in the log. */
  says: RegExp
  open: (port: number) => Broken | Promise<Broken>
}

export interface NetworkObservation {
  name: string
  answers: Map<Door, string>
  log: string[]
  problems: string[]
}

const HOST = 'localhost'
const TIMEOUT = 1500
const LATER: Door = 'sign-in to an account of a later page'

/** Connections that are piped through to a port, until they are dropped. */
function pipeTo(port: number, socket: Socket): void {
  const onward = connect(port, '127.0.0.1')
  socket.on('error', () => onward.destroy())
  onward.on('error', () => socket.destroy())
  socket.on('close', () => onward.destroy())
  socket.pipe(onward).pipe(socket)
}

async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A TCP server that treats its connections badly at first. */
function badly(treat: (socket: Socket) => void, scheme: 'http' | 'https' = 'http') {
  return async (port: number): Promise<Broken> => {
    let mended = false
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      if (mended) {
        pipeTo(port, socket)
        return
      }
      socket.on('error', () => socket.destroy())
      treat(socket)
    })
    const own = await listen(server)
    const drop = (): void => {
      for (const socket of sockets) socket.destroy()
    }
    return {
      options: { baseUrl: `${scheme}://127.0.0.1:${own}` },
      ...(scheme === 'http' && {
        mend: () => {
          mended = true
          drop()
        },
      }),
      close: () => {
        drop()
        server.close()
      },
    }
  }
}

const known = authority('An authority')
const unknown = authority('Nobody')
const good = known.certify({ host: HOST })

/** A TLS server before the store, with the certificate that is looked at, and a good one when it is mended. */
function withCertificate(certificate: { cert: string; key: string }, trusting: boolean) {
  return async (port: number): Promise<Broken> => {
    const server = createTlsServer(certificate, (socket) => pipeTo(port, socket))
    server.on('tlsClientError', () => undefined)
    const baseUrl = `https://${HOST}:${await listen(server)}`
    const dispatcher = trusting ? new Agent({ connect: { ca: known.own.cert } }) : undefined
    return {
      options: { baseUrl, dispatcher },
      ...(trusting && { mend: () => server.setSecureContext(good) }),
      close: async () => {
        await dispatcher?.destroy()
        server.close()
      },
    }
  }
}

async function refusing(port: number): Promise<Broken> {
  const server = createServer((socket) => pipeTo(port, socket))
  const own = await listen(server)
  const closed = once(server, 'close')
  server.close()
  await closed
  return {
    options: { baseUrl: `http://127.0.0.1:${own}` },
    mend: () => listen(server, own),
    close: () => void server.close(),
  }
}

/** A process that dies with requests in its hands, and another one that comes in its place. */
async function dying(target: number): Promise<Broken> {
  const start = async (port: number): Promise<{ child: ChildProcess; port: number }> => {
    const child = fork(join(__dirname, 'forwarder.cjs'), [String(port), String(target)], { execArgv: [] })
    const [own] = (await once(child, 'message')) as [number]
    return { child, port: own }
  }
  let { child, port } = await start(0)
  const kill = async (): Promise<void> => {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  let held: Promise<unknown>
  return {
    options: { baseUrl: `http://127.0.0.1:${port}` },
    begin: async (strategy, shop) => {
      await strategy.ready()
      await shop.visit(strategy, 'listAccounts', 4)
      const holding = once(child, 'message')
      child.send('hold')
      await holding
      held = once(child, 'message')
    },
    breakNow: async () => {
      await held
      await kill()
    },
    mend: async () => {
      ;({ child, port } = await start(port))
    },
    close: kill,
  }
}

export const NETWORKS: readonly Network[] = [
  {
    name: 'a certificate that it signed itself',
    answer: '502 unreachable',
    says: /DEPTH_ZERO_SELF_SIGNED_CERT.*certificate is not trusted/,
    open: withCertificate(unknown.own, false),
  },
  {
    name: 'a certificate of an authority that nobody knows',
    answer: '502 unreachable',
    says: /UNABLE_TO_VERIFY_LEAF_SIGNATURE.*certificate is not trusted/,
    open: withCertificate(unknown.certify({ host: HOST }), false),
  },
  {
    name: 'a certificate that has expired',
    answer: '502 unreachable',
    says: /CERT_HAS_EXPIRED.*certificate is not trusted/,
    open: withCertificate(known.certify({ host: HOST, until: new Date(Date.now() - 3_600_000) }), true),
  },
  {
    name: "a certificate of another host's",
    answer: '502 unreachable',
    says: /ERR_TLS_CERT_ALTNAME_INVALID.*certificate is not trusted/,
    open: withCertificate(known.certify({ host: 'elsewhere.example' }), true),
  },
  {
    name: 'a server that speaks no TLS',
    answer: '502 unreachable',
    says: /(EPROTO|ERR_SSL_\w+).*Check baseUrl/,
    open: (port) => ({ options: { baseUrl: `https://127.0.0.1:${port}` }, close: () => undefined }),
  },
  {
    name: 'a TLS handshake that does not end',
    answer: '504 timeout',
    says: /did not answer within 1500 ms/,
    open: badly(() => undefined, 'https'),
  },
  {
    name: 'a name that DNS does not know',
    answer: '502 unreachable',
    says: /(ENOTFOUND|EAI_AGAIN).*Check baseUrl/,
    open: () => ({ options: { baseUrl: 'https://commerce.invalid' }, close: () => undefined }),
  },
  {
    name: 'a connection that is refused',
    answer: '502 unreachable',
    says: /ECONNREFUSED.*Check baseUrl/,
    open: refusing,
  },
  {
    name: 'a server that accepts and never speaks',
    answer: '504 timeout',
    says: /did not answer within 1500 ms/,
    open: badly(() => undefined),
  },
  {
    name: 'a server that hangs up at once',
    answer: '502 unreachable',
    says: /(UND_ERR_SOCKET|ECONNRESET|EPIPE).*Check baseUrl/,
    open: badly((socket) => socket.destroy()),
  },
  {
    name: 'a server that does not speak HTTP',
    answer: '502 bad_answer',
    says: /is not HTTP/,
    open: badly((socket) => socket.once('data', () => socket.write('220 mail.example.com ready\r\n'))),
  },
  {
    name: 'a server that dies with requests in its hands',
    answer: '502 unreachable',
    says: /(UND_ERR_SOCKET|ECONNRESET|EPIPE|ECONNREFUSED).*Check baseUrl/,
    open: dying,
  },
]

/** Every broken network, by every door at once, and again when it is mended. */
export async function runNetworks(): Promise<NetworkObservation[]> {
  const queue = [...NETWORKS]
  const observations = new Map<Network, NetworkObservation>()
  await withShops(3, async (shop, sockets) => {
    for (let network = queue.shift(); network; network = queue.shift()) {
      observations.set(network, await runNetwork(shop, sockets, network))
    }
  })
  return NETWORKS.flatMap((network) => observations.get(network) ?? [])
}

async function runNetwork(shop: Shop, sockets: Sockets, network: Network): Promise<NetworkObservation> {
  const broken = await network.open(Number(new URL(shop.simulator.url).port))
  const strategy = shop.begin({ timeout: TIMEOUT, ...broken.options })
  try {
    await broken.begin?.(strategy, shop)
    shop.simulator.clearRequests()
    const doors = ALL_DOORS.filter((door) => door !== LATER)
    const [attempts] = await Promise.all([
      Promise.all(doors.flatMap((door) => [1, 2].map((n) => shop.visit(strategy, door, n)))),
      broken.breakNow?.(),
    ])
    const observation = observe(shop, network, attempts, broken.begin !== undefined)
    const { problems } = observation
    if (broken.mend) {
      await broken.mend()
      for (const again of await Promise.all(doors.map((door) => shop.visit(strategy, door, 0)))) {
        if (again.outcome !== healthyAnswer(again.door))
          problems.push(`${again.door} when it is mended: ${again.outcome}`)
        problems.push(...again.problems)
      }
    }
    await strategy.close()
    for (const { door, ends } of attempts) if (ends !== 1) problems.push(`${door} ended ${ends} times`)
    if (!broken.options.dispatcher) {
      const port = Number(new URL(String(broken.options.baseUrl)).port || 443)
      const open = await sockets.openTo(port)
      if (open > 0) problems.push(`${open} connections are left open`)
    }
    return observation
  } finally {
    await strategy.close()
    await broken.close()
  }
}

function observe(
  shop: Shop,
  { name, answer, says }: Network,
  attempts: Attempt[],
  begun: boolean,
): NetworkObservation {
  const problems: string[] = []
  const answers = new Map<Door, string>()
  for (const attempt of attempts) {
    const { door, outcome } = attempt
    // All that it asks was found out before.
    const expected =
      begun && door === 'ready' ? healthyAnswer(door) : door === 'keepFresh' ? OLD_TOKEN : answer
    if (outcome !== expected) problems.push(`${door}: ${outcome}, not ${expected}`)
    answers.set(door, outcome)
    problems.push(...attempt.problems, ...problemsWith(attempt, TIMEOUT))
  }
  const log = attempts.flatMap(({ error }) => (error instanceof Error ? [error.message] : []))
  const other = log.find((message) => !says.test(message))
  if (other !== undefined) problems.push(`says: ${other}`)
  problemsOfSecrets(shop, attempts, problems)
  if (shop.simulator.count('exchange') > 0) problems.push('a code arrived')
  return { name, answers, log, problems }
}
