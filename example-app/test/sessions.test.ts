import request from 'supertest'
import { DAY, HOUR, MINUTE, moveClock } from './support/clock'
import { delaySets, holdNextGet } from './support/gate'
import { ADA, GRACE, newMember, openDemo, openOn, startStore, withShop, type TestShop } from './support/shop'
import { redirectOf, sessionCookie, Visitor } from './support/visitor'

let shop: TestShop
beforeAll(async () => (shop = await openDemo()))
afterAll(() => shop.close())
afterEach(() => shop.store.clearFaults())

const basketOf = async (visitor: Visitor) => {
  const [, count] = /class="count">(\d+)</.exec((await visitor.get('/')).text) ?? []
  return Number(count)
}
const isSignedIn = async (visitor: Visitor) => (await visitor.get('/account')).status === 200
/** Whether whoever has this cookie is signed in. */
const admits = async ({ url }: TestShop, cookie: string) =>
  (await request(url).get('/account').set('Cookie', cookie)).status === 200

describe('the session of a guest', () => {
  it.each([
    '/',
    '/login',
    '/login?returnTo=%2Faccount',
    '/login/link',
    '/login/no-company',
    '/mailbox',
    '/none',
  ])('does not start by reading %s', async (path) => {
    const response = await new Visitor(shop).get(path)
    expect(sessionCookie(response)).toBeUndefined()
  })

  it('starts with the first item in the basket, out of reach of scripts and other sites', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/')
    const response = await visitor.post('/basket', { sku: 'rope' })
    expect(sessionCookie(response)).toMatch(/^shop=.*; Path=\/; Expires=.*; HttpOnly; SameSite=Lax$/)
  })

  it('belongs to this host and needs TLS if shoppers use https', async () => {
    await withShop(openDemo({ PUBLIC_URL: 'https://shop.example.com', TRUST_PROXY: '1' }), async (secure) => {
      const headers = { 'x-forwarded-proto': 'https' }
      const home = await request(secure.url).get('/').set(headers)
      const [cookie = ''] = home.headers['set-cookie'] as unknown as string[]
      const [, _csrf] = /name="_csrf" value="(\w+)"/.exec(home.text) ?? []
      const response = await request(secure.url)
        .post('/basket')
        .set({ ...headers, cookie: cookie.split(';')[0] })
        .type('form')
        .send({ _csrf, sku: 'rope' })
      expect(cookie).toMatch(/^__Host-form-\w+=1; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
      expect(sessionCookie(response)).toMatch(
        /^__Host-shop=.*; Path=\/; Expires=.*; HttpOnly; Secure; SameSite=Lax$/,
      )
      expect(response.headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains')
    })
  })

  it('expires after 15 minutes without a basket', async () => {
    const visitor = new Visitor(shop)
    await visitor.requestCode(newMember(shop))
    moveClock(14 * MINUTE)
    expect((await visitor.get('/login/verify')).status).toBe(200)
    moveClock(16 * MINUTE)
    expect(redirectOf(await visitor.get('/login/verify'))).toEqual([302, '/login'])
  })

  it('lives for a day with a basket', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/')
    await visitor.post('/basket', { sku: 'rope' })
    moveClock(23 * HOUR)
    expect(await basketOf(visitor)).toBe(1)
    moveClock(25 * HOUR)
    expect(await basketOf(visitor)).toBe(0)
  })
})

