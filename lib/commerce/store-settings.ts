import { ElasticPathError } from '../errors'
import type { CommerceClient } from './client'
import { MAX_PAGE } from './account-tokens'
import { asObject, asText, at } from './json'
import type { Operation } from './operation'
import { Shared } from './shared'

interface PasswordProfile {
  id: string
  name: string
  issuesCodes: boolean
}

interface Named {
  passwordProfileId: string | undefined
  authenticationRealmId: string | undefined
}

const FOREVER = Infinity
// How long a list of profiles is believed when a named or found id is held against it.
const LIST_KEPT = 60_000
// A store has a handful of them. An answer that promises more is not one to follow.
const MAX_PROFILES = 1000

/** Which realm and which password profile the store signs its members in with: as named, or found out once. */
export class StoreSettings {
  private readonly realm: Shared<string>
  private readonly profile: Shared<string>
  private readonly profiles: Shared<PasswordProfile[]>

  constructor(
    private readonly client: CommerceClient,
    private readonly named: Named,
  ) {
    this.realm = keep(FOREVER, (operation) => this.findRealm(operation))
    this.profiles = keep(LIST_KEPT, async (operation) =>
      this.readProfiles(operation, await this.realmId(operation)),
    )
    this.profile = keep(FOREVER, async (operation) => soleProfile(await this.profiles.get(operation)))
  }

  async realmId(operation: Operation): Promise<string> {
    return this.named.authenticationRealmId ?? this.realm.get(operation)
  }

  async passwordProfileId(operation: Operation): Promise<string> {
    return this.named.passwordProfileId ?? this.profile.get(operation)
  }

  /** Holds the named ids against the store. Rejects where codes cannot work, with what to set. */
  async check(operation: Operation): Promise<void> {
    const id = await this.passwordProfileId(operation)
    const profiles = await this.profiles.get(operation)
    const profile = profiles.find((candidate) => candidate.id === id)
    if (!profile) {
      // One that was found out may have been replaced: the next who needs it looks again.
      this.profile.forget(id)
      throw new ElasticPathError(
        'password_profile_not_found',
        `The realm has no password profile ${id}. Set passwordProfileId to one of: ${list(profiles)}`,
      )
    }
    if (!profile.issuesCodes) {
      throw new ElasticPathError(
        'password_profile_not_found',
        `The password profile ${list([profile])} issues no codes: set its enable_one_time_password_token to true`,
      )
    }
  }

  /** Fact 16. */
  private async findRealm(operation: Operation): Promise<string> {
    const { realmId } = await this.client.require(
      operation,
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

  /** Fact 17, through all pages. */
  private async readProfiles(operation: Operation, realmId: string): Promise<PasswordProfile[]> {
    const profiles: PasswordProfile[] = []
    for (;;) {
      const page = await this.client.require(
        operation,
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

function keep<T>(keptFor: number, look: (operation: Operation) => Promise<T>): Shared<T> {
  return new Shared(async (operation) => ({ value: await look(operation), until: Date.now() + keptFor }))
}

function soleProfile(profiles: PasswordProfile[]): string {
  const candidates = profiles.filter(({ issuesCodes }) => issuesCodes)
  const [only] = candidates
  if (only && candidates.length === 1) return only.id
  if (!only) {
    const found = profiles.length === 0 ? 'It has no password profile.' : `It has: ${list(profiles)}.`
    throw new ElasticPathError(
      'password_profile_not_found',
      `No password profile of the realm has enable_one_time_password_token set to true, so that no code can work. ${found}`,
    )
  }
  throw new ElasticPathError(
    'password_profile_ambiguous',
    `Several password profiles of the realm issue codes. Set passwordProfileId to one of: ${list(candidates)}`,
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
    // It is shown in errors, which are one line.
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
