import { randomUUID } from 'node:crypto'
import type { Request } from 'express'
import type { AccountSummary } from '../../lib'
import { ADA, openShop } from '../support/shop'
import { compareErrors } from '../support/errors'

compareErrors()

const accountsOf = (count: number): AccountSummary[] =>
  Array.from({ length: count }, (_, i) => ({ id: randomUUID(), name: `Account ${i + 1}` }))

const accounts = accountsOf(250)
const idOf = (index: number): string => accounts[index]?.id ?? ''
const store = { members: [{ username: ADA, accounts }] }
const ofNone = { members: [{ username: ADA, accounts: 0 }] }

describe('The account of a sign-in', () => {
  test.each([
    [0, 0],
    [99, 0],
    [100, 2],
    [240, 2],
  ])('is the requested one, number %i of 250, after at most %i more pages', async (index, pages) => {
    const { signIn, simulator } = await openShop({ store })
    const { user } = await signIn({ account_id: ` ${idOf(index)} ` })
    expect(user.account).toMatchObject(accounts[index] ?? {})
    expect(user).not.toHaveProperty('selectionToken')
    expect(simulator.count('exchange')).toBe(1)
    expect(simulator.count('renewal')).toBeLessThanOrEqual(pages)
  })

  test.each([
    ['a member of 250 accounts', store, 2],
    // A list that ends with a full page has no further page.
    ['a member of 200 accounts', { members: [{ username: ADA, accounts: 200 }] }, 1],
    ['a member of no account', ofNone, 0],
  ])('cannot be an account of another member for %s', async (_whom, members, pages) => {
    const { submit, simulator, errors } = await openShop({
      store: members,
      options: { requireAccount: false },
    })
    await submit({ account_id: randomUUID() }).expect(403, /account_not_found/)
    expect([simulator.count('exchange'), simulator.count('renewal'), errors]).toEqual([1, pages, []])
  })

  test.each(['', null])('is the first one if the request names %p', async (account_id) => {
    const { signIn } = await openShop({ store })
    expect((await signIn({ account_id })).user.account?.id).toBe(idOf(0))
  })

  test("is the first one by default, and the info has Elastic Path's first page without tokens", async () => {
    const { signIn, simulator } = await openShop({ store })
    const { user, info } = await signIn()
    expect(user.account).toMatchObject(accounts[0] ?? {})
    expect(info).toEqual({ accounts: accounts.slice(0, 25), totalAccounts: 250 })
    expect(simulator.count('renewal')).toBe(0)
  })

  test('is the only one with "sole"', async () => {
    const { signIn } = await openShop({ options: { selectAccount: 'sole' } })
    expect((await signIn()).user.account).not.toBeNull()
  })

  test.each(['sole', () => undefined] as const)(
    'is null until the shopper chooses with %p',
    async (selectAccount) => {
      const { signIn, strategy } = await openShop({ store, options: { selectAccount } })
      const { user } = await signIn()
      expect(user).toMatchObject({ account: null, selectionToken: { token: expect.any(String) as string } })
      expect(user.selectionToken).not.toHaveProperty('id')
      expect((await strategy.listAccounts(user)).total).toBe(250)
      const chosen = await strategy.selectAccount(user, idOf(240))
      expect(chosen.account?.id).toBe(idOf(240))
      expect(chosen).not.toHaveProperty('selectionToken')
    },
  )

  test.each([
    [0, 2],
    [99, 2],
    [100, 3],
    [249, 3],
  ])('is number %i if a function selects it from all, which costs %i pages', async (index, pages) => {
    const selectAccount = jest.fn((all: AccountSummary[], _req: Request) => Promise.resolve(all[index]?.id))
    const { signIn, simulator } = await openShop({ store, options: { selectAccount } })
    expect((await signIn()).user.account?.id).toBe(idOf(index))
    const [[all, req] = []] = selectAccount.mock.calls
    expect(all).toEqual(accounts)
    expect(req?.path).toBe('/login')
    expect(simulator.count('renewal')).toBe(pages)
  })

  test('is selected from seven pages in their order, also if one of them comes last', async () => {
    const many = accountsOf(650)
    const selectAccount = jest.fn((all: AccountSummary[]) => all[649]?.id)
    const { submit, simulator } = await openShop({
      store: { members: [{ username: ADA, accounts: many }] },
      options: { selectAccount },
    })
    const held = simulator.hold('renewal', { times: 1 })
    const response = submit().then(({ status }) => status)
    await held.arrived
    let answered = 0
    simulator.on('answer', ({ call }) => {
      if (call === 'renewal' && ++answered === 5) held.release()
    })
    expect(await response).toBe(200)
    expect(selectAccount.mock.calls).toEqual([[many, expect.anything()]])
  })

  test('cannot be selected by an id that the member does not have', async () => {
    const { submit } = await openShop({ store, options: { selectAccount: () => 'strange' } })
    await submit().expect(403, /account_not_found/)
  })

  test('is not selected by a function if the request names it', async () => {
    const selectAccount = jest.fn(() => 42 as never)
    const { submit, errors } = await openShop({ store, options: { selectAccount } })
    await submit({ account_id: idOf(1) }).expect(200)
    expect(selectAccount).not.toHaveBeenCalled()
    await submit().expect(500)
    const message = 'selectAccount must return the id of an account, or undefined'
    expect(errors).toEqual([new TypeError(`PasswordlessOtpStrategy: ${message}`)])
  })

  const failure = new Error('Broken')
  test.each([
    () => Promise.reject(failure),
    () => {
      throw failure
    },
  ])("is an error of the app's own if %p fails", async (selectAccount) => {
    const { submit, errors } = await openShop({ options: { selectAccount } })
    await submit().expect(500)
    expect(errors[0]).toBe(failure)
  })

  test('is required by default', async () => {
    const { submit } = await openShop({ store: ofNone })
    await submit().expect(403, {
      code: 'no_account',
      message: "You don't belong to an account of this shop yet.",
    })
  })

  test('is null for a member of no account if none is required', async () => {
    const selectAccount = jest.fn(() => undefined)
    const { signIn } = await openShop({ store: ofNone, options: { requireAccount: false, selectAccount } })
    const { user, info } = await signIn()
    expect(user.account).toBeNull()
    expect(user).not.toHaveProperty('selectionToken')
    expect(info).toEqual({ accounts: [], totalAccounts: 0 })
    expect(selectAccount).not.toHaveBeenCalled()
  })

  test.each([{}, { account_id: '44444444-4444-4444-8444-444444444444' }])(
    'is not missing, but unknown, if a page contradicts itself: %p',
    async (fields) => {
      const { submit, simulator } = await openShop({ store })
      const meta = { account_member_id: randomUUID(), results: { total: 30 } }
      simulator.fault('exchange', { status: 200, body: { data: [], meta } })
      await submit(fields).expect(502, /bad_answer/)
      expect(simulator.count('renewal')).toBe(0)
    },
  )
})
