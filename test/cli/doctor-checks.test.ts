import type { ElasticPathSimulator, SimulatorOptions } from '../../lib/testing'
import {
  EVENT,
  examine,
  IDS,
  open,
  OTHER_PROFILE,
  PROFILE,
  SECRET,
  shell,
  shop,
  simulator,
  useDoctor,
} from './doctor-store'
import { leadTo, type Situation } from './support'
import type { FakeShop } from './webhook'

useDoctor()

type Difference = [status: string, name: string, arrange: () => Promise<Situation>]

const integration = (more: object) => ({
  integrations: [{ name: 'passport-elasticpath-otp', url: shop.url, secretKey: SECRET, ...more }],
})

const off = (count: number) => Array.from({ length: count }, () => ({ oneTimePasswords: false }))
const NO_FORMAT = { id: PROFILE, name: 'Shoppers', enable_one_time_password_token: true }
const QUEUE = { integration_type: 'aws_sqs' }
const ORDERS = { observes: ['order.created'] }

const having = async (options?: SimulatorOptions, env?: Record<string, string>): Promise<Situation> => ({
  env: { ...(await open(options)), ...env },
})

/** Each changes one thing, which a check has to see. What it prints is in `__snapshots__`. */
const DIFFERENCES: Readonly<Record<string, readonly Difference[]>> = {
  base_url: [
    ['error', 'the store is down', async () => ({ env: await stopped(await open()) })],
    ['error', 'the host does not exist', () => away('ENOTFOUND')],
    ['error', 'the certificate is not trusted', () => away('SELF_SIGNED_CERT_IN_CHAIN')],
    ['error', 'the connection breaks', () => faulty('account_settings', 'reset')],
    ['error', 'Elastic Path is down', () => faulty('account_settings', { status: 500 })],
    [
      'error',
      'the base URL redirects',
      () => faulty('account_settings', { redirect: 'https://elsewhere.example/?a=b' }),
    ],
    ['error', 'the answer is enormous', () => faulty('account_settings', 'oversized')],
    [
      'warning',
      'the host is no region',
      async () => ({
        env: { ...(await open()), EPCC_BASE_URL: 'https://api.example.com' },
        fetch: leadTo({ 'api.example.com': simulator.url }),
      }),
    ],
  ],
  clock: [
    ['error', 'the clock is far behind', async () => ({ env: await open(), ahead: -3_600_000 })],
    ['ok', 'the clock is -29 seconds ahead', () => skewed(-29)],
    ['warning', 'the clock is -30 seconds ahead', () => skewed(-30)],
    ['warning', 'the clock is 599 seconds ahead', () => skewed(599)],
    ['error', 'the clock is 600 seconds ahead', () => skewed(600)],
    ['skipped', 'the answer has no date', () => changed(HIDE_DATE)],
  ],
  implicit_token: [
    [
      'error',
      'the client id is wrong',
      () => having({}, { EPCC_CLIENT_ID: 'wrong', EPCC_CLIENT_SECRET: '' }),
    ],
    ['warning', 'the key allows no implicit tokens', () => faulty('access_token', { status: 403 })],
    ['error', 'a proxy answers with HTML', () => faulty('access_token', { status: 200, body: '<html>' })],
    ['ok', 'tokens do not say how long they live', () => changed(HIDE_LIFETIME)],
  ],
  client_credentials_token: [
    ['error', 'the client secret is wrong', () => having({}, { EPCC_CLIENT_SECRET: 'wrong-secret' })],
    [
      'error',
      'the client id and the secret are of the other region',
      async () => ({
        env: {
          ...(await open()),
          EPCC_CLIENT_ID: 'wrong',
          EPCC_BASE_URL: 'https://euwest.api.elasticpath.com',
        },
        fetch: leadTo({ 'euwest.api.elasticpath.com': simulator.url }),
      }),
    ],
  ],
  realm: [
    [
      'error',
      'the store has no realm',
      () => faulty('account_settings', { status: 200, body: { data: {} } }, 1),
    ],
    ['error', 'the settings fail', () => faulty('account_settings', { status: 500 }, 1)],
    ['warning', 'another realm is set', () => having({}, { EPCC_AUTHENTICATION_REALM_ID: PROFILE })],
    [
      'ok',
      'the realm that is set is that of the store',
      async () => {
        const env = await open()
        return { env: { ...env, EPCC_AUTHENTICATION_REALM_ID: simulator.realmId } }
      },
    ],
    [
      'warning',
      'a realm is set and the store has none',
      async () => {
        const { env } = await faulty('account_settings', { status: 200, body: { data: {} } }, 1)
        return { env: { ...env, EPCC_AUTHENTICATION_REALM_ID: PROFILE } }
      },
    ],
  ],
  profiles: [
    ['error', 'there is no profile', () => having({ passwordProfiles: [] })],
    [
      'error',
      'codes are off',
      () => having({ passwordProfiles: [{ name: 'Shoppers', oneTimePasswords: false }] }),
    ],
    [
      'error',
      'two profiles have codes on',
      () => having({ passwordProfiles: [{ id: PROFILE }, { id: OTHER_PROFILE }] }),
    ],
    [
      'error',
      'the profile that is set does not exist',
      () => having({}, { EPCC_PASSWORD_PROFILE_ID: OTHER_PROFILE }),
    ],
    [
      'error',
      'the profile that is set has codes off',
      () =>
        having(
          { passwordProfiles: [{ id: PROFILE, oneTimePasswords: false }, {}] },
          { EPCC_PASSWORD_PROFILE_ID: PROFILE },
        ),
    ],
    [
      'ok',
      'one of several profiles is set',
      () =>
        having(
          { passwordProfiles: [{ id: OTHER_PROFILE }, { id: PROFILE, name: 'Shoppers' }] },
          { EPCC_PASSWORD_PROFILE_ID: PROFILE },
        ),
    ],
    ['error', '10 profiles have codes off', () => having({ passwordProfiles: off(10) })],
    ['error', '11 profiles have codes off', () => having({ passwordProfiles: off(11) })],
  ],
  username_format: [
    ['warning', 'usernames can be anything', () => having({ passwordProfiles: [{ usernameFormat: 'any' }] })],
    [
      'ok',
      'the profile does not say',
      () => faulty('password_profiles', { status: 200, body: { data: [NO_FORMAT] } }),
    ],
  ],
  webhook_integration: [
    ['error', 'there is no integration', () => having({ integrations: [] })],
    ['error', 'the integration is disabled', () => having(integration({ enabled: false }))],
    [
      'error',
      'the integration observes something else',
      () => having(integration({ observes: ['order.created'] })),
    ],
    ['error', 'the key may not read integrations', () => faulty('GET /v2/integrations', { status: 403 })],
    [
      'warning',
      'three integrations deliver codes',
      () =>
        having({
          integrations: [
            { name: 'Old', url: shop.url, secretKey: SECRET },
            { name: 'Older', url: shop.url },
            { name: 'Oldest', url: shop.url },
          ],
        }),
    ],
    ['ok', 'an integration of another name delivers codes', () => having(integration({ name: 'Mails' }))],
    [
      'ok',
      'other integrations do not deliver codes',
      () =>
        having({
          integrations: [
            { name: 'Off', url: shop.url, enabled: false },
            { name: 'On', url: shop.url, secretKey: SECRET },
            { name: 'Orders', url: shop.url, observes: ['order.created'] },
          ],
        }),
    ],
    ['warning', 'a queue takes the codes', () => listed({ name: 'Queue', ...QUEUE })],
    [
      'error',
      'no integration that is on delivers codes',
      () => listed(ORDERS, { ...QUEUE, ...ORDERS }, { ...QUEUE, enabled: false }),
    ],
    [
      'ok',
      'integrations that do not deliver codes come first',
      () => listed({ name: 'Orders', ...ORDERS }, { name: 'Off', enabled: false }, {}),
    ],
    ['error', 'the integration observes nothing', () => listed({ observes: 'all' })],
  ],
  webhook_url: [
    [
      'error',
      'the webhook is not https',
      () => having(integration({ url: 'http://shop.example.com/webhooks/otp' })),
    ],
    [
      'warning',
      'the shop does not run',
      async () => {
        const env = await open()
        await shop.close()
        return { env }
      },
    ],
    ['error', 'the webhook accepts everything', () => answering(() => 204)],
    ['error', 'there is no handler', () => answering(() => 404)],
    ['error', 'the webhook redirects', () => answering(() => 308)],
    ['error', 'the shop fails', () => answering(() => 502)],
    [
      'ok',
      'the webhook is https',
      async () => ({
        env: await open(integration({ url: 'https://shop.example.com/webhooks/otp' })),
        fetch: leadTo({ 'shop.example.com': shop.url }),
      }),
    ],
    ['error', 'the integration has no URL', () => listed({ configuration: {} })],
    [
      'error',
      'the webhook is on this machine and the store is not',
      async () => ({
        env: { ...(await open()), EPCC_BASE_URL: 'https://useast.api.elasticpath.com' },
        fetch: leadTo({ 'useast.api.elasticpath.com': simulator.url }),
      }),
    ],
    ['ok', 'the webhook forbids the request', () => answering(() => 403)],
    ['error', 'the webhook answers 300', () => answering(() => 300)],
    ['error', 'the webhook answers 400', () => answering(() => 400)],
    ['error', 'the webhook answers 500', () => answering(() => 500)],
    ['warning', 'the connection to the shop fails', () => failing(new TypeError('failed'))],
  ],
  webhook_secret: [
    ['error', 'no secret is set', () => having({}, { EPCC_WEBHOOK_SECRET: '' })],
    [
      'error',
      'the integration has another secret',
      () => having({}, { EPCC_WEBHOOK_SECRET: 'another-secret-key' }),
    ],
    ['error', 'the shop runs with another secret', () => answering(() => 401)],
    ['warning', 'the shop answers 422 to the secret', () => accepting(422)],
    ['error', 'the shop forbids the secret', () => answering(() => 403)],
    ['warning', 'the shop answers 300 to the secret', () => accepting(300)],
  ],
  deliveries: [
    ['error', 'all deliveries failed with 401', () => delivered(401)],
    ['warning', 'one delivery failed with 500', () => delivered(500, 204)],
    ['ok', 'all deliveries succeeded', () => delivered(204, 204)],
    ['ok', 'a delivery failed a day ago', () => failed(86_400_000)],
    ['error', 'a delivery failed less than a day ago', () => failed(86_399_999)],
    ['error', 'deliveries failed with two statuses', () => delivered(418, 404)],
    ['error', 'deliveries failed with an unusual status', () => delivered(418)],
    ['error', 'deliveries got no answer', () => logged({ succeeded: false, status_code: 0 })],
    ['ok', 'a delivery has no date', () => logged({ succeeded: true, status_code: 204 })],
  ],
  account_token_lifetime: [
    [
      'ok',
      'the store does not say how long account tokens live',
      async () => {
        const env = await open()
        const realm = { data: { id: simulator.realmId, type: 'authentication-realm' } }
        const body = { data: { relationships: { authentication_realm: realm } } }
        simulator.fault('account_settings', { status: 200, body }, { after: 1 })
        return { env }
      },
    ],
    ['warning', 'account tokens live 899 seconds', () => having({ accountTokenLifetime: 899 })],
    ['ok', 'account tokens live 900 seconds', () => having({ accountTokenLifetime: 900 })],
    ['ok', 'account tokens live 30 days', () => having({ accountTokenLifetime: 2_592_000 })],
    ['warning', 'account tokens live longer than 30 days', () => having({ accountTokenLifetime: 2_592_001 })],
  ],
  node_version: [
    ['error', 'Node is v20.18.0', async () => ({ env: await open(), nodeVersion: 'v20.18.0' })],
    ['error', 'Node is v18.20.0', async () => ({ env: await open(), nodeVersion: 'v18.20.0' })],
    ['error', 'Node is v20.17.9', async () => ({ env: await open(), nodeVersion: 'v20.17.9' })],
    ['ok', 'Node is v20.19.0', async () => ({ env: await open(), nodeVersion: 'v20.19.0' })],
    ['ok', 'Node is v21.0.0', async () => ({ env: await open(), nodeVersion: 'v21.0.0' })],
  ],
}

