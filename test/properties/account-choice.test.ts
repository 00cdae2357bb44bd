import fc from 'fast-check'
import type { AccountSummary, PasswordlessOtpUser } from '../../lib'
import { ADA, createStrategy, openShop } from '../support/shop'
import { holds, signIn } from './support'

const text = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '0', 'null', ' ', '\u0000', 'ﬀ', 'FF'),
)
/** Few accounts with odd ids and names, or several pages of them. */
const accounts: fc.Arbitrary<AccountSummary[]> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.uniqueArray(fc.record({ id: text, name: text }), {
      selector: ({ id }) => id,
      maxLength: 8,
    }),
  },
  fc
    .tuple(fc.integer({ min: 20, max: 320 }), text)
    .map(([count, name]) => Array.from({ length: count }, (_, i) => ({ id: `${i}-${name}`, name }))),
)
const wish = fc.oneof(
  fc.nat(400),
  text.map((id) => ({ id })),
  fc.constant(undefined),
)

function idOf(wanted: number | { id: string } | undefined, all: AccountSummary[]): string | undefined {
  return typeof wanted === 'number' ? all[wanted % all.length]?.id : wanted?.id
}

test('the account is the one of the rule, for any ids and names and any number of accounts', async () => {
  const { simulator } = await openShop()
  const journeys = fc.record({
    all: accounts,
    rule: fc.constantFrom<('first' | 'sole' | 'function')[]>('first', 'sole', 'function'),
    requireAccount: fc.boolean(),
    requested: wish,
    selected: wish,
  })
  await holds(journeys, 1500, async ({ all, rule, requireAccount, requested, selected }) => {
    simulator.removeMember(ADA)
    simulator.addMember({ username: ADA, accounts: all })
    const seen: AccountSummary[][] = []
    const choice = idOf(selected, all)
    const selectAccount = (listed: AccountSummary[]) => {
      seen.push(listed)
      return choice
    }
    const strategy = createStrategy(simulator, {
      options: {
        requireAccount,
        selectAccount: rule === 'function' ? selectAccount : rule,
        limiter: false,
      },
    })
    const wanted = idOf(requested, all)
    const body = { username: ADA, otp: simulator.issueCode(ADA), account_id: wanted }
    const [end] = await signIn(strategy, body)
    await strategy.close()

    const find = (id: string) => all.find((one) => one.id === id) ?? 'account_not_found'
    let expected: AccountSummary | string | null
    if (wanted !== undefined) expected = wanted.trim() === '' ? 'missing_credentials' : find(wanted.trim())
    else if (all.length === 0) expected = requireAccount ? 'no_account' : null
    else if (rule === 'first') expected = all[0] ?? null
    else if (rule === 'sole') expected = all.length === 1 ? (all[0] ?? null) : null
    else expected = choice === undefined ? null : find(choice)

    if (end?.how !== 'success') {
      expect(end).toMatchObject({ how: 'fail', code: expected })
      return
    }
    const user = end.user as PasswordlessOtpUser
    expect(user.account).toEqual(expected === null ? null : expect.objectContaining(expected))
    expect(Object.hasOwn(user, 'selectionToken')).toBe(expected === null && all.length > 0)
    expect(JSON.parse(JSON.stringify(user))).toEqual(user)
    // The app's function is asked once, about every account, in the store's order.
    if (seen.length > 0) expect(seen).toEqual([all])
  })
})
