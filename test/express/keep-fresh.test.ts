import type { Request } from 'express'
import type { KeepFreshOptions, PasswordlessOtpUser } from '../../lib'
import type { Fault } from '../../lib/testing'
import { controlClock, deferred, HOUR, MINUTE, pass, SECOND as ONE_SECOND } from '../support/clock'
import {
  ADA,
  bodyOf,
  collectDiagnostics,
  nextDiagnostic,
  openSecondShop,
  openShop,
  pageOf,
  type Page,
  type ShopSetup,
} from '../support/shop'
import { cookieOf, openActiveShopper, SECOND, SessionStore, STORE, tokenOf } from './support'
import { compareErrors } from '../support/errors'

compareErrors()

const visit = async (agent: Parameters<typeof pageOf>[0]) => pageOf(agent, '/fresh')

describe('keepFresh', () => {
  it.each([
    [24 * HOUR, undefined, 23 * HOUR],
    [24 * HOUR, 600, 24 * HOUR - 10 * MINUTE],
    [12 * HOUR, 23.5 * 3600, 6 * HOUR],
    [30 * MINUTE, undefined, 15 * MINUTE],
    [30 * MINUTE, 600, 20 * MINUTE],
  ])('renews a token of %d ms with within %p after %d ms and not before', async (lifetime, within, due) => {
    controlClock()
    const store = { ...STORE, accountTokenLifetime: lifetime / ONE_SECOND }
    const { simulator, signIn } = await openShop({ store, keepFresh: { within } })
    const { agent, user } = await signIn({ account_id: SECOND.id })
    simulator.clearRequests()

    await pass(due - ONE_SECOND)
    expect((await visit(agent)).user).toEqual(user)
    expect(simulator.requests).toEqual([])

    await pass(ONE_SECOND)
    const renewed = (await visit(agent)).user
    expect(renewed).toEqual({ ...user, account: { ...SECOND, ...tokenAfter(user.account?.token) } })
    expect(renewed?.account?.received).toBe(Date.now())
  })

  // The second half of the life begins after 15 minutes, or 6 hours.
  it.each([
    ['30 minutes', 30 * MINUTE, {}],
    ['12 hours and a long within', 12 * HOUR, { within: 23.5 * 3600 }],
  ])(
    'renews once in two processes that share sessions, with tokens of %s',
    async (_case, lifetime, keepFresh) => {
      controlClock()
      const store = { ...STORE, accountTokenLifetime: lifetime / ONE_SECOND }
      const setup = { store, keepFresh, sessions: new SessionStore() }
      const shop = await openShop(setup)
      const processes = [shop, await openSecondShop(shop.simulator, setup)]
      const cookie = cookieOf(await shop.submit())
      await pass(lifetime / 2)
      shop.simulator.clearRequests()

      for (let page = 0; page < 20; page++) {
        await processes[page % 2]?.browser().get('/fresh').set('Cookie', cookie).expect(200)
        await pass(5 * ONE_SECOND)
      }

      expect(shop.simulator.count('renewal')).toBe(1)
    },
  )

  it('renews once for ten parallel requests', async () => {
    const { simulator, agent, user } = await openActiveShopper()

    const pages = await Promise.all(Array.from({ length: 10 }, () => visit(agent)))

    const tokens = new Set(pages.map((page) => tokenOf(page.user)))
    expect([tokens.size, tokens.has(tokenOf(user)), simulator.count('renewal')]).toEqual([1, false, 1])
  })

  it('reuses a renewal for a late request with the earlier token', async () => {
    const { simulator, strategy, user } = await openActiveShopper()
    const keepFresh = strategy.keepFresh()
    const requests = [{ user }, { user }]

    for (const req of requests) {
      await new Promise((resolve) => void keepFresh(req as unknown as Request, {} as never, resolve))
    }

    expect(simulator.count('renewal')).toBe(1)
    expect(requests[1]?.user.account).toEqual(requests[0]?.user.account)
    expect(tokenOf(requests[1]?.user)).not.toBe(tokenOf(user))
  })

  it.each([
    ['two seconds while the token is valid for more than a minute', 61, 2],
    ['as long as the renewal may take if the token is about to expire', 59, 10],
  ])('waits %s', async (_case, left, seconds) => {
    const { simulator, agent, user } = await openActiveShopper()
    await pass(10 * MINUTE - left * ONE_SECOND)
    const held = simulator.hold('renewal')
    let served = false
    const page = visit(agent).finally(() => (served = true))
    await held.arrived

    await pass(seconds * ONE_SECOND - 100)
    // A whole request has passed in the meantime.
    await pageOf(agent)
    expect(served).toBe(false)
    await pass(100)

    expect((await page).user).toEqual(user)
    held.release()
  })

  it('gives the next page a renewal that took too long for one page', async () => {
    const { simulator, agent, user } = await openActiveShopper()
    const held = simulator.hold('renewal')
    const page = visit(agent)
    await held.arrived
    await pass(2 * ONE_SECOND)
    expect((await page).user).toEqual(user)

    const renewed = nextDiagnostic({ operation: 'renewal' })
    held.release()
    await renewed

    expect(tokenOf((await visit(agent)).user)).not.toBe(tokenOf(user))
    expect(simulator.count('renewal')).toBe(1)
  })

  it('asks again half a minute after a renewal failed, and not before', async () => {
    const { simulator, agent, user } = await openActiveShopper()
    simulator.fault('renewal', { status: 500 }, { times: 1 })
    await visit(agent)
    const calls = simulator.count('renewal')

    await pass(29 * ONE_SECOND)
    expect((await visit(agent)).user).toEqual(user)
    expect(simulator.count('renewal')).toBe(calls)

    await pass(ONE_SECOND)
    expect(tokenOf((await visit(agent)).user)).not.toBe(tokenOf(user))
  })

  describe('of a member who was removed from the account', () => {
    it('removes the account without calling verify, and keeps a token for choosing another one', async () => {
      const verify = jest.fn((user: object) => ({ ...user, role: 'buyer' }))
      const { simulator, strategy, agent, user: before } = await openActiveShopper({ verify })
      const { account: second } = await strategy.selectAccount(before, SECOND.id)
      simulator.fault('renewal', listOf(before, second))

      const page = await visit(agent)

      expect(verify).toHaveBeenCalledTimes(1)
      expect(page.user).toMatchObject({ role: 'buyer', account: null, selectionToken: { lifetime: 1800 } })
      expect((await pageOf(agent)).stored).toEqual(page.user)
      await agent.post('/only-switch').send({ account_id: SECOND.id }).expect(200)
      const { user } = await pageOf(agent)
      expect(user?.account).toMatchObject(SECOND)
      expect(user).not.toHaveProperty('selectionToken')
    })

    it.each([true, false])('who has no other account, with requireAccount %p', async (requireAccount) => {
      const { simulator, agent, sessions, user } = await openActiveShopper({ options: { requireAccount } })
      await agent.post('/basket')
      simulator.fault('renewal', listOf(user))

      const page = await visit(agent)

      const left = requireAccount ? null : { ...user, account: null }
      expect([page.user, page.basket]).toEqual([left, 'a basket'])
      expect(sessions.users).toEqual(left ? [left] : [])
    })
  })

  it('renews the token of a shopper who still has to choose an account', async () => {
    const { agent, user } = await openActiveShopper({ options: { selectAccount: 'sole' } })

    const page = await visit(agent)

    expect(page.user).toMatchObject({ account: null, selectionToken: { received: Date.now() } })
    expect(tokenOf(page.user)).not.toBe(tokenOf(user))
    expect(page.stored).toEqual(page.user)
  })

  it.each<[string, (shop: Awaited<ReturnType<typeof openActiveShopper>>) => Promise<unknown>]>([
    ['a switch', ({ agent }) => agent.post('/only-switch').send({ account_id: SECOND.id }).then()],
    [
      "another process's renewal",
      async ({ simulator, sessions, cookie, user }) => {
        const other = await openSecondShop(simulator, { sessions })
        await other.browser().get('/fresh').set('Cookie', cookie).expect(200)
        expect(sessions.users).not.toEqual([user])
      },
    ],
  ])('does not undo %s that ended while it renewed, or what others store later', async (_case, act) => {
    const slow = slowPage()
    const shop = await openActiveShopper(slow)
    const held = shop.simulator.hold('renewal', { times: 1 })
    const page = shop.agent.get('/slow').then()
    await held.arrived
    await act(shop)
    const { stored } = await pageOf(shop.agent)
    // The simulator's tokens of the same second are equal.
    await pass(ONE_SECOND)

    held.release()
    await slow.reached
    await shop.agent.post('/basket')
    slow.finish()
    await page

    expect(await pageOf(shop.agent)).toMatchObject({ stored, basket: 'a basket' })
  })

  it('does not undo a switch that ended while the session could not be saved', async () => {
    const { agent, sessions } = await openActiveShopper()
    const { set } = sessions
    sessions.set = (_id, _session, done) => {
      sessions.set = set
      const switched = agent.post('/only-switch').send({ account_id: SECOND.id })
      void switched.then(() => done?.(new Error('down')))
    }

    await visit(agent)

    expect((await pageOf(agent)).stored?.account).toMatchObject(SECOND)
  })

  it.each([
    ['is saved', null],
    ['cannot be saved', new Error('down')],
  ])('changes no page that is being served when the session finally %s', async (_case, error) => {
    const slow = slowPage()
    const { agent, sessions, user } = await openActiveShopper(slow)
    const { set } = sessions
    const saving = deferred()
    let save = (): unknown => undefined
    sessions.set = (id, session, done) => {
      sessions.set = set
      save = () => (error ? done?.(error) : set(id, session, done))
      saving.resolve()
    }
    const page = agent.get('/slow').then((response) => bodyOf<Page>(response))
    await saving.promise

    await pass(2 * ONE_SECOND)
    await slow.reached
    save()
    // A whole request passes in the meantime.
    const { stored } = await pageOf(agent)
    slow.finish()

    const renewed = (await page).user
    expect(tokenOf(renewed)).not.toBe(tokenOf(user))
    expect(await page).toEqual({ user: renewed, stored: renewed, before: { user: renewed, stored: renewed } })
    expect(stored).toEqual(error ? user : renewed)
  })

  it.each([
    ['nobody', false, {}],
    ['a member of no account', true, { store: { members: [{ username: ADA, accounts: 0 }] } }],
  ])('sends nothing for %s', async (_case, isSignedIn, setup) => {
    const { simulator, browser, agent, user } = await openActiveShopper({
      ...setup,
      options: { requireAccount: false },
    })

    const page = await visit(isSignedIn ? agent : browser())

    expect(page.user).toEqual(isSignedIn ? user : null)
    expect(simulator.requests).toEqual([])
  })

  it('serves the page, and reports it, after the strategy was closed', async () => {
    const messages = collectDiagnostics()
    const { strategy, agent, user } = await openActiveShopper()
    await strategy.close()

    expect((await visit(agent)).user).toEqual(user)
    expect(messages.at(-1)).toMatchObject({ operation: 'renewal', outcome: 'error', code: 'strategy_closed' })
  })

  it.each<[unknown, string]>([
    ...[0, -1, NaN, Infinity, '60'].map((within): [unknown, string] => [
      { within },
      'within must be a number',
    ]),
    [null, 'options must be an object'],
    [5, 'options must be an object'],
    [{ whithin: 60 }, 'unknown option whithin'],
  ])('throws a TypeError for the options %p', async (options, message) => {
    const { strategy } = await openShop()

    const create = () => strategy.keepFresh(options as KeepFreshOptions)

    expect(create).toThrow(TypeError)
    expect(create).toThrow(`keepFresh: ${message}`)
  })
})

/** A page that is served until the test ends it. It shows the user and the session before and after. */
function slowPage() {
  const reached = deferred()
  const finished = deferred()
  const routes: ShopSetup['routes'] = (app, strategy) => {
    app.get('/slow', strategy.keepFresh(), async (req, res) => {
      const show = () => ({
        user: req.user,
        stored: (req.session as unknown as { passport?: { user?: unknown } }).passport?.user,
      })
      const before = show()
      reached.resolve()
      await finished.promise
      res.json({ ...show(), before })
    })
  }
  return { routes, reached: reached.promise, finish: finished.resolve }
}

/** A list of accounts that Elastic Path returns. */
function listOf(user: PasswordlessOtpUser, ...accounts: PasswordlessOtpUser['account'][]): Fault {
  const data = accounts.flatMap((one) => one && { account_id: one.id, account_name: one.name, ...one })
  const meta = { account_member_id: user.accountMemberId, results: { total: data.length } }
  return { status: 201, body: { meta, data } }
}

function tokenAfter(token: string | undefined): object {
  return {
    token: expect.not.stringMatching(`^${token}$`) as string,
    expires: expect.any(String) as string,
    received: expect.any(Number) as number,
    lifetime: expect.any(Number) as number,
  }
}
