import { posix } from 'node:path'
import type { IncomingHttpHeaders } from 'node:http'
import { accessToken } from './access-token-routes'
import { account, accounts } from './account-routes'
import { accountTokens, isRenewal } from './account-token-routes'
import * as cartItems from './cart-item-routes'
import * as carts from './cart-routes'
import * as catalog from './catalog-routes'
import { checkNames } from './checks'
import { customHandler, type RouteHandler, type RouteOptions } from './custom-routes'
import * as integrations from './integration-routes'
import type { Answer, ApiRequest, Body, Call, Grant, HttpMethod, RouteName } from './messages'
import * as orders from './order-routes'
import * as realm from './realm-routes'
import * as settings from './settings-routes'
import type { Store } from './store'

type Handler = (store: Store, request: ApiRequest) => Answer
type Request = Omit<ApiRequest, 'params' | 'grant'>

/** `open`: no access token is required. `admin`: the grant must be `client_credentials`. `any`: either grant works. */
type Access = 'open' | 'admin' | 'any'

interface Route {
  name: RouteName
  call: Call
  method: string
  path: RegExp
  parameters: readonly string[]
  handler: (store: Store, request: ApiRequest) => Answer | Promise<Answer>
  /** Returns the handler's response and undoes its effects. */
  rehearsal: Handler
  access: Access
}

/** The endpoint for a request. */
export interface Destination {
  /** The kind of request, for the record. */
  call: Call
  /** The names by which faults and holds can refer to the request. */
  keys: readonly string[]
  /** Handles the request, with its effects. */
  answer(store: Store, request: Request): Answer | Promise<Answer>
  /** Returns the response that `answer` would give, without any effect. */
  rehearse(store: Store, request: Request): Answer
}

const REALM = '/v2/authentication-realms/:realm'
const PROFILES = `${REALM}/password-profiles` as const
const CART = '/v2/carts/:id'

// Requests that are part of a sign-in have short names.
const BUILT_IN: readonly Route[] = [
  route('POST /oauth/access_token', accessToken, 'open', 'access_token'),
  route('POST /v2/account-members/tokens', accountTokens, 'any', 'exchange'),
  route(`POST ${PROFILES}/:profile/one-time-password-token-request`, realm.otpRequest, 'any', 'otp_request'),
  route('GET /v2/settings/account-authentication', settings.accountSettings, 'any', 'account_settings'),
  route('PUT /v2/settings/account-authentication', settings.updateAccountSettings, 'admin'),
  route('GET /v2/settings/cart', settings.cartSettings),
  route('PUT /v2/settings/cart', settings.updateCartSettings, 'admin'),
  route(`GET ${REALM}`, realm.realm),
  route(`GET ${PROFILES}`, realm.passwordProfiles, 'any', 'password_profiles'),
  route(`POST ${PROFILES}`, realm.createPasswordProfile, 'admin'),
  route(`GET ${PROFILES}/:profile`, realm.passwordProfile),
  route(`PUT ${PROFILES}/:profile`, realm.updatePasswordProfile, 'admin'),
  route('GET /v2/accounts', accounts, 'any', 'accounts'),
  route('GET /v2/accounts/:id', account, 'any', 'accounts'),
  route('GET /v2/integrations', integrations.integrations, 'admin'),
  route('POST /v2/integrations', integrations.createIntegration, 'admin'),
  route('GET /v2/integrations/logs', integrations.integrationLogs, 'admin'),
  route('GET /v2/integrations/:id', integrations.integration, 'admin'),
  route('PUT /v2/integrations/:id', integrations.updateIntegration, 'admin'),
  route('DELETE /v2/integrations/:id', integrations.deleteIntegration, 'admin'),
  route('GET /v2/integrations/:id/logs', integrations.integrationLogs, 'admin'),
  route('GET /v2/integrations/:id/jobs', integrations.integrationJobs, 'admin'),
  route('GET /v2/integrations/:id/jobs/:job/logs', integrations.integrationLogs, 'admin'),
  route('GET /catalog/products', catalog.products),
  route('GET /catalog/products/:id', catalog.product),
  route('GET /pcm/catalog/products', catalog.products),
  route('GET /pcm/catalog/products/:id', catalog.product),
  route('GET /v2/carts', carts.carts),
  route('POST /v2/carts', carts.createCart),
  route(`GET ${CART}`, carts.cart),
  route(`PUT ${CART}`, carts.updateCart),
  route(`DELETE ${CART}`, carts.deleteCart),
  route(`POST ${CART}/relationships/accounts`, carts.associateAccounts),
  route(`DELETE ${CART}/relationships/accounts`, carts.disassociateAccounts),
  route(`GET ${CART}/items`, cartItems.cartItems),
  route(`POST ${CART}/items`, cartItems.addCartItems),
  route(`PUT ${CART}/items`, cartItems.updateCartItems),
  route(`DELETE ${CART}/items`, cartItems.deleteCartItems),
  route(`PUT ${CART}/items/:item`, cartItems.updateCartItem),
  route(`DELETE ${CART}/items/:item`, cartItems.deleteCartItem),
  route(`POST ${CART}/checkout`, orders.checkout),
  route('GET /v2/orders', orders.orders),
  route('GET /v2/orders/:id', orders.order),
  route('GET /v2/orders/:id/items', orders.orderItems),
  route('POST /v2/orders/:id/payments', orders.payOrder),
]

