// The actions of shoppers without faults. The mix is the same in every round, so that rounds can be compared.
import { each } from './shop.mjs'

const PARALLEL = 64

export async function makeJourneys({ shop, store, book }, count) {
  const shoppers = await store.ask('shoppers', { kind: 'shopper', count })
  const buyers = await store.ask('shoppers', { kind: 'buyer', count: Math.ceil(count / 5) })
  const managers = await store.ask('shoppers', { kind: 'manager', count: Math.ceil(count / 500) })
  const strangers = await store.ask('shoppers', { kind: 'stranger', count: Math.ceil(count / 200) })
  await each(shoppers, PARALLEL, async (shopper, i) => {
    if (i % 200 === 60) await beRefused(strangers.pop())
    if (i % 500 === 250) await journey(managers.pop(), i, { account_id: 'account-249' })
    else if (i % 5 === 2) await journey(buyers.pop(), i)
    else await journey(shopper, i)
  })

  async function beRefused({ username, otp }) {
    const { outcome } = await shop.login('plain', { username, otp })
    book.note('sign-in of a member of no account', outcome, 'no_account')
  }

  async function journey({ username, otp }, i, fields = {}) {
    const door = i % 10 === 3 ? 'fussy' : 'plain'
    let code = otp
    if (i % 25 === 7) code = await codeByMail(door, username, i)
    if (i % 33 === 5) {
      const { outcome } = await shop.login(door, { username, otp: 'wrong1' })
      book.note('sign-in with a wrong code', outcome, 'invalid_credentials')
    }
    if (i % 100 === 11) {
      const { outcome } = await shop.login(door, { username })
      book.note('sign-in without a code', outcome, 'missing_credentials')
    }
    const browser = await shop.login(door, { username, otp: code, ...fields })
    if (!book.note('sign-in', browser.outcome, 'ok')) return
    book.counts.signIns++
    if (i % 4 === 0) await keepFresh(door, browser)
    if (i % 10 === 2) await switchAccount(door, browser)
    if (i % 5 === 1) await signOut(browser)
  }

  async function codeByMail(door, username, i) {
    // Sometimes a double tap, which must not send a second code.
    const taps = i % 2 === 0 ? 2 : 1
    await Promise.all(
      Array.from({ length: taps }, async () => {
        const { outcome } = await shop.askForCode(door, username)
        book.note('code request', outcome, 'ok')
      }),
    )
    const { outcome, otp } = await shop.readMail(username)
    book.note('mail with the code', outcome, 'ok')
    return otp
  }

  async function keepFresh(door, browser) {
    const { outcome, account } = await shop.page(door, browser)
    book.note('page that keeps fresh', account === browser.account ? outcome : 'another account', 'ok')
  }

  async function switchAccount(door, browser) {
    const other = browser.accounts.at(-1)
    const { outcome, account } = await shop.switchTo(door, other, browser)
    book.note('switch', account === other ? outcome : 'another account', 'ok')
    const { account: now } = await shop.me(browser)
    book.note('page after a switch', now === other ? 'ok' : 'another account', 'ok')
  }

  async function signOut(browser) {
    const { outcome } = await shop.logout(browser)
    book.note('sign-out', outcome, 'ok')
    const { account } = await shop.me(browser)
    book.note('page after a sign-out', account === null ? 'ok' : 'still signed in', 'ok')
  }
}

/** Fills all bounded maps: the package stores at most 10,000 usernames and 10,000 renewals. */
export async function warmUp(world) {
  const { shop, store, book } = world
  const shoppers = await store.ask('shoppers', { kind: 'shopper', count: 11_000 })
  const askers = await store.ask('shoppers', { kind: 'asker', count: 11_000 })
  await each(shoppers, PARALLEL, async ({ username, otp }) => {
    const browser = await shop.login('plain', { username, otp })
    if (!book.note('sign-in to warm up', browser.outcome, 'ok')) return
    const { outcome } = await shop.page('plain', browser)
    book.note('page that keeps fresh', outcome, 'ok')
  })
  await each(askers, 4 * PARALLEL, async ({ username }) => {
    const { outcome } = await shop.askForCode('plain', username)
    book.note('code request', outcome, 'ok')
  })
  await makeJourneys(world, 1000)
}
