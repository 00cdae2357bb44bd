import { MemoryStore } from 'express-session'
import type { PasswordlessOtpUser } from '../../lib'
import { ElasticPathSimulator } from '../../lib/testing'
import {
  atEnd,
  bodyOf,
  collectDiagnostics,
  createStrategy,
  pageOf,
  type Page,
  type ShopSetup,
} from '../support/shop'
import { failed, FIRST, openActiveShopper, SECOND, tokenOf, WAYS } from './support'
import { compareErrors } from '../support/errors'

compareErrors()

/** A user of a class of the app's own. */
class Shopper {
  declare accountMemberId: string
  declare account: PasswordlessOtpUser['account']
  constructor(user: PasswordlessOtpUser) {
    Object.assign(this, user, { theme: 'dark' })
  }
  greet(): string {
    return `Hello, ${this.account?.name}`
  }
}

/** Shows what req.user is, after a way. */
const greet: ShopSetup['routes'] = (app, strategy) => {
  app.post('/greet/switch', strategy.switchAccount(), (req, res) => res.json((req.user as Shopper).greet()))
  app.post('/greet/renewal', strategy.keepFresh(), (req, res) => res.json((req.user as Shopper).greet()))
}

/** The app's deserializer restores the class. */
const reviving: ShopSetup = {
  initialize: {},
  serializers(passport) {
    passport.serializeUser((user, done) => done(null, user))
    passport.deserializeUser((user: PasswordlessOtpUser, done) => done(null, new Shopper(user)))
  },
}

/** The app keeps users in a database, and only an id in the session. */
function database(update = true) {
  const users = new Map<string, unknown>()
  const serializers: NonNullable<ShopSetup['serializers']> = (passport) => {
    passport.serializeUser((user, done) => {
      const { accountMemberId: id } = user as PasswordlessOtpUser
      if (update || !users.has(id)) users.set(id, user)
      done(null, id)
    })
    passport.deserializeUser((id: string, done) => done(null, users.get(id) as Express.User))
  }
  return { users, initialize: {}, serializers }
}

