import type { Page } from 'playwright-core'
import { requestCode, headline, linkIn, signIn, TestBrowser, enterCode } from './support/browser'
import { moveClock } from './support/clock'
import { GRACE, openDemo, type TestShop } from './support/shop'
import { Visitor } from './support/visitor'

describe('codes and links in a browser', () => {
  let shop: TestShop
  let browser: TestBrowser
  let email: string
  let members = 0
  beforeAll(async () => {
    shop = await openDemo()
    browser = await TestBrowser.launch()
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
    it('that is wrong leads to an empty field with the focus and the reason', async () => {
      const page = await browser.visit(shop)
      await requestCode(page, email)
      await enterCode(page, 'wr0ng1')
      expect(await page.getByRole('alert').innerText()).toMatch(/^That code didn’t work\./)
      const field = page.getByLabel('Your code')
      expect(await field.inputValue()).toBe('')
      expect(page.url()).toBe(`${shop.url}/login/verify`)
      expect(await field.getAttribute('aria-describedby')).toBe('problem')
      expect(await page.title()).toMatch(/^Problem: /)
      expect(await field.evaluate((input) => document.activeElement === input)).toBe(true)
      await enterCode(page, shop.store.lastCode(email))
      expect(await headline(page)).toBe('Oakham Freight')
    })

    it('that has expired says so, and a tap sends a new one', async () => {
      const page = await browser.visit(shop)
      await requestCode(page, email)
      moveClock(601)
      await enterCode(page, shop.store.lastCode(email))
      expect(await page.getByRole('alert').innerText()).toContain('expired or already used')
      expect(await page.getByRole('main').innerText()).toContain('It has expired.')
      await page.getByRole('button', { name: 'Send a new code' }).click()
      await page.waitForURL('**/login/verify')
      await enterCode(page, shop.store.lastCode(email))
      expect(await headline(page)).toBe('Oakham Freight')
    })

    it('works once', async () => {
      const [first, second] = [await browser.visit(shop), await browser.visit(shop)]
      await requestCode(second, email)
      await signIn(first, shop, email)
      await enterCode(second, shop.store.lastCode(email))
      expect(await second.getByRole('alert').innerText()).toContain('already used')
    })

    it('can be replaced after half a minute, and then no longer works', async () => {
      const page = await browser.visit(shop)
      await page.clock.install()
      await requestCode(page, email)
      const old = shop.store.lastCode(email)
      const again = page.getByRole('button', { name: /^Send a new code/ })
      expect(await again.innerText()).toMatch(/in (30|29) s$/)
      expect(await again.isDisabled()).toBe(true)
      expect(await page.locator('[data-left] b').innerText()).toBe('10')
      moveClock(31)
      await page.clock.runFor(31_000)
      await again.click()
      await page.waitForURL('**/login/verify')
      await enterCode(page, old)
      expect(await page.getByRole('alert').isVisible()).toBe(true)
      await enterCode(page, shop.store.lastCode(email))
      expect(await headline(page)).toBe('Oakham Freight')
    })

    it('shows the minutes until it expires', async () => {
      const page = await browser.visit(shop)
      await page.clock.install()
      await requestCode(page, email)
      await page.clock.runFor(61_000)
      expect(await page.locator('[data-left] b').innerText()).toBe('9')
      await page.clock.runFor(540_000)
      expect(await page.getByRole('main').innerText()).toContain('It has expired.')
    })
  })

  describe('the link in the mail', () => {
    let link: string
    beforeEach(async () => {
      const page = await browser.visit(shop)
      await requestCode(page, email)
      link = await linkIn(page, shop, email)
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

    it('is not used up by a mail scanner, not even by one that runs scripts', async () => {
      shop.store.clearRequests()
      await new Visitor(shop).get('/login/link')
      await (await browser.visit(shop)).goto(link)
      expect(shop.store.count('exchange')).toBe(0)
      const page = await browser.visit(shop)
      await page.goto(link)
      await pressSignIn(page)
      expect(await headline(page)).toBe('Oakham Freight')
    })

    it('can be opened twice, and on another device says what to do', async () => {
      const page = await browser.visit(shop)
      await page.goto(link)
      await pressSignIn(page)
      await page.goto(link)
      expect(await page.getByRole('main').innerText()).toContain(`You’re signed in as ${email}.`)
      expect(await page.getByRole('button', { name: 'Sign out and continue' }).isVisible()).toBe(false)

      const other = await browser.visit(shop)
      await other.goto(link)
      await pressSignIn(other)
      expect(await other.getByRole('alert').innerText()).toContain('already used')
      moveClock(31)
      await other.getByRole('button', { name: 'Send a new code' }).click()
      await other.waitForURL('**/login/verify')
      await enterCode(other, shop.store.lastCode(email))
      expect(await headline(other)).toBe('Oakham Freight')
    })

    it('can be opened after another one in the same tab', async () => {
      const page = await browser.visit(shop)
      await page.goto('/login/link#username=somebody%40example.com&otp=abc123')
      await page.evaluate((hash) => (location.hash = hash), new URL(link).hash)
      await page.getByText(`Sign in as ${email}?`).waitFor()
      expect(page.url()).toBe(`${shop.url}/login/link`)
    })

    it.each([true, false])(
      'opened by somebody who is signed in as another signs out and continues, JavaScript: %p',
      async (javaScriptEnabled) => {
        const page = await browser.visit(shop, { javaScriptEnabled })
        await page.goto('/login/link')
        await page.getByLabel('Email address').fill(GRACE)
        await enterCode(page, shop.store.issueCode(GRACE))
        await page.goto(link)
        expect(await page.getByRole('main').innerText()).toContain(`You’re signed in as ${GRACE}.`)
        if (javaScriptEnabled) {
          expect(await page.getByRole('main').innerText()).toContain(`This link is for ${email}.`)
        }
        await page.getByRole('button', { name: 'Sign out and continue' }).click()
        if (!javaScriptEnabled) {
          await page.getByLabel('Email address').fill(email)
          await enterCode(page, shop.store.lastCode(email))
        }
        await page.waitForURL('**/account')
        expect(await headline(page)).toBe('Oakham Freight')
      },
    )

    it('without an address asks for the address alone', async () => {
      const page = await browser.visit(shop)
      await page.goto(`/login/link#otp=${shop.store.lastCode(email) ?? ''}`)
      expect(await page.getByLabel('Your code').isVisible()).toBe(false)
      await page.keyboard.type(email)
      await page.keyboard.press('Enter')
      await page.waitForURL('**/account')
      expect(await headline(page)).toBe('Oakham Freight')
    })

    it('shows no text that whoever wrote the link put into it', async () => {
      const page = await browser.visit(shop)
      await page.goto('/login/link#username=URGENT%3A%20call%200800%20555%200100%20a%40b&otp=abc123')
      expect(await page.getByRole('main').innerText()).not.toContain('URGENT')
      expect(await page.getByLabel('Email address').isVisible()).toBe(true)
    })

    it('without JavaScript asks for the code', async () => {
      const page = await browser.visit(shop, { javaScriptEnabled: false })
      await page.goto(link)
      await page.getByLabel('Email address').fill(email)
      await enterCode(page, shop.store.lastCode(email))
      expect(await headline(page)).toBe('Oakham Freight')
    })
  })

  describe('while Elastic Path is down', () => {
    const breakStore = () => shop.store.fault('any', { status: 503 }, { times: Infinity })

    it('requesting a code and signing in fail on a page that leads back', async () => {
      const page = await browser.visit(shop)
      await page.goto('/login')
      breakStore()
      await page.getByLabel('Email address').fill(email)
      await page.getByRole('button', { name: 'Send me a code' }).click()
      await outage(page)
      shop.store.clearFaults()
      await page.getByRole('link', { name: 'Try again' }).click()
      await requestCode(page, email)
      breakStore()
      await enterCode(page, shop.store.lastCode(email))
      await outage(page)
      shop.store.clearFaults()
      await page.getByRole('link', { name: 'Try again' }).click()
      await enterCode(page, shop.store.lastCode(email))
      expect(await headline(page)).toBe('Oakham Freight')
    })

    it('a signed-in shopper stays signed in, in the same company', async () => {
      shop.store.setAccounts(email, [{ name: 'Oakham Freight' }, { name: 'Penrose Marine' }])
      const page = await browser.visit(shop)
      await signIn(page, shop, email)
      await page.getByRole('button', { name: 'Oakham Freight' }).click()
      await page.goto('/accounts')
      breakStore()
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
      breakStore()
      await page.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click()
      await page.waitForURL(shop.url + '/')
      expect(await page.getByRole('navigation').innerText()).toContain('Sign in')
    })

    async function outage(page: Page): Promise<void> {
      expect(await headline(page)).toBe('The store isn’t responding')
      expect(await page.getByRole('main').innerText()).not.toMatch(/\bat |ElasticPath|503 /)
    }
  })
})

async function pressSignIn(page: Page): Promise<void> {
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => url.pathname !== '/login/link')
}
