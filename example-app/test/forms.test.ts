import request, { type Response } from 'supertest'
import { ADA, GRACE, openDemo, withShop, type TestShop } from './support/shop'
import { formToken, redirectOf, setCookies, Visitor } from './support/visitor'

let shop: TestShop
beforeAll(async () => (shop = await openDemo()))
afterAll(() => shop.close())

const cookiesOf = (...responses: Response[]) =>
  responses.flatMap((response) => setCookies(response).map((cookie) => cookie.split(';')[0])).join('; ')

describe('a form', () => {
  it.each(['/basket', '/login/code', '/login', '/accounts/switch', '/logout', '/logout/everywhere'])(
    'for %s is refused without a valid token',
    async (path) => {
      const visitor = new Visitor(shop)
      await visitor.signIn(ADA)
      await visitor.get('/account')
      for (const _csrf of ['', 'f'.repeat(96), `${visitor.formToken.slice(0, -1)}x`]) {
        const { status, text } = await visitor.post(path, { _csrf })
        expect([status, text.includes('This page has expired')]).toEqual([403, true])
      }
      expect((await visitor.get('/account')).status).toBe(200)
    },
  )

  it('works in both of two tabs that were opened at once, at the first visit', async () => {
    const tabs = await Promise.all([request(shop.url).get('/'), request(shop.url).get('/')])
    for (const tab of tabs) {
      const response = await request(shop.url)
        .post('/basket')
        .set('Cookie', cookiesOf(...tabs))
        .type('form')
        .send({ _csrf: formToken(tab), sku: 'rope' })
      expect(response.status).toBe(303)
    }
  })

  it('is refused with the token of another browser', async () => {
    const [mine, theirs] = await Promise.all([request(shop.url).get('/'), request(shop.url).get('/')])
    await request(shop.url)
      .post('/basket')
      .set('Cookie', cookiesOf(mine))
      .type('form')
      .send({ _csrf: formToken(theirs), sku: 'rope' })
      .expect(403)
  })

  it.each(['cross-site', 'same-site'])(
    'is refused from a page that is %s, even with a token',
    async (site) => {
      const visitor = new Visitor(shop, { 'sec-fetch-site': site })
      await visitor.get('/')
      expect((await visitor.post('/basket', { sku: 'rope' })).status).toBe(403)
    },
  )

  it('is refused with the token from before the sign-in', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(ADA)
    // No page was loaded since, so this is the token of the sign-in form.
    expect((await visitor.post('/logout')).status).toBe(403)
  })

  it('sets one cookie, however many pages are read', async () => {
    const visitor = new Visitor(shop)
    expect(setCookies(await visitor.get('/'))).toHaveLength(1)
    expect(setCookies(await visitor.get('/login'))).toEqual([])
  })

  it('of more than 10 kB is refused with a page that says so', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/login')
    const response = await visitor.post('/login/code', { username: 'a'.repeat(20_000) })
    expect([response.status, response.text.includes('That’s too much text')]).toEqual([413, true])
  })

  it('with an unknown product is refused with a page that says so', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/')
    const { status, text } = await visitor.post('/basket', { sku: '__proto__' })
    expect([status, text.includes('This product isn’t available any more.')]).toEqual([404, true])
  })
})

describe('an expired form', () => {
  /** Sends a form whose token is from before the sign-in, or from nowhere. */
  async function expired(path: string, fields: Record<string, string>, member?: string) {
    const visitor = new Visitor(shop)
    if (member === undefined) await visitor.get('/login')
    else await visitor.signIn(member)
    const page = await visitor.post(path, { _csrf: 'expired', ...fields })
    expect(page.status).toBe(403)
    return { visitor, page }
  }

  it('for a code is offered again with the address and the way back, and then works', async () => {
    const fields = { username: ADA, returnTo: '/accounts?q=a' }
    const { visitor, page } = await expired('/login/code', fields)
    expect(page.text).toContain(`value="${ADA}"`)
    expect(page.text).toContain('name="returnTo" value="/accounts?q=a"')
    expect(redirectOf(await visitor.post('/login/code', fields))).toEqual([303, '/login/verify'])
  })

  it('for a sign-in is offered again with address and code, and then works', async () => {
    const fields = { username: ADA, otp: shop.store.issueCode(ADA) }
    const { visitor, page } = await expired('/login', fields)
    expect(page.text).toContain(`value="${ADA}"`)
    expect(page.text).toContain(`value="${fields.otp}"`)
    expect(redirectOf(await visitor.post('/login', fields))).toEqual([303, '/account'])
  })

  it.each(['/login', '/login/code'])(
    'for %s keeps the address that a code was requested for',
    async (path) => {
      const visitor = new Visitor(shop)
      await visitor.requestCode(ADA)
      const { status, text } = await visitor.post(path, { _csrf: 'expired', otp: 'abc123' })
      expect([status, text.includes(`value="${ADA}"`)]).toEqual([403, true])
    },
  )

  it.each([
    ['/basket', { sku: 'rope' }, 'Add to basket'],
    ['/logout', {}, 'Sign out'],
    ['/logout/everywhere', {}, 'Sign out everywhere'],
  ])('for %s is offered again as a button, and then works', async (path, fields, label) => {
    const { visitor, page } = await expired(path, fields, GRACE)
    expect(page.text).toContain(`action="${path}"`)
    expect(page.text).toContain(`<button>${label}</button>`)
    expect((await visitor.post(path, fields)).status).toBe(303)
  })

  it('for a company leads to the list of companies', async () => {
    const { page } = await expired('/accounts/switch', { account_id: 'x' }, GRACE)
    expect(page.text).toContain('href="/accounts"')
  })

  it('for signing out, after a sign-out in another tab, is done already', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/')
    expect(redirectOf(await visitor.post('/logout', { _csrf: 'expired' }))).toEqual([303, '/'])
  })
})

describe('behind a proxy that does not send X-Forwarded-Proto', () => {
  it('forms fail with an error page, and the log says once which settings to change', async () => {
    await withShop(openDemo({ PUBLIC_URL: 'https://shop.example.com', TRUST_PROXY: '1' }), async (own) => {
      const visitor = new Visitor(own)
      expect((await visitor.get('/login')).status).toBe(200)
      for (let n = 0; n < 2; n++) {
        const response = await visitor.post('/login/code', { username: ADA })
        expect([response.status, response.text.includes('Something went wrong')]).toEqual([500, true])
      }
      const said = own.log.lines.filter(({ msg }) => String(msg).includes('X-Forwarded-Proto'))
      expect(said).toHaveLength(1)
      expect(said[0]).toMatchObject({ level: 50, msg: expect.stringContaining('TRUST_PROXY') as unknown })
    })
  })

  it('the log says nothing if the proxy does', async () => {
    await withShop(openDemo({ PUBLIC_URL: 'https://shop.example.com', TRUST_PROXY: '1' }), async (own) => {
      await request(own.url).get('/login').set('x-forwarded-proto', 'https').expect(200)
      expect(own.log.text()).not.toContain('TRUST_PROXY')
    })
  })
})
