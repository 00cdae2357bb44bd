import fc from 'fast-check'
import type { PasswordlessOtpUser } from '../../lib'
import { ADA, openShop } from '../support/shop'
import { expectSafe, holds, mangled, nasty, signIn } from './support'

/** A shop, and users as a session store could return them. */
async function openWithUsers() {
  const {
    strategy,
    simulator,
    signIn: submit,
  } = await openShop({
    options: { limiter: false, requestLimiter: false },
  })
  const { user } = await submit()
  const { account, ...rest } = user
  const choosing = { ...rest, account: null, selectionToken: account }
  const expired = { ...user, account: { ...account, received: 0, lifetime: 1 } }
  const users: fc.Arbitrary<unknown> = fc.oneof(
    { weight: 6, arbitrary: mangled(user) },
    { weight: 3, arbitrary: mangled(choosing) },
    fc.constantFrom<unknown[]>(user, choosing, expired, [user], { user }, null, undefined, '', 0),
    mangled(user).map((own) => JSON.parse(`{"__proto__":${JSON.stringify(own)}}`) as unknown),
    nasty,
  )
  return {
    strategy,
    simulator,
    accountId: account?.id ?? '',
    users,
    secrets: [ADA, user.account?.token ?? ''],
  }
}

test('any stored user comes back as it was stored or is signed out', async () => {
  const { strategy, users } = await openWithUsers()
  await holds(users, 20_000, (stored) => {
    const back: unknown[][] = []
    strategy.deserializeUser(stored, (...answer) => back.push(answer))
    expect(back).toHaveLength(1)
    const [error, user] = back[0] ?? []
    expect(error).toBeNull()
    if (user === false) return
    expect(user).toEqual(stored)
    const again: unknown[][] = []
    strategy.serializeUser(user, (...answer) => again.push(answer))
    expect(again).toEqual([[null, stored]])
  })
})

test('any user lists, selects, renews and calls, or is refused without a secret', async () => {
  const { strategy, accountId, users, secrets } = await openWithUsers()
  const acts: ((user: PasswordlessOtpUser) => Promise<unknown>)[] = [
    (user) => strategy.listAccounts(user),
    (user) => strategy.selectAccount(user, accountId),
    (user) => strategy.renewAccount(user),
    (user) => strategy.fetchAs(user)('/v2/carts'),
  ]
  const codes = ['not_signed_in', 'unexpected_user', 'account_required', 'account_not_found', 'bad_answer']
  await holds(fc.tuple(users, fc.constantFrom(...acts)), 4000, async ([user, act]) => {
    const error: unknown = await act(user as PasswordlessOtpUser).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (error === undefined) {
      // What worked has the shape that the session keeps.
      strategy.serializeUser(user, (failed) => expect(failed).toBeNull())
      return
    }
    expectSafe(error, secrets)
    expect([...codes, 'account_token_expired', 'account_token_refused']).toContain(error.code)
  })
})

test('any ticket in a session leaves a sign-in and a code request as they are', async () => {
  const { strategy, simulator } = await openWithUsers()
  const session: Record<string, unknown> = {}
  await strategy.createOtpRequest(ADA, { session })
  const [[key, ticket] = ['', undefined]] = Object.entries(session)
  expect(ticket).toHaveProperty('ticket.id')
  const stored = fc.oneof({ weight: 4, arbitrary: mangled(ticket) }, nasty)
  await holds(fc.tuple(stored, fc.boolean()), 2000, async ([value, right]) => {
    const otp = right ? simulator.issueCode(ADA) : 'wrong1'
    const ends = await signIn(strategy, { username: ADA, otp }, { [key]: structuredClone(value) })
    const refused = { how: 'fail', code: 'invalid_credentials', status: 401 }
    expect(ends).toMatchObject([right ? { how: 'success' } : refused])
    await strategy.createOtpRequest(ADA, { session: { [key]: structuredClone(value) } })
  })
})
