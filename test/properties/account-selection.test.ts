import fc from 'fast-check'
import {
  PasswordlessOtpStrategy,
  type AccountSummary,
  type PasswordlessOtpUser,
  type SignInInfo,
} from '../../lib'
import { ACCESS_TOKEN, ADA, entry, FakeCommerce, json, MEMBER, PROFILE, tokenList } from './commerce'
import { signIn } from './requests'
import { holds } from './support'

const text = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '0', 'null', ' ', '\u0000', 'ﬀ', 'FF'),
)
/** Mostly few accounts, with odd ids and names that may be the same; at times many pages of them. */
const accounts: fc.Arbitrary<AccountSummary[]> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.uniqueArray(fc.record({ id: text, name: text }), {
      selector: ({ id }) => id,
      maxLength: 8,
    }),
  },
  fc
    .tuple(fc.integer({ min: 20, max: 320 }), text)
    .map(([many, name]) => Array.from({ length: many }, (_, i) => ({ id: `${name}-${i}`, name }))),
)
type Wish = { kind: 'member'; which: number } | { kind: 'stranger'; id: string } | { kind: 'none' }
const wish: fc.Arbitrary<Wish> = fc.oneof(
  fc.record({ kind: fc.constant('member' as const), which: fc.nat() }),
  fc.record({ kind: fc.constant('stranger' as const), id: text }),
  fc.constant({ kind: 'none' as const }),
)

function idOf(wish: Wish, all: AccountSummary[]): string | undefined {
  if (wish.kind === 'none') return undefined
  return wish.kind === 'stranger' ? wish.id : (all[wish.which % all.length]?.id ?? 'nobody')
}

const journey = fc.record({
  accounts,
  rule: fc.constantFrom('first', 'sole', 'function', 'async function'),
  requireAccount: fc.boolean(),
  asked: fc.oneof(wish, fc.constant({ kind: 'none' as const })),
  chosen: wish,
  largestPage: fc.constantFrom(100, 25, 7),
})

test('the selected account is the one that the rules say, whatever the accounts are called and however many', async () => {
  await holds(journey, 3000, async ({ accounts: all, rule, requireAccount, asked, chosen, largestPage }) => {
    const entries = all.map(({ id, name }) => entry(id, name))
    let exchanges = 0
    const commerce = new FakeCommerce(({ path, body }) => {
      if (path === '/oauth/access_token') return json(200, ACCESS_TOKEN)
      if (body.includes('"passwordless"')) exchanges++
      const query = new URL(path, 'http://x').searchParams
      const [limit, offset] = [Number(query.get('page[limit]') ?? 25), Number(query.get('page[offset]') ?? 0)]
      expect(limit).toBeLessThanOrEqual(100)
      return json(201, tokenList(entries.slice(offset, offset + Math.min(limit, largestPage)), all.length))
    })
    const choice = idOf(chosen, all)
    const seen: AccountSummary[][] = []
    const choose = (listed: AccountSummary[]): string | undefined => {
      seen.push(listed)
      return choice
    }
    const strategy = new PasswordlessOtpStrategy({
      clientId: 'a-client',
      passwordProfileId: PROFILE,
      requireAccount,
      selectAccount:
        rule === 'function'
          ? choose
          : rule === 'async function'
            ? (listed) => Promise.resolve(choose(listed))
            : (rule as 'first'),
      dispatcher: commerce,
    })
    const accountId = idOf(asked, all)
    const typed = accountId?.trim()
    const body = {
      username: ADA,
      otp: 'abd1g5',
      ...(accountId === undefined ? {} : { account_id: accountId }),
    }
    const [end] = await signIn(strategy, body)

    // The reference: what the design's paragraph "Which account" says, on the whole list.
    let expected: string | null
    if (accountId !== undefined && typed === '') expected = 'missing_credentials'
    else if (typed !== undefined) expected = all.find(({ id }) => id === typed)?.id ?? 'account_not_found'
    else if (all.length === 0) expected = requireAccount ? 'no_account' : null
    else if (rule === 'first') expected = all[0]?.id ?? ''
    else if (rule === 'sole') expected = all.length === 1 ? (all[0]?.id ?? '') : null
    else if (choice === undefined) expected = null
    else expected = all.find(({ id }) => id === choice)?.id ?? 'account_not_found'

    if (end?.how === 'fail') {
      expect(end.info.code).toBe(expected)
    } else if (end?.how === 'success') {
      const user = end.user as PasswordlessOtpUser
      expect(user.account?.id ?? null).toBe(expected)
      const account = entries.find(({ account_id: id }) => id === expected)
      expect(user).toEqual({
        accountMemberId: MEMBER,
        username: ADA,
        account: account
          ? {
              id: account.account_id,
              name: account.account_name,
              token: account.token,
              expires: account.expires,
            }
          : null,
        ...(account || all.length === 0
          ? {}
          : { selectionToken: { token: entries[0]?.token, expires: entries[0]?.expires } }),
      })
      expect((end.info as SignInInfo).totalAccounts).toBe(all.length)
      expect(JSON.parse(JSON.stringify(user))).toEqual(user)
      expect(Buffer.byteLength(JSON.stringify(user))).toBeLessThan(2000)
    } else {
      expect(end).toBe('an end')
    }
    // A function is asked once, about every account, in the store's order.
    if (seen.length > 0) expect(seen).toEqual([all])
    expect(exchanges).toBe(expected === 'missing_credentials' ? 0 : 1)
  })
})
