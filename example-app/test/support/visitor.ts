import request, { type Response } from 'supertest'
import type { TestShop } from './shop'

/** A shopper's browser, as far as HTTP goes: keeps cookies, and sends the forms of the pages it has seen. */
export class Visitor {
  readonly agent
  last: Response | undefined
  private token = ''

  constructor(
    shop: Pick<TestShop, 'url'>,
    private readonly headers: Record<string, string> = {},
  ) {
    this.agent = request.agent(shop.url)
  }

  async get(path: string): Promise<Response> {
    return this.see(await this.agent.get(path).set(this.headers))
  }

  async post(path: string, fields: Record<string, string> = {}): Promise<Response> {
    return this.see(
      await this.agent
        .post(path)
        .set(this.headers)
        .type('form')
        .send({ _csrf: this.token, ...fields }),
    )
  }

  /** Asks for a code, types the right one. */
  async signIn(username: string, code: () => string | undefined): Promise<Response> {
    await this.get('/login')
    await this.post('/login/code', { username })
    await this.get('/login/verify')
    return this.post('/login', { otp: code() ?? '' })
  }

  /** The session cookie, `name=value`, as the last answer set it. */
  cookie(): string {
    return setCookie(this.last)?.split(';')[0] ?? ''
  }

  private see(response: Response): Response {
    this.last = response
    this.token = /name="_csrf" value="(\w+)"/.exec(response.text)?.[1] ?? this.token
    return response
  }
}

export function setCookie(response: Response | undefined): string | undefined {
  const cookies: unknown = response?.headers['set-cookie']
  return Array.isArray(cookies) ? (cookies[0] as string) : undefined
}