describe('a sign-in', () => {
  it('is stored before the browser is redirected, however slow the store is', async () => {
    await withShop(openDemo(), async (own) => {
      const visitor = new Visitor(own)
      await visitor.get('/login/link')
      const otp = own.store.issueCode(ADA)
      // Each save takes longer than the next page, if the browser is already allowed to request it.
      delaySets(own.storage, async () => {
        for (let n = 0; n < 20; n++) await request(own.url).get('/healthz')
      })
      const response = await fetch(`${own.url}/login`, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie: visitor.cookies },
        body: new URLSearchParams({ _csrf: visitor.formToken, username: ADA, otp }),
      })
      // The head of the response is here, and perhaps not its body.
      const [cookie = ''] = response.headers.getSetCookie()
      const next = await fetch(`${own.url}/account`, { redirect: 'manual', headers: { cookie } })
      expect([response.status, next.status]).toEqual([303, 200])
      await Promise.all([response.text(), next.text()])
    })
  })

  it('is stored once, so that nothing undoes what the next page stores', async () => {
    await withShop(openDemo(), async (own) => {
      const visitor = new Visitor(own)
      await visitor.get('/login/link')
      const stored: unknown[] = []
      delaySets(own.storage, () => Promise.resolve(stored.push('set')))
      await visitor.post('/login', { username: ADA, otp: own.store.issueCode(ADA) })
      // Passport's own, and the shop's before the redirect.
      expect(stored).toHaveLength(2)
    })
  })

  it('gets a new session; the old one is not signed in', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/')
    await visitor.post('/basket', { sku: 'lamp' })
    const before = visitor.cookie
    expect(redirectOf(await visitor.signIn(ADA))).toEqual([303, '/account'])
    expect(visitor.cookie).not.toBe(before)
    expect((await visitor.get('/account')).text).toContain('1 item')
    expect(await admits(shop, before)).toBe(false)
  })

  it('is not lost by a page that was loading meanwhile', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/')
    await visitor.post('/basket', { sku: 'lamp' })
    const gate = holdNextGet(shop.storage)
    const late = request(shop.url).get('/').set('Cookie', visitor.cookies)
    const response = late.then((page) => sessionCookie(page))
    await gate.held
    await visitor.signIn(ADA)
    gate.open()
    expect(await response).toBeUndefined()
  })

  const GUESTS = {
    'who requested a code': (guest: Visitor) => guest.post('/login/code', { username: newMember(shop) }),
    'with a basket': (guest: Visitor) => guest.post('/basket', { sku: 'lamp' }),
    'who has seen a notice': (guest: Visitor) => {
      shop.store.fault('POST /v2/carts', { status: 503 })
      return guest.submit('/basket', { sku: 'lamp' })
    },
  }
  it.each([
    ['who requested a code', 'POST /v2/carts', 200],
    ['who requested a code', 'POST /v2/carts', 503],
    ['who requested a code', 'POST /v2/carts/:id/items', 503],
    ['with a basket', 'POST /v2/carts/:id/items', 503],
    ['who has seen a notice', 'POST /v2/carts', 503],
  ] as const)('is not lost by the slow form of a guest %s, if %s gets %i', async (who, call, status) => {
    const visitor = new Visitor(shop)
    await visitor.get('/')
    await GUESTS[who](visitor)
    const held = shop.store.hold(call)
    if (status === 503) shop.store.fault(call, { status })
    const form = { _csrf: visitor.formToken, sku: 'rope' }
    const late = request(shop.url).post('/basket').set('Cookie', visitor.cookies).type('form').send(form)
    const response = late.then((answer) => answer)
    await held.arrived
    await visitor.signIn(newMember(shop))
    held.release()
    expect([(await response).status, sessionCookie(await response)]).toEqual([303, undefined])
  })

  it('keeps what another tab put into the basket while a code was requested', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/')
    await visitor.post('/basket', { sku: 'lamp' })
    const requested = visitor.post('/login/code', { username: newMember(shop) })
    await visitor.post('/basket', { sku: 'rope' })
    expect(redirectOf(await requested)).toEqual([303, '/login/verify'])
    expect(await basketOf(visitor)).toBe(2)
  })

  it('that is sent twice is one, and keeps the basket', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/')
    await visitor.post('/basket', { sku: 'rope' })
    await visitor.get('/login/link')
    const fields = { username: ADA, otp: shop.store.issueCode(ADA) }
    const gate = holdNextGet(shop.storage)
    const second = visitor.post('/login', fields)
    await gate.held
    expect(redirectOf(await visitor.post('/login', fields))).toEqual([303, '/account'])
    gate.open()
    const response = await second
    expect(redirectOf(response)).toEqual([303, '/account'])
    expect(await basketOf(visitor)).toBe(1)
  })

  it('takes over what a guest collected', async () => {
    const visitor = new Visitor(shop)
    const username = newMember(shop)
    await visitor.get('/')
    await visitor.post('/basket', { sku: 'rope' })
    await visitor.requestCode(username, { returnTo: '/accounts?q=a' })
    const response = await visitor.post('/login', { otp: shop.store.lastCode(username) ?? '' })
    expect(redirectOf(response)).toEqual([303, '/accounts?q=a'])
    expect(await basketOf(visitor)).toBe(1)
  })

  it.each(['while Grace is signed in', 'after the sign-in of Grace expired'])(
    'takes over nothing of Grace if Ada signs in %s',
    async (when) => {
      await withShop(openOn(await startStore()), async (own) => {
        const visitor = new Visitor(own)
        await visitor.signIn(GRACE)
        await visitor.get('/accounts')
        await visitor.post('/basket', { sku: 'rope' })
        if (when.startsWith('after')) {
          own.store.fault('any', 'reset', { times: Infinity })
          moveClock(DAY - 60)
          await visitor.get('/')
          moveClock(HOUR)
          own.store.clearFaults()
        }
        expect(await basketOf(visitor)).toBe(1)
        expect(redirectOf(await visitor.signIn(ADA))).toEqual([303, '/account'])
        expect(await basketOf(visitor)).toBe(0)
      })
    },
  )

  it('keeps the basket of a member who signs in again', async () => {
    const visitor = new Visitor(shop)
    const member = newMember(shop)
    await visitor.signIn(member)
    await visitor.get('/')
    await visitor.post('/basket', { sku: 'rope' })
    await visitor.signIn(member)
    expect(await basketOf(visitor)).toBe(1)
  })
})

