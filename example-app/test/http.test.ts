import { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import { pino } from 'pino'
import request, { type Response } from 'supertest'
import {
  ADA,
  eventually,
  GRACE,
  moveClock,
  NEMO,
  openDemo,
  openOn,
  startStore,
  WEBHOOK_SECRET,
  type TestShop,
} from './support/shop'
import { setCookie, Visitor } from './support/visitor'

let shop: TestShop
beforeAll(async () => (shop = await openDemo()))
afterAll(() => shop.close())
afterEach(() => shop.store.clearFaults())

const code = (username: string) => () => shop.store.lastCode(username)
/** A member that no other test has made guesses for. */
let members = 0
function newMember(accounts: number | { name: string }[] = 1): string {
  const username = `member-${++members}@example.com`
  shop.store.addMember({ username, accounts })
  return username
}

/** A response without what differs between any two of the same page: times, tokens, the first letters of an address. */
function comparable({ status, headers, text }: Response) {
  const own = /^(date|etag|set-cookie|content-length|ratelimit.*)$/
  return {
    status,
    headers: Object.entries(headers as Record<string, unknown>).filter(([name]) => !own.test(name)),
    text: text.replace(/\w{256}|data-(left|wait)="\d+"|m•••./g, ''),
  }
}

describe('the account page', () => {
  it.each([
    [1, false],
    [2, true],
  ])('of a buyer for %p companies offers another one: %p', async (accounts, offers) => {
    const visitor = new Visitor(shop)
    const username = newMember(accounts)
    await visitor.signIn(username, code(username))
    if (accounts > 1) {
      const [, id = ''] =
        /name="account_id" value="([^"]+)"/.exec((await visitor.get('/accounts')).text) ?? []
      await visitor.post('/accounts/switch', { account_id: id })
    }
    const { status, text } = await visitor.get('/account')
    expect([status, text.includes('Buy for another company')]).toEqual([200, offers])
  })
})

test('the account page goes by the client secret where there is one', async () => {
  const store = await ElasticPathSimulator.start({ members: [{ username: ADA, accounts: 1 }] })
  const own = await openOn(store, { EPCC_CLIENT_SECRET: store.clientSecret })
  try {
    const visitor = new Visitor(own)
    await visitor.signIn(ADA, () => store.lastCode(ADA))
    expect((await visitor.get('/account')).status).toBe(200)
    const asked = store.requests.filter(({ call }) => call === 'access_token').map(({ body }) => body)
    expect(asked).toHaveLength(2)
    for (const body of asked) expect(body).toMatchObject({ grant_type: 'client_credentials' })
  } finally {
    await own.close()
    await store.stop()
  }
})

describe('every page', () => {
  it('comes with a strict policy, and none of it breaks the policy', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(ADA, code(ADA))
    for (const path of ['/', '/login', '/login/link', '/account', '/accounts', '/mailbox', '/none']) {
      const { headers, text } = await visitor.get(path)
      expect(headers['content-security-policy']).toBe(
        "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none'",
      )
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'cross-origin-opener-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      })
      expect(headers).not.toHaveProperty('x-powered-by')
      expect(text).not.toMatch(/<style|style="|<script(?! type="module" src=)| on\w+="/)
    }
  })

  it('is free of tokens', async () => {
    const visitor = new Visitor(shop)
    shop.store.clearRequests()
    await visitor.signIn(GRACE, code(GRACE))
    const pages = [await visitor.get('/accounts'), await visitor.get('/accounts?q=marine')]
    const id = /name="account_id" value="([^"]+)"/.exec(pages[0]?.text ?? '')?.[1]
    await visitor.post('/accounts/switch', { account_id: id ?? '' })
    pages.push(await visitor.get('/account'), await visitor.get('/'), await visitor.get('/mailbox'))
    const sent = shop.store.requests.map(({ headers }) => [
      headers['ep-account-management-authentication-token'],
      headers.authorization?.slice(7),
    ])
    const tokens = sent.flat().filter((token) => typeof token === 'string' && token !== '')
    expect(tokens.length).toBeGreaterThan(5)
    for (const { text } of pages) for (const token of tokens) expect(text).not.toContain(token)
  })

  it('escapes what it shows', async () => {
    const visitor = new Visitor(shop)
    const username = newMember([{ name: '<b>Bold & Sons</b>' }])
    await visitor.signIn(username, code(username))
    expect((await visitor.get('/account')).text).toContain('&lt;b&gt;Bold &amp; Sons&lt;/b&gt;')
    expect((await visitor.get('/accounts?q="><script>')).text).not.toContain('"><script>')
  })
})

