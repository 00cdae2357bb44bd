import type { Context } from '../context'
import { ElasticPathError } from '../errors'
import { asObject, asText, at } from '../json'
import type { Settings } from '../options'
import type { CommerceClient } from './client'
import { Shared } from './shared'
import { MAX_PAGE } from './token-page'

interface PasswordProfile {
  id: string
  name: string
  issuesCodes: boolean
}

/** The ids from the options. An id that is undefined is detected. */
type ConfiguredIds = Pick<Settings, 'passwordProfileId' | 'authenticationRealmId'>

// Milliseconds for which the list of profiles is cached.
const LIST_LIFETIME = 60_000
// Real stores have a few profiles. If a response claims more than this, the other pages are not read.
const MAX_PROFILES = 1000
// Milliseconds between two detections.
const DETECTION_INTERVAL = 10_000

/** The ids of the authentication realm and the password profile: from the options, or detected once. */
export class StoreSettings {
  private readonly realm: Shared<string>
  private readonly profile: Shared<string>
  private readonly profiles: Shared<PasswordProfile[]>
  private lastDetection = -Infinity
  private detection: Promise<void> | undefined

  constructor(
    private readonly client: CommerceClient,
    private readonly configured: ConfiguredIds,
  ) {
    this.realm = cache(Infinity, (context) => this.findRealm(context))
    this.profiles = cache(LIST_LIFETIME, async (context) =>
      this.readProfiles(context, await this.realmId(context)),
    )
    this.profile = cache(Infinity, async (context) => soleProfile(await this.profiles.get(context)))
    client.onStoreGone = () => this.forget()
  }

  async realmId(context: Context): Promise<string> {
    return this.configured.authenticationRealmId ?? this.realm.get(context)
  }

  passwordProfileId(context: Context): string | Promise<string> {
    return this.configured.passwordProfileId ?? this.profile.get(context)
  }

  /**
   * Checks that the password profile exists and issues codes.
   *
   * @throws ElasticPathError that says what to set.
   */
  async check(context: Context): Promise<void> {
    const id = await this.passwordProfileId(context)
    const profiles = await this.profiles.get(context)
    const profile = profiles.find((candidate) => candidate.id === id)
    if (!profile) {
      // A detected profile may have been replaced. The next caller detects it again.
      this.profile.forget(id)
      throw new ElasticPathError(
        'password_profile_not_found',
        `The realm has no password profile ${id}. Set passwordProfileId to one of: ${list(profiles)}`,
      )
    }
    if (!profile.issuesCodes) {
      throw new ElasticPathError(
        'password_profile_not_found',
        `The password profile ${list([profile])} has one-time passwords turned off. ` +
          'Run `npx passport-elasticpath-otp setup`, or set its enable_one_time_password_token to true.',
      )
    }
  }

  /**
   * Detects realm and profile again and checks them, at most once in ten seconds. Other requests use the earlier ids
   * until the detection succeeds. Otherwise, its failure would reveal to them that Elastic Path refused a request.
   */
  async recheck(context: Context): Promise<void> {
    if (this.mayDetect()) {
      // Its result, a failure included, holds until the next detection is allowed.
      this.detection = context.detached((own) => this.detectAgain(own))
      this.detection.catch(() => undefined)
    }
    if (this.detection) await context.upstream(this.detection)
  }

  private async detectAgain(context: Context): Promise<void> {
    if (this.configured.authenticationRealmId === undefined) await this.realm.refresh(context)
    await this.profiles.refresh(context)
    if (this.configured.passwordProfileId === undefined) await this.profile.refresh(context)
    await this.check(context)
  }

  private forget(): void {
    if (!this.mayDetect()) return
    this.detection = undefined
    this.realm.clear()
    this.profiles.clear()
    this.profile.clear()
  }

  private mayDetect(): boolean {
    if (performance.now() - this.lastDetection < DETECTION_INTERVAL) return false
    this.lastDetection = performance.now()
    return true
  }

