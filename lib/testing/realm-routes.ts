import { randomUUID } from 'node:crypto'
import { dataOf, field, invalid } from './fields'
import type { Answer, ApiRequest } from './messages'
import { paged } from './paging'
import type { PasswordProfile, Store } from './store'

/** `GET /v2/authentication-realms/:realm`. */
export function realm(store: Store, request: ApiRequest): Answer {
  const { realmId: id, startedAt } = store
  const self = `${request.origin}/v2/authentication-realms/${id}`
  const data = {
    id,
    type: 'authentication_realm',
    name: 'Account authentication realm',
    duplicate_email_policy: 'allowed',
    meta: { created_at: startedAt, updated_at: startedAt },
  }
  return inRealm(store, request) ?? { status: 200, body: { data, links: { self } } }
}

/** `GET …/password-profiles`. */
export function passwordProfiles(store: Store, request: ApiRequest): Answer {
  return inRealm(store, request) ?? paged(store, request, store.profiles.all, resource)
}

/** `GET …/password-profiles/:id`. */
export function passwordProfile(store: Store, request: ApiRequest): Answer {
  const profile = profileOf(store, request)
  return (
    inRealm(store, request) ?? (profile ? answerWith(store, request, 200, profile) : profileNotFound(store))
  )
}

/** `POST …/password-profiles`. Requires the grant `client_credentials`. */
export function createPasswordProfile(store: Store, request: ApiRequest): Answer {
  const refusal = inRealm(store, request)
  if (refusal) return refusal
  const read = fieldsOf(store, request)
  if (read.refusal) return read.refusal
  if (read.fields.name === undefined) return invalid(store, [['Name', 'cannot_be_empty']])
  const profile = store.addProfile({ name: read.fields.name, oneTimePasswords: false })
  return answerWith(store, request, 201, save(store, profile, read.fields))
}

/** `PUT …/password-profiles/:id`. Requires the grant `client_credentials`. */
export function updatePasswordProfile(store: Store, request: ApiRequest): Answer {
  const refusal = inRealm(store, request)
  if (refusal) return refusal
  const profile = profileOf(store, request)
  if (!profile) return profileNotFound(store)
  const read = fieldsOf(store, request)
  if (read.refusal) return read.refusal
  if (read.id !== undefined && read.id !== profile.id) return invalid(store, [['ID', 'eqfield']])
  return answerWith(store, request, 200, save(store, profile, read.fields))
}

const OTP_REQUEST = 'one_time_password_token_request'

/** `POST …/one-time-password-token-request`. The response never contains the code. */
export function otpRequest(store: Store, request: ApiRequest): Answer {
  const refusal = inRealm(store, request)
  if (refusal) return refusal
  const profile = profileOf(store, request)
  if (!profile) return profileNotFound(store)
  const read = dataOf(store, request.body)
  if (read.refusal) return read.refusal
  const username = field(read.data, 'username')
  const purpose = read.data['purpose']
  const isPurpose = purpose === 'passwordless_authentication' || purpose === 'reset_password'
  const complaints: [string, string][] = []
  if (read.data['type'] !== OTP_REQUEST) complaints.push(['Type', 'oneof'])
  if (username === undefined) complaints.push(['Username', 'cannot_be_empty'])
  if (!isPurpose) complaints.push(['Purpose', 'oneof'])
  if (complaints.length > 0 || username === undefined || !isPurpose) return invalid(store, complaints)
  if (!profile.oneTimePasswords) {
    return store.refusal(422, 'one-time password tokens are not enabled for this password profile')
  }
  const { unknownUsernameStatus, otpRequestStatus, otpRequestDelay } = store.settings
  const member = store.members.named(username)
  if (member) store.requestCode(member, profile.id, purpose)
  const delay = (member ? otpRequestDelay.known : otpRequestDelay.unknown) ?? 0
  if (!member && unknownUsernameStatus !== 202) return { ...store.refusal(unknownUsernameStatus), delay }
  if (otpRequestStatus === 202) return { status: 202, delay }
  return { status: 201, body: { data: { id: randomUUID(), type: OTP_REQUEST, username, purpose } }, delay }
}

/** Returns an error response if a request is for another realm. */
function inRealm(store: Store, { params }: ApiRequest): Answer | undefined {
  return params['realm'] === store.realmId ? undefined : store.refusal(404, 'authentication realm not found')
}

function profileOf(store: Store, { params }: ApiRequest): PasswordProfile | undefined {
  return store.profiles.get(params['profile'] ?? '')
}

function profileNotFound(store: Store): Answer {
  return store.refusal(404, 'password profile not found')
}

/** Parses the fields of a password profile. Missing fields keep their values. */
function fieldsOf(
  store: Store,
  { body }: ApiRequest,
): { refusal?: never; id: string | undefined; fields: Partial<PasswordProfile> } | { refusal: Answer } {
  const read = dataOf(store, body)
  if (read.refusal) return read
  const { data } = read
  const format = data['username_format']
  const enabled = data['enable_one_time_password_token']
  const complaints: [string, string][] = []
  if (data['type'] !== 'password_profile') complaints.push(['Type', 'oneof'])
  if (format !== undefined && format !== 'any' && format !== 'email')
    complaints.push(['UsernameFormat', 'oneof'])
  if (enabled !== undefined && typeof enabled !== 'boolean')
    complaints.push(['EnableOneTimePasswordToken', 'boolean'])
  if (complaints.length > 0) return { refusal: invalid(store, complaints) }
  const name = field(data, 'name')
  return {
    id: field(data, 'id'),
    fields: {
      ...(name !== undefined && { name }),
      ...(typeof data['description'] === 'string' && { description: data['description'] }),
      ...((format === 'any' || format === 'email') && { usernameFormat: format }),
      ...(typeof enabled === 'boolean' && { oneTimePasswords: enabled }),
    },
  }
}

function save(store: Store, profile: PasswordProfile, changes: Partial<PasswordProfile>): PasswordProfile {
  return store.profiles.set(profile.id, { ...profile, ...changes, updatedAt: store.isoNow() })
}

function answerWith(store: Store, { origin }: ApiRequest, status: number, profile: PasswordProfile): Answer {
  const self = `${origin}/v2/authentication-realms/${store.realmId}/password-profiles/${profile.id}`
  return { status, body: { data: resource(profile), links: { self } } }
}

function resource(profile: PasswordProfile) {
  return {
    id: profile.id,
    type: 'password_profile',
    name: profile.name,
    description: profile.description,
    username_format: profile.usernameFormat,
    enable_one_time_password_token: profile.oneTimePasswords,
    meta: { created_at: profile.createdAt, updated_at: profile.updatedAt },
  }
}