const CALLS: readonly string[] = [
  'access_token',
  'exchange',
  'renewal',
  'otp_request',
  'account_settings',
  'password_profiles',
  'accounts',
  'other',
  'any',
]

const OPTION_NAMES: Record<keyof RouteOptions, true> = { open: true }

/** The endpoints. Custom endpoints take precedence over those of Elastic Path. */
export class Routes {
  private routes = BUILT_IN

  /** @throws TypeError if the method or an option is unknown, or the path is invalid */
  add(method: HttpMethod, path: string, handler: RouteHandler, options: RouteOptions): () => void {
    checkNames('a route', options, OPTION_NAMES)
    if (!/^(GET|POST|PUT|PATCH|DELETE)$/.test(method))
      throw new TypeError(`The method of a route must be GET, POST, PUT, PATCH or DELETE, not ${method}`)
    if (!/^\/[^?#\s]*$/.test(path))
      throw new TypeError(`The path of a route must start with / and have no query, unlike ${path}`)
    // The simulator cannot undo the effects of a user's handler, so `rehearse` does not call it.
    const placeholder = (): Answer => ({ status: 200, body: { data: {} } })
    const added: Route = {
      ...route(`${method} ${path as `/${string}`}`, placeholder, options.open ? 'open' : undefined),
      handler: customHandler(handler),
    }
    this.routes = [added, ...this.routes]
    return () => void (this.routes = this.routes.filter((one) => one !== added))
  }

  /**
   * Returns the key of a kind of request, for faults, holds and counts.
   *
   * @throws TypeError if no endpoint has the name
   */
  keyOf(call: Call | 'any'): string {
    const key = keyOf(call)
    if (CALLS.includes(key) || this.routes.some(({ name }) => keyOf(name) === key)) return key
    throw new TypeError(
      `Unknown kind of request: ${call}. Known kinds: ${CALLS.join(', ')} and endpoints such as GET /v2/carts/:id`,
    )
  }

  /** Finds the endpoint for a request. The body is needed to tell an exchange from a renewal. */
  find(method: string, rawPath: string, body: Body): Destination {
    const path = resolve(rawPath)
    const matching = this.routes.filter((one) => one.path.test(path))
    const found = matching.find((one) => one.method === method)
    const params = found && parametersOf(found, path)
    if (found && params) return destination(found, params, body)
    const allow = [...new Set(matching.map((one) => one.method))].join(', ')
    const refuse = (store: Store): Answer =>
      matching.length === 0 || found ? store.refusal(404) : { ...store.refusal(405), headers: { allow } }
    return { call: 'other', keys: ['other', 'any'], answer: refuse, rehearse: refuse }
  }
}

function destination(found: Route, params: Record<string, string>, body: Body): Destination {
  const call = found.call === 'exchange' && isRenewal(body) ? 'renewal' : found.call
  const refusalOf = (store: Store, grant: Grant | undefined): Answer | undefined => {
    if (body.kind === 'too_large') return store.refusal(413)
    if (found.access !== 'open' && grant === undefined) return store.refusedBearer()
    return found.access === 'admin' && grant !== 'client_credentials' ? store.refusal(403) : undefined
  }
  return {
    call,
    keys: [keyOf(call), keyOf(found.name), 'any'],
    answer(store, request) {
      const grant = grantOf(store, request.headers)
      return refusalOf(store, grant) ?? found.handler(store, { ...request, params, grant })
    },
    rehearse(store, request) {
      const grant = grantOf(store, request.headers)
      const refusal = refusalOf(store, grant)
      return refusal ?? store.rehearse(() => found.rehearsal(store, { ...request, params, grant }))
    },
  }
}

function route(name: RouteName, handler: Handler, access: Access = 'any', call: Call = name): Route {
  const method = name.replace(/ .*/, '')
  const path = name.replace(/.* /, '')
  const parameters = path.match(/(?<=:)\w+/g) ?? []
  const pattern = path.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(/:\w+/g, '([^/]+)')
  return {
    ...{ name, call, method, path: new RegExp(`^${pattern}$`), parameters, access },
    handler,
    rehearsal: handler,
  }
}

/** Normalizes an endpoint's name by removing the names of its parameters. */
function keyOf(name: string): string {
  return name.replaceAll(/\/:\w+/g, '/:')
}

/** Returns the decoded path parameters. Undefined if one has invalid percent-encoding. */
function parametersOf({ path, parameters }: Route, text: string): Record<string, string> | undefined {
  const values = (path.exec(text) ?? []).slice(1)
  try {
    return Object.fromEntries(parameters.map((name, i) => [name, decodeURIComponent(values[i] ?? '')]))
  } catch {
    return undefined
  }
}

/** Treats an encoded slash as a slash. In Elastic Path, `/v2/carts/..%2Forders` is a request for the orders. */
function resolve(path: string): string {
  return /%2f/i.test(path) ? posix.normalize(path.replaceAll(/%2f/gi, '/')) : path
}

function grantOf(store: Store, { authorization = '' }: IncomingHttpHeaders): Grant | undefined {
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
  return token === undefined ? undefined : store.accessTokens.grantOf(token, store.now())
}
