import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { CliError, Interrupted } from '../errors'
import type { Io } from '../io'
import { at, parse, text } from '../json'
import { CODE_EVENT } from '../store'
import type { Terminal } from '../terminal'

const PATIENCE = 120_000
const LARGEST_BODY = 100 * 1024

/** Where the codes of a probe come from. */
export interface CodeSource {
  /** The next code for a username; undefined if none arrives. @throws Interrupted */
  next(username: string): Promise<string | undefined>
  close(): Promise<void>
}

/** The user reads the codes in an inbox and types them. */
export class Inbox implements CodeSource {
  constructor(private readonly terminal: Terminal) {}

  async next(username: string): Promise<string | undefined> {
    const code = await this.terminal.ask(`Code that arrived for ${username} (Enter if none does)`)
    return code === '' ? undefined : code.replaceAll(/[\s-]/g, '').toLowerCase()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** A webhook on this machine, to which the store's integration leads through a tunnel. */
export class Listener implements CodeSource {
  private readonly arrived: { username: string; code: string }[] = []
  private readonly seen = new Set<string>()
  private wake: () => void = () => undefined

  private constructor(
    private readonly io: Io,
    private readonly server: Server,
    private readonly secret: string,
  ) {
    server.on('request', (request, response) => {
      void this.receive(request).then((status) => {
        response.writeHead(status, { connection: 'close' }).end()
      })
    })
  }

  /** @throws CliError if the port is in use. */
  static async open(io: Io, port: number, secret: string): Promise<Listener> {
    const server = createServer()
    const listener = new Listener(io, server, secret)
    server.listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch {
      throw new CliError(
        `Port ${port} is in use.`,
        'Pass another port with --listen, and connect the tunnel to it.',
      )
    }
    return listener
  }

  get port(): number {
    const address = this.server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  async next(username: string): Promise<string | undefined> {
    const given = new AbortController()
    const late = this.io.clock.sleep(PATIENCE, AbortSignal.any([given.signal, this.io.signal])).then(
      () => true,
      () => true,
    )
    try {
      for (;;) {
        const index = this.arrived.findIndex(
          (event) => event.username.toLowerCase() === username.toLowerCase(),
        )
        if (index >= 0) return this.arrived.splice(index, 1)[0]?.code
        const event = new Promise<false>((resolve) => {
          this.wake = () => resolve(false)
        })
        if (await Promise.race([event, late])) {
          if (this.io.signal.aborted) throw new Interrupted()
          return undefined
        }
      }
    } finally {
      given.abort()
    }
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close')
    this.server.close()
    this.server.closeAllConnections()
    await closed
  }

  private async receive(request: IncomingMessage): Promise<number> {
    const secret = request.headers['x-moltin-secret-key']
    if (typeof secret !== 'string' || !timingSafeEqual(digest(secret), digest(this.secret))) return 401
    const body = await readText(request)
    if (body === undefined) return 413
    const event = parse(body)
    if (at(event, 'triggered_by') !== CODE_EVENT) return 204
    const id = text(at(event, 'id')) ?? body
    const code = text(at(event, 'payload', 'one_time_password_token'))
    const username = text(at(event, 'payload', 'user_authentication_password_profile_info', 'username'))
    if (code === undefined || username === undefined) return 400
    // Delivery is at least once.
    if (!this.seen.has(id)) this.arrived.push({ username, code })
    this.seen.add(id)
    this.wake()
    return 204
  }
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request) {
      const bytes = Buffer.from(chunk as Uint8Array)
      size += bytes.length
      if (size > LARGEST_BODY) return undefined
      chunks.push(bytes)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(chunks).toString('utf8')
}
