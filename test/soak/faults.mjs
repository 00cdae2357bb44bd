// All faults, with the expected outcomes. A group of requests runs with each fault. After each group, the same request is
// sent once without a fault and must succeed.
import { setMaxListeners } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { each } from './shop.mjs'

const HUNG = ['timeout']
// `expected` applies to all calls, unless a fault has outcomes for a call. `short`: uses the strategy with a timeout of
// 150 ms.
const FAULTS = [
  { name: 'hang', fault: 'hang', short: true, expected: HUNG },
  { name: 'slow', fault: 'slow', short: true, expected: HUNG },
  { name: 'long delay', fault: { delay: 1000 }, short: true, expected: HUNG },
  { name: 'delay', fault: { delay: 20 }, expected: ['ok'] },
  { name: 'reset', fault: 'reset', expected: ['unreachable'] },
  // The fault applies to the first attempt only. A retry succeeds, but some requests must not be retried.
  { name: 'one reset', fault: 'reset', once: true, expected: ['ok', 'unreachable'] },
  { name: 'reset after the effect', fault: 'reset', afterEffect: true, expected: ['unreachable'] },
  { name: 'truncated', fault: 'truncated', expected: ['bad_answer'] },
  { name: 'oversized', fault: 'oversized', size: 2, expected: ['bad_answer'] },
  { name: 'html', fault: 'html', expected: ['upstream_error'] },
  { name: 'malformed', fault: 'malformed', expected: ['bad_answer'] },
  { name: 'half valid', fault: 'half_valid', expected: ['bad_answer'], otp_request: ['ok'] },
  {
    name: 'refused bearer',
    fault: 'refused_bearer',
    expected: ['access_token_refused'],
    access_token: ['client_refused'],
  },
  { name: '500', fault: { status: 500 }, expected: ['upstream_error'] },
  { name: '503', fault: { status: 503 }, expected: ['upstream_error'] },
  {
    name: '403',
    fault: { status: 403 },
    expected: ['request_refused'],
    access_token: ['client_refused'],
  },
  {
    name: '404',
    fault: { status: 404 },
    expected: ['request_refused'],
    access_token: ['client_refused'],
    otp_request: ['ok'],
  },
  {
    name: '422',
    fault: { status: 422 },
    expected: ['request_refused'],
    access_token: ['client_refused'],
    otp_request: ['ok'],
  },
  { name: '204', fault: { status: 204 }, expected: ['bad_answer'], otp_request: ['ok'] },
  { name: 'redirect', fault: { redirect: 'http://127.0.0.1:9/' }, expected: ['bad_answer'] },
  { name: 'rate limit', fault: { rateLimited: 0 }, once: true, expected: ['ok'] },
  { name: 'rate limit of a minute', fault: { rateLimited: 60 }, expected: ['rate_limited'] },
  {
    name: 'rate limit that does not say',
    fault: { status: 429 },
    once: true,
    size: 4,
    expected: ['ok'],
  },
]
const DISCOVERY = ['access_token', 'account_settings', 'password_profiles']