describe('the end of a sign-in', () => {
  /** A shop whose store does not end sign-ins. */
  const openPatientShop = async () => openOn(await startStore([{ username: ADA }], 30 * DAY))

  it('comes after a day without a visit, whatever the browser does with its cookie', async () => {
    await withShop(openPatientShop(), async (own) => {
      const visitor = new Visitor(own)
      await visitor.signIn(ADA)
      moveClock(23 * HOUR)
      expect(await isSignedIn(visitor)).toBe(true)
      moveClock(25 * HOUR)
      expect(await admits(own, visitor.cookie)).toBe(false)
    })
  })

  it('comes with the account token after a weekend, and the sign-in page says for which company', async () => {
    await withShop(openOn(await startStore()), async (own) => {
      const visitor = new Visitor(own)
      await visitor.signIn(ADA)
      moveClock(3 * DAY)
      expect(redirectOf(await visitor.get('/account'))).toEqual([302, '/login?returnTo=%2Faccount'])
      expect((await visitor.get('/login')).text).toContain('for <strong>Fernley Boatworks</strong> has ended')
    })
  })

  it('is postponed by a visit, which is saved before the page does its work', async () => {
    await withShop(openPatientShop(), async (own) => {
      const visitor = new Visitor(own)
      await visitor.signIn(ADA)
      await visitor.get('/account')
      moveClock(HOUR)
      own.store.clearRequests()
      const calls: number[] = []
      delaySets(own.storage, () => Promise.resolve(calls.push(own.store.count('accounts'))))
      expect(await isSignedIn(visitor)).toBe(true)
      expect(await isSignedIn(visitor)).toBe(true)
      // The visit was saved once, and before the page called Elastic Path.
      expect(calls).toEqual([0])
    })
  })

  it('comes after a week of visits, and the basket waits for the next sign-in', async () => {
    await withShop(openPatientShop(), async (own) => {
      const visitor = new Visitor(own)
      await visitor.signIn(ADA)
      await visitor.get('/')
      own.store.configure({ cartExpiryDays: 30 })
      await visitor.post('/basket', { sku: 'lamp' })
      for (let day = 1; day < 7; day++) {
        moveClock(23.9 * HOUR)
        expect(await isSignedIn(visitor)).toBe(true)
      }
      moveClock(23.9 * HOUR)
      expect(await isSignedIn(visitor)).toBe(true)
      const { cookie } = visitor
      moveClock(HOUR)
      expect(redirectOf(await visitor.get('/account'))).toEqual([302, '/login?returnTo=%2Faccount'])
      expect(await basketOf(visitor)).toBe(0)
      expect(await admits(own, cookie)).toBe(false)
      await visitor.signIn(ADA)
      expect(await basketOf(visitor)).toBe(1)
    })
  })

  it('does not come on the next day for a member who visited in the second half of the token’s life', async () => {
    await withShop(openOn(await startStore()), async (own) => {
      const visitor = new Visitor(own)
      await visitor.signIn(ADA)
      moveClock(13 * HOUR)
      await visitor.get('/')
      expect(own.store.count('renewal')).toBe(1)
      moveClock(23.5 * HOUR)
      expect(await isSignedIn(visitor)).toBe(true)
    })
  })

  it('comes with the account token, and the sign-in page says for which company', async () => {
    await withShop(openOn(await startStore()), async (own) => {
      const visitor = new Visitor(own)
      await visitor.signIn(ADA)
      own.store.fault('any', 'reset', { times: Infinity })
      moveClock(23.5 * HOUR)
      expect((await visitor.get('/')).text).toContain('Sign out')
      moveClock(0.6 * HOUR)
      expect(redirectOf(await visitor.get('/account'))).toEqual([302, '/login?returnTo=%2Faccount'])
      expect((await visitor.get('/login')).text).toMatch(
        /Your sign-in for <strong>Fernley Boatworks<\/strong> has ended\./,
      )
      expect(own.log.events).toContainEqual(
        expect.objectContaining({ event: 'sign-out', reason: 'account token expired' }),
      )
    })
  })

  it.each([
    ['GET', '/', '/'],
    ['GET', '/account', '/account'],
    ['GET', '/accounts', '/accounts'],
    ['GET', '/basket', '/basket'],
    ['GET', '/order', '/order'],
    ['GET', '/orders?unconfirmed', '/orders?unconfirmed'],
    ['POST', '/basket', '/basket'],
    ['POST', '/order', '/basket'],
    ['POST', '/accounts/switch', '/accounts'],
  ])(
    'comes at %s %s if Elastic Path refuses the account token, and the basket waits for the next sign-in',
    async (method, path, returnTo) => {
      const visitor = new Visitor(shop)
      const member = newMember(shop)
      await visitor.get('/')
      await visitor.post('/basket', { sku: 'rope' })
      await visitor.signIn(member)
      const account = /name="account_id" value="([^"]+)"/.exec((await visitor.get('/')).text)?.[1] ?? ''
      shop.store.revokeAccountTokens()
      shop.store.fault('GET /catalog/products', { status: 401 }, { times: Infinity })
      const response = await (method === 'GET'
        ? visitor.get(path)
        : visitor.post(path, { sku: 'rope', account_id: account }))
      expect(redirectOf(response)).toEqual([303, `/login?returnTo=${encodeURIComponent(returnTo)}`])
      shop.store.clearFaults()
      expect((await visitor.get('/login')).text).toContain('has ended')
      expect(await basketOf(visitor)).toBe(0)
      expect(await isSignedIn(visitor)).toBe(false)
      await visitor.signIn(member)
      expect(await basketOf(visitor)).toBe(1)
    },
  )

  it('does not come for a new sign-in if the token of the former one is refused late', async () => {
    const visitor = new Visitor(shop)
    const member = newMember(shop)
    await visitor.signIn(member)
    await visitor.get('/account')
    const held = shop.store.hold('GET /v2/orders')
    const late = request(shop.url).get('/orders').set('Cookie', visitor.cookies)
    const response = late.then((answer) => answer)
    await held.arrived
    shop.store.revokeAccountTokens()
    await visitor.signIn(member)
    held.release()
    expect(redirectOf(await response)).toEqual([303, '/login?returnTo=%2Forders'])
    expect(sessionCookie(await response)).toBeUndefined()
  })

  it('does not come if only the access token of the shop was refused', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(ADA)
    await visitor.get('/account')
    shop.store.revokeAccessTokens()
    expect((await visitor.get('/account')).text).toContain('Fernley Boatworks')
  })

  it('does not come from a page that cannot read when to end it', async () => {
    await withShop(openDemo(), async (own) => {
      const visitor = new Visitor(own)
      await visitor.signIn(ADA)
      const failure = jest
        .spyOn(own.storage, 'generation')
        .mockRejectedValue(new Error('The storage is slow'))
      expect((await visitor.get('/account')).status).toBe(500)
      failure.mockRestore()
      expect(await isSignedIn(visitor)).toBe(true)
    })
  })
})

