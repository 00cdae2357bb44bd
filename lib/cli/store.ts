import type { Io } from './io'
import { at, number, objects, oneLine, text, type JsonObject } from './json'
import type { Settings } from './settings'
import { moment, Transport, type Answer, type Manners, type Request } from './transport'

const PAGE = 100
const MOST_PAGES = 10

export const CODE_EVENT = 'one-time-password-token-request.created'

export type Grant = 'implicit' | 'client_credentials'

export interface Profile {
  readonly id: string
  readonly name: string
  readonly usernameFormat: string | undefined
  readonly issuesCodes: boolean
  /** All fields, for an update that keeps them. */
  readonly fields: JsonObject
}

export interface Integration {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly enabled: boolean
  readonly observes: readonly string[]
  readonly url: string | undefined
  /** Undefined if the store does not show it. */
  readonly secretKey: string | undefined
  readonly fields: JsonObject
}

/** A delivery to a webhook, as the store's log has it. */
export interface DeliveryLog {
  readonly id: string
  readonly succeeded: boolean
  readonly status: number | undefined
  readonly created: number | undefined
}

/** The calls to Elastic Path that the commands make. Every request to Elastic Path goes through here. */
export class Store {
  private readonly tokens = new Map<Grant, string>()
  private readonly transport: Transport

  constructor(
    private readonly settings: Settings,
    io: Io,
    manners: Manners = {},
  ) {
    this.transport = new Transport(settings, io, manners)
  }

  /** Replaces a text in all later errors. */
  hide(secret: string | undefined): void {
    this.transport.hide(secret)
  }

  /** The text without what is hidden. */
  redact(message: string): string {
    return this.transport.redact(message)
  }

  /** Any answer of the base URL, to see whether it can be reached. */
  reach(): Promise<Answer> {
    return this.transport.send({ method: 'GET', path: '/v2/settings/account-authentication' })
  }

  /**
   * Gets an access token and keeps it for later requests.
   *
   * @returns its lifetime in seconds; undefined if Elastic Path refuses it.
   */
  async authenticate(grant: Grant): Promise<{ lifetime: number | undefined } | undefined> {
    const { clientId = '', clientSecret = '' } = this.settings
    const secret = grant === 'client_credentials' ? { client_secret: clientSecret } : {}
    const request: Request = {
      method: 'POST',
      path: '/oauth/access_token',
      form: { grant_type: grant, client_id: clientId, ...secret },
    }
    const answer = await this.transport.send(request)
    if ([400, 401, 403].includes(answer.status)) return undefined
    this.transport.expect(request, answer, 200)
    // The API description wraps the token in `data`; the service does not.
    const token = at(answer.body, 'data', 'access_token') ?? at(answer.body, 'access_token')
    if (typeof token !== 'string') throw this.transport.unexpected(request, answer)
    this.tokens.set(grant, token)
    this.hide(token)
    return { lifetime: number(at(answer.body, 'data', 'expires_in') ?? at(answer.body, 'expires_in')) }
  }

  has(grant: Grant): boolean {
    return this.tokens.has(grant)
  }

  async accountSettings(): Promise<{ realmId: string | undefined; tokenLifetime: number | undefined }> {
    const request: Request = { method: 'GET', path: '/v2/settings/account-authentication' }
    const data = at(await this.read(request, 'implicit'), 'data')
    return {
      realmId: text(at(data, 'relationships', 'authentication_realm', 'data', 'id')),
      tokenLifetime: number(at(data, 'account_management_authentication_token_timeout_secs')),
    }
  }

  async profiles(realmId: string): Promise<Profile[]> {
    return (await this.list(profilesPath(realmId), 'implicit')).flatMap((fields) => {
      const id = text(fields['id'])
      if (id === undefined) return []
      return {
        id,
        name: oneLine(text(fields['name']) ?? id, 80),
        usernameFormat: text(fields['username_format']),
        issuesCodes: fields['enable_one_time_password_token'] === true,
        fields,
      }
    })
  }

  async createProfile(realmId: string, data: JsonObject): Promise<void> {
    await this.write({
      method: 'POST',
      path: profilesPath(realmId),
      data: { type: 'password_profile', ...data },
    })
  }

  /** Changes some fields of a profile and keeps the others. */
  async updateProfile(realmId: string, { id, fields }: Profile, changes: JsonObject): Promise<void> {
    const { meta: _meta, links: _links, ...kept } = fields
    const path = `${profilesPath(realmId)}/${encodeURIComponent(id)}`
    await this.write({ method: 'PUT', path, data: { ...kept, ...changes } })
  }

