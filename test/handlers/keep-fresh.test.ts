import { randomUUID } from 'node:crypto'
import type { PasswordlessOtpUser } from '../../lib'
import {
  ADA,
  holdDate,
  me,
  openJourney,
  passSeconds,
  turn,
  until,
  type Agent,
  type JourneyOptions,
  type Me,
} from '../support/journey'

const FIRST = { id: randomUUID(), name: 'First' }
const SECOND = { id: randomUUID(), name: 'Second' }

/** Ada, signed in to the second of her accounts with a token that ends in half an hour: soon enough to be renewed. */
async function openActiveShopper(options: JourneyOptions = {}) {
  const journey = await openJourney({
    ...options,
    store: {
      members: [{ username: ADA, accounts: [FIRST, SECOND] }],
      accountTokenLifetime: 1800,
      ...options.store,
    },
  })
  const { agent, user } = await journey.signIn({ account_id: SECOND.id })
  // A token of a later second is another one.
  journey.simulator.advance(60)
  journey.simulator.clearRequests()
  return { ...journey, agent, user }
}

/** A page of Ada's whose renewal hangs, with so many seconds left of her token, on a clock that the test moves. */
async function openWaitingPage(secondsLeft: number) {
  const { simulator, strategy, user } = await openActiveShopper()
  simulator.fault('renewal', 'hang')
  const expires = new Date(Date.now() + secondsLeft * 1000).toISOString()
  const req = { user: { ...user, account: { ...user.account, expires } } as PasswordlessOtpUser }
  const before = req.user
  jest.useFakeTimers({
    doNotFake: ['Date', 'hrtime', 'nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'],
  })
  const next = jest.fn()
  strategy.keepFresh()(req as never, {} as never, next)
  await until(() => simulator.count('renewal') > 0)
  const passMilliseconds = async (milliseconds: number) => {
    jest.advanceTimersByTime(milliseconds)
    for (let i = 0; i < 5; i++) await turn()
  }
  return { next, req, user: before, passMilliseconds }
}

async function visit(agent: Agent): Promise<Me> {
  const reply = await agent.get('/fresh').expect(200)
  return reply.body as Me
}

const tokenOf = (user: PasswordlessOtpUser | undefined) => user?.account?.token

