import { inspect } from 'node:util'
import { runInThisContext } from 'node:vm'
import type { Request } from 'express'
import type { PasswordlessOtpUser, VerifyDone } from '../../lib'
import { controlClock, deferred, pass } from '../support/clock'
import { ADA, openShop } from '../support/shop'
import { compareErrors } from '../support/errors'

compareErrors()

type User = PasswordlessOtpUser
type Verify = (...args: never[]) => unknown

const withRole = (user: User) => ({ ...user, role: 'buyer' })
const accept = (user: User, done: VerifyDone) => void setImmediate(() => done(null, withRole(user)))
const refuse = (_user: User, done: VerifyDone) => void setImmediate(() => done(null, false))
const query = { then: (resolve?: (rows: unknown) => void) => resolve?.([{ id: 1 }]) }
const failure = new Error('The database is down')
const fail = () => {
  throw failure
}
/** Functions whose parameters cannot be counted, as tracers and Nest make them. */
const rest =
  (decide: (user: User, done: VerifyDone) => unknown): Verify =>
  (...args: unknown[]) =>
    decide(args[0] as User, args[1] as VerifyDone)
const counted0 = (decide: (user: User, done: VerifyDone) => unknown): Verify =>
  function () {
    // eslint-disable-next-line prefer-rest-params -- rest parameters would be recognized
    return decide(arguments[0] as User, arguments[1] as VerifyDone)
  }

/** A function whose source is exactly this one. */
const compiled = (source: string): Verify => runInThisContext(`(${source})`) as Verify

