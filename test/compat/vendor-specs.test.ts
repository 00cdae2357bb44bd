import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { SimulatorOptions } from '../../lib/testing'
import { ADA, at, Client, detailOf, openStore, TOKENS, type Reply } from '../testing/support'
import { Spec, SPECS_ARE_HERE } from './vendor-spec'

const MEMBERS = 'account_management.yaml'
const REALMS = 'authentication-realms.yaml'
const AUTH = 'authentication.yaml'
const INTEGRATIONS = 'integrations.yaml'
const CARTS = 'carts-and-orders.yaml'
const UNKNOWN_UUID = 'c5687352-d102-46fd-b85e-256f10574019'
const OTP_REQUEST =
  '/v2/authentication-realms/{realmId}/password-profiles/{passwordProfileId}/one-time-password-token-request'
const PROFILES = '/v2/authentication-realms/{realmId}/password-profiles'
const SETTINGS = '/v2/settings/account-authentication'

type Store = Awaited<ReturnType<typeof openStore>>

interface Answer {
  name: string
  /** The description, path and method. */
  at: [file: string, path: string, method: 'get' | 'post' | 'put' | 'delete']
  status: number
  options?: SimulatorOptions
  get(client: Client, simulator: Store['simulator']): Promise<Reply>
}

const many = { members: [{ username: ADA, accounts: 60 }] }

/** The responses of all endpoints, in each of their variants. */
const ANSWERS: Answer[] = [
  ...(
    [
      ['implicit', 200, {}],
      ['no such grant', 400, { grant_type: 'password' }],
      ['another client', 401, { client_id: 'other' }],
    ] as const
  ).map(([name, status, form]): Answer => ({
    name: `access token: ${name}`,
    at: [AUTH, '/oauth/access_token', 'post'],
    status,
    get: (client) => client.authenticate(form),
  })),
  {
    name: 'access token: in data',
    at: [AUTH, '/oauth/access_token', 'post'],
    status: 200,
    options: { wrapAccessToken: true },
    get: (client) => client.authenticate(),
  },
  ...tokenAnswers(),
  ...accountAnswers(),
  ...realmAnswers(),
  ...adminAnswers(),
  ...cartAnswers(),
]

