import type { IncomingHttpHeaders } from 'node:http'
import { accessToken } from './access-token-route'
import { account, accounts } from './account-routes'
import { accountSettings, otpRequest, passwordProfiles } from './realm-routes'
import type { Body, Call } from './requests'
import type { Answer, Store } from './store'
import { accountTokens, isRenewal } from './tokens-route'

/** A request as the routes see it. */
export interface ApiRequest {
  /** The scheme, host and port under which links are given. */
  origin: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: Body
  /** False where a fault only needs to know what the answer would be: then no code is spent or made. */
  acts: boolean
}

type Handler = (store: Store, request: ApiRequest, ...ids: string[]) => Answer

interface Route {
  call: Call
  method: 'GET' | 'POST'
  path: RegExp
  handler: Handler
  /** All but the call that gets an access token need one (fact 1). */
  open?: true
}

const PROFILES = '^/v2/authentication-realms/([^/]+)/password-profiles'

const ROUTES: readonly Route[] = [
  route('access_token', 'POST', '^/oauth/access_token$', accessToken, { open: true }),
  route('exchange', 'POST', '^/v2/account-members/tokens$', accountTokens),
  route('otp_request', 'POST', `${PROFILES}/([^/]+)/one-time-password-token-request$`, otpRequest),
  route('account_settings', 'GET', '^/v2/settings/account-authentication$', accountSettings),
  route('password_profiles', 'GET', `${PROFILES}$`, passwordProfiles),
  route('accounts', 'GET', '^/v2/accounts$', accounts),
  route('accounts', 'GET', '^/v2/accounts/([^/]+)$', account),
]

function route(
  call: Call,
  method: 'GET' | 'POST',
  path: string,
  handler: Handler,
  more: { open?: true } = {},
): Route {
  return { call, method, path: new RegExp(path), handler, ...more }
}

export interface Destination {
  call: Call
  answer(store: Store, request: ApiRequest): Answer
}

/** Where a request goes, which is known once its body is. */
export function destinationOf(method: string, path: string, body: Body): Destination {
  const route = ROUTES.find((candidate) => candidate.path.test(path))
  if (!route) return { call: 'other', answer: (store) => store.refusal(404) }
  if (route.method !== method) {
    return { call: 'other', answer: (store) => ({ ...store.refusal(405), headers: { allow: route.method } }) }
  }
  return {
    call: route.call === 'exchange' && isRenewal(body) ? 'renewal' : route.call,
    answer: (store, request) => {
      if (body.kind === 'too_large') return store.refusal(413)
      if (!route.open && !hasBearer(store, request.headers)) return store.refusedBearer()
      return route.handler(store, request, ...(route.path.exec(path) ?? []).slice(1))
    },
  }
}

function hasBearer(store: Store, { authorization = '' }: IncomingHttpHeaders): boolean {
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
  return token !== undefined && store.accessTokens.isGood(token, store.now())
}