  async integrations(): Promise<Integration[]> {
    return (await this.list('/v2/integrations', 'client_credentials')).flatMap((fields) => {
      const id = text(fields['id'])
      if (id === undefined) return []
      const observes = fields['observes']
      this.hide(text(at(fields, 'configuration', 'secret_key')))
      return {
        id,
        name: oneLine(text(fields['name']) ?? id, 80),
        type: text(fields['integration_type']) ?? 'webhook',
        enabled: fields['enabled'] === true,
        observes: Array.isArray(observes) ? observes.filter((event) => typeof event === 'string') : [],
        url: text(at(fields, 'configuration', 'url')),
        secretKey: shown(text(at(fields, 'configuration', 'secret_key'))),
        fields,
      }
    })
  }

  async createIntegration(data: JsonObject): Promise<void> {
    await this.write({ method: 'POST', path: '/v2/integrations', data: { type: 'integration', ...data } })
  }

  /** Changes some fields of an integration and keeps the others. */
  async updateIntegration({ id, fields }: Integration, changes: JsonObject): Promise<void> {
    const { meta: _meta, links: _links, ...kept } = fields
    const path = `/v2/integrations/${encodeURIComponent(id)}`
    await this.write({ method: 'PUT', path, data: { ...kept, ...changes } })
  }

  /**
   * The deliveries of an integration. The order of the log is not documented, so its first and its last page are read.
   */
  async deliveries(integrationId: string): Promise<DeliveryLog[]> {
    const path = `/v2/integrations/${encodeURIComponent(integrationId)}/logs?page[limit]=${PAGE}`
    const read = (offset: number) =>
      this.read({ method: 'GET', path: `${path}&page[offset]=${offset}` }, 'client_credentials')
    const first = await read(0)
    const total = number(at(first, 'meta', 'results', 'total') ?? at(first, 'results', 'total')) ?? 0
    const last = total > PAGE ? await read(Math.max(PAGE, total - PAGE)) : undefined
    return [...objects(at(first, 'data')), ...objects(at(last, 'data'))].map((log) => ({
      id: text(log['id']) ?? JSON.stringify(log),
      succeeded: log['succeeded'] === true,
      // 0 if there was no answer.
      status: log['status_code'] === 0 ? undefined : number(log['status_code']),
      created: moment(at(log, 'meta', 'timestamps', 'created_at') ?? log['created_at']),
    }))
  }

  /** Requests a code. Which statuses an unknown username gets is not documented, so all are returned. */
  requestCode(realmId: string, profileId: string, username: string): Promise<Answer> {
    this.hide(username)
    const path = `${profilesPath(realmId)}/${encodeURIComponent(profileId)}/one-time-password-token-request`
    const data = { type: 'one_time_password_token_request', username, purpose: 'passwordless_authentication' }
    return this.send({ method: 'POST', path, data }, 'implicit')
  }

  /** Exchanges a code for account tokens. */
  async exchange(profileId: string, username: string, code: string): Promise<Answer> {
    this.hide(code)
    const request: Request = {
      method: 'POST',
      path: '/v2/account-members/tokens',
      data: {
        type: 'account_management_authentication_token',
        authentication_mechanism: 'passwordless',
        password_profile_id: profileId,
        username,
        one_time_password_token: code,
      },
    }
    const answer = await this.send(request, 'implicit')
    for (const account of objects(at(answer.body, 'data'))) this.hide(text(account['token']))
    return answer
  }

  private async list(path: string, grant: Grant): Promise<JsonObject[]> {
    const all: JsonObject[] = []
    for (let page = 0; page < MOST_PAGES; page++) {
      const body = await this.read(
        {
          method: 'GET',
          path: `${path}?page[limit]=${PAGE}&page[offset]=${all.length}`,
        },
        grant,
      )
      const entries = objects(at(body, 'data'))
      all.push(...entries)
      const total = number(at(body, 'meta', 'results', 'total')) ?? all.length
      if (entries.length === 0 || all.length >= total) break
    }
    return all
  }

  private async read(request: Request, grant: Grant): Promise<unknown> {
    const answer = await this.send(request, grant)
    this.transport.expect(request, answer, 200)
    return answer.body
  }

  private async write(request: Request): Promise<void> {
    this.transport.expect(request, await this.send(request, 'client_credentials'), 200, 201)
  }

  /** Sends a request with a token of this grant, or with the other one if there is none. */
  private send(request: Request, grant: Grant): Promise<Answer> {
    const other = grant === 'implicit' ? 'client_credentials' : 'implicit'
    return this.transport.send({ ...request, token: this.tokens.get(grant) ?? this.tokens.get(other) })
  }
}

function profilesPath(realmId: string): string {
  return `/v2/authentication-realms/${encodeURIComponent(realmId)}/password-profiles`
}

/** A secret that the store masks is as good as none. */
function shown(secret: string | undefined): string | undefined {
  return secret === undefined || /^[*•]|^x+$/i.test(secret) ? undefined : secret
}
