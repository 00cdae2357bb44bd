import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { Carts } from './carts'
import { Catalog } from './catalog'
import { checkNames, checkOneOf, checkUnused, isUuid } from './checks'
import { Codes, type CodeEvent, type CodePurpose } from './codes'
import { integrationOf, newIntegrations, type Delivery, type Job } from './integrations'
import { Members, type Account, type Member } from './members'
import type { Answer } from './messages'
import { changeSettings, checkChanges, checkOptions, DEFAULT_SETTINGS } from './options'
import type { PasswordProfileSeed, SimulatorOptions, StoreSettings } from './options'
import { Orders } from './orders'
import { Table } from './table'
import { AccessTokens, AccountTokens, type AccountTokenClaims } from './tokens'

/** A password profile of the authentication realm. */
export interface PasswordProfile {
  /** The profile's id. */
  readonly id: string
  /** The profile's name. */
  readonly name: string
  /** The profile's description. */
  readonly description: string
  /** The format of usernames: `username_format` in the API. */
  readonly usernameFormat: 'any' | 'email'
  /** Whether the profile issues codes: `enable_one_time_password_token` in the API. */
  readonly oneTimePasswords: boolean
  /** When it was created: ISO 8601, by the simulator's clock. */
  readonly createdAt: string
  /** When it was last changed: ISO 8601, by the simulator's clock. */
  readonly updatedAt: string
}

/** The member and the account that an account token is for. */
export interface Holder {
  member: Member
  account: Account
}

type RealmSeed = Pick<SimulatorOptions, 'realmId' | 'passwordProfiles'>

const MOST_PROFILES = 1000
const MOST_DELIVERIES = 1000
const REALM_NAMES: Record<keyof RealmSeed, true> = { realmId: true, passwordProfiles: true }
const PROFILE_NAMES: Record<keyof PasswordProfileSeed, true> = {
  id: true,
  name: true,
  usernameFormat: true,
  oneTimePasswords: true,
}

/** The data and settings of the simulated store. */
export class Store {
  readonly clientId: string
  readonly clientSecret: string
  readonly storeId = randomUUID()
  readonly organizationId = randomUUID()
  readonly settingsId = randomUUID()
  readonly startedAt: string
  readonly profiles = new Table<PasswordProfile>(MOST_PROFILES)
  readonly members = new Members(() => this.settings.usernameCase === 'insensitive')
  readonly codes = new Codes(() => this.settings)
  readonly accessTokens = new AccessTokens()
  readonly accountTokens = new AccountTokens()
  readonly integrations = newIntegrations()
  readonly jobs = new Table<Job>(MOST_DELIVERIES)
  readonly deliveries = new Table<Delivery>(MOST_DELIVERIES)
  readonly catalog: Catalog
  readonly carts: Carts
  readonly orders = new Orders()
  realmId: string
  settings: StoreSettings
  /** The difference between the simulator's clock and the machine's, in seconds. Positive: the simulator is ahead. */
  private skew = 0
  private rehearsing = false

  /** @param announce called with each requested code */
  constructor(
    options: SimulatorOptions,
    private readonly announce: (event: CodeEvent, member: Member) => void,
  ) {
    checkOptions(options)
    this.settings = changeSettings(DEFAULT_SETTINGS, options)
    this.clientId = options.clientId ?? 'simulator-client-id'
    this.clientSecret = options.clientSecret ?? 'simulator-client-secret'
    this.setSkew(options.clockSkew ?? 0)
    this.startedAt = this.isoNow()
    const { realmId = randomUUID(), passwordProfiles = [{}] } = options
    this.realmId = realmId
    for (const profile of passwordProfiles) this.addProfile(profile)
    for (const member of options.members ?? []) this.members.add(member)
    for (const integration of options.integrations ?? []) {
      const added = integrationOf(integration, this.startedAt)
      checkUnused('integration', added.id, this.integrations.get(added.id))
      this.integrations.set(added.id, added)
    }
    this.catalog = new Catalog(options.currency ?? 'USD', options.products)
    this.carts = new Carts(this.catalog, this)
    for (const cart of options.carts ?? []) this.carts.add(cart)
  }

  /** Milliseconds since the epoch, by the simulator's clock. */
  now(): number {
    return Date.now() + Math.round(this.skew * 1000)
  }

  /** @throws RangeError if it is not a finite number of seconds */
  setSkew(seconds: number): void {
    if (!Number.isFinite(seconds))
      throw new RangeError(`The clock skew must be a finite number of seconds, not ${seconds}`)
    this.skew = seconds
  }

  /** @throws RangeError if it is not a number of seconds, 0 or more */
  advance(seconds: number): void {
    if (!(seconds >= 0 && Number.isFinite(seconds))) {
      throw new RangeError(`The clock can advance by 0 seconds or more, not by ${seconds}`)
    }
    this.skew += seconds
  }

  /** @throws TypeError or RangeError if a setting is unknown or a value is invalid */
  configure(changes: Partial<StoreSettings>): void {
    checkChanges(changes)
    this.settings = changeSettings(this.settings, changes)
  }

