import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A shop's webhook that answers as a test wants. */
export class FakeShop {
  readonly requests: { secret: string | undefined; type: string | undefined; body: string }[] = []
  /** The status of each answer. The default is what `otpWebhook` does. */
  status: (secret: string | undefined) => number
  private readonly server: Server

  private constructor(secretKey: string) {
    this.status = (secret) => (secret === secretKey ? 204 : 401)
    this.server = createServer((request, response) => {
      void textOf(request).then((body) => {
        const secret = request.headers['x-moltin-secret-key']?.toString()
        this.requests.push({ secret, type: request.headers['content-type'], body })
        response.writeHead(this.status(secret), { connection: 'close' }).end()
      })
    })
  }

  static async open(secretKey: string): Promise<FakeShop> {
    const shop = new FakeShop(secretKey)
    shop.server.listen(0, '127.0.0.1')
    await once(shop.server, 'listening')
    return shop
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/webhooks/otp`
  }

  async close(): Promise<void> {
    if (!this.server.listening) return
    const closed = once(this.server, 'close')
    this.server.close()
    this.server.closeAllConnections()
    await closed
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks).toString()
}
