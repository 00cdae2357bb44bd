import { randomUUID } from 'node:crypto'
import { dataOf, field, invalid } from './fields'
import { listing, PAGE_REFUSAL, pageOf } from './paging'
import type { ApiRequest } from './routes'
import type { Answer, PasswordProfile, Store } from './store'

/** Fact 16. */
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
        account_management_authentication_token_timeout_secs: store.accountTokenLifetime / 1000,
        relationships: { authentication_realm: { data: realm } },
        meta: { client_id: 'account-management' },
        links: { self: `${origin}/v2/settings/account-authentication` },
      },
    },
  }
}

/** Fact 17. */
export function passwordProfiles(store: Store, request: ApiRequest, realmId: string): Answer {
  if (realmId !== store.realmId) return store.refusal(404, 'authentication realm not found')
  const page = pageOf(request.query)
  if (!page) return store.refusal(400, PAGE_REFUSAL)
  const shown = store.profiles.slice(page.offset, page.offset + page.limit)
  const resources = shown.map((profile) => resource(store, profile))
  return { status: 200, body: listing(request, page, resources, store.profiles.length) }
}

function resource(store: Store, profile: PasswordProfile) {
  return {
    id: profile.id,
    type: 'password_profile',
    name: profile.name,
    description: '',
    username_format: profile.usernameFormat,
    enable_one_time_password_token: profile.oneTimePasswords,
    meta: { created_at: store.startedAt, updated_at: store.startedAt },
  }
}

const TYPE = 'one_time_password_token_request'

/** Facts 18 to 20: the answer never has the code in it. */
export function otpRequest(store: Store, request: ApiRequest, realmId: string, profileId: string): Answer {
  if (realmId !== store.realmId) return store.refusal(404, 'authentication realm not found')
  const profile = store.profile(profileId)
  if (!profile) return store.refusal(404, 'password profile not found')
  const read = dataOf(store, request.body)
  if ('refusal' in read) return read.refusal
  const username = field(read.data, 'username')
  const purpose = read.data['purpose']
  const isPurpose = purpose === 'passwordless_authentication' || purpose === 'reset_password'
  const complaints: [string, string][] = []
  if (read.data['type'] !== TYPE) complaints.push(['Type', 'oneof'])
  if (username === undefined) complaints.push(['Username', 'cannot_be_empty'])
  if (!isPurpose) complaints.push(['Purpose', 'oneof'])
  if (complaints.length > 0 || username === undefined || !isPurpose) return invalid(store, complaints)
  if (!profile.oneTimePasswords) {
    return store.refusal(422, 'one-time password tokens are not enabled for this password profile')
  }
  const member = store.members.named(username)
  if (!member && store.dialect.unknownUsernameStatus !== 202)
    return store.refusal(store.dialect.unknownUsernameStatus)
  if (member && request.acts) store.requestCode(member, profileId, purpose)
  if (store.dialect.otpRequestStatus === 202) return { status: 202 }
  return { status: 201, body: { data: { id: randomUUID(), type: TYPE, username, purpose } } }
}