describe('the session cookie', () => {
  it('is out of reach of scripts and of other sites', async () => {
    expect(setCookie(await new Visitor(shop).get('/login'))).toMatch(
      /^shop=.*; Path=\/; Expires=.*; HttpOnly; SameSite=Lax$/,
    )
  })

  it('belongs to this host and to TLS alone, behind TLS', async () => {
    const secure = await openDemo({ PUBLIC_URL: 'https://shop.example.com', TRUST_PROXY: '1' })
    try {
      const response = await new Visitor(secure, { 'x-forwarded-proto': 'https' }).get('/login')
      expect(setCookie(response)).toMatch(
        /^__Host-shop=.*; Path=\/; Expires=.*; HttpOnly; Secure; SameSite=Lax$/,
      )
      expect(response.headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains')
    } finally {
      await secure.close()
    }
  })

  it('is another one after signing in, and the old one is not signed in', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/')
    await visitor.post('/basket', { sku: 'lamp' })
    const before = visitor.cookie()
    expect((await visitor.signIn(ADA, code(ADA))).headers['location']).toBe('/account')
    expect(visitor.cookie()).not.toBe(before)
    expect((await visitor.get('/account')).text).toContain('1 item')
    const { status, headers } = await request(shop.url).get('/account').set('Cookie', before)
    expect([status, headers['location']]).toEqual([302, '/login?returnTo=%2Faccount'])
  })

  it('is worth nothing after signing out', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(ADA, code(ADA))
    await visitor.get('/account')
    const cookie = visitor.cookie()
    expect((await visitor.post('/logout')).headers['location']).toBe('/')
    expect((await request(shop.url).get('/account').set('Cookie', cookie)).status).toBe(302)
  })
})

describe('a sign-in', () => {
  /** A shop whose store ends no account token, so that only the shop itself ends a sign-in. */
  async function openPatientShop() {
    const store = await ElasticPathSimulator.start({
      members: [{ username: ADA, accounts: 1 }],
      accountTokenLifetime: 30 * 24 * 60 * 60,
    })
    const own = await openOn(store)
    const close = async () => {
      await own.close()
      await store.stop()
    }
    return { ...own, close }
  }
  const HOUR = 60 * 60

  it('is over after a day without a visit, and not before', async () => {
    const own = await openPatientShop()
    try {
      const visitor = new Visitor(own)
      await visitor.signIn(ADA, () => own.store.lastCode(ADA))
      moveClock(23 * HOUR)
      expect((await visitor.get('/account')).status).toBe(200)
      const cookie = visitor.cookie()
      moveClock(25 * HOUR)
      // Whatever the browser thinks of its cookie.
      expect((await request(own.url).get('/account').set('Cookie', cookie)).status).toBe(302)
    } finally {
      await own.close()
    }
  })

  it('lasts for who comes back the next day, a little later', async () => {
    const store = await ElasticPathSimulator.start({ members: [{ username: ADA, accounts: 1 }] })
    const own = await openOn(store)
    try {
      const visitor = new Visitor(own)
      await visitor.signIn(ADA, () => store.lastCode(ADA))
      moveClock(HOUR)
      await visitor.get('/')
      expect(store.count('renewal')).toBe(1)
      moveClock(23.5 * HOUR)
      expect((await visitor.get('/account')).status).toBe(200)
    } finally {
      await own.close()
      await store.stop()
    }
  })

  it('that is sent twice is one, and keeps the basket', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/')
    await visitor.post('/basket', { sku: 'rope' })
    await visitor.get('/login')
    await visitor.post('/login/code', { username: ADA })
    await visitor.get('/login/verify')
    const otp = shop.store.lastCode(ADA) ?? ''
    // The second one is refused by Commerce after the first one has signed in.
    shop.store.fault('exchange', { delay: 300 }, { after: 1 })
    const answers = await Promise.all([visitor.post('/login', { otp }), visitor.post('/login', { otp })])
    expect(answers.map(({ status, headers }) => [status, headers['location']])).toEqual([
      [303, '/account'],
      [303, '/account'],
    ])
    expect(answers.filter(({ headers }) => headers['set-cookie'])).toHaveLength(1)
    expect((await visitor.get('/')).text).toContain('1 in your basket')
  })

  it('keeps what another tab put into the basket while a code was asked for', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/')
    await visitor.get('/login')
    const asked = visitor.post('/login/code', { username: GRACE })
    await visitor.post('/basket', { sku: 'rope' })
    expect((await asked).headers['location']).toBe('/login/verify')
    expect((await visitor.get('/')).text).toContain('1 in your basket')
  })

  it('is over after a week of visits, and the basket is kept', async () => {
    const own = await openPatientShop()
    try {
      const visitor = new Visitor(own)
      await visitor.signIn(ADA, () => own.store.lastCode(ADA))
      await visitor.get('/')
      await visitor.post('/basket', { sku: 'lamp' })
      for (let day = 1; day < 7; day++) {
        moveClock(23.9 * HOUR)
        expect((await visitor.get('/account')).status).toBe(200)
      }
      const cookie = visitor.cookie()
      moveClock(23.9 * HOUR)
      expect((await visitor.get('/account')).status).toBe(200)
      moveClock(HOUR)
      expect((await visitor.get('/account')).headers['location']).toBe('/login?returnTo=%2Faccount')
      expect((await visitor.get('/')).text).toMatch(/Basket<span class="count">1</)
      expect((await request(own.url).get('/account').set('Cookie', cookie)).status).toBe(302)
    } finally {
      await own.close()
    }
  })

  it('is ended everywhere by one tap, and begins anew', async () => {
    const username = newMember()
    const phone = new Visitor(shop)
    const desk = new Visitor(shop)
    const other = new Visitor(shop)
    await phone.signIn(username, code(username))
    moveClock(31)
    await desk.signIn(username, code(username))
    await other.signIn(ADA, code(ADA))
    moveClock(1)
    await desk.get('/account')
    expect((await desk.post('/logout/everywhere')).headers['location']).toBe('/')
    for (const visitor of [phone, desk]) expect((await visitor.get('/account')).status).toBe(302)
    expect((await other.get('/account')).status).toBe(200)

    moveClock(31)
    await phone.signIn(username, code(username))
    expect((await phone.get('/account')).status).toBe(200)
  })
})

