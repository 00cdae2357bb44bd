import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { Interrupted, portError } from '../errors'
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
  /** By username in lower case. */
  private readonly arrived = new Map<string, string[]>()
  private readonly seen = new Set<string>()
  private wake: () => void = () => undefined

  private constructor(
    private readonly io: Io,
    private readonly server: Server,
    private readonly secret: string,
  ) {
    server.on('request', (request, response) => {
      void this.receive(request)
        // The body is cut off.
        .catch(() => 400)
        .then((status) => response.writeHead(status).end())
    })
  }

  /** @throws CliError if the port is in use or needs more rights. */
  static async open(io: Io, port: number, secret: string): Promise<Listener> {
    const server = createServer()
    const listener = new Listener(io, server, secret)
    server.listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch (error) {
      throw portError(error, port, '--listen')
    }
    return listener
  }

  get url(): string {
    return `http://127.0.0.1:${String(at(this.server.address(), 'port'))}`
  }

  async next(username: string): Promise<string | undefined> {
    const given = new AbortController()
    const late = this.io.clock.sleep(PATIENCE, AbortSignal.any([given.signal, this.io.signal])).then(
      () => true,
      () => true,
    )
    try {
      for (;;) {
        const code = this.arrived.get(username.toLowerCase())?.shift()
        if (code !== undefined) return code
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
    if (event === undefined) return 400
    if (at(event, 'triggered_by') !== CODE_EVENT) return 204
    const id = text(at(event, 'id')) ?? body
    const code = text(at(event, 'payload', 'one_time_password_token'))
    const username = text(at(event, 'payload', 'user_authentication_password_profile_info', 'username'))
    if (code === undefined || username === undefined) return 400
    // Delivery is at least once.
    if (this.seen.has(id)) return 204
    this.seen.add(id)
    const earlier = this.arrived.get(username.toLowerCase()) ?? []
    this.arrived.set(username.toLowerCase(), [...earlier, code])
    this.wake()
    return 204
  }
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/**
 * Reads a body to its end even if it is too large: to leave earlier would reset the connection before the answer.
 *
 * @returns undefined if it is too large.
 */
async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk as Uint8Array)
    size += bytes.length
    if (size <= LARGEST_BODY) chunks.push(bytes)
  }
  return size > LARGEST_BODY ? undefined : Buffer.concat(chunks).toString('utf8')
}