describe('doctor at a store where something differs', () => {
  const ROWS = Object.entries(DIFFERENCES).flatMap(([id, rows]) => rows.map((row) => [id, ...row] as const))

  it.each(ROWS)('reports %s as %s when %s', async (id, status, _, arrange) => {
    const situation = await arrange()

    const { code, report, out } = await examine(situation)

    expect(report.checks.find((check) => check.id === id)?.status).toBe(status)
    expect(code).toBe(report.checks.some((check) => check.status === 'error') ? 1 : 0)
    expect(report.ok).toBe(code === 0)
    if (status === 'error') expect(code).toBe(1)
    expect(report.checks.map((check) => check.id)).toEqual(IDS)
    const { EPCC_CLIENT_SECRET } = situation.env ?? {}
    for (const secret of [SECRET, EPCC_CLIENT_SECRET, 'wrong-secret', 'another-secret-key']) {
      if (secret) expect(out).not.toContain(secret)
    }
  })

  it('has a test for each check', () => {
    expect(Object.keys(DIFFERENCES)).toEqual(IDS)
  })

  it.each([
    [{}, 'answers (region US East). EPCC_BASE_URL is not set, so this is the default region.'],
    [{ EPCC_BASE_URL: 'https://useast.api.elasticpath.com' }, 'answers (region US East).'],
  ])('says which region it checked with %j, and that the app must use it too', async (more, message) => {
    const { EPCC_BASE_URL: _url, ...env } = await open()

    const { report } = await examine({
      env: { ...env, ...more },
      fetch: leadTo({ 'useast.api.elasticpath.com': simulator.url }),
    })

    const advice = 'The app must use the same baseUrl.'
    expect(report.checks[0]).toEqual({
      id: 'base_url',
      status: 'ok',
      message: `https://useast.api.elasticpath.com ${message}${'EPCC_BASE_URL' in more ? '' : ` ${advice}`}`,
    })
  })

  it('skips what needs the store when it cannot be reached', async () => {
    const { report } = await examine({ env: await stopped(await open()) })

    const others = report.checks.filter(({ id }) => id !== 'base_url' && id !== 'node_version')
    expect(others.map(({ status }) => status)).toEqual(others.map(() => 'skipped'))
  })

  it('sends a secret to no webhook without TLS', async () => {
    const secrets: (string | null)[] = []
    const spy: typeof fetch = (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input)
      if (url.hostname !== 'shop.example.com') return fetch(input, init)
      secrets.push(new Headers(init?.headers).get('x-moltin-secret-key'))
      return Promise.resolve(new Response(null, { status: 401 }))
    }

    await examine({
      env: await open(integration({ url: 'http://shop.example.com/webhooks/otp' })),
      fetch: spy,
    })

    expect(secrets.filter((secret) => secret !== null)).toEqual([])
  })
})

