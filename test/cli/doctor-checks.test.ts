import type { ElasticPathSimulator } from '../../lib/testing'
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

type Arrange = () => Promise<Situation>

const integration = (more: object) => ({
  integrations: [{ name: 'passport-elasticpath-otp', url: shop.url, secretKey: SECRET, ...more }],
})

const QUEUE = { integration_type: 'aws_sqs' }
const ORDERS = { observes: ['order.created'] }

/** Each changes one thing, and names the check that has to see it. What it prints is in `__snapshots__`. */
const DIFFERENCES: readonly [id: string, status: string, name: string, arrange: Arrange][] = [
  ['base_url', 'error', 'the store is down', async () => ({ env: await stopped(await open()) })],
  ['base_url', 'error', 'the host does not exist', () => away('ENOTFOUND')],
  ['base_url', 'error', 'the certificate is not trusted', () => away('SELF_SIGNED_CERT_IN_CHAIN')],
  ['base_url', 'error', 'the connection breaks', () => faulty('account_settings', 'reset')],
  ['base_url', 'error', 'Elastic Path is down', () => faulty('account_settings', { status: 500 })],
  [
    'base_url',
    'error',
    'the base URL redirects',
    () => faulty('account_settings', { redirect: 'https://elsewhere.example/?a=b' }),
  ],
  ['base_url', 'error', 'the answer is enormous', () => faulty('account_settings', 'oversized')],
  [
    'base_url',
    'warning',
    'the host is no region',
    async () => ({
      env: { ...(await open()), EPCC_BASE_URL: 'https://api.example.com' },
      fetch: leadTo({ 'api.example.com': simulator?.url ?? '' }),
    }),
  ],
  ['clock', 'warning', 'the clock is ahead', async () => ({ env: await open(), ahead: 90_000 })],
  ['clock', 'error', 'the clock is far behind', async () => ({ env: await open(), ahead: -3_600_000 })],
  [
    'implicit_token',
    'error',
    'the client id is wrong',
    async () => ({ env: { ...(await open()), EPCC_CLIENT_ID: 'wrong', EPCC_CLIENT_SECRET: '' } }),
  ],
  [
    'implicit_token',
    'warning',
    'the key allows no implicit tokens',
    () => faulty('access_token', { status: 403 }),
  ],
  [
    'implicit_token',
    'error',
    'a proxy answers with HTML',
    () => faulty('access_token', { status: 200, body: '<html>' }),
  ],
  [
    'client_credentials_token',
    'error',
    'the client secret is wrong',
    async () => ({ env: { ...(await open()), EPCC_CLIENT_SECRET: 'wrong-secret' } }),
  ],
  [
    'client_credentials_token',
    'error',
    'the client id and the secret are of the other region',
    async () => ({
      env: {
        ...(await open()),
        EPCC_CLIENT_ID: 'wrong',
        EPCC_BASE_URL: 'https://euwest.api.elasticpath.com',
      },
      fetch: leadTo({ 'euwest.api.elasticpath.com': simulator?.url ?? '' }),
    }),
  ],
  [
    'realm',
    'error',
    'the store has no realm',
    () => faulty('account_settings', { status: 200, body: { data: {} } }, 1),
  ],
  ['realm', 'error', 'the settings fail', () => faulty('account_settings', { status: 500 }, 1)],
  [
    'realm',
    'warning',
    'another realm is set',
    async () => ({ env: { ...(await open()), EPCC_AUTHENTICATION_REALM_ID: PROFILE } }),
  ],
  ['profiles', 'error', 'there is no profile', async () => ({ env: await open({ passwordProfiles: [] }) })],
  [
    'profiles',
    'error',
    'codes are off',
    async () => ({ env: await open({ passwordProfiles: [{ name: 'Shoppers', oneTimePasswords: false }] }) }),
  ],
  [
    'profiles',
    'error',
    'two profiles have codes on',
    async () => ({ env: await open({ passwordProfiles: [{ id: PROFILE }, { id: OTHER_PROFILE }] }) }),
  ],
  [
    'profiles',
    'error',
    'the profile that is set does not exist',
    async () => ({ env: { ...(await open()), EPCC_PASSWORD_PROFILE_ID: OTHER_PROFILE } }),
  ],
  [
    'profiles',
    'error',
    'the profile that is set has codes off',
    async () => ({
      env: {
        ...(await open({ passwordProfiles: [{ id: PROFILE, oneTimePasswords: false }, {}] })),
        EPCC_PASSWORD_PROFILE_ID: PROFILE,
      },
    }),
  ],
  [
    'username_format',
    'warning',
    'usernames can be anything',
    async () => ({ env: await open({ passwordProfiles: [{ usernameFormat: 'any' }] }) }),
  ],
  [
    'webhook_integration',
    'error',
    'there is no integration',
    async () => ({ env: await open({ integrations: [] }) }),
  ],
  [
    'webhook_integration',
    'error',
    'the integration is disabled',
    async () => ({ env: await open(integration({ enabled: false })) }),
  ],
  [
    'webhook_integration',
    'error',
    'the integration observes something else',
    async () => ({ env: await open(integration({ observes: ['order.created'] })) }),
  ],
  [
    'webhook_integration',
    'error',
    'the key may not read integrations',
    () => faulty('GET /v2/integrations', { status: 403 }),
  ],
  [
    'webhook_integration',
    'warning',
    'three integrations deliver codes',
    async () => ({
      env: await open({
        integrations: [
          { name: 'Old', url: shop.url, secretKey: SECRET },
          { name: 'Older', url: shop.url },
          { name: 'Oldest', url: shop.url },
        ],
      }),
    }),
  ],
  [
    'webhook_url',
    'error',
    'the webhook is not https',
    async () => ({ env: await open(integration({ url: 'http://shop.example.com/webhooks/otp' })) }),
  ],
  [
    'webhook_url',
    'warning',
    'the shop does not run',
    async () => {
      const env = await open()
      await shop.close()
      return { env }
    },
  ],
  ['webhook_url', 'error', 'the webhook accepts everything', () => answering(() => 204)],
  ['webhook_url', 'error', 'there is no handler', () => answering(() => 404)],
  ['webhook_url', 'error', 'the webhook redirects', () => answering(() => 308)],
  ['webhook_url', 'error', 'the shop fails', () => answering(() => 502)],
  [
    'webhook_secret',
    'error',
    'no secret is set',
    async () => ({ env: { ...(await open()), EPCC_WEBHOOK_SECRET: '' } }),
  ],
  [
    'webhook_secret',
    'error',
    'the integration has another secret',
    async () => ({ env: { ...(await open()), EPCC_WEBHOOK_SECRET: 'another-secret-key' } }),
  ],
  ['webhook_secret', 'error', 'the shop runs with another secret', () => answering(() => 401)],
  [
    'webhook_secret',
    'warning',
    'the shop does not know the event',
    () => answering((secret) => (secret === SECRET ? 422 : 401)),
  ],
  ['deliveries', 'error', 'all deliveries failed with 401', () => delivered(401)],
  ['deliveries', 'warning', 'one delivery failed with 500', () => delivered(500, 204)],
  [
    'account_token_lifetime',
    'warning',
    'account tokens are short',
    async () => ({ env: await open({ accountTokenLifetime: 60 }) }),
  ],
  [
    'account_token_lifetime',
    'warning',
    'account tokens are long',
    async () => ({ env: await open({ accountTokenLifetime: 86_400 * 365 }) }),
  ],
  ['node_version', 'error', 'Node is too old', async () => ({ env: await open(), nodeVersion: 'v20.18.0' })],
  ...(
    [
      [-29, 'ok'],
      [-30, 'warning'],
      [599, 'warning'],
      [600, 'error'],
    ] as const
  ).map(([seconds, status]): (typeof DIFFERENCES)[number] => [
    'clock',
    status,
    `the clock is ${seconds} seconds ahead`,
    async () => ({
      ...(await changed((response) => {
        const date = new Date(shell.clock.now() - seconds * 1000).toUTCString()
        return new Response(response.body, { status: response.status, headers: { date } })
      })),
      // The header has whole seconds.
      ahead: -(shell.clock.now() % 1000),
    }),
  ]),
  ['clock', 'skipped', 'the answer has no date', () => changed(HIDE_DATE)],
  ['implicit_token', 'ok', 'tokens do not say how long they live', () => changed(HIDE_LIFETIME)],
  [
    'realm',
    'ok',
    'the realm that is set is that of the store',
    async () => {
      const env = await open()
      return { env: { ...env, EPCC_AUTHENTICATION_REALM_ID: simulator?.realmId } }
    },
  ],
  [
    'realm',
    'warning',
    'a realm is set and the store has none',
    async () => {
      const { env } = await faulty('account_settings', { status: 200, body: { data: {} } }, 1)
      return { env: { ...env, EPCC_AUTHENTICATION_REALM_ID: PROFILE } }
    },
  ],
  [
    'profiles',
    'ok',
    'one of several profiles is set',
    async () => ({
      env: {
        ...(await open({ passwordProfiles: [{ id: OTHER_PROFILE }, { id: PROFILE, name: 'Shoppers' }] })),
        EPCC_PASSWORD_PROFILE_ID: PROFILE,
      },
    }),
  ],
  ...[10, 11].map((count): (typeof DIFFERENCES)[number] => [
    'profiles',
    'error',
    `${count} profiles have codes off`,
    async () => ({
      env: await open({
        passwordProfiles: Array.from({ length: count }, () => ({ oneTimePasswords: false })),
      }),
    }),
  ]),
  [
    'webhook_integration',
    'ok',
    'an integration of another name delivers codes',
    async () => ({ env: await open(integration({ name: 'Mails' })) }),
  ],
  [
    'webhook_integration',
    'ok',
    'other integrations do not deliver codes',
    async () => ({
      env: await open({
        integrations: [
          { name: 'Off', url: shop.url, enabled: false },
          { name: 'On', url: shop.url, secretKey: SECRET },
          { name: 'Orders', url: shop.url, observes: ['order.created'] },
        ],
      }),
    }),
  ],
  ['webhook_integration', 'warning', 'a queue takes the codes', () => listed({ name: 'Queue', ...QUEUE })],
  [
    'webhook_integration',
    'error',
    'no integration that is on delivers codes',
    () => listed(ORDERS, { ...QUEUE, ...ORDERS }, { ...QUEUE, enabled: false }),
  ],
  [
    'webhook_integration',
    'ok',
    'integrations that do not deliver codes come first',
    () => listed({ name: 'Orders', ...ORDERS }, { name: 'Off', enabled: false }, {}),
  ],
  [
    'webhook_url',
    'ok',
    'the webhook is https',
    async () => ({
      env: await open(integration({ url: 'https://shop.example.com/webhooks/otp' })),
      fetch: leadTo({ 'shop.example.com': shop.url }),
    }),
  ],
  ['webhook_url', 'error', 'the integration has no URL', () => listed({ configuration: {} })],
  ['webhook_integration', 'error', 'the integration observes nothing', () => listed({ observes: 'all' })],
  [
    'webhook_url',
    'error',
    'the webhook is on this machine and the store is not',
    async () => ({
      env: { ...(await open()), EPCC_BASE_URL: 'https://useast.api.elasticpath.com' },
      fetch: leadTo({ 'useast.api.elasticpath.com': simulator?.url ?? '' }),
    }),
  ],
  ['webhook_url', 'ok', 'the webhook forbids the request', () => answering(() => 403)],
  ...[300, 400, 500].map((status): (typeof DIFFERENCES)[number] => [
    'webhook_url',
    'error',
    `the webhook answers ${status}`,
    () => answering(() => status),
  ]),
  ['webhook_url', 'warning', 'the connection to the shop fails', () => failing(new TypeError('failed'))],
  ['webhook_secret', 'error', 'the shop forbids the secret', () => answering(() => 403)],
  ...[300, 302].map((status): (typeof DIFFERENCES)[number] => [
    'webhook_secret',
    'warning',
    `the shop answers ${status} to the secret`,
    () => answering((secret) => (secret === SECRET ? status : 401)),
  ]),
  ['deliveries', 'ok', 'all deliveries succeeded', () => delivered(204, 204)],
  ...(
    [
      [86_400_000, 'ok'],
      [86_399_999, 'error'],
    ] as const
  ).map(([age, status]): (typeof DIFFERENCES)[number] => [
    'deliveries',
    status,
    `a delivery failed ${age} milliseconds ago`,
    () => {
      const created_at = new Date(shell.clock.now() - age).toISOString()
      return logged({ succeeded: false, status_code: 500, meta: { timestamps: { created_at } } })
    },
  ]),
  ['deliveries', 'error', 'deliveries failed with two statuses', () => delivered(418, 404)],
  ['deliveries', 'error', 'deliveries failed with an unusual status', () => delivered(418)],
  ['deliveries', 'error', 'deliveries got no answer', () => logged({ succeeded: false, status_code: 0 })],
  ['deliveries', 'ok', 'a delivery has no date', () => logged({ succeeded: true, status_code: 204 })],
  [
    'account_token_lifetime',
    'ok',
    'the store does not say how long account tokens live',
    async () => {
      const env = await open()
      const realm = { data: { id: simulator?.realmId ?? '', type: 'authentication-realm' } }
      const body = { data: { relationships: { authentication_realm: realm } } }
      simulator?.fault('account_settings', { status: 200, body }, { after: 1 })
      return { env }
    },
  ],
  ...(
    [
      [899, 'warning'],
      [900, 'ok'],
      [30 * 86_400, 'ok'],
      [30 * 86_400 + 1, 'warning'],
    ] as const
  ).map(([accountTokenLifetime, status]): (typeof DIFFERENCES)[number] => [
    'account_token_lifetime',
    status,
    `account tokens live ${accountTokenLifetime} seconds`,
    async () => ({ env: await open({ accountTokenLifetime }) }),
  ]),
  ...(
    [
      ['v18.20.0', 'error'],
      ['v20.17.9', 'error'],
      ['v20.19.0', 'ok'],
      ['v21.0.0', 'ok'],
    ] as const
  ).map(([nodeVersion, status]): (typeof DIFFERENCES)[number] => [
    'node_version',
    status,
    `Node is ${nodeVersion}`,
    async () => ({ env: await open(), nodeVersion }),
  ]),
]