function tokenAnswers(): Answer[] {
  const post: Answer['at'] = [MEMBERS, TOKENS, 'post']
  return [
    {
      name: 'exchange',
      at: post,
      status: 201,
      get: (client, simulator) => client.exchange(simulator.issueCode(ADA)),
    },
    {
      name: 'exchange: a middle page',
      at: post,
      status: 201,
      options: many,
      get: (client, simulator) =>
        client.exchange(simulator.issueCode(ADA), {}, '?page[limit]=20&page[offset]=20'),
    },
    {
      name: 'exchange: no account',
      at: post,
      status: 201,
      options: { members: [{ username: ADA, accounts: 0 }] },
      get: (client, simulator) => client.exchange(simulator.issueCode(ADA)),
    },
    {
      name: 'exchange: epoch seconds',
      at: post,
      status: 201,
      options: { expiresFormat: 'epoch' },
      get: (client, simulator) => client.exchange(simulator.issueCode(ADA)),
    },
    {
      name: 'exchange: no member in meta',
      at: post,
      status: 201,
      options: { omitAccountMemberId: true },
      get: (client, simulator) => client.exchange(simulator.issueCode(ADA)),
    },
    { name: 'exchange: wrong code', at: post, status: 400, get: (client) => client.exchange('wrong1') },
    {
      name: 'exchange: wrong code, as documented',
      at: post,
      status: 401,
      options: { wrongCodeStatus: 401 },
      get: (client) => client.exchange('wrong1'),
    },
    {
      name: 'exchange: page too long',
      at: post,
      status: 400,
      get: (client) => client.exchange('x', {}, '?page[limit]=101'),
    },
    {
      name: 'exchange: malformed',
      at: post,
      status: 422,
      get: (client) => client.exchange('', { username: '' }),
    },
    {
      name: 'exchange: errors in numbers',
      at: post,
      status: 400,
      options: { errorStatusType: 'number' },
      get: (client) => client.exchange('wrong1'),
    },
    {
      name: 'no JSON',
      at: post,
      status: 400,
      get: (client) => client.send(TOKENS, { method: 'POST', body: '{' }),
    },
    {
      name: 'another content type',
      at: post,
      status: 415,
      get: (client) =>
        client.send(TOKENS, { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }),
    },
    {
      name: 'a body too large',
      at: post,
      status: 413,
      get: (client) => client.exchange('x'.repeat(300_000)),
    },
    { name: 'a method too many', at: post, status: 405, get: (client) => client.send(TOKENS) },
    { name: 'no such route', at: post, status: 404, get: (client) => client.send('/v2/nothing') },
    {
      name: 'bearer refused',
      at: post,
      status: 401,
      get: (client) => client.send(TOKENS, { method: 'POST', headers: { authorization: '' } }),
    },
    {
      name: 'rate limited',
      at: post,
      status: 429,
      get(client, simulator) {
        simulator.fault('exchange', { rateLimited: 1 })
        return client.exchange('x')
      },
    },
    {
      name: 'an outage',
      at: post,
      status: 500,
      get(client, simulator) {
        simulator.fault('exchange', { status: 500 })
        return client.exchange('x')
      },
    },
    {
      name: 'renewal',
      at: post,
      status: 201,
      options: many,
      get: async (client) => client.renew(await client.signIn(), '?page[limit]=100'),
    },
    { name: 'renewal: no token', at: post, status: 401, get: (client) => client.renew(undefined) },
    {
      name: 'renewal: token in the body',
      at: post,
      status: 400,
      get: (client) => client.renew(undefined, '', { token: 'x' }),
    },
  ]
}

function accountAnswers(): Answer[] {
  const list: Answer['at'] = [MEMBERS, '/v2/accounts', 'get']
  const one: Answer['at'] = [MEMBERS, '/v2/accounts/{accountID}', 'get']
  return [
    {
      name: 'accounts',
      at: list,
      status: 200,
      options: many,
      get: async (client) => client.accounts(await client.signIn()),
    },
    { name: 'accounts: no token', at: list, status: 403, get: (client) => client.accounts(undefined) },
    { name: 'accounts: a bad token', at: list, status: 401, get: (client) => client.accounts('x') },
    {
      name: 'accounts: page too long',
      at: list,
      status: 400,
      get: async (client) => client.accounts(await client.signIn(), '?page[limit]=101'),
    },
    {
      name: 'account',
      at: one,
      status: 200,
      async get(client) {
        const token = await client.signIn()
        const { json } = await client.accounts(token)
        return client.accounts(token, `/${String(at(json, 'data', 0, 'id'))}`)
      },
    },
    {
      name: 'account: of another',
      at: one,
      status: 404,
      get: async (client) => client.accounts(await client.signIn(), `/${UNKNOWN_UUID}`),
    },
    { name: 'settings', at: [MEMBERS, SETTINGS, 'get'], status: 200, get: (client) => client.settings() },
  ]
}

function realmAnswers(): Answer[] {
  const profiles: Answer['at'] = [REALMS, PROFILES, 'get']
  const request: Answer['at'] = [REALMS, OTP_REQUEST, 'post']
  return [
    { name: 'profiles', at: profiles, status: 200, get: (client) => client.passwordProfiles() },
    {
      name: 'profiles: another realm',
      at: profiles,
      status: 404,
      get: (client) => client.passwordProfiles('', 'x'),
    },
    {
      name: 'profiles: page too long',
      at: profiles,
      status: 400,
      get: (client) => client.passwordProfiles('?page[limit]=101'),
    },
    { name: 'code: asked for', at: request, status: 202, get: (client) => client.askForCode() },
    {
      name: 'code: asked for, with a body',
      at: request,
      status: 201,
      options: { otpRequestStatus: 201 },
      get: (client) => client.askForCode(),
    },
    { name: 'code: malformed', at: request, status: 422, get: (client) => client.askForCode('') },
    {
      name: 'code: unknown username',
      at: request,
      status: 404,
      options: { unknownUsernameStatus: 404 },
      get: (client) => client.askForCode('nobody'),
    },
  ]
}