async function faulty(
  call: Parameters<ElasticPathSimulator['fault']>[0],
  fault: Parameters<ElasticPathSimulator['fault']>[1],
  after = 0,
): Promise<Situation> {
  const env = await open()
  simulator.fault(call, fault, { after })
  return { env }
}

async function answering(status: FakeShop['status']): Promise<Situation> {
  const env = await open()
  shop.status = status
  return { env }
}

/** A shop that answers with this status if the secret is right. */
const accepting = (status: number) => answering((secret) => (secret === SECRET ? status : 401))

/** A store whose log has a delivery for each status. */
async function delivered(...statuses: [number, number?]): Promise<Situation> {
  const env = await open()
  const [first, second = first] = statuses
  for (const status of [first, second]) {
    shop.status = () => status
    const ended = simulator.nextDelivery()
    simulator.publish(EVENT, {})
    await ended
  }
  shop.status = (secret) => (secret === SECRET ? 204 : 401)
  return { env }
}

/** A store whose answers are changed on their way. */
async function changed(change: (response: Response) => Response | Promise<Response>): Promise<Situation> {
  return { env: await open(), fetch: async (input, init) => change(await fetch(input, init)) }
}

/** A machine whose clock differs from that of the store. */
async function skewed(seconds: number): Promise<Situation> {
  const situation = await changed((response) => {
    const date = new Date(shell.clock.now() - seconds * 1000).toUTCString()
    return new Response(response.body, { status: response.status, headers: { date } })
  })
  // The header has whole seconds.
  return { ...situation, ahead: -(shell.clock.now() % 1000) }
}

