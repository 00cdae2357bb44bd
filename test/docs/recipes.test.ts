import express, { type Express, type RequestHandler } from 'express'
import { Passport } from 'passport'
import supertest from 'supertest'
import { PasswordlessOtpStrategy, type PasswordlessOtpUser } from '../../lib'
import { ElasticPathSimulator } from '../../lib/testing'
import { blockOf, run, sampleOf } from './sample'

const ADA = 'ada@example.com'
const ACCOUNTS = [
  { id: 'boats', name: 'Fernley Boatworks' },
  { id: 'ropes', name: 'Fernley Ropes' },
]

let simulator: ElasticPathSimulator
let strategy: PasswordlessOtpStrategy
beforeEach(async () => {
  process.env['SESSION_SECRET'] = 'a secret of tests'
  simulator = await ElasticPathSimulator.start({ members: [{ username: ADA, accounts: ACCOUNTS }] })
  strategy = new PasswordlessOtpStrategy({
    clientId: simulator.clientId,
    baseUrl: simulator.url,
    uniformResponseTime: 0,
  })
})
afterEach(async () => {
  await strategy.close()
  await simulator.stop()
})

/** A user as the session has it after a sign-in. */
async function signedIn(): Promise<PasswordlessOtpUser> {
  const app = express().use(express.json())
  let user: PasswordlessOtpUser | undefined
  const passport = new Passport().use(strategy)
  const authenticate = passport.authenticate(strategy.name, { session: false }) as RequestHandler
  app.post('/', authenticate, (req, res) => {
    user = req.user as PasswordlessOtpUser
    res.end()
  })
  await supertest(app)
    .post('/')
    .send({ username: ADA, otp: simulator.issueCode(ADA) })
  if (!user) throw new Error('The sign-in failed')
  return user
}

describe('the shop of docs/carts.md', () => {
  const create = () => (sampleOf('carts.md')['createShop'] as unknown as (s: unknown) => Express)(strategy)
  const basket = async (agent: ReturnType<typeof supertest.agent>) => {
    const { body } = (await agent.get('/basket').expect(200)) as {
      body: { name: string; quantity: number }[]
    }
    return body.map(({ name, quantity }) => `${quantity} ${name}`)
  }
  const post = (agent: ReturnType<typeof supertest.agent>, path: string, fields: object) =>
    agent.post(path).type('form').send(fields).expect(302)

  it('lets the basket follow the sign-in, stay with the account, and wait', async () => {
    const app = create()
    const agent = supertest.agent(app)
    for (const sku of ['mug', 'mug', 'poster']) await post(agent, '/basket', { sku })
    const filled = ['2 Mug', '1 Poster']
    expect(await basket(agent)).toEqual(filled)
    await post(agent, '/login', { username: ADA, otp: simulator.issueCode(ADA) })
    expect(await basket(agent)).toEqual(filled)
    expect(simulator.carts.map(({ accounts }) => accounts)).toEqual([['boats']])
    await post(agent, '/accounts/switch', { account_id: 'ropes' })
    expect(await basket(agent)).toEqual([])
    await post(agent, '/basket', { sku: 'notebook' })
    await post(agent, '/accounts/switch', { account_id: 'boats' })
    expect(await basket(agent)).toEqual(filled)
    await post(agent, '/logout', {})
    expect(await basket(agent)).toEqual([])
    await post(agent, '/login', { username: ADA, otp: simulator.issueCode(ADA) })
    expect(await basket(agent)).toEqual(filled)
  })

  it('continues no cart of somebody else, and none that the list lacks', async () => {
    simulator.addCart({ accounts: ['boats'], description: 'somebody else', items: [{ sku: 'mug' }] })
    const agent = supertest.agent(create())
    await post(agent, '/login', { username: ADA, otp: simulator.issueCode(ADA) })
    expect(await basket(agent)).toEqual([])
  })
})

describe('the backend of docs/recipes/graphql.md', () => {
  it('answers as the shopper, and no token leaves it', async () => {
    const user = await signedIn()
    const routes = sampleOf('recipes/graphql.md')['graphqlRoutes'] as unknown as (
      s: unknown,
    ) => RequestHandler
    const openApp = (who: PasswordlessOtpUser | undefined) =>
      express()
        .use((req, _res, next) => {
          req.user = who
          next()
        })
        .use(routes(strategy))
    const ask = (who: PasswordlessOtpUser | undefined, operation: string) =>
      supertest(openApp(who)).post('/graphql').send({ operation })
    const answers = [await ask(user, 'me'), await ask(user, 'products'), await ask(user, 'orders')]
    expect(answers[0]?.body).toEqual({ data: { username: ADA, company: 'Fernley Boatworks' } })
    expect((answers[1]?.body as { data: unknown[] }).data).toHaveLength(4)
    expect(answers[2]?.body).toEqual({ data: [] })
    for (const { text } of answers) expect(text).not.toContain(user.account?.token)
    await ask(undefined, 'orders').expect(401)
    await ask(undefined, 'products').expect(200)
    await ask(user, '__proto__').expect(400)
    await supertest(openApp(user)).post('/graphql').type('form').send({ operation: 'me' }).expect(415)
  })
})

test('the job of docs/recipes/job.md reads all pages of the orders, and ends', async () => {
  const count = sampleOf('recipes/job.md')['countUnpaidOrders'] as unknown as (o: object) => Promise<number>
  const unpaid = { payment: 'unpaid' }
  simulator.route('GET', '/v2/orders', ({ query }) => ({
    status: 200,
    body: {
      data:
        query['page[offset]'] === '0'
          ? Array.from({ length: 100 }, () => unpaid)
          : [unpaid, { payment: 'paid' }],
      meta: { results: { total: 102 } },
    },
  }))
  const { clientId, clientSecret, url: baseUrl } = simulator
  expect(await count({ clientId, clientSecret, baseUrl })).toBe(101)
})