/** Responses to an administrator. `:realm` and `:profile` are replaced by the ids. */
function adminAnswers(): Answer[] {
  const integration = {
    data: {
      type: 'integration',
      name: 'Mine',
      enabled: true,
      integration_type: 'webhook',
      observes: ['order.paid'],
      configuration: { url: 'http://127.0.0.1:1/', secret_key: 'x' },
    },
  }
  const profile = { data: { type: 'password_profile', name: 'Mine' } }
  const realm = '/v2/authentication-realms/:realm'
  const calls: [string, Answer['at'], number, string, object?][] = [
    ['realm', [REALMS, '/v2/authentication-realms/{realmId}', 'get'], 200, realm],
    [
      'profile',
      [REALMS, `${PROFILES}/{passwordProfileId}`, 'get'],
      200,
      `${realm}/password-profiles/:profile`,
    ],
    ['profile: created', [REALMS, PROFILES, 'post'], 201, `${realm}/password-profiles`, profile],
    [
      'profile: updated',
      [REALMS, `${PROFILES}/{passwordProfileId}`, 'put'],
      200,
      `${realm}/password-profiles/:profile`,
      profile,
    ],
    ['integrations', [INTEGRATIONS, '/integrations', 'get'], 200, '/v2/integrations'],
    ['integration: created', [INTEGRATIONS, '/integrations', 'post'], 200, '/v2/integrations', integration],
    ['integration: invalid', [INTEGRATIONS, '/integrations', 'post'], 422, '/v2/integrations', { data: {} }],
    ['integration', [INTEGRATIONS, '/integrations/{integration_uuid}', 'get'], 200, '/v2/integrations/mine'],
    [
      'integration: unknown',
      [INTEGRATIONS, '/integrations/{integration_uuid}', 'get'],
      404,
      '/v2/integrations/x',
    ],
    [
      'integration: updated',
      [INTEGRATIONS, '/integrations/{integration_uuid}', 'put'],
      200,
      '/v2/integrations/mine',
      integration,
    ],
    [
      'jobs',
      [INTEGRATIONS, '/integrations/{integration_uuid}/jobs', 'get'],
      200,
      '/v2/integrations/mine/jobs',
    ],
    ['logs', [INTEGRATIONS, '/integrations/logs', 'get'], 200, '/v2/integrations/logs'],
    ['settings: updated', [MEMBERS, SETTINGS, 'put'], 200, SETTINGS, { data: {} }],
  ]
  const integrations = [{ id: 'mine', url: 'http://127.0.0.1:1/', secretKey: 'x', attempts: 1 }]
  return calls.map(([name, at, status, path, body]) => ({
    name,
    at,
    status,
    options: { integrations },
    async get(client, simulator) {
      const delivery = simulator.nextDelivery()
      await client.askForCode()
      await delivery
      const { realmId, passwordProfileId } = simulator
      const admin = await Client.admin(simulator)
      return admin.call(
        at[2].toUpperCase(),
        path.replace(':realm', realmId).replace(':profile', passwordProfileId),
        body,
      )
    },
  }))
}