const HIDE_DATE = (response: Response) => {
  const headers = new Headers(response.headers)
  headers.delete('date')
  return new Response(response.body, { status: response.status, headers })
}

const HIDE_LIFETIME = async (response: Response) => {
  const text = await response.text()
  return new Response(text.replace(/"expires_in":\d+,/, '') || null, response)
}

/** A store whose list of integrations has one that is changed in some fields for each argument. */
async function listed(...changes: object[]): Promise<Situation> {
  const env = await open()
  const [{ id } = {}] = simulator.integrations
  const entry = { id, name: 'Mails', enabled: true, observes: [EVENT], configuration: { url: shop.url } }
  const data = [...changes.map((fields) => ({ ...entry, ...fields })), { name: 'without an id' }]
  simulator.fault('GET /v2/integrations', { status: 200, body: { data } })
  return { env }
}

/** A store whose log of deliveries has one entry. */
async function logged(entry: object): Promise<Situation> {
  const env = await open()
  simulator.fault('GET /v2/integrations/:id/logs', { status: 200, body: { data: [entry] } })
  return { env }
}

function failed(age: number): Promise<Situation> {
  const created_at = new Date(shell.clock.now() - age).toISOString()
  return logged({ succeeded: false, status_code: 500, meta: { timestamps: { created_at } } })
}

/** A shop that cannot be reached. */
async function failing(error: Error): Promise<Situation> {
  return {
    env: await open(),
    fetch: (input, init) =>
      String(input instanceof Request ? input.url : input) === shop.url
        ? Promise.reject(error)
        : fetch(input, init),
  }
}

async function stopped(env: Record<string, string>): Promise<Record<string, string>> {
  await simulator.stop()
  return env
}

function away(code: string): Promise<Situation> {
  const cause = Object.assign(new Error(code), { code })
  return Promise.resolve({
    env: { EPCC_CLIENT_ID: 'any', EPCC_CLIENT_SECRET: 'hidden-secret' },
    fetch: () => Promise.reject(new TypeError('fetch failed', { cause })),
  })
}
