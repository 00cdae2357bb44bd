import { request as httpRequest, type ClientRequest } from 'node:http'
import type { RequestHandler } from 'express'
import { Passport } from 'passport'
import request from 'supertest'
import { Agent, request as ask } from 'undici'
import { deferred } from './support/clock'
import { ADA, createStrategy, nextDiagnostic, openShop, type Shop } from './support/shop'
import { compareErrors } from './support/errors'

compareErrors()

/** Starts a sign-in in a browser that can leave before the response. */
function startSignIn({ url, simulator }: Shop, path = '/login'): ClientRequest {
  const body = JSON.stringify({ username: ADA, otp: simulator.issueCode(ADA) })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const browser = httpRequest(url + path, { method: 'POST', headers })
  browser.on('error', () => undefined)
  browser.end(body)
  return browser
}

describe('A browser that leaves', () => {
  it('ends its sign-in, which no longer waits for Elastic Path', async () => {
    const shop = await openShop()
    const held = shop.simulator.hold('exchange')
    const published = nextDiagnostic({ operation: 'sign-in' })
    const browser = startSignIn(shop)
    await held.arrived
    browser.destroy()
    expect(await published).toMatchObject({ outcome: 'error', code: 'request_aborted' })
  })

  it('ends its sign-in before the code is used, if it left while an earlier middleware was waiting', async () => {
    const arrived = deferred()
    const shop = await openShop({
      routes: (app, strategy) => {
        const wait: RequestHandler = (_req, res, next) => {
          arrived.resolve()
          res.once('close', next)
        }
        app.post('/late', wait, new Passport().authenticate(strategy) as RequestHandler)
      },
    })
    const published = nextDiagnostic({ operation: 'sign-in' })
    const browser = startSignIn(shop, '/late')
    await arrived.promise
    browser.destroy()
    expect(await published).toMatchObject({ outcome: 'error', code: 'request_aborted', calls: 0 })
    expect(shop.simulator.count('exchange')).toBe(0)
  })

  it('does not leave a hanging access token request for the next shopper', async () => {
    const shop = await openShop()
    const held = shop.simulator.hold('access_token', { times: 1 })
    const published = nextDiagnostic({ operation: 'sign-in' })
    const browser = startSignIn(shop)
    await held.arrived
    browser.destroy()
    await published
    await shop.signIn()
    expect(shop.simulator.count('access_token')).toBe(2)
  })
})

it('ends parallel sign-ins on their own responses if the app passes Passport the strategy itself', async () => {
  const members = Array.from({ length: 8 }, (_, index) => ({ username: `m${index}@example.com` }))
  const shop = await openShop({
    store: { members },
    routes: (app, strategy) => {
      const authenticate = new Passport().authenticate(strategy, { session: false }) as RequestHandler
      app.post('/itself', authenticate, (req, res) => {
        res.json((req.user as { username?: string }).username)
      })
    },
  })
  const responses = members.map(({ username }) =>
    request(shop.url)
      .post('/itself')
      .send({ username, otp: shop.simulator.issueCode(username) }),
  )
  const bodies = (await Promise.all(responses)).map(({ body }) => body as unknown)
  expect(bodies).toEqual(members.map(({ username }) => username))
})

describe('close', () => {
  it('waits for a sign-in with all the requests that it still has to send, and refuses new ones', async () => {
    const shop = await openShop()
    const held = shop.simulator.hold('account_settings')
    const signedIn = shop.submit().then(({ status }) => status)
    await held.arrived
    const closed = shop.strategy.close()
    expect(shop.strategy.close()).toBe(closed)
    expect((await shop.submit({ otp: 'late' })).body).toMatchObject({ code: 'strategy_closed' })
    held.release()
    await closed
    expect(await signedIn).toBe(200)
    await expect(shop.strategy.ready()).rejects.toMatchObject({ code: 'strategy_closed' })
  })

  it('waits for a sign-in whose limiter has not responded yet', async () => {
    const asked = deferred()
    const answer = deferred()
    const result = { consumedPoints: 1, msBeforeNext: 1000 }
    const consume = jest.fn(() => Promise.resolve(result))
    const shop = await openShop({ options: { limiter: { consume, reward: () => Promise.resolve() } } })
    const agent = shop.browser()
    await agent.post('/code').send({ username: ADA })
    consume.mockImplementationOnce(async () => {
      asked.resolve()
      await answer.promise
      return result
    })
    const signedIn = shop.submit({}, agent).then(({ status }) => status)
    await asked.promise
    const closed = shop.strategy.close()
    answer.resolve()
    expect(await signedIn).toBe(200)
    await closed
  })

  it("does not close the app's own dispatcher", async () => {
    const { simulator } = await openShop()
    const dispatcher = new Agent()
    const strategy = createStrategy(simulator, { options: { dispatcher } })
    await strategy.ready()
    await strategy.close()
    const { statusCode, body } = await ask(simulator.url, { dispatcher })
    await body.dump()
    expect(statusCode).toBe(404)
    await dispatcher.close()
  })
})

describe("The app's own callback", () => {
  it.each([
    ['a right code', (shop: Shop) => shop.simulator.issueCode(ADA), undefined],
    ['a wrong code', () => 'wrong1', undefined],
    ['an outage', () => 'any', { status: 503 }],
  ])(
    'may throw after %s: it is called once, and the error reaches the error handler',
    async (_, otp, fault) => {
      const callback = jest.fn(() => {
        throw new Error('the page is missing')
      })
      const shop = await openShop({
        routes: (app, strategy) => {
          const passport = new Passport()
          passport.use(strategy)
          app.post('/throws', passport.authenticate(strategy.name, callback) as RequestHandler)
        },
      })
      if (fault) shop.simulator.fault('exchange', fault)
      await request(shop.url)
        .post('/throws')
        .send({ username: ADA, otp: otp(shop) })
        .expect(500)
      expect(shop.errors).toEqual([new Error('the page is missing')])
      expect(callback).toHaveBeenCalledTimes(1)
    },
  )
})