describe('a form', () => {
  it.each(['/basket', '/login/code', '/login', '/accounts/switch', '/logout', '/logout/everywhere'])(
    'to %s needs the page it came with',
    async (path) => {
      const visitor = new Visitor(shop)
      await visitor.signIn(ADA, code(ADA))
      await visitor.get('/account')
      for (const _csrf of ['', 'f'.repeat(256)])
        expect((await visitor.post(path, { _csrf })).status).toBe(403)
      expect((await visitor.get('/account')).status).toBe(200)
    },
  )

  it('does not take the token of before the sign-in', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(ADA, code(ADA))
    // No page was loaded since: this is the sign-in form's own token.
    expect((await visitor.post('/logout')).status).toBe(403)
  })

  it('may not be large', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/login')
    const response = await visitor.post('/login/code', { username: 'a'.repeat(20_000) })
    expect(response.status).toBe(413)
    expect(response.text).toContain('That is too much at once')
  })

  it('with odd fields is a kind page', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/login')
    expect((await visitor.post('/login/code', { username: '  ' })).text).toContain(
      'Please type the e-mail address',
    )
    expect((await visitor.post('/basket', { sku: '__proto__' })).status).toBe(400)
    expect((await visitor.post('/login', { otp: 'abc123' })).headers['location']).toBe('/login')
  })
})