describe('signing out', () => {
  it('ends the session, and the browser forgets it', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(ADA)
    await visitor.get('/account')
    const { cookie } = visitor
    const response = await visitor.post('/logout')
    expect(redirectOf(response)).toEqual([303, '/'])
    expect(response.headers['set-cookie']).toContainEqual(
      expect.stringMatching(
        /^shop=; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax$/,
      ),
    )
    expect(await admits(shop, cookie)).toBe(false)
  })

  it('is not undone by a page that was loading meanwhile and saves its session', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(ADA)
    await visitor.get('/account')
    const { cookie } = visitor
    const gate = holdNextGet(shop.storage)
    const late = visitor.post('/basket', { sku: 'rope' })
    await gate.held
    const token = visitor.formToken
    await request(shop.url)
      .post('/logout')
      .set('Cookie', visitor.cookies)
      .type('form')
      .send({ _csrf: token })
      .expect(303)
    gate.open()
    await late
    expect(await admits(shop, cookie)).toBe(false)
  })

  it('everywhere ends all sessions of the member, and a later sign-in is not affected', async () => {
    const username = newMember(shop)
    const [phone, desk, other] = [new Visitor(shop), new Visitor(shop), new Visitor(shop)]
    await phone.signIn(username)
    await desk.signIn(username)
    await other.signIn(ADA)
    await desk.get('/account')
    expect(redirectOf(await desk.post('/logout/everywhere'))).toEqual([303, '/'])
    for (const visitor of [phone, desk]) expect(await isSignedIn(visitor)).toBe(false)
    expect(await isSignedIn(other)).toBe(true)
    // In the same millisecond, and also if the clock of the process is set back.
    jest.setSystemTime(Date.now() - 3_000)
    await phone.signIn(username)
    expect(await isSignedIn(phone)).toBe(true)
  })
})
