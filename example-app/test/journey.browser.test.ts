import type { Page } from 'playwright-core'
import { askForCode, DESKTOP, headline, newestLetter, PHONE, signIn, TestBrowser } from './support/browser'
import { ADA, GRACE, openDemo, type TestShop } from './support/shop'
import { describeWith } from './support/tools'

describeWith('chromium', 'the journey in a browser', (chromium) => {
  let shop: TestShop
  let browser: TestBrowser
  beforeAll(async () => {
    shop = await openDemo()
    browser = await TestBrowser.launch(chromium)
  })
  afterEach(() => browser.endVisits())
  afterAll(async () => {
    await browser.close()
    await shop.close()
    expect(browser.complaints).toEqual([])
  })

  describe.each([
    ['a phone', PHONE],
    ['a desktop', DESKTOP],
    ['a phone without JavaScript', { ...PHONE, javaScriptEnabled: false }],
    ['a desktop without JavaScript', { ...DESKTOP, javaScriptEnabled: false }],
  ])('on %s', (_device, options) => {
    it('leads from a full basket to the account page, and out again', async () => {
      const email = newMember('Seaton Marine')
      const page = await browser.visit(shop, options)
      await page.goto('/')
      await page.getByRole('button', { name: /^Add to basket.*Deck lamp$/ }).click()
      await page.getByRole('navigation').getByRole('link', { name: 'Sign in' }).click()
      await page.getByLabel('E-mail address').fill(email.toUpperCase())
      await page.getByRole('button', { name: 'Send me a code' }).click()
      expect(await page.getByRole('main').innerText()).toContain(`m•••${email.slice(email.indexOf('@') - 1)}`)

      const code = await (await newestLetter(page, email)).locator('.code').innerText()
      expect(code).toMatch(/^[a-z0-9]{6}$/)
      await page.goto('/login/verify')
      // As mail programs copy it.
      await page.getByLabel('Your code').fill(` ${code} `)
      await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
      expect(await headline(page)).toBe('Seaton Marine')
      expect(await page.getByRole('main').innerText()).toMatch(/1 item\b/)
      await noSidewaysScrolling(page)

      await page.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click()
      await page.goto('/account')
      expect(new URL(page.url()).pathname).toBe('/login')
    })

    it('lets a buyer of 250 companies find one, and another', async () => {
      const email = newMember(250)
      const page = await browser.visit(shop, options)
      await page.goto('/account')
      await signIn(page, shop, email)
      expect(await headline(page)).toBe('Who are you buying for?')
      expect(await page.getByRole('status').innerText()).toBe('250 companies, page 1 of 13')
      await noSidewaysScrolling(page)

      await page.getByRole('link', { name: 'Next' }).click()
      expect(await page.getByRole('status').innerText()).toBe('250 companies, page 2 of 13')
      await search(page, '249')
      await page.getByRole('button', { name: 'Account 249' }).click()
      expect(await headline(page)).toBe('Account 249')

      await page.getByRole('link', { name: 'Buy for another company' }).click()
      await search(page, '17')
      expect(await page.getByRole('status').innerText()).toContain('companies for “17”')
      await page.getByRole('button', { name: 'Account 17', exact: true }).click()
      expect(await headline(page)).toBe('Account 17')
      await page.goto('/accounts?q=Account+17')
      expect(await page.locator('[aria-current]').innerText()).toBe('Account 17')
    })
  })

  it('searches while the buyer types', async () => {
    const page = await browser.visit(shop)
    await signIn(page, shop, newMember(250))
    await page.evaluate(() => document.body.setAttribute('data-same-page', ''))
    await page.getByRole('searchbox').pressSequentially('24')
    await page.getByRole('status').filter({ hasText: 'companies for “24”' }).waitFor()
    await page.getByRole('searchbox').pressSequentially('9')
    await page.getByRole('status').filter({ hasText: '1 company for “249”' }).waitFor()
    expect(await page.locator('[data-same-page]').count()).toBe(1)
    await page.getByRole('button', { name: 'Account 249' }).click()
    expect(await headline(page)).toBe('Account 249')
  })

  it('works by keyboard alone', async () => {
    const page = await browser.visit(shop, DESKTOP)
    await page.goto('/')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main')
    await tabTo(page, 'Sign in as Grace')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/login/verify')
    // The field has the focus already.
    await page.keyboard.type(shop.store.lastCode(GRACE) ?? '')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/accounts')
    await tabTo(page, 'Search your companies')
    await page.keyboard.type('zennor towage')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/accounts?q=*')
    await tabTo(page, 'Zennor Towage')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/account')
    expect(await headline(page)).toBe('Zennor Towage')
    await tabTo(page, 'Sign out')
    await page.keyboard.press('Enter')
    await page.waitForURL(shop.url + '/')
  })

  it('signs out of every tab', async () => {
    const first = await browser.visit(shop)
    await signIn(first, shop, ADA)
    const second = await first.context().newPage()
    await second.goto('/account')
    await first.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click()
    await first.waitForURL(shop.url + '/')

    await second.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click()
    expect(await headline(second)).toBe('This page has grown old')
    await second.goBack()
    // Not from memory: the server is asked, and says who is signed in.
    await second.waitForURL('**/login?returnTo=%2Faccount')
  })

  it('comes back to the page that asked for it', async () => {
    const email = newMember('Marlow Rigging')
    const page = await browser.visit(shop)
    await page.goto('/accounts?q=rigging')
    await askForCode(page, email)
    await page.getByLabel('Your code').fill(shop.store.lastCode(email) ?? '')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/accounts?q=rigging')
    expect(await page.getByRole('main').getByRole('button', { name: 'Marlow Rigging' }).isVisible()).toBe(
      true,
    )
  })

  let members = 0
  function newMember(accounts: number | string): string {
    const username = `member-${++members}@example.com`
    const named = (n: number) => Array.from({ length: n }, (_, index) => ({ name: `Account ${index + 1}` }))
    shop.store.addMember({
      username,
      accounts: typeof accounts === 'number' ? named(accounts) : [{ name: accounts }],
    })
    return username
  }
})

/** Searches by typing where scripts run, and by the button where they do not. */
async function search(page: Page, text: string): Promise<void> {
  await page.getByRole('searchbox', { name: 'Search your companies' }).fill(text)
  await page.getByRole('button', { name: 'Search' }).click()
  await page
    .getByRole('status')
    .filter({ hasText: `for “${text}”` })
    .waitFor()
}

/** Presses Tab until an element of this name has the focus, and shows that it has. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab')
    const focus = await page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement
      const { outlineStyle, outlineWidth } = getComputedStyle(element)
      return {
        name: element.labels?.[0]?.textContent ?? element.textContent,
        outline: `${outlineWidth} ${outlineStyle}`,
      }
    })
    if (!focus.name.includes(name)) continue
    expect(focus.outline).toBe('3px solid')
    return
  }
  throw new Error(`"${name}" cannot be reached with the Tab key`)
}

async function noSidewaysScrolling(page: Page): Promise<void> {
  const width = await page.evaluate(() => document.documentElement.scrollWidth)
  expect(width).toBeLessThanOrEqual(page.viewportSize()?.width ?? 0)
}
