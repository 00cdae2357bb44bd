import fc from 'fast-check'
import { at } from '../../lib/json'
import { normalizeOtp, normalizeUsername } from '../../lib/sign-in/credentials'
import { ADA, openShop } from '../support/shop'
import { expectSafe, holds, mangled, nasty, signIn } from './support'

const CODE = 'abd1g5'

const around = (right: string): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(right) },
    fc.constantFrom<unknown[]>(
      ` ${right}\t`,
      right.toUpperCase(),
      [right],
      { 0: right, length: 1 },
      `${right} x`,
    ),
    fc.string({ unit: 'binary' }),
    nasty,
  )
const near = fc.record(
  {
    username: around(ADA),
    otp: fc.oneof(around(CODE), fc.constantFrom('abd 1g5', 'ABD-1G5.', '\u200babd1g5', 'abd1g5\ud800')),
    account_id: fc.oneof(around('second'), fc.constantFrom('', 'first', ' first ', 'stranger')),
    proof: nasty,
  },
  { requiredKeys: [] },
)
const body: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: near },
  { weight: 2, arbitrary: mangled({ username: ADA, otp: CODE, account_id: 'second' }) },
  near.map((fields) => JSON.parse(`{"__proto__":${JSON.stringify(fields)}}`) as unknown),
  near.map((fields) => Object.create(fields) as unknown),
  near.map((fields) => Object.assign(Object.create(null) as object, fields)),
  near.map((fields) => [fields]),
  nasty,
  fc.anything({
    withNullPrototype: true,
    withMap: true,
    withTypedArray: true,
    withBigInt: true,
    withDate: true,
  }),
)

/** A shop whose member's code works any number of times. */
async function openWithCode() {
  const accounts = ['first', 'second'].map((id) => ({ id, name: id }))
  const shop = await openShop({
    store: { members: [{ username: ADA, accounts }], reusableCodes: true },
    options: { limiter: false, requestLimiter: false },
  })
  const code = shop.simulator.issueCode(ADA)
  return { ...shop, code }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

test('any body signs in only if its own fields are the right username and code, with one exchange at most', async () => {
  const { strategy, simulator, code } = await openWithCode()
  let signedIn = 0
  await holds(body, 6000, async (given) => {
    const before = simulator.count('exchange')
    const typed = replaceCode(given, code)
    const ends = await signIn(strategy, typed)
    expect(ends).toHaveLength(1)
    const [end] = ends
    const exchanges = simulator.count('exchange') - before
    const isRight =
      normalizeUsername(text(at(typed, 'username'))) === ADA && normalizeOtp(text(at(typed, 'otp'))) === code
    if (end?.how === 'success') {
      signedIn++
      const wanted = text(at(typed, 'account_id')).trim()
      expect([isRight, exchanges]).toEqual([true, 1])
      expect(end.user).toMatchObject({ username: ADA, account: { id: wanted || 'first' } })
      return
    }
    if (end?.how !== 'fail') throw new Error('Neither a success nor a failure', { cause: end })
    if (end.code === 'missing_credentials') expect(exchanges).toBe(0)
    else if (end.code === 'account_not_found') expect([isRight, exchanges]).toEqual([true, 1])
    else expect([end.code, isRight, exchanges]).toEqual(['invalid_credentials', false, 1])
  })
  expect(signedIn).toBeGreaterThan(50)
})

/** A copy of a body with the store's code in the place of ours. Bodies of other types stay as they are. */
function replaceCode(given: unknown, code: string): unknown {
  const otp = at(given, 'otp')
  if (typeof otp !== 'string' || !/abd.?1g5/i.test(otp)) return given
  return Object.assign(Object.create(Object.getPrototypeOf(given) as object | null) as object, given, {
    otp: otp.replace(/abd1g5/, code),
  })
}

test('any body requests a code only for a username that is its own field, and is refused otherwise', async () => {
  const { strategy } = await openWithCode()
  const handler = strategy.requestOtp()
  await holds(body, 3000, async (given) => {
    const req = { body: given, headers: {} }
    const error = await new Promise<unknown>((resolve) => {
      void handler(req as never, {} as never, resolve)
    })
    const username = normalizeUsername(text(at(given, 'username')))
    if (error === undefined) {
      expect(req).toHaveProperty('otpRequest', { username })
    } else {
      expectSafe(error, [CODE])
      expect([error.code, error.status]).toEqual(['missing_credentials', 400])
    }
  })
})
