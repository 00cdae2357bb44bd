import http from 'node:http'
import { once } from 'node:events'
import { createCompanyFinder } from '../src/companies'
import { moveClock } from './support/clock'
import { ADA, GRACE, newMember, openDemo, type TestShop } from './support/shop'
import { redirectOf, Visitor } from './support/visitor'

let shop: TestShop
beforeAll(async () => (shop = await openDemo()))
afterAll(() => shop.close())

describe('every page', () => {
  it('has a strict policy, and keeps to it', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(ADA)
    for (const path of [
      '/',
      '/login',
      '/login/link',
      '/login/no-company',
      '/account',
      '/accounts',
      '/mailbox',
      '/none',
    ]) {
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

  it('is free of tokens of Elastic Path', async () => {
    const visitor = new Visitor(shop)
    shop.store.clearRequests()
    await visitor.signIn(GRACE)
    const pages = [await visitor.get('/accounts'), await visitor.get('/accounts?q=marine')]
    await visitor.post('/accounts/switch', { account_id: firstAccountId(pages[0]?.text) })
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
    await visitor.signIn(newMember(shop, [{ name: '<b>Bold & Sons</b>' }]))
    expect((await visitor.get('/account')).text).toContain('&lt;b&gt;Bold &amp; Sons&lt;/b&gt;')
    expect((await visitor.get('/accounts?q="><script>')).text).not.toContain('"><script>')
  })

  it('uses files that browsers may keep for an hour', async () => {
    const { status, headers } = await new Visitor(shop).get('/assets/style.css')
    expect([status, headers['cache-control']]).toEqual([200, 'public, max-age=3600'])
  })

  it('that does not exist says so', async () => {
    const { status, text } = await new Visitor(shop).get('/none')
    expect([status, text.includes('Page not found')]).toEqual([404, true])
  })
})

describe('a request that is about no page', () => {
  it.each([
    ['OPTIONS', '*', 204],
    ['GET', '*', 400],
    ['OPTIONS', '/login', 200],
    ['GET', 'http://localhost/login', 200],
  ])('%s %s gets %p', async (method, path, status) => {
    const { hostname, port } = new URL(shop.url)
    const request = http.request({ hostname, port, method, path, agent: false }).end()
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    response.resume()
    expect(response.statusCode).toBe(status)
  })
})

describe('the account page', () => {
  it.each([
    [1, false],
    [2, true],
  ])('of a member of %p companies offers to switch: %p', async (accounts, offers) => {
    const visitor = new Visitor(shop)
    await visitor.signIn(newMember(shop, accounts))
    if (accounts > 1) {
      const { text } = await visitor.get('/accounts')
      await visitor.post('/accounts/switch', { account_id: firstAccountId(text) })
    }
    const { status, text } = await visitor.get('/account')
    expect([status, text.includes('Switch company')]).toEqual([200, offers])
  })
})

describe('the list of companies', () => {
  it('refuses one of another member, and changes nothing', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(ADA)
    await visitor.get('/account')
    const fields = { account_id: '00000000-0000-4000-8000-000000000000' }
    const { status, text } = await visitor.post('/accounts/switch', fields)
    expect([status, text.includes('You can’t buy for this company')]).toEqual([403, true])
    expect((await visitor.get('/account')).text).toContain('Fernley Boatworks')
  })

  it.each(['2', '600', '99999999'])(
    'leads from page %s, which does not exist, to the last one',
    async (page) => {
      const visitor = new Visitor(shop)
      await visitor.signIn(ADA)
      expect(redirectOf(await visitor.get(`/accounts?page=${page}`))).toEqual([302, '/accounts?q=&page=1'])
      expect((await visitor.get('/account')).status).toBe(200)
    },
  )

  it('takes one call per page, and at most 20 per search and minute', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(newMember(shop, 5_000))
    shop.store.clearRequests()
    expect((await visitor.get('/accounts?page=250')).text).toContain('page 250 of 250')
    expect(shop.store.count('renewal')).toBe(1)
    expect((await visitor.get('/accounts?q=1')).text).toContain('searched your first 2,000')
    await visitor.get('/accounts?q=12')
    expect(shop.store.count('renewal')).toBe(21)
  })
})

describe('a search for a company', () => {
  it('makes no more calls after eight seconds, and the next search calls again', async () => {
    const listAccounts = jest.fn((_user: unknown, { offset = 0 }: { offset?: number | undefined } = {}) => {
      moveClock(3)
      const accounts = Array.from({ length: 100 }, (_, n) => ({
        id: `${offset + n}`,
        name: `Yard ${offset + n}`,
      }))
      return Promise.resolve({ accounts, total: 1_000 })
    })
    const find = createCompanyFinder({ listAccounts })
    const user = { strategy: 'any', accountMemberId: 'member', username: ADA, account: null }
    for (const calls of [3, 6]) {
      expect(await find(user, 'yard', 1)).toMatchObject({ total: 300, searched: 300 })
      expect(listAccounts).toHaveBeenCalledTimes(calls)
      moveClock(1)
    }
  })
})

function firstAccountId(text = ''): string {
  return /name="account_id" value="([^"]+)"/.exec(text)?.[1] ?? ''
}