/** Responses to an account with the cart `x`. `:item` and `:order` are replaced by the ids. */
function cartAnswers(): Answer[] {
  const [cart, items] = ['/v2/carts/{cartID}', '/v2/carts/{cartID}/items']
  const item = { data: { type: 'cart_item', sku: 'mug', quantity: 1 } }
  const tooMany = { data: { ...item.data, quantity: 99 } }
  const address = {
    ...{ first_name: 'A', last_name: 'L', company_name: 'C', line_1: '1', line_2: '2', city: 'L' },
    ...{ postcode: '1', county: 'C', region: 'R', country: 'US' },
  }
  const order = {
    data: {
      ...{ contact: { name: 'Ada', email: ADA }, order_number: '1', external_ref: '2' },
      ...{ billing_address: address, shipping_address: { ...address, phone_number: '1', instructions: '' } },
    },
  }
  const calls: [string, string, 'get' | 'post' | 'put' | 'delete', number, string, object?][] = [
    ['carts', '/v2/carts', 'get', 200, '/v2/carts'],
    ['cart', cart, 'get', 200, '/v2/carts/x'],
    ['cart: created', '/v2/carts', 'post', 201, '/v2/carts', { data: {} }],
    ['cart: updated', cart, 'put', 200, '/v2/carts/x', { data: { name: 'Mine' } }],
    ['cart: the last one', cart, 'delete', 400, '/v2/carts/x'],
    [
      'cart: associated',
      '/v2/carts/{cartID}/relationships/accounts',
      'post',
      200,
      '/v2/carts/y/relationships/accounts',
      { data: [{ type: 'account', id: UNKNOWN_UUID }] },
    ],
    ['items', items, 'get', 200, '/v2/carts/x/items'],
    ['item: added', items, 'post', 201, '/v2/carts/x/items', item],
    ['items: added in part', items, 'post', 201, '/v2/carts/x/items', { data: [tooMany.data, item.data] }],
    ['item: out of stock', items, 'post', 400, '/v2/carts/x/items', tooMany],
    ['item: unknown product', items, 'post', 404, '/v2/carts/x/items', { data: { ...item.data, sku: 'x' } }],
    [
      'item: updated',
      `${items}/{cartitemID}`,
      'put',
      200,
      '/v2/carts/x/items/:item',
      { data: { quantity: 2 } },
    ],
    ['item: unknown', `${items}/{cartitemID}`, 'put', 404, '/v2/carts/x/items/y', { data: { quantity: 2 } }],
    ['item: removed', `${items}/{cartitemID}`, 'delete', 200, '/v2/carts/x/items/:item'],
    ['order: made', `${cart}/checkout`, 'post', 201, '/v2/carts/x/checkout', order],
    ['order: empty cart', `${cart}/checkout`, 'post', 400, '/v2/carts/y/checkout', order],
    ['orders', '/v2/orders', 'get', 200, '/v2/orders'],
    ['order', '/v2/orders/{orderID}', 'get', 200, '/v2/orders/:order'],
    ['order: unknown', '/v2/orders/{orderID}', 'get', 404, '/v2/orders/x'],
    ['order items', '/v2/orders/{orderID}/items', 'get', 200, '/v2/orders/:order/items'],
    [
      'order: paid',
      '/v2/orders/{orderID}/payments',
      'post',
      200,
      '/v2/orders/:order/payments',
      { data: { gateway: 'manual', method: 'purchase' } },
    ],
  ]
  return calls.map(([name, path, method, status, url, body]) => ({
    name,
    at: [CARTS, path, method],
    status,
    options: {
      members: [{ username: ADA, accounts: [{ id: UNKNOWN_UUID, name: 'A' }] }],
      products: [{ name: 'Mug', price: 1600, stock: 9 }],
      carts: [{ id: 'x', description: 'd', accounts: [UNKNOWN_UUID], items: [{ sku: 'mug' }] }],
    },
    async get(client, simulator) {
      const token = await client.signIn()
      if (url.includes(':order') || name === 'orders')
        await client.call('POST', '/v2/carts/x/checkout', order, token)
      const itemId = simulator.cart('x')?.items[0]?.id ?? ''
      const target = url.replace(':item', itemId).replace(':order', simulator.orders[0]?.id ?? '')
      return client.call(method.toUpperCase(), target, body, token)
    },
  }))
}