describe('asking for a code', () => {
  it('looks the same for somebody whom the store does not know', async () => {
    const [known, unknown] = await Promise.all(
      [newMember(), 'member-x@example.com'].map(async (username) => {
        const visitor = new Visitor(shop)
        await visitor.get('/login')
        const asked = await visitor.post('/login/code', { username })
        const page = await visitor.get('/login/verify')
        const tried = await visitor.post('/login', { otp: 'wrong1' })
        return [asked, page, tried].map(comparable)
      }),
    )
    expect(known).toEqual(unknown)
  })

  it('twice in half a minute makes one code', async () => {
    const username = newMember()
    const visitor = new Visitor(shop)
    await visitor.get('/login')
    await visitor.post('/login/code', { username })
    const first = shop.store.lastCode(username)
    await visitor.get('/login/verify')
    await visitor.post('/login/code')
    expect((await visitor.get('/login/verify')).text).toContain('A code went out a moment ago')
    expect(shop.store.lastCode(username)).toBe(first)
    moveClock(31)
    await visitor.post('/login/code')
    expect(shop.store.lastCode(username)).not.toBe(first)
  })

  it('does not flood a mailbox', async () => {
    const username = newMember()
    const visitor = new Visitor(shop)
    await visitor.get('/login')
    for (let n = 0; n < 5; n++) {
      expect((await visitor.post('/login/code', { username })).status).toBe(303)
      moveClock(31)
    }
    const response = await visitor.post('/login/code', { username })
    expect(response.status).toBe(429)
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0)
    expect(response.text).toContain('You have asked for several codes')
  })
})

describe('a try to sign in', () => {
  it('keeps what was typed, and says why', async () => {
    const username = newMember()
    const visitor = new Visitor(shop)
    await visitor.get('/login')
    await visitor.post('/login/code', { username })
    const response = await visitor.post('/login', { otp: 'wr0ng1' })
    expect(response.status).toBe(401)
    expect(response.text).toMatch(/value="wr0ng1"[^>]*aria-invalid="true"/s)
    expect(response.text).toContain('That code did not work.')
    expect((await visitor.post('/login', { otp: code(username)() ?? '' })).headers['location']).toBe(
      '/account',
    )
  })

  it('is one of five: the sixth does not reach the store', async () => {
    const username = newMember()
    const visitor = new Visitor(shop)
    await visitor.get('/login')
    await visitor.post('/login/code', { username })
    for (let n = 0; n < 5; n++) expect((await visitor.post('/login', { otp: 'wrong1' })).status).toBe(401)
    shop.store.clearRequests()
    const response = await visitor.post('/login', { otp: code(username)() ?? '' })
    expect(response.status).toBe(429)
    expect(response.text).toContain('You can try again in 15 minutes.')
    expect(response.headers['retry-after']).toBe('900')
    expect(shop.store.count('exchange')).toBe(0)
  })

  it('counts by address as well', async () => {
    const strict = await openDemo({ SIGN_INS_PER_ADDRESS: '3', TRUST_PROXY: '1' })
    try {
      const from = (address: string) => new Visitor(strict, { 'x-forwarded-for': address })
      const visitor = from('203.0.113.7')
      await visitor.get('/login')
      for (let n = 0; n < 3; n++)
        expect((await visitor.post('/login/code', { username: `nobody-${n}@example.com` })).status).toBe(303)
      const response = await visitor.post('/login/code', { username: 'nobody@example.com' })
      expect(response.status).toBe(429)
      // What is left of the ten minutes.
      expect(Number(response.headers['retry-after'])).toBeLessThanOrEqual(600)
      expect(Number(response.headers['retry-after'])).toBeGreaterThan(580)
      expect(response.text).toContain('Too many tries')
      const other = from('203.0.113.8')
      await other.get('/login')
      expect((await other.post('/login/code', { username: 'nobody@example.com' })).status).toBe(303)
    } finally {
      await strict.close()
    }
  })

  it('does not believe an address that the visitor makes up', async () => {
    const strict = await openDemo({ SIGN_INS_PER_ADDRESS: '2' })
    try {
      const statuses: number[] = []
      for (let n = 0; n < 3; n++) {
        const visitor = new Visitor(strict, { 'x-forwarded-for': `203.0.113.${n}` })
        await visitor.get('/login')
        statuses.push((await visitor.post('/login/code', { username: `nobody-${n}@example.com` })).status)
      }
      expect(statuses).toEqual([303, 303, 429])
    } finally {
      await strict.close()
    }
  })

  it('by a member of no company ends on a page that says what to do', async () => {
    const response = await new Visitor(shop).signIn(NEMO, code(NEMO))
    expect(response.status).toBe(403)
    expect(response.text).toContain('does not belong to a company here yet')
  })

  it('goes back to where it came from, and nowhere else', async () => {
    for (const [path, location] of [
      ['/account', '/account'],
      ['//elsewhere.example', '/account'],
      ['/accounts?q=a', '/accounts?q=a'],
    ] as const) {
      const visitor = new Visitor(shop)
      await visitor.get(`/login?returnTo=${encodeURIComponent(path)}`)
      await visitor.post('/login/code', { username: ADA })
      moveClock(31)
      expect((await visitor.post('/login', { otp: code(ADA)() ?? '' })).headers['location']).toBe(location)
    }
  })

  it('ends where Commerce says so, and keeps the basket', async () => {
    for (const path of ['/account', '/accounts']) {
      const visitor = new Visitor(shop)
      await visitor.get('/')
      await visitor.post('/basket', { sku: 'rope' })
      moveClock(31)
      await visitor.signIn(ADA, code(ADA))
      shop.store.revokeAccountTokens()
      const { status, headers } = await visitor.get(path)
      expect([status, headers['location']]).toEqual([303, `/login?returnTo=${encodeURIComponent(path)}`])
      const page = await visitor.get('/')
      expect(page.text).toContain('1 in your basket')
      expect(page.text).not.toContain('Sign out')
    }
  })

  it('goes on where it was only the shop’s bearer that ended', async () => {
    const visitor = new Visitor(shop)
    moveClock(31)
    await visitor.signIn(ADA, code(ADA))
    await visitor.get('/account')
    shop.store.revokeAccessTokens()
    expect((await visitor.get('/account')).text).toContain('Fernley Boatworks')
  })

  it('ends with the account token, though the cookie goes on', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(ADA, code(ADA))
    shop.store.fault('any', 'reset', { times: Infinity })
    moveClock(23.5 * 3600)
    expect((await visitor.get('/')).text).toContain('Sign out')
    moveClock(0.6 * 3600)
    expect((await visitor.get('/account')).headers['location']).toBe('/login?returnTo=%2Faccount')
  })
})