describe('verify', () => {
  test.each<[string, Verify, boolean?]>([
    ['done', (user: User, done: VerifyDone) => done(null, withRole(user))],
    ['done, later', (user: User, done: VerifyDone) => accept(user, done)],
    [
      'done, although it is async',
      async (user: User, done: VerifyDone) => accept(await Promise.resolve(user), done),
    ],
    ['done, although it returns true', (user: User, done: VerifyDone) => (accept(user, done), true)],
    ['done, although it returns a query', (user: User, done: VerifyDone) => (accept(user, done), query)],
    ['its value', (user: User) => withRole(user)],
    ['a promise', (user: User) => Promise.resolve(withRole(user))],
    ['done after the request', (_req: Request, user: User, done: VerifyDone) => accept(user, done), true],
    [
      'its value after the request',
      (req: Request, user: User) => req.path === '/login' && withRole(user),
      true,
    ],
    ['done of rest parameters', rest(accept)],
    ['done of uncounted parameters', counted0(accept)],
    [
      'done after a promise of undefined',
      counted0((user, done) => {
        accept(user, done)
        return Promise.resolve()
      }),
    ],
    ['a promise of a user and rest parameters', rest((user) => Promise.resolve(withRole(user)))],
  ])('decides by %s who is signed in', async (_form, verify, passReqToCallback = false) => {
    const { signIn } = await openShop({ verify, options: { passReqToCallback } })
    const { user, info } = await signIn()
    expect(user).toMatchObject({ role: 'buyer', username: ADA })
    expect(info.totalAccounts).toBe(1)
  })

  type Rest = [VerifyDone]
  test.each<[string, Verify]>([
    ['an arrow function', (user: User, ...[done]: Rest) => accept(user, done)],
    [
      'an async arrow function',
      async (user: User, ...[done]: Rest) => accept(await Promise.resolve(user), done),
    ],
    [
      'a function',
      function (user: User, ...[done]: Rest) {
        accept(user, done)
      },
    ],
    [
      'a function with a name',
      function $verify_1(user: User, ...[done]: Rest) {
        accept(user, done)
      },
    ],
    [
      'an async function',
      async function (user: User, ...[done]: Rest) {
        accept(await Promise.resolve(user), done)
      },
    ],
    ['a method', { verify: (user: User, ...[done]: Rest) => accept(user, done) }.verify],
    [
      'a function whose source has little space',
      compiled('function(a,...b){b[0](null,{...a,role:"buyer"})}'),
    ],
    [
      'a function whose source has much space',
      compiled('async  function  f  ( a, ...b ) { b[0](null, { ...a, role: "buyer" }) }'),
    ],
  ])('decides by done if it is %s that declares done among rest parameters', async (_form, verify) => {
    const { signIn } = await openShop({ verify })
    expect((await signIn()).user).toMatchObject({ role: 'buyer' })
  })

  test('decides by its value if only its body has three dots', async () => {
    const { signIn } = await openShop({
      verify: (user: User) => ((...roles: string[]) => ({ ...user, role: roles[0] }))('buyer'),
    })
    expect((await signIn()).user).toMatchObject({ role: 'buyer' })
  })

  test.each<[string, Verify]>([
    ['done(null)', (_user: User, done: VerifyDone) => done(null)],
    [
      'done, although it is async',
      async (user: User, done: VerifyDone) => (refuse(await Promise.resolve(user), done), true),
    ],
    ['done, although it returns a query', (user: User, done: VerifyDone) => (refuse(user, done), query)],
    ['done of rest parameters', rest(refuse)],
    ['done of uncounted parameters', counted0((user, done) => (refuse(user, done), user))],
    ['false', (_user: User) => false],
    ['undefined', (_user: User) => undefined],
    ['a promise of false', (_user: User) => Promise.resolve(false)],
    ['a promise of undefined', (_user: User) => Promise.resolve(undefined)],
    ['a promise of null and rest parameters', rest(() => Promise.resolve(null))],
  ])('refuses by %s', async (_form, verify) => {
    const { submit, errors } = await openShop({ verify })
    await submit().expect(401, {})
    expect(errors).toEqual([])
  })

  test("passes its info on, to a failure and in the strategy's place", async () => {
    const verify = ({ ...user }: User, done: VerifyDone) =>
      done(null, user.username === ADA && user, { message: 'Hello' })
    const { signIn, submit } = await openShop({
      verify,
      store: { members: [{ username: ADA }, { username: 'b' }] },
    })
    expect((await signIn()).info).toEqual({ message: 'Hello' })
    await submit({ username: 'b' }).expect(401, { message: 'Hello' })
  })

  test.each<[string, Verify]>([
    ['done(err)', (_user: User, done: VerifyDone) => done(failure)],
    ['a rejection', (_user: User) => Promise.reject(failure)],
    ['a rejection, although it takes done', (_user: User, _done: VerifyDone) => Promise.reject(failure)],
    ['a throw', (_user: User) => fail()],
    ['a throw, although it takes done', (_user: User, _done: VerifyDone) => fail()],
  ])('passes its own error on by %s', async (_form, verify) => {
    const { submit, errors } = await openShop({ verify })
    await submit().expect(500)
    expect(errors[0]).toBe(failure)
  })

  // Express's `next` ignores these values or gives them a special meaning.
  test.each([undefined, null, false, 0, '', 'route', 'router'])(
    'signs nobody in if it fails with %p',
    async (thrown) => {
      const { browser, errors, simulator } = await openShop({
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- apps do that
        verify: (_user: User) => Promise.reject(thrown),
      })
      await browser()
        .post('/plain/login')
        .send({ username: ADA, otp: simulator.issueCode(ADA) })
        .expect(500)
      expect(errors).toEqual([
        new TypeError(`A function of the app failed with ${inspect(thrown)} instead of an Error`),
      ])
    },
  )

  test.each([true, [{ id: 1 }], 'ada', { accountMemberId: 'another' }])(
    'with rest parameters and a promise of %p is an error that says how to declare them',
    async (resolved) => {
      const { submit, errors } = await openShop({ verify: rest(() => Promise.resolve(resolved)) })
      await submit().expect(500)
      expect(errors[0]).toMatchObject({
        name: 'TypeError',
        message: expect.stringContaining('Declare its parameters') as unknown,
      })
    },
  )

  test.each<[string, (asked: () => void) => Verify]>([
    ['done', (asked) => (_user: User, _done: VerifyDone) => (asked(), true)],
    ['a promise', (asked) => (_user: User) => new Promise(() => asked())],
    [
      'done of rest parameters',
      (asked) =>
        rest(() => {
          asked()
          return Promise.resolve()
        }),
    ],
  ])('that never decides by %s is a timeout of the app', async (_form, never) => {
    controlClock()
    const asked = deferred()
    const { submit } = await openShop({ verify: never(asked.resolve), options: { timeout: 1000 } })
    const response = submit().then(({ status, body }) => [status, body] as unknown)
    await asked.promise
    await pass(1000)
    expect(await response).toMatchObject([500, { code: 'app_timeout' }])
  })

  test('is not asked about a wrong code', async () => {
    const verify = jest.fn((user: User) => user)
    const { submit } = await openShop({ verify })
    await submit({ otp: 'wrong1' }).expect(401)
    expect(verify).not.toHaveBeenCalled()
  })
})
