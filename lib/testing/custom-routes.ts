import type { IncomingHttpHeaders } from 'node:http'
import { checkHeaders, checkNames } from './checks'
import { holderOf } from './held-token'
import type { Account, Member } from './members'
import type { Answer, ApiRequest, Grant } from './messages'
import type { Store } from './store'

/** A request to a custom endpoint. */
export interface RouteRequest {
  /** The decoded path parameters: `{ id: '7' }` if the path is `/v2/x/:id` and the request is for `/v2/x/7`. */
  readonly params: Readonly<Record<string, string>>
  /** The query parameters, such as `page[limit]`. */
  readonly query: Readonly<Record<string, string>>
  /** The headers as Node parses them, with names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** The parsed JSON or form. A string for other content types. Undefined if there is no body. */
  readonly body: unknown
  /** The account that the account token is for. Undefined if there is no account token. */
  readonly account: Account | undefined
  /** The member that the account token belongs to. Undefined if there is no account token. */
  readonly member: Member | undefined
  /** The grant of the access token. Undefined if there is no valid one, which is possible for open endpoints only. */
  readonly grant: Grant | undefined
}

/** The response of a custom endpoint. */
export interface RouteAnswer {
  /** The status code, 200 to 599. */
  status: number
  /** The body. A string is sent unchanged, any other value as JSON. No body by default. */
  body?: unknown
  /** Additional response headers. */
  headers?: Record<string, string>
}

/** Handles the requests to a custom endpoint. If it throws or rejects, the simulator returns 500. */
export type RouteHandler = (request: RouteRequest) => RouteAnswer | Promise<RouteAnswer>

/** Options of a custom endpoint. */
export interface RouteOptions {
  /**
   * Whether the endpoint is open to requests without an access token, such as those of a browser.
   *
   * @default false
   */
  open?: boolean
}

/** A handle that removes a custom endpoint. */
export interface RouteHandle {
  /** Removes the endpoint. */
  remove(): void
}

/** Wraps a user's handler: converts the request to its public form and validates the response. */
export function customHandler(handler: RouteHandler) {
  return async (store: Store, request: ApiRequest): Promise<Answer> => {
    const held = holderOf(store, request)
    if (held.refusal) return held.refusal
    const { params, query, headers, body, grant } = request
    const { account, member } = held.holder ?? {}
    const parts = { params, query: Object.fromEntries(query), headers, body: body.value, grant }
    return checked(await handler({ ...parts, account, member }))
  }
}

const ANSWER_NAMES: Record<keyof RouteAnswer, true> = { status: true, body: true, headers: true }

/** @throws TypeError if the response cannot be sent */
function checked(answer: RouteAnswer): Answer {
  checkNames('an answer', answer, ANSWER_NAMES)
  const { status, body, headers = {} } = answer
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`The status of a response must be 200 to 599, not ${String(status)}`)
  }
  checkHeaders(headers)
  return { status, body: typeof body === 'string' ? body : JSON.stringify(body), headers }
}