describe('choosing a company', () => {
  it('is for members only', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(ADA, code(ADA))
    await visitor.get('/account')
    const response = await visitor.post('/accounts/switch', {
      account_id: '00000000-0000-4000-8000-000000000000',
    })
    expect(response.status).toBe(403)
    expect(response.text).toContain('not yours to act for')
    expect((await visitor.get('/account')).text).toContain('Fernley Boatworks')
  })

  it('leads from a page beyond the last to the last one, and signs nobody out', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(ADA, () => shop.store.lastCode(ADA))
    for (const page of ['2', '600', '99999999']) {
      const { status, headers } = await visitor.get(`/accounts?page=${page}`)
      expect([status, headers['location']]).toEqual([302, '/accounts?q=&page=1'])
    }
    expect((await visitor.get('/account')).status).toBe(200)
  })

  it('costs one call a page, and a search a bounded number, once a minute', async () => {
    const username = newMember(5_000)
    const visitor = new Visitor(shop)
    await visitor.signIn(username, code(username))
    shop.store.clearRequests()
    expect((await visitor.get('/accounts?page=250')).text).toContain('page 250 of 250')
    expect(shop.store.count('renewal')).toBe(1)
    expect((await visitor.get('/accounts?q=1')).text).toContain('among your first 2,000')
    await visitor.get('/accounts?q=12')
    expect(shop.store.count('renewal')).toBe(21)
  })
})

describe('the webhook', () => {
  it('takes an event with the secret alone, and needs no CSRF token', async () => {
    const post = (secret: string) =>
      request(shop.url)
        .post('/webhooks/otp')
        .set('x-moltin-secret-key', secret)
        .send({ id: 'e1', triggered_by: 'other', payload: {} })
    expect((await post('wrong')).status).toBe(401)
    const store = await startStore()
    const own = await openOn(store)
    try {
      const response = await request(own.url)
        .post('/webhooks/otp')
        .set('x-moltin-secret-key', WEBHOOK_SECRET)
        .send({ triggered_by: 'order.created' })
      expect(response.status).toBe(204)
      expect(response.headers).not.toHaveProperty('set-cookie')
    } finally {
      await own.close()
      await store.stop()
    }
  })
})

