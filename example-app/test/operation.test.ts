import request from 'supertest'
import { holdNextGet } from './support/gate'
import { ADA, GRACE, openDemo, openOn, startStore, WEBHOOK_SECRET, withShop } from './support/shop'
import { setCookies, Visitor } from './support/visitor'

describe('the webhook', () => {
  it('needs the secret, and neither a session nor a form token', async () => {
    await withShop(openOn(await startStore()), async (own) => {
      const post = (secret: string) =>
        request(own.url)
          .post('/webhooks/otp')
          .set('x-moltin-secret-key', secret)
          .send({ triggered_by: 'order.created' })
      expect((await post('wrong')).status).toBe(401)
      const response = await post(WEBHOOK_SECRET)
      expect([response.status, setCookies(response)]).toEqual([204, []])
      expect(own.log.lines).toContainEqual(expect.objectContaining({ level: 50, code: 'wrong_secret' }))
    })
  })
})

describe('the probes', () => {
  it.each(['/healthz', '/readyz'])('%s succeeds without a session', async (path) => {
    await withShop(openDemo(), async (own) => {
      const response = await request(own.url).get(path)
      expect([response.status, setCookies(response)]).toEqual([200, []])
    })
  })

  it('/readyz fails while the store is down, and says no more than that', async () => {
    await withShop(openOn(await startStore()), async (own) => {
      await own.store.stop()
      const { status, text } = await request(own.url).get('/readyz')
      expect([status, text]).toEqual([
        503,
        '{"ready":false,"checks":{"commerce":false,"storage":true,"open":true}}',
      ])
    })
  })
})

describe('an unavailable storage', () => {
  it('is a page that says so, and its link leads to the same page of this shop', async () => {
    await withShop(openDemo(), async (own) => {
      own.storage.available = () => false
      const visitor = new Visitor(own)
      const { status, text } = await visitor.get('/login')
      expect([status, text.includes('Try again in a minute')]).toEqual([503, true])
      expect(text).toMatch(/href="\/login">Try again</)
      expect((await visitor.get('//elsewhere.example/account')).text).not.toContain('elsewhere.example')
      expect((await request(own.url).get('/healthz')).status).toBe(200)
    })
  })
})

describe('the log', () => {
  it('contains no code, address, cookie, query or token', async () => {
    await withShop(openOn(await startStore()), async (own) => {
      const visitor = new Visitor(own)
      await visitor.get('/login?returnTo=/account?secret')
      await visitor.requestCode(ADA)
      const otp = own.store.lastCode(ADA) ?? ''
      await visitor.post('/login', { otp })
      own.store.fault('any', 'html', { times: Infinity })
      expect((await visitor.get('/account')).status).toBe(502)
      await own.log.until(() => own.log.answered('/account').length > 0)
      const text = own.log.text()
      expect(text).toContain('"operation":"sign-in","outcome":"success"')
      const cookie = decodeURIComponent(visitor.cookie.split('=')[1] ?? '').slice(2, 30)
      for (const secret of [otp, ADA, cookie, 'secret', 'eyJ', visitor.formToken]) {
        expect(text).not.toContain(secret)
      }
    })
  })

  it('says what was attempted, from where, and by which member if that is known', async () => {
    await withShop(openOn(await startStore(), { SIGN_INS_PER_ADDRESS: '6' }), async (own) => {
      const visitor = new Visitor(own)
      await visitor.get('/login')
      await visitor.post('/login', { username: ADA, otp: 'wrong1' })
      await visitor.post('/login', { username: ` ${ADA.toUpperCase()}`, otp: 'wrong2' })
      await visitor.post('/login', { username: GRACE, otp: 'wrong3' })
      await visitor.requestCode(ADA)
      await visitor.post('/login', { otp: own.store.lastCode(ADA) ?? '' })
      await visitor.get('/account')
      await visitor.post('/accounts/switch', { account_id: 'of-somebody-else' })
      await visitor.post('/logout', { _csrf: 'forged' })
      await visitor.post('/logout')
      await visitor.get('/login')
      await visitor.post('/login/code', { username: ADA })
      await visitor.post('/login/code', { username: ADA })

      const member = expect.stringMatching(/^[\da-f-]{36}$/) as unknown
      const who = expect.stringMatching(/^[\da-f]{16}$/) as unknown
      const failed = { event: 'sign-in', outcome: 'failure', code: 'invalid_credentials', who }
      const { events } = own.log
      expect(events).toMatchObject([
        failed,
        failed,
        failed,
        { event: 'code', outcome: 'success' },
        { event: 'sign-in', outcome: 'success', member },
        { event: 'refusal', status: 403, code: 'account_not_found', member },
        { event: 'refusal', status: 403, code: 'form_expired', member },
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
    })
  })
})

describe('closing', () => {
  it('lets a request finish, and takes no new ones', async () => {
    const own = await openDemo()
    const visitor = new Visitor(own)
    await visitor.signIn(ADA)
    const gate = holdNextGet(own.storage)
    const page = visitor.get('/account')
    await gate.held
    const closed = own.close()
    gate.open()
    // The simulated store closes last.
    expect((await page).status).toBe(200)
    await closed
    await expect(request(own.url).get('/healthz')).rejects.toThrow(/ECONNREFUSED/)
  })
})

describe('the account page', () => {
  it('uses the client secret if there is one', async () => {
    const store = await startStore([{ username: ADA }])
    await withShop(openOn(store, { EPCC_CLIENT_SECRET: store.clientSecret }), async (own) => {
      const visitor = new Visitor(own)
      await visitor.signIn(ADA)
      expect((await visitor.get('/account')).status).toBe(200)
      const grants = store.requests.filter(({ call }) => call === 'access_token').map(({ body }) => body)
      expect(grants.length).toBeGreaterThan(0)
      for (const grant of grants) expect(grant).toMatchObject({ grant_type: 'client_credentials' })
    })
  })
})
