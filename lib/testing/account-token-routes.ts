import { isUuid } from './checks'
import { dataOf, field, invalid, isObject } from './fields'
import { accountTokenOf } from './held-token'
import type { Member } from './members'
import type { Answer, ApiRequest, Body } from './messages'
import { listing, pageOf, type Page } from './paging'
import type { Store } from './store'

const TYPE = 'account_management_authentication_token'
const RENEWAL = 'account_management_authentication_token'

export function isRenewal({ value }: Body): boolean {
  return isObject(value) && field(value['data'], 'authentication_mechanism') === RENEWAL
}

/** `POST /v2/account-members/tokens`: exchanges a code, or renews the account token in the header. */
export function accountTokens(store: Store, request: ApiRequest): Answer {
  const read = dataOf(store, request.body)
  if (read.refusal) return read.refusal
  const page = pageOf(store, request.query)
  if (page.refusal) return page.refusal
  return isRenewal(request.body)
    ? renewal(store, request, read.data, page)
    : exchange(store, request, read.data, page)
}

function exchange(store: Store, request: ApiRequest, data: Record<string, unknown>, page: Page): Answer {
  const username = field(data, 'username') ?? ''
  const profileId = field(data, 'password_profile_id') ?? ''
  const otp = field(data, 'one_time_password_token') ?? ''
  const complaints: [string, string][] = []
  if (field(data, 'type') !== TYPE) complaints.push(['Type', 'oneof'])
  if (field(data, 'authentication_mechanism') !== 'passwordless')
    complaints.push(['AuthenticationMechanism', 'oneof'])
  if (username === '') complaints.push(['Username', 'cannot_be_empty'])
  if (!isUuid(profileId)) complaints.push(['PasswordProfileID', 'must_be_uuid'])
  if (otp === '') complaints.push(['OneTimePasswordToken', 'cannot_be_empty'])
  if (complaints.length > 0) return invalid(store, complaints)
  const member = store.members.named(username)
  const isEnabled = store.profiles.get(profileId)?.oneTimePasswords === true
  if (!member || !isEnabled) return wrongCode(store)
  if (!store.codes.redeem(member.username, profileId, otp, store.now())) return wrongCode(store)
  return tokensOf(store, request, member, page)
}

/** Refuses the exchange. The response is the same for a wrong code, an unknown username and a wrong profile. */
function wrongCode(store: Store): Answer {
  const { wrongCodeStatus } = store.settings
  return store.refusal(wrongCodeStatus, wrongCodeStatus === 400 ? 'authentication failed' : undefined)
}

function renewal(store: Store, request: ApiRequest, data: Record<string, unknown>, page: Page): Answer {
  const held = accountTokenOf(request)
  const hasMore = Object.keys(data).some((name) => name !== 'type' && name !== 'authentication_mechanism')
  if (held === undefined && hasMore) return store.refusal(400, 'the account token belongs in the header')
  if (data['type'] !== TYPE) return invalid(store, [['Type', 'oneof']])
  const member = store.bearerOf(held)
  return member ? tokensOf(store, request, member, page) : store.refusal(401)
}

function tokensOf(store: Store, request: ApiRequest, member: Member, page: Page): Answer {
  const tokens = member.accounts
    .page(page.offset, page.limit)
    .map((account) => store.accountToken(member, account))
  const { meta, data, links } = listing(request, page, tokens, member.accounts.total)
  const memberId = store.settings.omitAccountMemberId ? {} : { account_member_id: member.id }
  return { status: 201, body: { meta: { ...memberId, ...meta }, data, links } }
}
