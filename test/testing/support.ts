import { ElasticPathSimulator, type SimulatorOptions } from '../../lib/testing'
import { withoutChance } from '../support/snapshots'

export const ADA = 'ada@example.com'
export const TOKENS = '/v2/account-members/tokens'
export const TOKEN_TYPE = 'account_management_authentication_token'
export const ACCOUNT_TOKEN_HEADER = 'EP-Account-Management-Authentication-Token'

const open: ElasticPathSimulator[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.stop()))
})

/** The responses of the current test; undefined if they are not compared. */
let responses: string[] | undefined
const MOST_RESPONSES = 20

/** Compares the responses that each test of this file gets by a {@link Client} with `__snapshots__`. */
export function compareResponses(): void {
  beforeEach(() => {
    responses = []
  })
  afterEach(() => {
    if (responses?.length) expect(responses.join('\n')).toMatchSnapshot()
  })
}

/** Keeps the beginning of a response, without what differs from run to run. */
function record(response: string): void {
  if (responses && responses.length < MOST_RESPONSES)
    responses.push(withoutChance(response.slice(0, 10_000)).slice(0, 2000))
}

/** Starts a simulator with the member Ada, and a client with an access token. The simulator stops after the test. */
export async function openStore(options: SimulatorOptions = {}) {
  const simulator = await ElasticPathSimulator.start({ members: [{ username: ADA }], ...options })
  open.push(simulator)
  const client = new Client(simulator)
  await client.authenticate()
  simulator.clearRequests()
  return { simulator, client }
}

export interface Reply {
  status: number
  headers: Headers
  text: string
  /** Undefined if the text is not JSON. */
  json: unknown
}

/** Installs fake timers and a fake clock in this process. Sockets stay real. */
export function useFakeClock(): void {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
}

interface Send {
  method?: string
  headers?: Record<string, string>
  body?: unknown
}

/** Calls a store as Elastic Path documents it, without any code of the library. */
export class Client {
  private bearer = ''

  constructor(private readonly simulator: ElasticPathSimulator) {}

  /** A client with an access token for `client_credentials`. */
  static async admin(simulator: ElasticPathSimulator): Promise<Client> {
    const client = new Client(simulator)
    await client.authenticate({ grant_type: 'client_credentials', client_secret: simulator.clientSecret })
    return client
  }

  async authenticate(form: Record<string, string> = {}): Promise<Reply> {
    const { clientId } = this.simulator
    const reply = await this.send('/oauth/access_token', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: 'implicit', client_id: clientId, ...form }).toString(),
    })
    const token = at(reply.json, 'access_token') ?? at(reply.json, 'data', 'access_token')
    this.bearer = typeof token === 'string' ? token : ''
    return reply
  }

  /** Sends a request. Adds the access token, and the content type of JSON. A body that is not a string is serialized. */
  async send(path: string, { method = 'GET', headers = {}, body }: Send = {}): Promise<Reply> {
    const response = await fetch(this.simulator.url + path, {
      method,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${this.bearer}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    record(`${method} ${path} ${response.status} ${text}`)
    return { status: response.status, headers: response.headers, text, json: parse(text) }
  }

  exchangeBody(otp: string, fields: Record<string, unknown> = {}) {
    return {
      data: {
        type: TOKEN_TYPE,
        authentication_mechanism: 'passwordless',
        password_profile_id: this.simulator.passwordProfileId,
        username: ADA,
        one_time_password_token: otp,
        ...fields,
      },
    }
  }

  exchange(otp: string, fields: Record<string, unknown> = {}, query = ''): Promise<Reply> {
    return this.send(TOKENS + query, { method: 'POST', body: this.exchangeBody(otp, fields) })
  }

  /** Signs Ada in with a new code. Resolves with her first account token. */
  async signIn(): Promise<string> {
    const reply = await this.exchange(this.simulator.issueCode(ADA))
    return String(at(reply.json, 'data', 0, 'token'))
  }

  renew(token: string | undefined, query = '', fields: Record<string, unknown> = {}): Promise<Reply> {
    return this.send(TOKENS + query, {
      method: 'POST',
      headers: held(token),
      body: { data: { type: TOKEN_TYPE, authentication_mechanism: TOKEN_TYPE, ...fields } },
    })
  }

  otpRequestPath({ realmId, profileId }: { realmId?: string; profileId?: string } = {}): string {
    const realm = realmId ?? this.simulator.realmId
    const profile = profileId ?? this.simulator.passwordProfileId
    return `/v2/authentication-realms/${realm}/password-profiles/${profile}/one-time-password-token-request`
  }

  askForCode(
    username = ADA,
    fields: Record<string, unknown> = {},
    path = this.otpRequestPath(),
  ): Promise<Reply> {
    const data = {
      type: 'one_time_password_token_request',
      username,
      purpose: 'passwordless_authentication',
      ...fields,
    }
    return this.send(path, { method: 'POST', body: { data } })
  }

  /** Calls an endpoint with a JSON body and an account token, if given. */
  call(method: string, path: string, body?: unknown, token?: string): Promise<Reply> {
    return this.send(path, { method, headers: held(token), ...(body !== undefined && { body }) })
  }

  settings(): Promise<Reply> {
    return this.send('/v2/settings/account-authentication')
  }

  passwordProfiles(query = '', realmId = this.simulator.realmId): Promise<Reply> {
    return this.send(`/v2/authentication-realms/${realmId}/password-profiles${query}`)
  }

  accounts(token: string | undefined, suffix = ''): Promise<Reply> {
    return this.send(`/v2/accounts${suffix}`, { headers: held(token) })
  }
}

function held(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { [ACCOUNT_TOKEN_HEADER]: token }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Returns the value at a path in a JSON value. Undefined if the path does not exist. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Record<string | number, unknown>)[key]
        : undefined,
    value,
  )
}

/** Returns the claims of a JWT without verifying it. */
export function claimsOf(token: unknown): unknown {
  return parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString('utf8'))
}

export function detailOf(reply: Reply): unknown {
  return at(reply.json, 'errors', 0, 'detail')
}
