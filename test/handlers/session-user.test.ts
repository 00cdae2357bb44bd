import { randomUUID } from 'node:crypto'
import type { PasswordlessOtpUser } from '../../lib'
import { ADA, openJourney, turn, until } from '../support/journey'

const FIRST = { id: randomUUID(), name: 'First' }
const SECOND = { id: randomUUID(), name: 'Second' }

type Found = { passport?: { user?: unknown } } | null | undefined

/** A request of Ada's whose session is as some library has it, and the two handlers that write to it. */
async function openRequest(session: (user: PasswordlessOtpUser) => object) {
  const { simulator, strategy, signIn } = await openJourney({
    store: { members: [{ username: ADA, accounts: [FIRST, SECOND] }], accountTokenLifetime: 1800 },
  })
  const { user } = await signIn()
  simulator.advance(60)
  const req = { user, body: { account_id: SECOND.id }, ...session(user) } as {
    user: PasswordlessOtpUser
    session?: { passport?: { user?: PasswordlessOtpUser } }
  }
  const run = (handler: (...args: never[]) => unknown) =>
    new Promise<unknown>((resolve) => void handler(req as never, {} as never, resolve as never))
  return {
    user,
    req,
    switchAccount: () => run(strategy.switchAccount()),
    keepFresh: () => run(strategy.keepFresh()),
  }
}

function inStore(found: (user?: PasswordlessOtpUser) => Found, error?: Error) {
  return (user?: PasswordlessOtpUser) => ({
    session: { passport: { user } },
    sessionID: 'a session',
    sessionStore: {
      get: (_id: string, done: (error: unknown, found?: Found) => void) => done(error, found(user)),
    },
  })
}