/**
 * Differences between the simulator and the description, because of a fact in docs/elastic-path-facts.md. The tests
 * require that each difference still exists.
 */
const DISAGREEMENTS: { fact: string; in: RegExp; complaint: string }[] = [
  {
    fact: '2, the token is not wrapped in data',
    in: /^access token: implicit/,
    complaint: "/ must have required property 'data'",
  },
  ...['access_token', 'token_type', 'identifier', 'expires_in', 'expires'].map((name) => ({
    fact: '2, the token is not wrapped in data',
    in: /^access token: implicit/,
    complaint: `/ must NOT have additional properties: ${name}`,
  })),
  {
    fact: '5 and 25, a status can be a number',
    in: /^(bearer refused|exchange: errors in numbers)/,
    complaint: '/errors/*/status must be string',
  },
  // The links contain unescaped brackets, as in the description's own examples.
  ...['current', 'first', 'last'].map((link) => ({
    fact: '11, links are as in the examples',
    in: /^(exchange|exchange: (a middle page|no account|epoch seconds|no member in meta)|renewal|accounts)$/,
    complaint: `/links/${link} must match format "uri"`,
  })),
  {
    fact: '12, the types say number',
    in: /^exchange: epoch seconds/,
    complaint: '/data/*/expires must be string',
  },
  {
    fact: '11, meta can lack the member',
    in: /^exchange: no member in meta/,
    complaint: "/meta must have required property 'account_member_id'",
  },
  {
    fact: '16, the settings come in data',
    in: /^settings($|:)/,
    complaint: '/ must NOT have additional properties: data',
  },
  ...[
    ...[
      'type',
      'enable_self_signup',
      'auto_create_account_for_account_members',
      'account_member_self_management',
    ],
    ...['account_management_authentication_token_timeout_secs', 'id', 'relationships', 'meta', 'links'],
  ].map((name) => ({
    fact: '16, the settings come in data',
    in: /^settings/,
    complaint: `/ must have required property '${name}'`,
  })),
  ...['username_format', 'enable_one_time_password_token'].map((name) => ({
    fact: '17, which the description has not heard of',
    in: /^profiles$/,
    complaint: `/data/* must NOT have additional properties: ${name}`,
  })),
  {
    fact: '17, profiles are paged',
    in: /^profiles$/,
    complaint: '/ must NOT have additional properties: meta',
  },
  ...['current', 'first', 'last', 'next', 'prev'].map((name) => ({
    fact: '17, profiles are paged',
    in: /^profiles$/,
    complaint: `/links must NOT have additional properties: ${name}`,
  })),
  {
    fact: '17, profiles are paged',
    in: /^profiles$/,
    complaint: "/links must have required property 'self'",
  },
]

const NEW_DISAGREEMENTS = [
  ['43, a realm has a policy for email addresses', /^realm$/, '/data', 'duplicate_email_policy'],
  ['17, which the description does not know', /^profile($|:)/, '/data', 'username_format'],
  ['17, which the description does not know', /^profile($|:)/, '/data', 'enable_one_time_password_token'],
  ['37, a cart can be a quote', /^carts$/, '/data/*', 'is_quote'],
  ['37, a cart can be a quote', /^cart$|^cart: (created|updated)/, '/data', 'is_quote'],
  ...['current', 'first', 'last', 'next', 'prev'].map(
    (name) => ['17, lists are paged', /^integrations$/, '/links', name] as const,
  ),
  ...['page', 'results'].map((name) => ['17, lists are paged', /^integrations$/, '/meta', name] as const),
] as const
DISAGREEMENTS.push(
  ...NEW_DISAGREEMENTS.map(([fact, answers, path, name]) => ({
    fact,
    in: answers,
    complaint: `${path} must NOT have additional properties: ${name}`,
  })),
  {
    fact: '5, a status can be a string',
    in: /^integration: (invalid|unknown)/,
    complaint: '/errors/*/status must be integer',
  },
)

