import { validateHeaderName, validateHeaderValue, type IncomingHttpHeaders } from 'node:http'
import { checkNames } from './checks'
import { holderOf } from './held-token'
import type { Account, Member } from './members'
import type { Answer, ApiRequest, Grant } from './messages'
import type { Store } from './store'

/** A request to an endpoint of your own. */
export interface RouteRequest {
  /** The decoded parameters of the path: `{ id: '7' }` for `/v2/x/7` and the path `/v2/x/:id`. */
  readonly params: Readonly<Record<string, string>>
  /** The query's parameters, such as `page[limit]`. */
  readonly query: Readonly<Record<string, string>>
  /** The headers as Node parses them, with names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** Parsed JSON or form; the text of other bodies; undefined without a body. */
  readonly body: unknown
  /** The account of the account token. Undefined without a token. */
  readonly account: Account | undefined
  /** The member of the account token. Undefined without a token. */
  readonly member: Member | undefined
  /** How the access token was obtained. Undefined without one, which only open routes serve. */
  readonly grant: Grant | undefined
}

/** The answer of an endpoint of your own. */
export interface RouteAnswer {
  /** The status, 200 to 599. */
  status: number
  /** A string is sent as it is, anything else as JSON. None by default. */
  body?: unknown
  /** Headers of the answer. */
  headers?: Record<string, string>
}

/** Answers the requests to an endpoint of your own. If it throws or rejects, the answer is a 500. */
export type RouteHandler = (request: RouteRequest) => RouteAnswer | Promise<RouteAnswer>

/** Options of an endpoint of your own. */
export interface RouteOptions {
  /**
   * Whether requests need no access token, as for a page that a browser opens.
   *
   * @default false
   */
  open?: boolean
}

/** A handle of an endpoint of your own. */
export interface RouteHandle {
  /** Removes the endpoint. */
  remove(): void
}

/** Wraps a handler of the user: its request is simpler than ours, and its answer is checked. */
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

/** @throws TypeError if the answer cannot be sent */
function checked(answer: RouteAnswer): Answer {
  checkNames('an answer', answer, { status: true, body: true, headers: true })
  const { status, body, headers = {} } = answer
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`The status of an answer must be 200 to 599, not ${String(status)}`)
  }
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  }
  if (body === undefined || typeof body === 'string') return { status, body, headers }
  return { status, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }
}