describe('for whoever runs it', () => {
  it('there is /healthz and /readyz, without a session', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const response = await request(shop.url).get(path)
      expect(response.status).toBe(200)
      expect(response.headers).not.toHaveProperty('set-cookie')
    }
  })

  it('a store that is down is not ready, and says no more', async () => {
    const store = await ElasticPathSimulator.start()
    const own = await openOn(store)
    await store.stop()
    try {
      const response = await request(own.url).get('/readyz')
      expect(response.status).toBe(503)
      expect(response.body).toEqual({
        ready: false,
        checks: { commerce: false, storage: true, open: true },
      })
    } finally {
      await own.close()
    }
  })

  it('the log has neither codes, nor addresses, nor cookies', async () => {
    const lines: string[] = []
    const log = pino({ level: 'trace' }, { write: (line) => void lines.push(line) })
    const store = await startStore()
    const own = await openOn(store, {}, log)
    try {
      const visitor = new Visitor(own)
      await visitor.get('/login?returnTo=/account?secret')
      await visitor.signIn(ADA, () => store.lastCode(ADA))
      store.fault('any', 'html', { times: Infinity })
      expect((await visitor.get('/account')).status).toBe(502)
      await eventually(() => lines.some((line) => line.includes('"path":"/account"')))
      const text = lines.join('')
      expect(text).toContain('"operation":"sign-in","outcome":"success"')
      const cookie = decodeURIComponent(visitor.cookie().split('=')[1] ?? '').slice(2, 30)
      for (const secret of [store.lastCode(ADA) ?? '?', ADA, cookie, 'secret', 'ey'])
        expect(text).not.toContain(secret)
    } finally {
      await own.close()
      await store.stop()
    }
  })

  it('the log tells what was tried, by whom and from where, and who it was only where it is known', async () => {
    const lines: Record<string, unknown>[] = []
    const log = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line) as never) })
    const store = await startStore()
    const own = await openOn(store, { SIGN_INS_PER_ADDRESS: '6' }, log)
    try {
      const visitor = new Visitor(own)
      await visitor.get('/login')
      await visitor.post('/login', { username: ADA, otp: 'wrong1' })
      await visitor.post('/login', { username: ` ${ADA.toUpperCase()}`, otp: 'wrong2' })
      await visitor.post('/login', { username: GRACE, otp: 'wrong3' })
      await visitor.signIn(ADA, () => store.lastCode(ADA))
      await visitor.get('/account')
      await visitor.post('/accounts/switch', { account_id: 'of-somebody-else' })
      await visitor.post('/logout', { _csrf: 'forged' })
      await visitor.post('/logout')
      await visitor.get('/login')
      await visitor.post('/login/code', { username: ADA })
      await visitor.post('/login/code', { username: ADA })

      const events = lines.filter(({ msg }) => msg === 'security')
      const member = expect.stringMatching(/^[\da-f-]{36}$/) as unknown
      const who = expect.stringMatching(/^[\da-f]{16}$/) as unknown
      const failed = { event: 'sign-in', outcome: 'failure', code: 'invalid_credentials', who }
      expect(events).toMatchObject([
        failed,
        failed,
        failed,
        { event: 'code', outcome: 'success' },
        { event: 'sign-in', outcome: 'success', member },
        { event: 'refusal', status: 403, code: 'account_not_found', member },
        { event: 'refusal', status: 403, member },
        { event: 'sign-out', reason: 'asked for', member },
        { event: 'code', outcome: 'success' },
        { event: 'refusal', status: 429 },
      ])
      expect(events[1]?.['who']).toBe(events[0]?.['who'])
      expect(events[2]?.['who']).not.toBe(events[0]?.['who'])
      for (const event of events) {
        expect(event).toMatchObject({ from: expect.stringMatching(/127\.0\.0\.1|::1/) as unknown })
        expect(event).toHaveProperty('time')
        expect(event).toHaveProperty('req.id')
      }
      // A webhook with a wrong secret is the shop's to hear of.
      await request(own.url).post('/webhooks/otp').set('x-moltin-secret-key', 'wrong').expect(401)
      expect(lines).toContainEqual(expect.objectContaining({ level: 50, code: 'wrong_secret' }))
    } finally {
      await own.close()
      await store.stop()
    }
  })

  it('closing lets a request finish', async () => {
    const own = await openDemo()
    const visitor = new Visitor(own)
    await visitor.signIn(ADA, () => own.store.lastCode(ADA))
    own.store.fault('accounts', { delay: 200 })
    own.store.clearRequests()
    const page = visitor.get('/account')
    await eventually(() => own.store.count('accounts') > 0)
    const closed = own.close()
    expect((await page).status).toBe(200)
    await closed
    await expect(request(own.url).get('/healthz')).rejects.toThrow(/ECONNREFUSED/)
  })
})
