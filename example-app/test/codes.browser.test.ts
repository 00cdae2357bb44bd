import type { Page } from 'playwright-core'
import { askForCode, headline, linkIn, signIn, TestBrowser, typeCode } from './support/browser'
import { moveClock, openDemo, type TestShop } from './support/shop'
import { describeWith } from './support/tools'
import { Visitor } from './support/visitor'

describeWith('chromium', 'codes and links in a browser', (chromium) => {
  let shop: TestShop
  let browser: TestBrowser
  let email: string
  let members = 0
  beforeAll(async () => {
    shop = await openDemo()
    browser = await TestBrowser.launch(chromium)
  })
  beforeEach(() => {
    email = `shopper-${++members}@example.com`
    shop.store.addMember({ username: email, accounts: [{ name: 'Oakham Freight' }] })
  })
  afterEach(async () => {
    shop.store.clearFaults()
    await browser.endVisits()
  })
  afterAll(async () => {
    await browser.close()
    await shop.close()
    expect(browser.complaints).toEqual([])
  })

  describe('a code', () => {
    it('that is wrong is kept in the field, ready to be put right', async () => {
      const page = await browser.visit(shop)
      await askForCode(page, email)
      await typeCode(page, 'wr0ng1')
      expect(await page.getByRole('alert').innerText()).toMatch(/^That code did not work\./)
      const field = page.getByLabel('Your code')
      expect(await field.inputValue()).toBe('wr0ng1')
      expect(await field.getAttribute('aria-describedby')).toBe('problem')
      expect(await page.title()).toMatch(/^Problem: /)
      expect(await field.evaluate((input) => document.activeElement === input)).toBe(true)
      await typeCode(page, shop.store.lastCode(email))
      expect(await headline(page)).toBe('Oakham Freight')
    })

    it('that is too old says so, and a tap brings a new one', async () => {
      const page = await browser.visit(shop)
      await askForCode(page, email)
      moveClock(601)
      await typeCode(page, shop.store.lastCode(email))
      expect(await page.getByRole('alert').innerText()).toContain('or too old')
      expect(await page.getByRole('main').innerText()).toContain('That code is too old by now')
      await page.getByRole('button', { name: 'Send a new code' }).click()
      await page.waitForURL('**/login/verify')
      await typeCode(page, shop.store.lastCode(email))
      expect(await headline(page)).toBe('Oakham Freight')
    })

    it('works once', async () => {
      const [first, second] = [await browser.visit(shop), await browser.visit(shop)]
      await askForCode(second, email)
      await signIn(first, shop, email)
      await typeCode(second, shop.store.lastCode(email))
      expect(await second.getByRole('alert').innerText()).toContain('used before')
    })

    it('can be followed by another after half a minute, and then no longer works', async () => {
      const page = await browser.visit(shop)
      await page.clock.install()
      await askForCode(page, email)
      const old = shop.store.lastCode(email)
      const again = page.getByRole('button', { name: /^Send a new code/ })
      expect(await again.innerText()).toMatch(/in (30|29) s$/)
      expect(await again.isDisabled()).toBe(true)
      expect(await page.locator('[data-left] b').innerText()).toBe('10')
      moveClock(31)
      await page.clock.runFor(31_000)
      await again.click()
      await page.waitForURL('**/login/verify')
      await typeCode(page, old)
      expect(await page.getByRole('alert').isVisible()).toBe(true)
      await typeCode(page, shop.store.lastCode(email))
      expect(await headline(page)).toBe('Oakham Freight')
    })

    it('counts its minutes down', async () => {
      const page = await browser.visit(shop)
      await page.clock.install()
      await askForCode(page, email)
      await page.clock.runFor(61_000)
      expect(await page.locator('[data-left] b').innerText()).toBe('9')
      await page.clock.runFor(540_000)
      expect(await page.getByRole('main').innerText()).toContain('That code is too old by now')
    })
  })

  describe('the link in the mail', () => {
    let link: string
    beforeEach(async () => {
      const page = await browser.visit(shop)
      await askForCode(page, email)
      link = await linkIn(page, email)
    })

    it('signs in on another device with one tap, and leaves no trace of the code', async () => {
      const code = shop.store.lastCode(email) ?? '?'
      const page = await browser.visit(shop)
      const requests: string[] = []
      page.on('request', (request) => requests.push(`${request.url()} ${request.headers()['referer'] ?? ''}`))
      await page.goto(link)
      expect(page.url()).toBe(`${shop.url}/login/link`)
      expect(await page.getByRole('main').innerText()).toContain(`Sign in as ${email}?`)
      expect(await page.getByLabel('Your code').isVisible()).toBe(false)
      await pressSignIn(page)
      expect(await headline(page)).toBe('Oakham Freight')
      expect(requests.length).toBeGreaterThan(1)
      expect(requests.join()).not.toContain(code)
      await page.goBack()
      expect(page.url()).not.toContain(code)
    })

    it('is not spent by a scanner, not even by one that runs scripts', async () => {
      shop.store.clearRequests()
      await new Visitor(shop).get('/login/link')
      await (await browser.visit(shop)).goto(link, { waitUntil: 'networkidle' })
      expect(shop.store.count('exchange')).toBe(0)
      const page = await browser.visit(shop)
      await page.goto(link)
      await pressSignIn(page)
      expect(await headline(page)).toBe('Oakham Freight')
    })

    it('opened twice is no problem here, and elsewhere says what to do', async () => {
      const page = await browser.visit(shop)
      await page.goto(link)
      await pressSignIn(page)
      await page.goto(link)
      expect(await page.getByRole('main').innerText()).toContain(`You are signed in already, as ${email}.`)

      const other = await browser.visit(shop)
      await other.goto(link)
      await pressSignIn(other)
      expect(await other.getByRole('alert').innerText()).toContain('used before')
      moveClock(31)
      await other.getByRole('button', { name: 'Send a new code' }).click()
      await other.waitForURL('**/login/verify')
      await typeCode(other, shop.store.lastCode(email))
      expect(await headline(other)).toBe('Oakham Freight')
    })

    it('may follow another one in the same tab', async () => {
      const page = await browser.visit(shop)
      await page.goto('/login/link#username=somebody%40example.com&otp=abc123')
      await page.evaluate((hash) => (location.hash = hash), new URL(link).hash)
      await page.getByText(`Sign in as ${email}?`).waitFor()
      expect(page.url()).toBe(`${shop.url}/login/link`)
    })

    it('without JavaScript asks for the code', async () => {
      const page = await browser.visit(shop, { javaScriptEnabled: false })
      await page.goto(link)
      await page.getByLabel('E-mail address').fill(email)
      await typeCode(page, shop.store.lastCode(email))
      expect(await headline(page)).toBe('Oakham Freight')
    })
  })

  describe('while Commerce is down', () => {
    const break_ = () => shop.store.fault('any', { status: 503 }, { times: Infinity })

    it('asking for a code, and signing in, end on a page from which it goes on later', async () => {
      const page = await browser.visit(shop)
      await page.goto('/login')
      break_()
      await page.getByLabel('E-mail address').fill(email)
      await page.getByRole('button', { name: 'Send me a code' }).click()
      await outage(page)
      shop.store.clearFaults()
      await page.getByRole('link', { name: 'Try again' }).click()
      await askForCode(page, email)
      break_()
      await typeCode(page, shop.store.lastCode(email))
      await outage(page)
      shop.store.clearFaults()
      await page.getByRole('link', { name: 'Try again' }).click()
      await typeCode(page, shop.store.lastCode(email))
      expect(await headline(page)).toBe('Oakham Freight')
    })

    it('a signed-in shopper stays signed in, in the same company', async () => {
      shop.store.setAccounts(email, [{ name: 'Oakham Freight' }, { name: 'Penrose Marine' }])
      const page = await browser.visit(shop)
      await signIn(page, shop, email)
      await page.getByRole('button', { name: 'Oakham Freight' }).click()
      await page.goto('/accounts')
      break_()
      await page.getByRole('button', { name: 'Penrose Marine' }).click()
      await outage(page)
      for (const path of ['/accounts', '/accounts?q=marine', '/account']) {
        await page.goto(path)
        await outage(page)
        expect(await page.getByRole('navigation').innerText()).toContain('Oakham Freight')
      }
      await page.goto('/')
      expect(await headline(page)).toContain('Good gear')
      shop.store.clearFaults()
      await page.goto('/account')
      expect(await headline(page)).toBe('Oakham Freight')
      break_()
      await page.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click()
      await page.waitForURL(shop.url + '/')
      expect(await page.getByRole('navigation').innerText()).toContain('Sign in')
    })

    async function outage(page: Page): Promise<void> {
      expect(await headline(page)).toBe('The store is not answering')
      expect(await page.getByRole('main').innerText()).not.toMatch(/\bat |ElasticPath|503 /)
    }
  })
})

async function pressSignIn(page: Page): Promise<void> {
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => url.pathname !== '/login/link')
}
