import fc from 'fast-check'
import { PasswordlessOtpStrategy, type PasswordlessOtpUser } from '../../lib'
import {
  ACCESS_TOKEN,
  ADA,
  entry,
  FakeCommerce,
  json,
  MEMBER,
  PROFILE,
  REALM,
  tokenList,
  tokenOf,
} from './commerce'
import { nextOf } from './requests'
import { anyJson, expectSafe, holds, mangled } from './support'

const FIRST = entry('first')
const SECOND = entry('second')
const soon = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString()
const USER: PasswordlessOtpUser = {
  accountMemberId: MEMBER,
  username: ADA,
  account: { id: 'first', name: 'First', token: tokenOf('first'), expires: soon(1800) },
}
const CHOOSING: PasswordlessOtpUser = {
  accountMemberId: MEMBER,
  username: ADA,
  account: null,
  selectionToken: { token: tokenOf('first'), expires: soon(1800) },
}
const EXPIRED = { ...USER, account: { ...USER.account, expires: soon(-1) } }

const stored: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: mangled(USER) },
  { weight: 3, arbitrary: mangled(CHOOSING) },
  { weight: 1, arbitrary: mangled(EXPIRED) },
  fc.constantFrom<unknown[]>(USER, CHOOSING, EXPIRED, [USER], { user: USER }, null, undefined, '', 0),
  anyJson,
  fc.record({
    ...Object.fromEntries(Object.entries(USER).map(([key, value]) => [key, fc.constant<unknown>(value)])),
    isAdmin: fc.boolean(),
  }),
  mangled(USER).map((user) => JSON.parse(`{"__proto__":${JSON.stringify(user)}}`) as unknown),
)

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
/** The token goes out in a header. */
const isHeld = (value: unknown): boolean =>
  isObject(value) &&
  /^[!-~]{1,8192}$/.test(typeof value['token'] === 'string' ? value['token'] : '') &&
  typeof value['expires'] === 'string' &&
  Number.isFinite(Date.parse(value['expires']))

/** Milliseconds that a stored user still has; undefined where it is no user of the design's. */
function lifeOf(value: unknown): number | undefined {
  if (!isObject(value) || !isText(value['accountMemberId']) || !isText(value['username'])) return undefined
  const { account, selectionToken } = value
  if (selectionToken !== undefined && !isHeld(selectionToken)) return undefined
  if (account !== null) {
    if (
      !isObject(account) ||
      !isText(account['id']) ||
      typeof account['name'] !== 'string' ||
      !isHeld(account)
    )
      return undefined
  }
  const held = (account ?? selectionToken) as { expires: string } | undefined
  return held ? Date.parse(held.expires) - Date.now() : Infinity
}

function openStrategy(): PasswordlessOtpStrategy {
  const commerce = new FakeCommerce(({ path, headers }) => {
    if (path === '/oauth/access_token') return json(200, ACCESS_TOKEN)
    // What no header can hold never gets here.
    expect(headers['EP-Account-Management-Authentication-Token']).toMatch(/^[!-~]+$/)
    return json(201, tokenList([FIRST, SECOND]))
  })
  return new PasswordlessOtpStrategy({
    clientId: 'a-client',
    passwordProfileId: PROFILE,
    authenticationRealmId: REALM,
    dispatcher: commerce,
  })
}

test('any stored user comes back exactly where it is one that has not ended, and signed out otherwise', async () => {
  const { deserializeUser, serializeUser } = openStrategy()
  await holds(stored, 15_000, (user) => {
    const back: unknown[] = []
    const kept: unknown[] = []
    deserializeUser(user, (...answer) => back.push(answer))
    serializeUser(user, (...answer) => kept.push(answer))
    const life = lifeOf(user)
    expect(back).toEqual([[null, life !== undefined && life > 0 ? user : false]])
    if (life !== undefined) {
      expect(kept).toEqual([[null, user]])
      return
    }
    const [[error] = []] = kept as unknown[][]
    expect(kept).toHaveLength(1)
    expectSafe(error, [tokenOf('first'), ADA])
    expect(error.code).toBe(user ? 'unexpected_user' : 'not_signed_in')
  })
})

test('any user is listed, switched and renewed exactly where it is one, else refused', async () => {
  const strategy = openStrategy()
  const acts = [
    (user: PasswordlessOtpUser): Promise<unknown> => strategy.listAccounts(user),
    (user: PasswordlessOtpUser): Promise<unknown> => strategy.selectAccount(user, 'second'),
    (user: PasswordlessOtpUser): Promise<unknown> => strategy.renewAccount(user),
    async (user: PasswordlessOtpUser): Promise<void> => {
      const error = await nextOf(strategy.switchAccount(), {
        user,
        body: { account_id: 'second' },
        headers: {},
      })
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- what a handler hands on, as it is
      if (error) throw error
    },
  ]
  const tried = fc.record({ user: stored, act: fc.constantFrom(...acts) })
  await holds(tried, 8000, async ({ user, act }) => {
    const outcome = await act(user as PasswordlessOtpUser).catch((error: unknown) => ({ error }))
    if (!isObject(outcome) || !('error' in outcome)) {
      expect(lifeOf(user)).toBeDefined()
      return
    }
    expectSafe(outcome['error'], [tokenOf('first'), ADA])
    const { code } = outcome['error']
    if (lifeOf(user) === undefined) expect(code).toBe(user ? 'unexpected_user' : 'not_signed_in')
    // Another's token, another's account, or none.
    else expect(['bad_answer', 'account_not_found']).toContain(code)
  })
})

test('any user passes keepFresh, and only one that it knows is renewed, into one that it knows', async () => {
  const keepFresh = openStrategy().keepFresh()
  await holds(stored, 8000, async (user) => {
    const req = {
      user: structuredClone(user),
      session: { passport: { user: structuredClone(user) } },
      headers: {},
    }
    expect(await nextOf(keepFresh, req)).toBeUndefined()
    if (lifeOf(user) === undefined) expect(req.user).toEqual(user)
    else expect(lifeOf(req.user)).toBeDefined()
    if (isObject(user)) {
      const { account: _before, selectionToken: _held, ...rest } = user
      expect(req.user).toMatchObject(rest)
    }
  })
})

test('any page of listAccounts is answered or a RangeError', async () => {
  const strategy = openStrategy()
  const number = fc.oneof(
    fc.integer(),
    fc.double(),
    fc.integer({ min: 0, max: 101 }),
    anyJson,
    fc.constant(undefined),
  )
  await holds(fc.record({ limit: number, offset: number }, { requiredKeys: [] }), 1000, async (page) => {
    const outcome = await strategy
      .listAccounts(USER, page as { limit?: number })
      .catch((error: unknown) => error)
    const { limit = 25, offset = 0 } = page
    const isPage =
      Number.isInteger(limit) &&
      Number(limit) >= 1 &&
      Number(limit) <= 100 &&
      Number.isSafeInteger(offset) &&
      Number(offset) >= 0
    if (isPage) expect(outcome).toMatchObject({ total: 2 })
    else expect(outcome).toBeInstanceOf(RangeError)
  })
})