describe('doctor at a store where something differs', () => {
  it.each(DIFFERENCES)('reports %s as %s when %s', async (id, status, _, arrange) => {
    const situation = await arrange()

    const { code, report, out } = await examine(situation)

    expect(report.checks.find((check) => check.id === id)?.status).toBe(status)
    expect(code).toBe(report.checks.some((check) => check.status === 'error') ? 1 : 0)
    expect(report.ok).toBe(code === 0)
    if (status === 'error') expect(code).toBe(1)
    expect(report.checks.map((check) => check.id)).toEqual(IDS)
    for (const secret of [SECRET, simulator?.clientSecret, 'wrong-secret', 'another-secret-key']) {
      if (secret !== undefined) expect(out).not.toContain(secret)
    }
  })

  it('has a test for each check', () => {
    expect([...new Set(DIFFERENCES.map(([id]) => id))]).toEqual(IDS)
  })

  it.each([
    [{}, 'answers (region US East). EPCC_BASE_URL is not set, so this is the default region.'],
    [{ EPCC_BASE_URL: 'https://useast.api.elasticpath.com' }, 'answers (region US East).'],
  ])('says which region it checked with %j, and that the app must use it too', async (more, message) => {
    const { EPCC_BASE_URL: _url, ...env } = await open()

    const { report } = await examine({
      env: { ...env, ...more },
      fetch: leadTo({ 'useast.api.elasticpath.com': simulator?.url ?? '' }),
    })

    const advice = 'The app must use the same baseUrl.'
    expect(report.checks[0]).toEqual({
      id: 'base_url',
      status: 'ok',
      message: `https://useast.api.elasticpath.com ${message}${'EPCC_BASE_URL' in more ? '' : ` ${advice}`}`,
    })
  })

  it('has nothing against a profile without a username format', async () => {
    const env = await open()
    const profile = { id: PROFILE, name: 'Shoppers', enable_one_time_password_token: true }
    simulator?.fault('password_profiles', { status: 200, body: { data: [profile] } })

    const { report } = await examine({ env })

    expect(report.checks.find(({ id }) => id === 'username_format')?.status).toBe('ok')
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
  simulator?.fault(call, fault, { after })
  return { env }
}

async function answering(status: FakeShop['status']): Promise<Situation> {
  const env = await open()
  shop.status = status
  return { env }
}

/** A store whose log has a delivery for each status. */
async function delivered(...statuses: [number, number?]): Promise<Situation> {
  const env = await open()
  const [first, second = first] = statuses
  for (const status of [first, second]) {
    shop.status = () => status
    const ended = simulator?.nextDelivery()
    simulator?.publish(EVENT, {})
    await ended
  }
  shop.status = (secret) => (secret === SECRET ? 204 : 401)
  return { env }
}

/** A store whose answers are changed on their way. */
async function changed(change: (response: Response) => Response | Promise<Response>): Promise<Situation> {
  return { env: await open(), fetch: async (input, init) => change(await fetch(input, init)) }
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
  const [{ id } = {}] = simulator?.integrations ?? []
  const entry = { id, name: 'Mails', enabled: true, observes: [EVENT], configuration: { url: shop.url } }
  const data = [...changes.map((fields) => ({ ...entry, ...fields })), { name: 'without an id' }]
  simulator?.fault('GET /v2/integrations', { status: 200, body: { data } })
  return { env }
}

/** A store whose log of deliveries has one entry. */
async function logged(entry: object): Promise<Situation> {
  const env = await open()
  simulator?.fault('GET /v2/integrations/:id/logs', { status: 200, body: { data: [entry] } })
  return { env }
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
  await simulator?.stop()
  return env
}

function away(code: string): Promise<Situation> {
  const cause = Object.assign(new Error(code), { code })
  return Promise.resolve({
    env: { EPCC_CLIENT_ID: 'any', EPCC_CLIENT_SECRET: 'hidden-secret' },
    fetch: () => Promise.reject(new TypeError('fetch failed', { cause })),
  })
}
