import request, { type Response } from 'supertest'
import type { TestShop } from './shop'

/** A shopper's browser, as far as HTTP goes: keeps cookies, and sends the forms of the pages that it has seen. */
export class Visitor {
  readonly agent
  /** The session cookie, `name=value`; empty if there is none. */
  cookie = ''
  /** The token of the last form. */
  formToken = ''

  private formCookie = ''

  constructor(
    private readonly shop: TestShop,
    private readonly headers: Record<string, string> = {},
  ) {
    this.agent = request.agent(shop.url)
  }

  /** All cookies, as a browser sends them. */
  get cookies(): string {
    return [this.cookie, this.formCookie].filter(Boolean).join('; ')
  }

  async get(path: string): Promise<Response> {
    return this.see(await this.agent.get(path).set(this.headers))
  }

  async post(path: string, fields: Record<string, string> = {}): Promise<Response> {
    const form = { _csrf: this.formToken, ...fields }
    return this.see(await this.agent.post(path).set(this.headers).type('form').send(form))
  }

  /** Sends a form, and follows the redirect. */
  async submit(path: string, fields: Record<string, string> = {}): Promise<Response> {
    const { status, headers } = await this.post(path, fields)
    expect(status).toBe(303)
    return this.get(String(headers['location']))
  }

  /** Signs in with a code that was not requested in this browser. */
  async signIn(username: string): Promise<Response> {
    await this.get('/login/link')
    return this.post('/login', { username, otp: this.shop.store.issueCode(username) })
  }

  /** Requests a code, and follows to the page that asks for it. */
  async requestCode(username: string, fields: Record<string, string> = {}): Promise<Response> {
    await this.get('/login')
    return this.submit('/login/code', { username, ...fields })
  }

  private see(response: Response): Response {
    this.cookie = sessionCookie(response)?.split(';')[0] ?? this.cookie
    this.formCookie =
      setCookies(response)
        .find((cookie) => cookie.startsWith('form-'))
        ?.split(';')[0] ?? this.formCookie
    this.formToken = formToken(response) ?? this.formToken
    return response
  }
}

/** The session cookie that a response sets. */
export function sessionCookie(response: Response): string | undefined {
  return setCookies(response).find((cookie) => /^(__Host-)?shop=\S/.test(cookie))
}

export function setCookies(response: Response): string[] {
  const cookies: unknown = response.headers['set-cookie']
  return Array.isArray(cookies) ? cookies.map(String) : []
}

export function formToken({ text }: Response): string | undefined {
  return /name="_csrf" value="(\w+)"/.exec(text)?.[1]
}

/** Where a response redirects to. */
export const redirectOf = ({ status, headers }: Response): [number, unknown] => [status, headers['location']]
