import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { checkWholeNumber } from './checks'

const REQUEST_TIMEOUT = 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'

/** An HTTP server and its connections. It can be stopped and started again on its port. */
export class Listener {
  /** The open connections, with the number of requests that each has in flight. */
  private readonly sockets = new Map<Socket, number>()
  private port = 0

  /** @param onConnections called with the number of open connections when it changes */
  constructor(
    private readonly server: Server,
    private readonly host: string,
    serve: (request: IncomingMessage, response: ServerResponse) => void,
    onConnections: (open: number) => void,
  ) {
    // Load balancers keep idle connections about this long. Node's default is five seconds.
    this.server.keepAliveTimeout = 65_000
    this.server.on('connection', (socket) => {
      this.sockets.set(socket, 0)
      onConnections(this.sockets.size)
      socket.once('close', () => {
        this.sockets.delete(socket)
        onConnections(this.sockets.size)
      })
    })
    this.server.on('request', (request, response) => {
      const { socket } = request
      this.count(socket, 1)
      response.once('close', () => this.count(socket, -1))
      serve(request, response)
    })
  }

  get connections(): number {
    return this.sockets.size
  }

  /** The server's base URL. */
  get url(): string {
    return `http://${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`
  }

  /**
   * @param port 0 takes any free port
   * @throws TypeError or RangeError if the host or the port is invalid
   */
  async listen(port: number): Promise<void> {
    checkWholeNumber('port', port, 0, 65_535)
    // Node would listen on all addresses.
    if (this.host === '') throw new TypeError('host must not be empty')
    this.server.listen(port, this.host)
    await once(this.server, 'listening')
    const address = this.server.address()
    if (address === null || typeof address === 'string') throw new Error('The simulator has no port')
    this.port = address.port
  }

  /** Stops listening and closes all connections. */
  async close(): Promise<void> {
    // The server can close before its sockets do. A response that waits for a timer is canceled when its socket closes.
    const closed = [this.server, ...this.sockets.keys()].map(
      (emitter) => new Promise((resolve) => emitter.once('close', resolve)),
    )
    this.server.close()
    this.dropConnections()
    await Promise.all(closed)
  }

  /** Stops, and listens on the same port again, unless the signal says that it was stopped for good. */
  async restart(whileDown: () => unknown, stopped: AbortSignal): Promise<void> {
    stopped.throwIfAborted()
    await this.close()
    await whileDown()
    stopped.throwIfAborted()
    await this.listen(this.port)
  }

  dropConnections(): void {
    this.server.closeAllConnections()
  }

  /** Sends a 408 on all idle connections and closes them, as load balancers do. */
  expireConnections(): void {
    for (const [socket, requests] of this.sockets) if (requests === 0) socket.end(REQUEST_TIMEOUT)
  }

  private count(socket: Socket, change: number): void {
    const requests = this.sockets.get(socket)
    if (requests !== undefined) this.sockets.set(socket, requests + change)
  }
}