const describeSpecs = SPECS_ARE_HERE ? describe : describe.skip
if (!SPECS_ARE_HERE) {
  console.warn(
    "Elastic Path's OpenAPI descriptions were not found. Set VENDOR_SPECS to compare the simulator with them.",
  )
}

describeSpecs("the simulator, compared with Elastic Path's OpenAPI descriptions", () => {
  const specs = new Map(
    SPECS_ARE_HERE ? [MEMBERS, REALMS, AUTH, INTEGRATIONS, CARTS].map((file) => [file, new Spec(file)]) : [],
  )
  const spec = (file: string): Spec => {
    const found = specs.get(file)
    if (!found) throw new Error(`The description ${file} was not found`)
    return found
  }

  async function complaintsAbout(answer: Answer): Promise<string[]> {
    const { simulator, client } = await openStore(answer.options)
    const reply = await answer.get(client, simulator)
    expect(reply.status).toBe(answer.status)
    const [file, path, method] = answer.at
    const schema = spec(file).answerSchema(path, method, answer.status)
    // Most properties in the descriptions of carts and integrations are optional, but not marked as such.
    const required = [CARTS, INTEGRATIONS].includes(file) ? 'listed' : 'all'
    if (schema) return spec(file).complaints(schema, reply.json, required)
    // If a description leaves out an error, the error must have the same shape as the others.
    if (answer.status >= 400)
      return spec(MEMBERS).complaints(spec(MEMBERS).component('ErrorResponse'), reply.json)
    if (reply.text === '') return []
    const request = spec(file).requestSchema(path, method) ?? {}
    return spec(file)
      .complaints(request, at(reply.json, 'data'))
      .filter((complaint) => !complaint.endsWith(': id'))
  }

  test.each(ANSWERS.map((answer) => [answer.name, answer] as const))(
    'returns the described response, %s',
    async (name, answer) => {
      const known = DISAGREEMENTS.filter((disagreement) => disagreement.in.test(name))
      expect(await complaintsAbout(answer)).toEqual(known.map(({ complaint }) => complaint).sort())
    },
  )

  test('has no known difference for a response that is not tested', () => {
    const stale = DISAGREEMENTS.filter(
      (disagreement) => !ANSWERS.some(({ name }) => disagreement.in.test(name)),
    )
    expect(stale).toEqual([])
  })

  test('returns links with unescaped brackets, as in the example of the description', () => {
    const links = spec(MEMBERS).at(
      'paths',
      TOKENS,
      'post',
      'responses',
      '201',
      'content',
      'application/json',
      'schema',
    )
    const example = at(links, 'properties', 'links', 'properties', 'current', 'example')
    expect(spec(MEMBERS).complaints({ type: 'string', format: 'uri' }, example)).toEqual([
      '/ must match format "uri"',
    ])
  })

  describe('requests', () => {
    const examples = (): unknown =>
      spec(MEMBERS).at('paths', TOKENS, 'post', 'requestBody', 'content', 'application/json', 'examples')

    test('of an exchange match the description, except that a username is not a URI', async () => {
      const { client } = await openStore()
      const { data } = client.exchangeBody('abd1g5')
      const complaints = spec(MEMBERS).complaints(spec(MEMBERS).component('PasswordlessRequest'), data)
      expect(complaints).toEqual(['/username must match format "uri"'])
      expect((await client.exchange('abd1g5')).status).toBe(400)
    })

    test('in the example for one-time passwords sign in', async () => {
      const { simulator, client } = await openStore({ members: [{ username: 'john.doe' }] })
      const data = at(examples(), 'One-time Password Token', 'value', 'data')
      const body = {
        data: {
          ...(data as object),
          password_profile_id: simulator.passwordProfileId,
          one_time_password_token: simulator.issueCode('john.doe'),
        },
      }
      expect((await client.send(TOKENS, { method: 'POST', body })).status).toBe(201)
    })

    test('in the example for switching accounts renew the token', async () => {
      const { client } = await openStore()
      const body = at(examples(), 'Switch account tokens', 'value')
      const headers = { 'EP-Account-Management-Authentication-Token': await client.signIn() }
      expect((await client.send(TOKENS, { method: 'POST', body, headers })).status).toBe(201)
      const complaints = spec(MEMBERS).complaints(
        spec(MEMBERS).component('SwitchingAccountRequest'),
        at(body, 'data'),
      )
      expect(complaints).toEqual([])
    })

    test.each(['OpenID Connect', 'Username and Password', 'Self Signup'])(
      'in the example for %s are refused, because the simulator does not support them',
      async (name) => {
        const { client } = await openStore()
        const reply = await client.send(TOKENS, { method: 'POST', body: at(examples(), name, 'value') })
        expect(reply.status).toBe(422)
        expect(detailOf(reply)).toContain("'AuthenticationMechanism'")
      },
    )

    test('in the example for client credentials get an access token', async () => {
      const type = 'application/x-www-form-urlencoded'
      const content = spec(AUTH).at('paths', '/oauth/access_token', 'post', 'requestBody', 'content', type)
      const form = at(content, 'examples', 'client-credentials', 'value') as Record<string, string>
      const { client } = await openStore({
        clientId: form['client_id'] ?? '',
        clientSecret: form['client_secret'] ?? '',
      })
      expect((await client.authenticate(form)).status).toBe(200)
      expect(spec(AUTH).complaints(spec(AUTH).component('AccessTokenRequest'), form)).toEqual([])
    })

    test('for a code match the description, except that they are wrapped in data (fact 18)', async () => {
      const { simulator, client } = await openStore()
      await client.askForCode()
      const schema = spec(REALMS).requestSchema(OTP_REQUEST, 'post') ?? {}
      const [sent] = simulator.requests
      expect(spec(REALMS).complaints(schema, at(sent?.body, 'data'))).toEqual([])
      expect(spec(REALMS).complaints(schema, sent?.body)).not.toEqual([])
    })
  })

  test('delivers events with the attributes and the shape that are described', async () => {
    const text = spec(INTEGRATIONS).at('info', 'description') as string
    const table = [...text.matchAll(/^\| `(\w+)` +\| `(\w+)`/gm)].map(([, name, type]) => [name, type])
    expect(table.slice(0, 6).map(([name]) => name)).toContain('triggered_by')
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        response.end()
        server.emit('event', JSON.parse(body))
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { client } = await openStore({
      webhook: { url: `http://127.0.0.1:${port}/`, secretKey: 'squirrel' },
    })
    const heard = once(server, 'event') as Promise<unknown[]>
    await client.askForCode()
    const [event] = await heard
    server.close()
    for (const [name = '', type] of table.slice(0, 6)) {
      // Elastic Path deprecated it in favor of `payload`, and the simulator leaves it out.
      if (name === 'resources') continue
      const value = at(event, name)
      expect([name, Number.isInteger(value) ? 'integer' : typeof value]).toEqual([name, type])
    }
    const example: unknown = JSON.parse(
      /Deleted resources payload[^`]*```javascript\n([^`]*)```/.exec(text)?.[1] ?? '',
    )
    expect(keysOf(event, 'integration', 'configuration')).toEqual(
      keysOf(example, 'integration', 'configuration'),
    )
    expect(text).toContain(`<code>${String(at(event, 'triggered_by'))}</code>`)
  })
})

function keysOf(value: unknown, ...names: string[]): string[][] {
  return names.map((name) => Object.keys(at(value, name) as object).sort())
}
