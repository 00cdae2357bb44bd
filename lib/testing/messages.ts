import type { IncomingHttpHeaders } from 'node:http'

/** An HTTP method of an endpoint. */
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** An endpoint's method and path, such as `POST /v2/carts/:id/items`. Its parameters can have any names. */
export type RouteName = `${HttpMethod} /${string}`

/**
 * The kind of a request. `exchange` is `POST /v2/account-members/tokens` with a code. `renewal` is the same endpoint
 * with an account token. `other` is a request to an unknown endpoint. All other endpoints are named by method and path.
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

/** The OAuth grant of an access token. */
export type Grant = 'implicit' | 'client_credentials'

/** A request body, parsed according to its content type. */
export interface Body {
  kind: 'json' | 'form' | 'malformed' | 'other' | 'too_large'
  value: unknown
  size: number
}

/** A request, as handlers receive it. */
export interface ApiRequest {
  /** The scheme, host and port for links in responses. */
  origin: string
  method: string
  path: string
  /** The decoded path parameters. */
  params: Readonly<Record<string, string>>
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: Body
  /** The grant of the access token. Undefined if there is no valid one, which is possible for open routes only. */
  grant: Grant | undefined
}

/** The response to a request. A string is sent unchanged, any other value as JSON. */
export interface Answer {
  status: number
  body?: unknown
  headers?: Record<string, string>
  /** Milliseconds to wait before it is sent. */
  delay?: number
}

/** A request that the simulator received. */
export interface RecordedRequest {
  /** The kind of the request. */
  readonly call: Call
  /** The HTTP method, in upper case. */
  readonly method: string
  /** The path, without the query. */
  readonly path: string
  /** The query parameters, such as `page[limit]`. */
  readonly query: Readonly<Record<string, string>>
  /** The headers as Node parses them, with names in lower case. */
  readonly headers: IncomingHttpHeaders
  /**
   * The parsed JSON or form. A string for other content types. Undefined if there is no body or it is larger than
   * 16 KiB.
   */
  readonly body: unknown
  /** The status of the response. Undefined until it is sent, and if a fault prevented a response. */
  status: number | undefined
}
