import type { IncomingHttpHeaders } from 'node:http'

/** An HTTP method of an endpoint. */
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** An endpoint by method and path, such as `POST /v2/carts/:id/items`. The names of its parameters do not matter. */
export type RouteName = `${HttpMethod} /${string}`

/**
 * The kind of a request. `exchange` and `renewal` are `POST /v2/account-members/tokens` with a code and with a held
 * account token. `other` is any request that no endpoint serves. All other endpoints are named by method and path.
 */
export type Call =
  | 'access_token'
  | 'exchange'
  | 'renewal'
  | 'otp_request'
  | 'account_settings'
  | 'password_profiles'
  | 'accounts'
  | 'other'
  | RouteName

/** How an access token was obtained. */
export type Grant = 'implicit' | 'client_credentials'

/** A request's body, parsed as its content type says. */
export interface Body {
  kind: 'json' | 'form' | 'malformed' | 'other' | 'too_large'
  value: unknown
  size: number
}

/** A request as the routes receive it. */
export interface ApiRequest {
  /** The scheme, host and port of the links in answers. */
  origin: string
  method: string
  path: string
  /** The decoded parameters of the path. */
  params: Readonly<Record<string, string>>
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: Body
  /** The grant of the access token. Undefined without a valid one, which only open routes serve. */
  grant: Grant | undefined
}

/** The answer to a request. A string is sent as it is, anything else as JSON. */
export interface Answer {
  status: number
  body?: unknown
  headers?: Record<string, string>
  /** Milliseconds before it is sent. */
  delay?: number
}

/** A request that the simulator received. */
export interface RecordedRequest {
  /** The kind of request. */
  readonly call: Call
  /** The HTTP method, in capitals. */
  readonly method: string
  /** The path, without the query. */
  readonly path: string
  /** The query's parameters, such as `page[limit]`. */
  readonly query: Readonly<Record<string, string>>
  /** The headers as Node parses them, with names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** Parsed JSON or form; the text of other bodies; undefined without a body and for one above 16 KiB. */
  readonly body: unknown
  /** The status of the answer. Undefined until it is sent, and if a fault sent none. */
  status: number | undefined
}
