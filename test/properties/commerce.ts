/* eslint-disable @typescript-eslint/no-deprecated -- undici's own request() still answers by its older callbacks */
import { Dispatcher } from 'undici'

/** A request as Commerce gets it. */
export interface Asked {
  method: string
  path: string
  headers: Record<string, string>
  body: string
}

export interface Answer {
  status: number
  headers?: Record<string, string>
  body: string | Buffer
}

/** Commerce without a socket: an undici dispatcher that answers as a function says. */
export class FakeCommerce extends Dispatcher {
  constructor(private readonly answer: (asked: Asked) => Answer | Promise<Answer>) {
    super()
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const asked: Asked = {
      method: options.method,
      path: options.path,
      headers: options.headers as Record<string, string>,
      body: typeof options.body === 'string' ? options.body : '',
    }
    void this.respond(asked, handler)
    return true
  }

  /** In both of undici's ways of telling a handler. */
  private async respond(asked: Asked, handler: Dispatcher.DispatchHandler): Promise<void> {
    let aborted: Error | undefined
    const abort = (reason?: Error): void => {
      if (aborted) return
      aborted = reason ?? new Error('aborted')
      if (handler.onResponseError) handler.onResponseError(controller, aborted)
      else handler.onError?.(aborted)
    }
    const controller = {
      abort,
      pause: () => undefined,
      resume: () => undefined,
      get aborted() {
        return aborted !== undefined
      },
      get reason() {
        return aborted ?? null
      },
      paused: false,
    } as unknown as Dispatcher.DispatchController
    if (handler.onRequestStart) handler.onRequestStart(controller, undefined)
    else handler.onConnect?.(abort)
    const { status, headers = {}, body } = await this.answer(asked)
    if (aborted) return
    const bytes = Buffer.from(body)
    if (handler.onRequestStart) {
      handler.onResponseStart?.(controller, status, headers, '')
      handler.onResponseData?.(controller, bytes)
      handler.onResponseEnd?.(controller, {})
    } else {
      const raw = Object.entries(headers).flatMap((entry) => entry.map((text) => Buffer.from(text)))
      handler.onHeaders?.(status, raw, () => undefined, '')
      handler.onData?.(bytes)
      handler.onComplete?.([])
    }
  }
}

export const ADA = 'ada@example.com'
export const REALM = 'a-realm'
export const PROFILE = '11111111-2222-4333-8444-555555555555'
export const MEMBER = 'member-of-ada'
export const BEARER = 'the-stores-bearer'
export const TOKENS = '/v2/account-members/tokens'
export const TYPE = 'account_management_authentication_token'

export interface TokenEntry {
  account_id: string
  account_name: string
  token: string
  type: string
  expires: string
}

/** A token as Commerce's: a JWT of which nobody here knows the key. */
export function tokenOf(accountId: string, member = MEMBER): string {
  const payload = Buffer.from(JSON.stringify({ sub: member, scope: accountId })).toString('base64url')
  return `eyJhbGciOiJIUzI1NiJ9.${payload}.sIgnAture`
}

export function entry(id: string, name = `Account ${id}`): TokenEntry {
  const expires = new Date(Date.now() + 86_400_000).toISOString()
  return { account_id: id, account_name: name, token: tokenOf(id), type: TYPE, expires }
}

export function tokenList(data: TokenEntry[], total = data.length) {
  return {
    meta: { account_member_id: MEMBER, page: { limit: 25, offset: 0 }, results: { total } },
    data,
    links: { next: 'null' },
  }
}

export const ACCESS_TOKEN = {
  access_token: BEARER,
  token_type: 'Bearer',
  identifier: 'implicit',
  expires_in: 3600,
  expires: 4_000_000_000,
}

export const SETTINGS = {
  data: {
    id: 'settings',
    type: 'account_authentication_settings',
    relationships: { authentication_realm: { data: { id: REALM, type: 'authentication_realm' } } },
  },
}

export const PROFILES = {
  data: [
    { id: PROFILE, name: 'Codes', type: 'password_profile', enable_one_time_password_token: true },
    { id: 'other', name: 'Passwords', type: 'password_profile', enable_one_time_password_token: false },
  ],
  meta: { results: { total: 2 } },
}

export const WRONG_CODE = {
  errors: [{ status: '400', title: 'Bad Request', detail: 'authentication failed' }],
}

export function json(status: number, body: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}