/** Returns a step for each fault and call. A step is a function that resolves with the number of failed requests. */
export function faultSteps(world, size) {
  const { shop, store, book } = world
  const ask = (kind, count) => store.ask('shoppers', { kind, count })
  // The shop keeps only the newest sessions, so each round starts with new ones.
  let sessions = []
  let signedInFor

  async function signInBuyers() {
    sessions = []
    signedInFor = world.round
    await each(await ask('buyer', size), size, async ({ username, otp }) => {
      const browser = await shop.login('plain', { username, otp })
      if (book.note('sign-in', browser.outcome, 'ok')) {
        book.counts.signIns++
        sessions.push(browser)
      }
    })
  }

  async function signedIn(count) {
    if (signedInFor !== world.round) await signInBuyers()
    return sessions.slice(0, count)
  }

  /** For each call, the shoppers and the action that causes it. */
  const acts = {
    exchange: {
      of: (count) => ask('shopper', count),
      do: (door, { username, otp }, more, signal) => shop.login(door, { username, otp, ...more }, signal),
    },
    renewal: {
      of: signedIn,
      // Switches from the first account to the last one. A successful switch is undone afterwards.
      do: (door, browser, _more, signal) => shop.switchTo(door, browser.accounts[2], browser, signal),
    },
    otp_request: {
      of: (count) => ask('asker', count),
      do: (door, { username }, _more, signal) => shop.askForCode(door, username, signal),
    },
  }
  const discovery = {
    of: (count) => ask('shopper', count),
    do: (_door, { username, otp }, more) => shop.login('new', { username, otp, ...more }),
  }

  async function applyFault(call, { name, fault, short, once, afterEffect, size: own = size, ...by }) {
    const act = acts[call] ?? discovery
    const what = `${name} at ${call}`
    const list = await act.of(own)
    const id = await store.ask('fault', { call, fault, times: once && own, afterEffect })
    await each(list, own, async (one) => {
      const { outcome } = await act.do(short ? 'hasty' : 'plain', one, { short })
      book.note(what, outcome, ...(by[call] ?? by.expected))
    })
    const hits = await store.ask('mend', id)
    book.hits[what] = (book.hits[what] ?? 0) + hits
    // With the short timeout, some requests may not reach the store. The last check requires that some do.
    if (!short && hits < list.length)
      book.note(what, `applied ${hits} times`, `applied ${list.length} times or more`)
    if (call === 'renewal') await checkAccounts(name, list)
    await heal(what, act, call, short)
    return list.length
  }

  /** Checks that a failed switch has changed nothing, and undoes a successful one. */
  async function checkAccounts(name, list) {
    await each(list, size, async (browser) => {
      const { account } = await shop.me(browser)
      const changed = account !== browser.account
      if (!changed) return
      const { outcome } = await shop.switchTo('plain', browser.account, browser)
      book.note('switch back', outcome, 'ok')
      const mayChange = /delay|rate limit$|rate limit that|one reset/.test(name)
      if (!mayChange) book.note(`account after ${name} at renewal`, 'changed', 'unchanged')
    })
  }

  async function heal(what, act, call, short) {
    for (let tries = 1; ; tries++) {
      const [one] = await act.of(1)
      const { outcome } = await act.do(short ? 'hasty' : 'plain', one, {})
      // A busy machine may need more than 150 ms, but not every time.
      if (short && outcome === 'timeout' && tries < 50) continue
      const healed = book.note(`after ${what}`, outcome, 'ok')
      if (healed && call !== 'otp_request' && call !== 'renewal') book.counts.signIns++
      if (healed && call === 'renewal') await shop.switchTo('plain', one.account, one)
      return
    }
  }

  /** Runs the same action for a group of shoppers, and expects the same outcomes for each. */
  async function group(what, { call = 'exchange', door = 'plain', more = {}, expected }) {
    const act = acts[call]
    const list = await act.of(size)
    await each(list, size, async (one) => {
      const { outcome } = await act.do(door, one, more)
      if (book.note(what, outcome, ...expected) && outcome === 'ok' && call === 'exchange')
        book.counts.signIns++
    })
    return list.length
  }

  const alone = {
    async 'connections dropped while idle'() {
      await store.ask('dropConnections')
      return group('sign-in after connections were dropped', { expected: ['ok'] })
    },
    async 'connections dropped in the middle'() {
      const list = await ask('shopper', size)
      const id = await store.ask('fault', { call: 'exchange', fault: { delay: 400 }, times: size })
      const all = each(list, size, async ({ username, otp }) => {
        const { outcome } = await shop.login('plain', { username, otp })
        book.note('sign-in whose connection was dropped', outcome, 'ok', 'unreachable')
      })
      await untilHit(id, size)
      await store.ask('dropConnections')
      await all
      await store.ask('mend', id)
      await heal('connections dropped in the middle', acts.exchange, 'exchange')
      return size
    },
    async 'access tokens revoked'() {
      await store.ask('revokeAccessTokens')
      return group('sign-in after access tokens were revoked', { expected: ['ok'] })
    },
    async 'access tokens ended'() {
      await store.ask('advance', 3601)
      return group('sign-in after access tokens ended', { expected: ['ok'] })
    },
    async 'codes ended'() {
      const list = await ask('shopper', size)
      await store.ask('advance', 601)
      await each(list, size, async ({ username, otp }) => {
        const { outcome } = await shop.login('plain', { username, otp })
        book.note('sign-in with a code that has ended', outcome, 'invalid_credentials')
      })
      await heal('codes ended', acts.exchange, 'exchange')
      return size
    },
    async 'account tokens revoked'() {
      const browsers = await signedIn(size)
      await store.ask('revokeAccountTokens')
      await each(browsers, size, async (browser) => {
        const { outcome, account } = await shop.page('plain', browser)
        const same = account === browser.account
        book.note('page whose account token was revoked', same ? outcome : 'another account', 'ok')
      })
      await group('switch after account tokens were revoked', {
        call: 'renewal',
        expected: ['account_token_refused'],
      })
      await signInBuyers()
      return 2 * size
    },
    async 'account tokens ended'() {
      await signedIn(size)
      await store.ask('advance', 86_401)
      await group('switch after account tokens ended', {
        call: 'renewal',
        expected: ['account_token_refused'],
      })
      await signInBuyers()
      return size
    },
    async 'the limiter is broken'() {
      await shop.control('limiter', { state: 'broken' })
      const count = await group('sign-in with a broken limiter', {
        door: 'fussy',
        expected: ['limiter_failed'],
      })
      await shop.control('limiter', { state: 'well' })
      return count
    },
    async 'the limiter is empty'() {
      await shop.control('limiter', { state: 'empty' })
      const count = await group('sign-in without a try left', {
        door: 'fussy',
        expected: ['too_many_attempts'],
      })
      await shop.control('limiter', { state: 'well' })
      return count
    },
    async 'mail bounces'() {
      const list = await ask('bounce', size)
      await each(list, size, async ({ username }) => {
        const { outcome } = await shop.askForCode('plain', username)
        book.note('code request whose mail bounces', outcome, 'ok')
        const { otp } = await shop.readMail(username)
        const browser = await shop.login('plain', { username, otp })
        if (book.note('sign-in with a code delivered again', browser.outcome, 'ok')) book.counts.signIns++
      })
      return size
    },
    async 'half a request'() {
      await each(Array.from({ length: size }), size, async () => {
        const { outcome } = await shop.sendHalf('plain')
        book.note('browser that left in its own form', outcome, 'left')
      })
      await heal('half a request', acts.exchange, 'exchange')
      return size
    },
  }
  for (const [how, expected, door = 'fussy'] of [
    ['verify rejects', ['app_error']],
    ['verify throws', ['app_error']],
    ['verify says no', ['refused_by_verify']],
    ['verify hangs', ['app_timeout', 'timeout'], 'hasty'],
    ['selectAccount rejects', ['app_error']],
    ['selectAccount errs', ['account_not_found']],
  ]) {
    alone[how] = async () => {
      const count = await group(`sign-in, ${how}`, { door, more: { how }, expected })
      await group(`after sign-in, ${how}`, { door: 'fussy', expected: ['ok'] })
      return count
    }
  }
  for (const call of Object.keys(acts)) {
    alone[`browsers disconnect during ${call}`] = () => leave(call)
  }

  /** Browsers disconnect after their requests have reached the store. */
  async function leave(call) {
    const act = acts[call]
    const list = await act.of(size)
    const id = await store.ask('fault', { call, fault: 'hang' })
    const left = new AbortController()
    setMaxListeners(size, left.signal)
    const all = each(list, size, async (one) => {
      const { outcome } = await act.do('plain', one, {}, left.signal)
      book.note(`browser disconnects during ${call}`, outcome, 'left')
    })
    await untilHit(id, list.length)
    left.abort()
    await all
    await store.ask('mend', id)
    await heal(`browsers disconnected during ${call}`, act, call)
    return list.length
  }

  async function untilHit(id, hits) {
    for (let tries = 0; tries < 1000; tries++) {
      if ((await store.ask('hits', id)) >= hits) return
      await setTimeout(5)
    }
    book.note('requests for a fault', 'did not arrive', 'arrived')
  }

  const together = async (fault) => {
    // Sign in before the faults are set.
    await signedIn(size)
    const counts = await Promise.all(Object.keys(acts).map((call) => applyFault(call, fault)))
    return counts.reduce((sum, count) => sum + count, 0)
  }
  return [
    ...FAULTS.map((fault) => () => together(fault)),
    ...DISCOVERY.flatMap((call) =>
      FAULTS.filter(({ afterEffect }) => !afterEffect).map((fault) => () => applyFault(call, fault)),
    ),
    ...Object.values(alone),
  ]
}