describe('the page of docs/recipes/rendering.md', () => {
  it('is cached for guests and never for an account', async () => {
    const user = await signedIn()
    const { createProducts, productPage } = sampleOf('recipes/rendering.md') as unknown as {
      createProducts: (s: unknown, options: object) => (who?: unknown) => Promise<unknown[]>
      productPage: (products: unknown, render: (products: unknown[]) => string) => RequestHandler
    }
    let now = 0
    const products = createProducts(strategy, { now: () => now })
    const page = async (who?: PasswordlessOtpUser) => {
      const app = express().use((req, _res, next) => {
        req.user = who
        next()
      })
      return supertest(
        app.get(
          '/',
          productPage(products, (list) => `${list.length}`),
        ),
      ).get('/')
    }
    simulator.fault('GET /catalog/products', { status: 503 })
    await expect(products()).rejects.toMatchObject({ status: 502 })
    simulator.clearRequests()
    for (const { text, headers } of [await page(), await page()]) {
      expect([text, headers['cache-control'], headers['vary']]).toEqual(['4', 'public, max-age=60', 'Cookie'])
    }
    expect(simulator.count('GET /catalog/products')).toBe(1)
    for (const { headers } of [await page(user), await page(user)]) {
      expect(headers['cache-control']).toBe('private, no-store')
    }
    expect(simulator.count('GET /catalog/products')).toBe(3)
    now = 60_000
    await page()
    expect(simulator.count('GET /catalog/products')).toBe(4)
  })
})

describe('the vendor’s clients of docs/calls.md', () => {
  /** The client that a sample creates. */
  async function clientOf(containing: string, name: string): Promise<Record<string, never>> {
    const values = {
      strategy,
      req: { user: await signedIn() },
      baseUrl: simulator.url,
      client_id: simulator.clientId,
    }
    const globals = globalThis as unknown as Record<string, unknown>
    Object.assign(globals, values, { host: new URL(simulator.url).host })
    try {
      // The simulator has no TLS.
      const sample = blockOf('calls.md', containing).replace('host,', "host, protocol: 'http',")
      return run(`${sample}\nexport { ${name} }`)[name] as unknown as Record<string, never>
    } finally {
      for (const key of [...Object.keys(values), 'host']) Reflect.deleteProperty(globals, key)
    }
  }
  const tokensSent = () =>
    simulator.requests
      .filter(({ path }) => path.startsWith('/v2/carts'))
      .map(({ headers }) => headers['ep-account-management-authentication-token'] !== undefined)

  it('@epcc-sdk/sdks-shopper lists carts, creates one, adds an item and reads products', async () => {
    const client = await clientOf('@epcc-sdk/sdks-shopper', 'client')
    const sdk =
      jest.requireActual<
        Record<string, (options: object) => Promise<{ data?: { data?: unknown }; error?: unknown }>>
      >('@epcc-sdk/sdks-shopper')
    const call = async (name: string, options: object) => {
      const { data, error } = (await sdk[name]?.({ client, ...options })) ?? {}
      expect([name, error]).toEqual([name, undefined])
      return data?.data
    }
    const cart = (await call('createACart', { body: { data: { name: 'Basket' } } })) as { id: string }
    await call('manageCarts', {
      path: { cartID: cart.id },
      body: { data: { type: 'cart_item', sku: 'mug', quantity: 2 } },
    })
    expect(await call('getCarts', {})).toHaveLength(1)
    expect(await call('getByContextAllProducts', {})).toHaveLength(4)
    expect(simulator.carts[0]).toMatchObject({ accounts: ['boats'], items: [{ sku: 'mug', quantity: 2 }] })
    expect(new Set(tokensSent())).toEqual(new Set([true]))
  })

  it('@elasticpath/js-sdk reads a cart, adds an item and reads products', async () => {
    const epcc = (await clientOf('@elasticpath/js-sdk', 'epcc')) as unknown as {
      Cart: (id: string) => {
        AddProduct: (id: string, quantity: number) => Promise<unknown>
        Items: () => Promise<{ data: { quantity: number }[] }>
      }
      ShopperCatalog: { Products: { All: () => Promise<{ data: unknown[] }> } }
    }
    const [product] = simulator.products
    await epcc.Cart('a-cart').AddProduct(product?.id ?? '', 3)
    expect((await epcc.Cart('a-cart').Items()).data).toEqual([expect.objectContaining({ quantity: 3 })])
    expect((await epcc.ShopperCatalog.Products.All()).data).toHaveLength(4)
    expect(new Set(tokensSent())).toEqual(new Set([true]))
  })

  it('openapi-fetch lists carts and adds an item', async () => {
    type Call = (path: string, init: object) => Promise<{ data?: { data: unknown[] }; error?: unknown }>
    const client = (await clientOf('openapi-fetch', 'client')) as unknown as { GET: Call; POST: Call }
    await client.POST('/v2/carts/{cartID}/items', {
      params: { path: { cartID: 'a-cart' } },
      body: { data: { type: 'cart_item', sku: 'mug', quantity: 1 } },
    })
    const { data, error } = await client.GET('/v2/carts/{cartID}/items', {
      params: { path: { cartID: 'a-cart' } },
    })
    expect([error, data?.data]).toEqual([undefined, [expect.objectContaining({ sku: 'mug', quantity: 1 })]])
    expect(new Set(tokensSent())).toEqual(new Set([true]))
  })
})