describe('keepFresh', () => {
  test('renews a token that is about to end, for the same account', async () => {
    const { agent, user } = await openActiveShopper()

    const fresh = await visit(agent)

    expect(fresh.user?.account).toMatchObject(SECOND)
    expect(tokenOf(fresh.user)).not.toBe(tokenOf(user))
    expect(Date.parse(fresh.user?.account?.expires ?? '')).toBeGreaterThan(
      Date.parse(user.account?.expires ?? ''),
    )
  })

  test('the next request finds the renewed token in the session', async () => {
    const { agent } = await openActiveShopper()

    const fresh = await visit(agent)

    expect((await me(agent)).stored).toEqual(fresh.user)
  })

  test('writes the session in place', async () => {
    const { agent, user } = await openActiveShopper()
    await agent.post('/basket').expect(204)
    const before = await me(agent)

    await visit(agent)

    const after = await me(agent)
    expect([after.sessionId, after.basket]).toEqual([before.sessionId, 'a basket'])
    expect(tokenOf(after.user)).not.toBe(tokenOf(user))
  })

  test('ten parallel requests are one renewal and ten answers', async () => {
    const { simulator, agent, user } = await openActiveShopper()

    const answers = await Promise.all(Array.from({ length: 10 }, () => visit(agent)))

    expect(simulator.count('renewal')).toBe(1)
    const tokens = new Set(answers.map((answer) => tokenOf(answer.user)))
    expect(tokens.size).toBe(1)
    expect(tokens).not.toContain(tokenOf(user))
  })

  test('a request that comes late with the old token finds the renewal done', async () => {
    const { simulator, strategy, agent } = await openActiveShopper()
    const handler = strategy.keepFresh()
    const { user } = await me(agent)
    const requests = [1, 2].map(() => ({ user: structuredClone(user) }))

    for (const req of requests)
      await new Promise((resolve) => void handler(req as never, {} as never, resolve))

    expect(simulator.count('renewal')).toBe(1)
    expect(tokenOf(requests[1]?.user)).toBe(tokenOf(requests[0]?.user))
    expect(tokenOf(requests[1]?.user)).not.toBe(tokenOf(user))
  })

  test('leaves a token alone that has long to live', async () => {
    const { simulator, agent, user } = await openActiveShopper({ store: { accountTokenLifetime: 86_400 } })

    const fresh = await visit(agent)

    expect(fresh.user).toEqual(user)
    expect(simulator.requests).toEqual([])
  })

  test('within says how long before its end a token is renewed', async () => {
    const { simulator, agent } = await openActiveShopper({ keepFresh: { within: 600 } })

    await visit(agent)

    expect(simulator.count('renewal')).toBe(0)
  })

  test('a store whose tokens live shortly is not asked with every request', async () => {
    const { simulator, agent } = await openActiveShopper()

    for (let i = 0; i < 5; i++) await visit(agent)

    expect(simulator.count('renewal')).toBe(1)
  })

  test('a token that lives shorter than within is renewed at half of its life', async () => {
    holdDate()
    const { simulator, agent } = await openActiveShopper()
    await visit(agent)
    expect(simulator.count('renewal')).toBe(1)

    // By the shop's clock, behind the store's by a minute, the token lives 1860 seconds.
    passSeconds(925)
    await visit(agent)
    expect(simulator.count('renewal')).toBe(1)
    passSeconds(5)
    await visit(agent)
    expect(simulator.count('renewal')).toBe(2)
  })

  test('a token that lives longer than within is renewed where within says', async () => {
    holdDate()
    const { simulator, agent } = await openActiveShopper({ keepFresh: { within: 1200 } })
    passSeconds(600)
    await visit(agent)
    expect(simulator.count('renewal')).toBe(1)

    passSeconds(661)
    await visit(agent)
    expect(simulator.count('renewal')).toBe(2)
  })

  test('a page waits two seconds for a renewal while its token serves, and goes on', async () => {
    const { next, passMilliseconds, req, user } = await openWaitingPage(61)

    await passMilliseconds(1999)
    expect(next).not.toHaveBeenCalled()
    await passMilliseconds(1)

    expect(next.mock.calls).toEqual([[]])
    expect(req.user).toEqual(user)
    // To the end of the renewal.
    await passMilliseconds(8000)
  })

  test('a page whose token is about to end waits for its renewal as long as that may take', async () => {
    const { next, passMilliseconds } = await openWaitingPage(59)

    await passMilliseconds(9_999)
    expect(next).not.toHaveBeenCalled()
    await passMilliseconds(1)

    expect(next.mock.calls).toEqual([[]])
  })

  test('leaves no timer of its own when the renewal is through', async () => {
    const { strategy, user } = await openActiveShopper()
    jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'queueMicrotask', 'setImmediate'] })
    const set = jest.spyOn(globalThis, 'setTimeout')
    const clear = jest.spyOn(globalThis, 'clearTimeout')

    await new Promise((resolve) => void strategy.keepFresh()({ user } as never, {} as never, resolve))

    const patience = set.mock.calls.findIndex(([, milliseconds]) => milliseconds === 2000)
    expect(clear.mock.calls.map(([timer]) => timer)).toContain(set.mock.results[patience]?.value)
  })

  test.each([
    ['is down', { status: 503 }],
    ['breaks off', 'reset'],
    ['answers nonsense', 'html'],
    ['hangs', 'hang'],
    ['refuses the token', { status: 401 }],
    ['is over its limit', { rateLimited: undefined }],
  ] as const)('keeps the shopper signed in to the same account while Commerce %s', async (_name, fault) => {
    const { simulator, agent } = await openActiveShopper({ strategy: { timeout: 500 } })
    const before = await me(agent)
    simulator.fault('renewal', fault, { times: Infinity })

    const fresh = await visit(agent)

    expect(fresh).toEqual(before)
    expect(await me(agent)).toEqual(before)
  })

  test('keeps the shopper signed in where nothing answers at Commerce', async () => {
    const { simulator, agent, user } = await openActiveShopper()
    await simulator.stop()

    expect((await visit(agent)).user).toEqual(user)
  })

  test('keeps the shopper signed in where the member has left the account', async () => {
    const { simulator, agent, user } = await openActiveShopper()
    simulator.setAccounts(ADA, [FIRST])

    expect((await visit(agent)).user).toEqual(user)
  })

  test('leaves Commerce in peace after a renewal that failed', async () => {
    const { simulator, agent } = await openActiveShopper()
    simulator.fault('renewal', { status: 401 }, { times: Infinity })

    for (let i = 0; i < 3; i++) await visit(agent)

    expect(simulator.count('renewal')).toBe(1)
  })

  test('renews the token of a shopper who has yet to choose', async () => {
    const { simulator, signIn } = await openJourney({
      store: { members: [{ username: ADA, accounts: [FIRST, SECOND] }], accountTokenLifetime: 1800 },
      strategy: { selectAccount: 'sole' },
    })
    const { agent, user } = await signIn()
    simulator.advance(60)

    const fresh = await visit(agent)

    expect(fresh.user).toMatchObject({
      account: null,
      selectionToken: { token: expect.any(String) as string },
    })
    expect(fresh.user?.selectionToken?.token).not.toBe(user.selectionToken?.token)
    expect(fresh.stored).toEqual(fresh.user)
  })

  test('lets a member of no account pass, who has nothing to renew', async () => {
    const { simulator, signIn } = await openJourney({
      store: { members: [{ username: ADA, accounts: 0 }] },
      strategy: { requireAccount: false },
    })
    const { agent, user } = await signIn()
    simulator.clearRequests()

    expect((await visit(agent)).user).toEqual(user)
    expect(simulator.requests).toEqual([])
  })

  test('lets everybody pass who is not signed in', async () => {
    const { simulator, browser } = await openActiveShopper()

    const { user } = await visit(browser())

    expect(user).toBeUndefined()
    expect(simulator.requests).toEqual([])
  })

  test('keeps what the app added to its user', async () => {
    const { strategy, user } = await openActiveShopper()
    const req = { user: { ...user, theme: 'dark' } }

    await new Promise((resolve) => void strategy.keepFresh()(req as never, {} as never, resolve))

    expect(req.user.theme).toBe('dark')
    expect(tokenOf(req.user)).not.toBe(tokenOf(user))
  })

  test.each([0, -1, NaN, Infinity, '60'])('throws a TypeError for within %p', async (within) => {
    const { strategy } = await openJourney()

    expect(() => strategy.keepFresh({ within: within as number })).toThrow(TypeError)
    expect(() => strategy.keepFresh({ within: within as number })).toThrow('keepFresh: within must be')
  })

  test.each([
    [null, 'keepFresh: its options must be an object'],
    [5, 'keepFresh: its options must be an object'],
    [{ whithin: 60 }, 'keepFresh: whithin is not an option; the options are within'],
  ])('throws a TypeError for the options %p', async (options, message) => {
    const { strategy } = await openJourney()
    expect(() => strategy.keepFresh(options as never)).toThrow(new TypeError(message))
  })

  test('keeps what parallel requests put into the session while it renewed', async () => {
    const { simulator, agent } = await openActiveShopper()
    simulator.fault('renewal', { delay: 200 })
    const page = visit(agent)
    await until(() => simulator.count('renewal') > 0)
    await agent.post('/basket').expect(204)
    const { user } = await page

    expect(await me(agent)).toMatchObject({ basket: 'a basket', user: { account: { token: tokenOf(user) } } })
  })

  test('does not undo a switch that ended while it renewed', async () => {
    const { simulator, signIn } = await openJourney({
      store: { members: [{ username: ADA, accounts: [FIRST, SECOND] }], accountTokenLifetime: 1800 },
    })
    const { agent } = await signIn()
    simulator.advance(60)
    simulator.fault('renewal', { delay: 400 })
    const before = simulator.count('renewal')
    const page = agent.get('/fresh').then((answer) => answer)
    await until(() => simulator.count('renewal') > before)
    await agent.post('/switch').send({ account_id: SECOND.id }).expect(200)
    await page

    expect((await me(agent)).user?.account).toMatchObject(SECOND)
  })

  test('does not undo a sign-out that ended while it renewed', async () => {
    const { simulator, browser } = await openJourney({
      store: { members: [{ username: ADA, accounts: [FIRST, SECOND] }], accountTokenLifetime: 1800 },
    })
    const login = await browser()
      .post('/login')
      .send({ username: ADA, otp: simulator.issueCode(ADA) })
    // The cookie of before stays in the hands of whoever has it.
    const cookie = login.get('Set-Cookie')?.[0]?.split(';')[0] ?? ''
    simulator.advance(60)
    simulator.fault('renewal', { delay: 400 })
    const before = simulator.count('renewal')
    const page = browser()
      .get('/fresh')
      .set('Cookie', cookie)
      .then((answer) => answer)
    await until(() => simulator.count('renewal') > before)
    await browser().post('/logout').set('Cookie', cookie).expect(200)
    expect((await page).status).toBe(200)

    const { body } = (await browser().get('/me').set('Cookie', cookie)) as { body: Me }
    expect(body.user).toBeUndefined()
  })
})
