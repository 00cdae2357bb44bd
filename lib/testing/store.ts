import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { Codes, type CodeEvent, type CodePurpose } from './codes'
import { Members, type Account, type Member } from './members'
import {
  checkNames,
  isUuid,
  lifetime,
  readDialect,
  type Dialect,
  type PasswordProfileSeed,
  type SimulatorOptions,
} from './options'
import { AccessTokens, AccountTokens, type AccountTokenClaims } from './tokens'

/** What is answered to a request. A string is sent as it stands, anything else as JSON. */
export interface Answer {
  status: number
  body?: unknown
  headers?: Record<string, string>
}

export interface PasswordProfile {
  id: string
  name: string
  usernameFormat: 'any' | 'email'
  oneTimePasswords: boolean
}

/** All that a simulated store knows: its clock, its settings, who its members are, and which codes and tokens are good. */
export class Store {
  readonly clientId: string
  readonly clientSecret: string
  readonly realmId: string
  readonly profiles: readonly PasswordProfile[]
  readonly dialect: Dialect
  readonly accessTokenLifetime: number
  readonly accountTokenLifetime: number
  readonly startedAt: string
  readonly members = new Members()
  readonly codes: Codes
  readonly accessTokens = new AccessTokens()
  readonly accountTokens = new AccountTokens()
  readonly settingsId = randomUUID()
  private readonly storeId = randomUUID()
  private offset = 0

  /** @param announce is told of every code that is asked for */
  constructor(
    options: SimulatorOptions,
    private readonly announce: (event: CodeEvent, member: Member) => void,
  ) {
    checkNames(options)
    this.clientId = options.clientId ?? 'simulator-client-id'
    this.clientSecret = options.clientSecret ?? 'simulator-client-secret'
    this.realmId = options.realmId ?? randomUUID()
    this.profiles = (options.passwordProfiles ?? [{}]).map(profile)
    this.accessTokenLifetime = lifetime('accessTokenLifetime', options.accessTokenLifetime ?? 3600)
    this.accountTokenLifetime = lifetime('accountTokenLifetime', options.accountTokenLifetime ?? 86_400)
    this.codes = new Codes(lifetime('codeLifetime', options.codeLifetime ?? 600))
    this.dialect = readDialect(options)
    this.startedAt = new Date(this.now()).toISOString()
    for (const member of options.members ?? []) this.members.add(member)
  }

  /** Milliseconds since the epoch, by the store's own clock. */
  now(): number {
    return Date.now() + this.offset
  }

  advance(seconds: number): void {
    if (!(seconds >= 0 && Number.isFinite(seconds))) {
      throw new RangeError(`The clock goes forward by a number of seconds, not by ${seconds}`)
    }
    this.offset += Math.round(seconds * 1000)
  }

  profile(id: string): PasswordProfile | undefined {
    return this.profiles.find((candidate) => candidate.id === id)
  }

  requestCode(member: Member, profileId: string, purpose: CodePurpose): void {
    this.announce(this.codes.request(member, profileId, purpose, this.now()), member)
  }

  /** A token for one of a member's accounts, with a full lifetime (facts 7 and 12). */
  accountToken(member: Member, account: Account) {
    const now = this.now()
    const expires = now + this.accountTokenLifetime
    const claims: AccountTokenClaims = {
      account_member_self_management: 'disabled',
      ancestors: '',
      exp: Math.floor(expires / 1000),
      iat: Math.floor(now / 1000),
      realm_id: this.realmId,
      scope: account.id,
      store_id: this.storeId,
      sub: member.id,
    }
    return {
      account_name: account.name,
      account_id: account.id,
      token: this.accountTokens.make(claims),
      type: 'account_management_authentication_token',
      expires: this.dialect.expiresFormat === 'iso' ? new Date(expires).toISOString() : claims.exp,
    }
  }

  /** Whose a held account token is; undefined where it is not good, or its account not the member's any more. */
  holder(token: string | undefined): Member | undefined {
    const claims = token === undefined ? undefined : this.accountTokens.read(token, this.now())
    const member = claims && this.members.withId(claims.sub)
    return member?.accounts.find(claims?.scope ?? '') && member
  }

  /** An error as Commerce words it (fact 25). */
  refusal(status: number, detail?: string, title = STATUS_CODES[status] ?? 'Error'): Answer {
    const asNumber = this.dialect.errorStatusType === 'number'
    const error = {
      title,
      status: asNumber ? status : String(status),
      ...(detail !== undefined && { detail }),
    }
    return { status, body: { errors: [error] } }
  }

  /** Fact 5. */
  refusedBearer(): Answer {
    const status = this.dialect.errorStatusType === 'string' ? '401' : 401
    return { status: 401, body: { errors: [{ status, title: 'Unable to validate access token' }] } }
  }

  /** Fact 26. */
  rateLimited(retryAfter: number | undefined): Answer {
    const answer = this.refusal(429)
    return retryAfter === undefined ? answer : { ...answer, headers: { 'retry-after': String(retryAfter) } }
  }
}

function profile(seed: PasswordProfileSeed, index: number): PasswordProfile {
  const { id = randomUUID(), name = `Password profile ${index + 1}` } = seed
  if (!isUuid(id)) throw new TypeError(`A password profile's id must be a UUID, not ${id}`)
  return {
    id,
    name,
    usernameFormat: seed.usernameFormat ?? 'any',
    oneTimePasswords: seed.oneTimePasswords ?? true,
  }
}