  isoNow(): string {
    return new Date(this.now()).toISOString()
  }

  /** Runs a function and undoes its effects on the store. Requested codes are not announced. */
  rehearse<T>(action: () => T): T {
    const tables = [this.profiles, this.codes, this.integrations, this.catalog, this.carts, this.orders]
    const undo = tables.map((table) => table.snapshot())
    const { settings } = this
    this.rehearsing = true
    try {
      return action()
    } finally {
      this.rehearsing = false
      this.settings = settings
      for (const restore of undo) restore()
    }
  }

  addProfile(seed: PasswordProfileSeed): PasswordProfile {
    checkProfile(seed)
    const { id = randomUUID(), name = `Password profile ${this.profiles.all.length + 1}` } = seed
    checkUnused('password profile', id, this.profiles.get(id))
    const now = this.isoNow()
    return this.profiles.set(id, {
      id,
      name,
      description: '',
      usernameFormat: seed.usernameFormat ?? 'any',
      oneTimePasswords: seed.oneTimePasswords ?? true,
      createdAt: now,
      updatedAt: now,
    })
  }

  /** @throws TypeError if the id or an option is unknown, or a value is invalid */
  updateProfile(id: string, changes: Omit<PasswordProfileSeed, 'id'>): void {
    const { id: _id, ...names } = PROFILE_NAMES
    checkProfile(changes, names)
    const profile = this.profiles.get(id)
    if (!profile) throw new TypeError(`No password profile has the id ${id}`)
    const given = Object.fromEntries(
      Object.entries<unknown>(changes).filter(([, value]) => value !== undefined),
    )
    this.profiles.set(id, { ...profile, ...given, updatedAt: this.isoNow() })
  }

  /** Replaces the realm and all its password profiles. */
  replaceRealm(realm: RealmSeed): void {
    checkNames('a realm', realm, REALM_NAMES)
    const { realmId = randomUUID(), passwordProfiles = [{}] } = realm
    const undo = this.profiles.snapshot()
    this.profiles.clear()
    try {
      for (const profile of passwordProfiles) this.addProfile(profile)
    } catch (error) {
      undo()
      throw error
    }
    this.realmId = realmId
  }

  requestCode(member: Member, profileId: string, purpose: CodePurpose): void {
    const event = this.codes.request(member, profileId, purpose, this.now())
    if (!this.rehearsing) this.announce(event, member)
  }

  /** Creates an account token for one of a member's accounts, with the full lifetime. */
  accountToken(member: Member, account: Account) {
    const now = this.now()
    const expires = now + Math.round(this.settings.accountTokenLifetime * 1000)
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
      token: this.accountTokens.make(claims, this.settings.tokenClaims),
      type: 'account_management_authentication_token',
      expires: this.settings.expiresFormat === 'iso' ? new Date(expires).toISOString() : claims.exp,
    }
  }

  /** The member and account that a token is for. Undefined if it is invalid or the member has left the account. */
  holder(token: string | undefined): Holder | undefined {
    const claims = this.claimsOf(token)
    const member = claims && this.members.withId(claims.sub)
    const account = claims && member?.accounts.find(claims.scope)
    return member && account && { member, account }
  }

  /**
   * The member that an account token belongs to, even if the member has left the token's account. Elastic Path still
   * lists and renews the member's other accounts.
   */
  bearerOf(token: string | undefined): Member | undefined {
    const claims = this.claimsOf(token)
    return claims && this.members.withId(claims.sub)
  }

  private claimsOf(token: string | undefined) {
    return token === undefined ? undefined : this.accountTokens.read(token, this.now())
  }

  /** Returns an error response in Elastic Path's format, JSON:API style. */
  refusal(status: number, detail?: string, title = STATUS_CODES[status] ?? 'Error', meta?: object): Answer {
    const asNumber = this.settings.errorStatusType === 'number'
    return { status, body: { errors: [{ title, status: asNumber ? status : String(status), detail, meta }] } }
  }

  /** Returns the response to an invalid or expired access token. */
  refusedBearer(): Answer {
    const status = this.settings.errorStatusType === 'string' ? '401' : 401
    return { status: 401, body: { errors: [{ status, title: 'Unable to validate access token' }] } }
  }

  /**
   * Returns the response to a request above the rate limit.
   *
   * @param retryAfter seconds
   */
  rateLimited(retryAfter: number | undefined): Answer {
    const answer = this.refusal(429)
    return retryAfter === undefined ? answer : { ...answer, headers: { 'retry-after': String(retryAfter) } }
  }
}

/** @throws TypeError if an option is unknown or a value is invalid */
function checkProfile(
  seed: PasswordProfileSeed,
  names: Readonly<Record<string, true>> = PROFILE_NAMES,
): void {
  checkNames('a password profile', seed, names)
  const { id, usernameFormat = 'any', oneTimePasswords = true } = seed
  if (id !== undefined && !isUuid(id))
    throw new TypeError(`A password profile's id must be a UUID, not ${id}`)
  checkOneOf('usernameFormat', usernameFormat, ['any', 'email'])
  checkOneOf('oneTimePasswords', oneTimePasswords, [true, false])
}