describe.each(WAYS)('req.user at a %s', (way) => {
  const account = way === 'switch' ? SECOND : FIRST

  it('is the result of verify for a new user, without fields of the earlier one', async () => {
    const asked: object[] = []
    const verify = (user: PasswordlessOtpUser) => {
      asked.push(user)
      return { ...user, [`role${asked.length}`]: user.account?.name }
    }
    const { agent, start } = await openActiveShopper({ verify })

    const { user } = bodyOf<Page>(await start(way))

    expect(asked[1]).not.toHaveProperty('role1')
    expect(user).toEqual({ ...asked[1], role2: account.name })
    expect(user?.account).toMatchObject(account)
    expect((await pageOf(agent)).stored).toEqual(user)
  })

  it('is refused by verify: a switch changes nothing, a renewal signs out', async () => {
    let blocked = false
    const { agent, start, sessions, user } = await openActiveShopper({ verify: (user) => !blocked && user })
    await agent.post('/basket')
    blocked = true

    const response = await start(way)

    expect(response).toMatchObject(
      way === 'switch'
        ? { status: 403, body: { code: 'refused_by_verify' } }
        : { status: 200, body: { user: null, basket: 'a basket' } },
    )
    expect(sessions.users).toEqual(way === 'switch' ? [user] : [])
    expect((await pageOf(agent)).basket).toBe('a basket')
  })

  it.each<[string, () => unknown]>([
    ['throws', () => fail()],
    ['rejects', () => Promise.reject(new Error('no database'))],
  ])('stays the same if verify %s', async (_case, ask) => {
    let broken = false
    const { agent, start, user } = await openActiveShopper({ verify: (user) => (broken ? ask() : user) })
    broken = true

    expect(await start(way)).toMatchObject(failed(way, 500, 'Error: no database'))
    expect((await pageOf(agent)).stored).toEqual(user)
  })

  it.each<[string, ShopSetup]>([
    ['the deserializer makes', {}],
    ['verify makes', { verify: (user: PasswordlessOtpUser) => new Shopper(user) }],
  ])('keeps the class and methods that %s', async (_case, setup) => {
    const { agent } = await openActiveShopper({ ...reviving, ...setup, routes: greet })

    const response = await agent.post(`/greet/${way}`).send({ account_id: SECOND.id })

    expect(bodyOf(response)).toBe(`Hello, ${account.name}`)
    expect((await pageOf(agent)).user).toMatchObject({ account, theme: 'dark' })
  })

  it('is replaced under the name of userProperty', async () => {
    const { agent, start, user } = await openActiveShopper({ initialize: { userProperty: 'shopper' } })

    await start(way)

    const page = await pageOf(agent)
    expect(page.user?.account).toMatchObject(account)
    expect(tokenOf(page.user)).not.toBe(tokenOf(user))
  })

  it('is read back from the database of the app', async () => {
    const { users, ...setup } = database()
    const { agent, start, user, sessions } = await openActiveShopper(setup)

    expect(await start(way)).toMatchObject({ status: 200 })

    expect(sessions.users).toEqual([user.accountMemberId])
    const page = await pageOf(agent)
    expect(page.user).toEqual(users.get(user.accountMemberId))
    expect(page.user?.account).toMatchObject(account)
    expect(tokenOf(page.user)).not.toBe(tokenOf(user))
  })

  it.each<[string, ShopSetup]>([
    ['if the database of the app keeps the earlier one', database(false)],
    ['if the Passport instance is unknown', { serializers: database().serializers }],
  ])('stays the same, and is not silently lost, %s', async (_case, setup) => {
    const messages = collectDiagnostics()
    const { agent, start, user } = await openActiveShopper(setup)

    expect(await start(way)).toMatchObject(failed(way))

    expect((await pageOf(agent)).user).toEqual(user)
    expect(messages).toContainEqual(
      expect.objectContaining({ operation: way, outcome: 'error', code: 'session_failed' }),
    )
  })

  it('stays the same in the database of the app if the session cannot be saved', async () => {
    const { users, ...setup } = database()
    const sessions = new MemoryStore()
    const { agent, start, user } = await openActiveShopper({ ...setup, sessions })
    const set = jest.spyOn(sessions, 'set')
    set.mockImplementationOnce((_id, _session, done) => done?.(new Error('down')))

    expect(await start(way)).toMatchObject(failed(way))

    expect([...users.values()]).toEqual([user])
    expect((await pageOf(agent)).user).toEqual(user)
  })

  it('belongs to the strategy that signed it in: no other store gets its token', async () => {
    const other = await ElasticPathSimulator.start()
    atEnd(() => other.stop())
    const strategy = createStrategy(other, { options: { name: 'other' } })
    const { agent, user } = await openActiveShopper({
      routes(app) {
        app.post('/other/switch', strategy.switchAccount())
        app.post('/other/renewal', strategy.keepFresh(), (_req, res) => res.sendStatus(200))
      },
    })

    const response = await agent.post(`/other/${way}`).send({ account_id: SECOND.id })

    expect(response.status).toBe(way === 'switch' ? 401 : 200)
    expect(other.requests).toEqual([])
    expect((await pageOf(agent)).user).toEqual(user)
  })

  it("is not taken from another member's list, which a cache could return", async () => {
    const { agent, start, simulator, user } = await openActiveShopper()
    const eve = simulator.addMember({ username: 'eve@example.com' })
    const token = {
      account_id: SECOND.id,
      account_name: 'Second',
      token: 'of-eve',
      expires: user.account?.expires,
    }
    const body = { meta: { account_member_id: eve.id, results: { total: 1 } }, data: [token] }
    simulator.fault('renewal', { status: 201, body })

    expect(await start(way)).toMatchObject(failed(way, 502, 'bad_answer'))
    expect((await pageOf(agent)).user).toEqual(user)
  })

  it.each([
    ['fails', { status: 500 }, 502, 'upstream_error'],
    ['resets the connection', 'reset', 502, 'unreachable'],
    ['returns a half-valid body', 'half_valid', 502, 'bad_answer'],
    ['refuses the token', { status: 401 }, 401, 'account_token_refused'],
    ['refuses the client', { status: 403 }, 500, 'request_refused'],
  ] as const)('stays the same if Elastic Path %s', async (_case, fault, status, code) => {
    const { agent, start, simulator } = await openActiveShopper({ options: { timeout: 1000 } })
    const before = await pageOf(agent)
    simulator.fault('renewal', fault, { times: 2 })

    expect(await start(way)).toMatchObject(failed(way, status, code))
    expect(await pageOf(agent)).toEqual(before)
  })
})

function fail(): never {
  throw new Error('no database')
}
