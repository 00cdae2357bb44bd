import { dataOf, invalid } from './fields'
import type { Answer, ApiRequest } from './messages'
import type { Store } from './store'

const TIMEOUT = 'account_management_authentication_token_timeout_secs'
const EXPIRY = 'cart_expiry_days'

/** `GET /v2/settings/account-authentication`: returns the realm's id and the lifetime of account tokens. */
export function accountSettings(store: Store, { origin }: ApiRequest): Answer {
  const realm = {
    id: store.realmId,
    type: 'authentication_realm',
    links: { self: `${origin}/v2/authentication-realms/${store.realmId}` },
  }
  return {
    status: 200,
    body: {
      data: {
        id: store.settingsId,
        type: 'account_authentication_settings',
        enable_self_signup: false,
        auto_create_account_for_account_members: false,
        account_member_self_management: 'disabled',
        [TIMEOUT]: store.settings.accountTokenLifetime,
        relationships: { authentication_realm: { data: realm } },
        meta: { client_id: 'account-management' },
        links: { self: `${origin}/v2/settings/account-authentication` },
      },
    },
  }
}

/** `PUT /v2/settings/account-authentication`. Requires the grant `client_credentials`. */
export function updateAccountSettings(store: Store, request: ApiRequest): Answer {
  const read = dataOf(store, request.body)
  if (read.refusal) return read.refusal
  const accountTokenLifetime = read.data[TIMEOUT]
  if (accountTokenLifetime !== undefined) {
    if (!isWithin(accountTokenLifetime, 1, Number.MAX_SAFE_INTEGER))
      return invalid(store, [['Timeout', 'gt']])
    store.settings = { ...store.settings, accountTokenLifetime }
  }
  return accountSettings(store, request)
}

/** `GET /v2/settings/cart`. */
export function cartSettings(store: Store): Answer {
  const { cartExpiryDays } = store.settings
  return { status: 200, body: { data: { type: 'settings', [EXPIRY]: cartExpiryDays } } }
}

/** `PUT /v2/settings/cart`. Requires the grant `client_credentials`. */
export function updateCartSettings(store: Store, { body }: ApiRequest): Answer {
  const read = dataOf(store, body)
  if (read.refusal) return read.refusal
  const cartExpiryDays = read.data[EXPIRY]
  if (!isWithin(cartExpiryDays, 1, 365)) return store.refusal(400, `${EXPIRY} must be 1 to 365`)
  store.settings = { ...store.settings, cartExpiryDays }
  return cartSettings(store)
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most
}
