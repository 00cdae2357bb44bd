import type { PasswordlessOtpUser } from '../lib'
import {
  heldToken,
  isPasswordlessOtpUser,
  isUserOf,
  plainUser,
  requireUser,
  withAccount,
  withTokens,
} from '../lib/user'
import { ADA, openShop } from './support/shop'

const held = { token: 'token', expires: '2999-01-01T00:00:00Z', received: Date.now(), lifetime: 3600 }
const account = { id: 'account', name: '', ...held }
const user: PasswordlessOtpUser = {
  accountMemberId: 'member',
  username: ADA,
  strategy: 'passwordless-otp',
  account,
}
const waiting = { ...user, account: null, selectionToken: held }

const invalid: [string, unknown][] = [
  ['no member', { ...user, accountMemberId: '' }],
  ['no username', { ...user, username: undefined }],
  ['no account', { ...user, account: undefined }],
  ['an account without an id', { ...user, account: { ...account, id: '' } }],
  ['an account without a name', { ...user, account: { ...account, name: undefined } }],
  ['an account without a token', { ...user, account: { ...account, token: '' } }],
  ['an account that no header can carry', { ...user, account: { ...account, token: 'a token\r\nx: y' } }],
  ['an account without a lifetime', { ...user, account: { ...account, lifetime: undefined } }],
  ['text as its selection token', { ...user, account: null, selectionToken: 'token' }],
]

describe('The serializers', () => {
  type Serialize = (value: unknown, done: (error: unknown, result?: unknown) => void) => void
  const call = async (name: 'serializeUser' | 'deserializeUser', value: unknown) => {
    const { strategy } = await openShop()
    const run: Serialize = strategy[name]
    return new Promise<unknown[]>((resolve) => run(value, (...result) => resolve(result)))
  }

  test.each([user, { ...user, role: 'buyer' }, { ...user, account: null }, waiting])(
    'keep %j as it is',
    async (value) => {
      expect((await call('serializeUser', value))[1]).toBe(value)
      expect((await call('deserializeUser', value))[1]).toBe(value)
    },
  )

  test.each(invalid)('refuse a user with %s, and sign it out', async (_what, value) => {
    const [error] = await call('serializeUser', value)
    const message = expect.stringContaining(
      'accountMemberId, username, strategy, account and selectionToken',
    ) as unknown
    expect(error).toMatchObject({ code: 'unexpected_user', status: 500, message })
    expect(await call('deserializeUser', value)).toEqual([null, false])
  })

  test.each([undefined, null, false, { id: 42 }, [user], 'ada'])(
    'do not serialize %j, which is no user of such a strategy',
    async (value) => {
      expect(await call('serializeUser', value)).toMatchObject([{ code: 'unexpected_user', status: 500 }])
    },
  )

  it('keep the user of another strategy of this class, because a session has one serializer', async () => {
    const another = { ...user, strategy: 'another' }
    expect(await call('serializeUser', another)).toEqual([null, another])
    expect(await call('deserializeUser', another)).toEqual([null, another])
  })

  test.each([
    null,
    {},
    'ada',
    [user],
    { ...user, account: { ...account, received: 0 } },
    { ...waiting, selectionToken: { ...held, lifetime: 0 } },
  ])('sign out a session that holds %j', async (stored) => {
    expect(await call('deserializeUser', stored)).toEqual([null, false])
  })
})

describe('A user', () => {
  class Shopper {
    constructor(fields: PasswordlessOtpUser) {
      Object.assign(this, fields)
    }
    greeting(): string {
      return 'Hello'
    }
  }

  test('keeps its class and the fields of the app when its tokens change, as a new object', () => {
    const shopper = new Shopper({ ...waiting, role: 'buyer' } as PasswordlessOtpUser) as Shopper &
      PasswordlessOtpUser
    const changed = withAccount(shopper, account)
    expect(changed).toMatchObject({ ...user, role: 'buyer' })
    expect(changed.greeting()).toBe('Hello')
    expect(changed).not.toHaveProperty('selectionToken')
    expect(shopper.account).toBeNull()
    expect(withTokens(changed, { account: null, selectionToken: held })).toMatchObject(waiting)
  })

  test("has no fields of the app when verify receives it, and holds its account's token or the one for choosing", () => {
    expect(plainUser({ ...user, role: 'buyer' } as PasswordlessOtpUser)).toStrictEqual(user)
    expect(plainUser(waiting)).toStrictEqual(waiting)
    expect([user, waiting, { ...user, account: null }].map(heldToken)).toEqual([account, held, undefined])
  })

  test('belongs to the strategy that signed it in', () => {
    expect(requireUser(user, 'passwordless-otp')).toBe(user)
    expect(() => requireUser(user, 'another')).toThrow('was not signed in by the strategy "another"')
    expect([isUserOf(user, 'passwordless-otp'), isUserOf(user, 'another')]).toEqual([true, false])
    expect(invalid.filter(([, value]) => isPasswordlessOtpUser(value))).toEqual([])
  })

  test('can be of a class with getters, as the models of a database often are', () => {
    const model = Object.create(
      Object.defineProperties(
        {},
        Object.fromEntries(
          Object.entries(user).map(([name, value]) => [name, { get: () => value as unknown }]),
        ),
      ),
    ) as PasswordlessOtpUser
    expect(requireUser(model, 'passwordless-otp')).toBe(model)
    expect(isUserOf(model, 'passwordless-otp')).toBe(true)
    expect(withAccount(model, { ...account, id: 'other' })).toMatchObject({
      username: user.username,
      account: { id: 'other' },
    })
  })
})