describe('a session', () => {
  test('is saved before the switch is through, so that the page after it finds the account', async () => {
    const saved: (string | undefined)[] = []
    const { req, switchAccount } = await openRequest((user) => ({
      session: {
        passport: { user },
        save(done: () => void) {
          saved.push(req.session?.passport?.user?.account?.id)
          setImmediate(() => {
            saved.push('done')
            done()
          })
        },
      },
    }))

    expect(await switchAccount()).toBeUndefined()

    expect(saved).toEqual([SECOND.id, 'done'])
  })

  test('that cannot be saved fails a switch, which changes nothing, and no renewal', async () => {
    const failure = new Error('disk full')
    const session = (user: PasswordlessOtpUser) => ({
      session: { passport: { user }, save: (done: (error: Error) => void) => done(failure) },
    })

    const switched = await openRequest(session)
    expect(await switched.switchAccount()).toBe(failure)
    expect(switched.req.user).toBe(switched.user)
    expect(switched.req.session?.passport?.user).toBe(switched.user)

    const renewed = await openRequest(session)
    expect(await renewed.keepFresh()).toBeUndefined()
    expect(renewed.req.user.account?.token).not.toBe(renewed.user.account?.token)
  })

  test('that others write to meanwhile keeps what they wrote, and what this request wrote', async () => {
    const stored = (user?: PasswordlessOtpUser) => ({ passport: { user }, kept: ['a'], gone: 1, cookie: 1 })
    const others = (user?: PasswordlessOtpUser) => ({
      passport: { user },
      kept: ['a'],
      basket: ['b'],
      cookie: 2,
    })
    const session = (user: PasswordlessOtpUser) => {
      const get = jest
        .fn<void, [string, (error: unknown, found?: Found) => void]>()
        .mockImplementationOnce((_id, done) => done(null, stored(user)))
        .mockImplementation((_id, done) => done(null, others(user)))
      return {
        session: { ...stored(user), kept: ['changed here'], mine: true },
        sessionID: 'a session',
        sessionStore: { get },
      }
    }

    for (const how of ['switchAccount', 'keepFresh'] as const) {
      const request = await openRequest(session)
      expect(await request[how]()).toBeUndefined()
      const { passport, ...rest } = request.req.session ?? {}
      expect(rest).toEqual({ kept: ['changed here'], mine: true, basket: ['b'], cookie: 1 })
      expect(passport?.user).toEqual(request.req.user)
      expect(request.req.user).not.toEqual(request.user)
    }
  })

  test.each([
    ['no session', () => ({})],
    ['a session that Passport knows nothing of', () => ({ session: {} })],
    ['a session that Passport has signed nobody in to', () => ({ session: { passport: {} } })],
    ['a session of others that is in its store', () => ({ ...inStore(() => ({}))(), session: {} })],
    ['a session that is in no store', (user: PasswordlessOtpUser) => ({ session: { passport: { user } } })],
    [
      'a store that cannot be asked',
      (user: PasswordlessOtpUser) => ({
        session: { passport: { user } },
        sessionID: 'a session',
        sessionStore: {},
      }),
    ],
  ])('is not needed: with %s, switches and renewals are on the request', async (_name, session) => {
    const switched = await openRequest(session)
    expect(await switched.switchAccount()).toBeUndefined()
    expect(switched.req.user.account).toMatchObject(SECOND)

    const renewed = await openRequest(session)
    expect(await renewed.keepFresh()).toBeUndefined()
    expect(renewed.req.user.account).toMatchObject(FIRST)
    expect(renewed.req.user.account?.token).not.toBe(renewed.user.account?.token)
  })

  test.each([
    ['is gone from its store', inStore(() => undefined)],
    ['is in its store without a user', inStore(() => ({ passport: {} }))],
    ['is in its store without Passport', inStore(() => ({}))],
  ])('that %s was signed out of: nothing is written, and a switch is an error', async (_name, session) => {
    const { req, user, switchAccount, keepFresh } = await openRequest(session)

    expect(await keepFresh()).toBeUndefined()
    expect(await switchAccount()).toMatchObject({ code: 'not_signed_in', status: 401 })

    expect(req.user).toEqual(user)
    expect(req.session?.passport?.user).toEqual(user)
  })

  test('that is not in its store, and that Passport has signed nobody in to, is not written to by a renewal', async () => {
    const { req, user, keepFresh } = await openRequest(() => ({ ...inStore(() => null)(), session: {} }))

    expect(await keepFresh()).toBeUndefined()

    expect(req.user).toEqual(user)
  })

  test('whose user acts for no account any more is not written to by a renewal', async () => {
    const { req, user, keepFresh } = await openRequest(
      inStore((stored) => ({ passport: { user: { ...stored, account: null } } })),
    )

    expect(await keepFresh()).toBeUndefined()

    expect(req.user).toEqual(user)
  })

  test('whose store is out of reach keeps the token that it has, and can still switch', async () => {
    const { req, user, switchAccount, keepFresh } = await openRequest(
      inStore(() => undefined, new Error('no store')),
    )

    expect(await keepFresh()).toBeUndefined()
    expect(req.user).toEqual(user)
    expect(await switchAccount()).toBeUndefined()
    expect(req.user.account).toMatchObject(SECOND)
  })

  describe('of a store that does not answer', () => {
    /** Runs a handler until the store has been asked so often, on a clock that the test moves. */
    async function waitForStore(run: () => Promise<unknown>, store: jest.Mock, times: number) {
      jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'queueMicrotask', 'setImmediate'] })
      const ended = jest.fn()
      void run().then(ended)
      await until(() => store.mock.calls.length === times)
      return async (milliseconds: number) => {
        jest.advanceTimersByTime(milliseconds - 1)
        for (let i = 0; i < 5; i++) await turn()
        expect(ended).not.toHaveBeenCalled()
        jest.advanceTimersByTime(1)
        await until(() => ended.mock.calls.length > 0)
        return ended.mock.calls as unknown[]
      }
    }

    test('keeps the token that it has, and the page goes on after two seconds', async () => {
      const get = jest.fn()
      const { req, user, keepFresh } = await openRequest((user) => ({
        session: { passport: { user } },
        sessionID: 'a session',
        sessionStore: { get },
      }))

      // When the renewal begins, and when it is there.
      const endAfter = await waitForStore(keepFresh, get, 2)
      expect(await endAfter(2000)).toEqual([[undefined]])

      expect(req.user).toEqual(user)
    })

    test('keeps a renewal to the request, which goes on after two seconds', async () => {
      const save = jest.fn()
      const { req, user, keepFresh } = await openRequest((user) => ({
        session: { passport: { user }, save },
      }))

      const endAfter = await waitForStore(keepFresh, save, 1)
      expect(await endAfter(2000)).toEqual([[undefined]])

      expect(req.user.account?.token).not.toBe(user.account?.token)
    })

    test('fails a switch when its time is over, and changes nothing', async () => {
      const save = jest.fn()
      const { req, user, switchAccount } = await openRequest((user) => ({
        session: { passport: { user }, save },
      }))

      const endAfter = await waitForStore(switchAccount, save, 1)
      expect(await endAfter(10_000)).toMatchObject([[{ code: 'app_timeout', status: 500 }]])

      expect(req.user).toBe(user)
      expect(req.session?.passport?.user).toBe(user)
    })
  })

  test("that keeps a user of the app's own there keeps it, and only the request has the new account", async () => {
    const own = { id: 7 }
    const { req, switchAccount } = await openRequest(() => ({ session: { passport: { user: own } } }))

    expect(await switchAccount()).toBeUndefined()

    expect(req.session?.passport?.user).toBe(own)
    expect(req.user.account).toMatchObject(SECOND)
  })

  test("that holds another member's user is not written to", async () => {
    const { req, user, switchAccount, keepFresh } = await openRequest((user) => ({
      session: {
        passport: {
          user: {
            ...user,
            accountMemberId: 'another',
            account: { ...FIRST, ...user.account, token: 'another' },
          },
        },
      },
    }))

    expect(await keepFresh()).toBeUndefined()
    expect(req.user).toEqual(user)
    expect(await switchAccount()).toBeUndefined()

    expect(req.session?.passport?.user).toMatchObject({ accountMemberId: 'another', account: FIRST })
  })

  test('keeps what the app put on its user there', async () => {
    const { req, switchAccount } = await openRequest((user) => ({
      session: { passport: { user: { ...user, theme: 'dark' } } },
    }))

    expect(await switchAccount()).toBeUndefined()

    expect(req.session?.passport?.user).toMatchObject({ theme: 'dark', account: SECOND })
  })
})
