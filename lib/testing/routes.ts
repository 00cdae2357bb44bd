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

/** `open`: needs no access token. `admin`: needs one of `client_credentials`. Others take either. */
type Access = 'open' | 'admin' | 'any'

interface Route {
  name: RouteName
  call: Call
  method: string
  path: RegExp
  parameters: readonly string[]
  handler: (store: Store, request: ApiRequest) => Answer | Promise<Answer>
  /** What the handler would answer. Its effects are undone. */
  rehearsal: Handler
  access: Access
}

/** Where a request goes. */
export interface Destination {
  /** What the request counts as. */
  call: Call
  /** The names that faults and holds for it can have. */
  keys: readonly string[]
  /** Answers the request, with its effects. */
  answer(store: Store, request: Request): Answer | Promise<Answer>
  /** What the answer would be, without any effect. */
  rehearse(store: Store, request: Request): Answer
}

const REALM = '/v2/authentication-realms/:realm'
const PROFILES = `${REALM}/password-profiles` as const
const CART = '/v2/carts/:id'

// The calls of a sign-in have names of their own.
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

/** The endpoints: the user's own first, then those of Elastic Path. */
export class Routes {
  private routes = BUILT_IN

  /** @throws TypeError for an unknown method or option, or a path that does not start with a slash */
  add(method: HttpMethod, path: string, handler: RouteHandler, options: RouteOptions): () => void {
    checkNames('a route', options, { open: true })
    if (!/^(GET|POST|PUT|PATCH|DELETE)$/.test(method))
      throw new TypeError(`${method} is not a method of a route`)
    if (!/^\/[^?#\s]*$/.test(path))
      throw new TypeError(`${path} is not a path: it must start with / and have no query`)
    // A handler of the user cannot be undone, so that it is not called for a rehearsal.
    const placeholder = (): Answer => ({ status: 200, body: { data: {} } })
    const added: Route = {
      ...route(`${method} ${path as `/${string}`}`, placeholder, options.open ? 'open' : 'any'),
      handler: customHandler(handler),
    }
    this.routes = [added, ...this.routes]
    return () => void (this.routes = this.routes.filter((one) => one !== added))
  }

  /**
   * The name under which faults, holds and counts of a kind of request are kept.
   *
   * @throws TypeError for a name of no endpoint
   */
  keyOf(call: Call | 'any'): string {
    const key = keyOf(call)
    if (CALLS.includes(key) || this.routes.some(({ name }) => keyOf(name) === key)) return key
    throw new TypeError(
      `${call} is not a call: they are ${CALLS.join(', ')} and endpoints such as GET /v2/carts/:id`,
    )
  }

  /** Where a request goes, which is known once its body is read. */
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
  const [method = '', path = ''] = name.split(' ')
  const parameters = [...path.matchAll(/:(\w+)/g)].map(([, parameter = '']) => parameter)
  const pattern = path.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(/:\w+/g, '([^/]+)')
  return {
    ...{ name, call, method, path: new RegExp(`^${pattern}$`), parameters, access },
    handler,
    rehearsal: handler,
  }
}

/** A name in which the names of parameters make no difference. */
function keyOf(name: string): string {
  return name.replaceAll(/\/:\w+/g, '/:')
}

/** The decoded parameters of a path; undefined if one is not encoded properly. */
function parametersOf({ path, parameters }: Route, text: string): Record<string, string> | undefined {
  const values = (path.exec(text) ?? []).slice(1)
  try {
    return Object.fromEntries(parameters.map((name, i) => [name, decodeURIComponent(values[i] ?? '')]))
  } catch {
    return undefined
  }
}

/** An encoded slash divides a path as a plain one does. In Commerce, `/v2/carts/..%2Forders` reaches the orders. */
function resolve(path: string): string {
  return /%2f/i.test(path) ? posix.normalize(path.replaceAll(/%2f/gi, '/')) : path
}

function grantOf(store: Store, { authorization = '' }: IncomingHttpHeaders): Grant | undefined {
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
  return token === undefined ? undefined : store.accessTokens.grantOf(token, store.now())
}