  /** Reads the id of the realm from the account settings (docs/elastic-path-facts.md#16). */
  private async findRealm(context: Context): Promise<string> {
    const { realmId } = await this.client.require(
      context,
      {
        method: 'GET',
        path: '/v2/settings/account-authentication',
        repeatable: true,
        parse: parseRealm,
      },
      'Set authenticationRealmId, or let clientId read the account settings.',
    )
    if (realmId !== undefined) return realmId
    throw new ElasticPathError(
      'realm_not_found',
      "The store's account settings name no authentication realm. Set up account authentication in Commerce Manager, " +
        'or set authenticationRealmId.',
    )
  }

  /** Reads all pages of the realm's password profiles (docs/elastic-path-facts.md#17). */
  private async readProfiles(context: Context, realmId: string): Promise<PasswordProfile[]> {
    const profiles: PasswordProfile[] = []
    for (;;) {
      const page = await this.client.require(
        context,
        {
          method: 'GET',
          path:
            `/v2/authentication-realms/${encodeURIComponent(realmId)}/password-profiles` +
            `?page[limit]=${MAX_PAGE}&page[offset]=${profiles.length}`,
          repeatable: true,
          parse: parseProfiles,
        },
        'Check authenticationRealmId, or set passwordProfileId.',
      )
      profiles.push(...page.profiles)
      if (page.profiles.length === 0 || profiles.length >= Math.min(page.total, MAX_PROFILES)) return profiles
    }
  }
}

function cache<T>(lifetime: number, find: (context: Context) => Promise<T>): Shared<T> {
  return new Shared(async (context) => ({ value: await find(context), lifetime }))
}

function soleProfile(profiles: PasswordProfile[]): string {
  const candidates = profiles.filter(({ issuesCodes }) => issuesCodes)
  const [only] = candidates
  if (only && candidates.length === 1) return only.id
  if (!only) {
    const found = profiles.length === 0 ? 'It has no password profile.' : `It has: ${list(profiles)}.`
    throw new ElasticPathError(
      'password_profile_not_found',
      'No password profile of the realm has one-time passwords turned on. Run `npx passport-elasticpath-otp setup`, ' +
        `or set enable_one_time_password_token of a profile to true in the realm. ${found}`,
    )
  }
  throw new ElasticPathError(
    'password_profile_ambiguous',
    `Several password profiles of the realm have one-time passwords enabled. Set passwordProfileId to one of: ${list(candidates)}`,
  )
}

function list(profiles: PasswordProfile[]): string {
  const shown = profiles.slice(0, 20).map(({ id, name }) => `${id} (${name})`)
  return shown.join(', ') + (profiles.length > shown.length ? ', …' : '')
}

function parseRealm(json: unknown): { realmId: string | undefined } | undefined {
  const data = asObject(at(json, 'data'))
  if (!data) return undefined
  const realm = at(data, 'relationships', 'authentication_realm', 'data')
  if (realm === undefined || realm === null) return { realmId: undefined }
  const realmId = readId(at(realm, 'id'))
  return realmId === undefined ? undefined : { realmId }
}

function parseProfiles(json: unknown): { profiles: PasswordProfile[]; total: number } | undefined {
  const data = at(json, 'data')
  if (!Array.isArray(data)) return undefined
  const profiles: PasswordProfile[] = []
  for (const entry of data as unknown[]) {
    const id = readId(at(entry, 'id'))
    const name = at(entry, 'name') ?? ''
    const issuesCodes = at(entry, 'enable_one_time_password_token') ?? false
    if (id === undefined || typeof name !== 'string' || typeof issuesCodes !== 'boolean') return undefined
    // Error messages contain the name and must be one line.
    profiles.push({ id, name: name.slice(0, 100).replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' '), issuesCodes })
  }
  const results = at(json, 'meta', 'results')
  const total = results === undefined ? profiles.length : at(results, 'total')
  return typeof total === 'number' ? { profiles, total } : undefined
}

function readId(value: unknown): string | undefined {
  const id = asText(value)
  return id !== undefined && /^[\w.-]{1,256}$/.test(id) ? id : undefined
}
