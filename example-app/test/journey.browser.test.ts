import type { Page } from 'playwright-core'
import {
  DESKTOP,
  expectNoSidewaysScrolling,
  headline,
  NARROW_PHONE,
  newestLetter,
  PHONE,
  requestCode,
  signIn,
  TestBrowser,
} from './support/browser'
import { ADA, GRACE, openDemo, type TestShop } from './support/shop'

describe('the journey in a browser', () => {
  let shop: TestShop
  let browser: TestBrowser
  beforeAll(async () => {
    shop = await openDemo()
    browser = await TestBrowser.launch()
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
    it('leads from a full basket to the account page, and to the sign-out', async () => {
      const email = newMember('Seaton Marine')
      const page = await browser.visit(shop, options)
      await page.goto('/')
      await page.getByRole('button', { name: /^Add to basket.*Deck lamp$/ }).click()
      await page.getByRole('navigation').getByRole('link', { name: 'Sign in' }).click()
      await page.getByLabel('Email address').fill(email.toUpperCase())
      await page.getByRole('button', { name: 'Send me a code' }).click()
      expect(await page.getByRole('main').innerText()).toContain(
        `If there’s an account for ${email}, we’ve emailed it`,
      )

      const code = await (await newestLetter(page, shop, email)).locator('.code').innerText()
      expect(code).toMatch(/^[a-z0-9]{6}$/)
      await page.goto('/login/verify')
      // As copied from an email.
      await page.getByLabel('Your code').fill(` ${code} `)
      await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
      expect(await headline(page)).toBe('Seaton Marine')
      expect(await page.getByRole('main').innerText()).toMatch(/1 item\b/)
      await expectNoSidewaysScrolling(page)

      await page.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click()
      await page.goto('/account')
      expect(new URL(page.url()).pathname).toBe('/login')
    })

    it('lets a member of 250 companies find one, and another', async () => {
      const email = newMember(250)
      const page = await browser.visit(shop, options)
      await page.goto('/account')
      await signIn(page, shop, email)
      expect(await headline(page)).toBe('Choose a company')
      expect(await page.getByRole('status').innerText()).toBe('250 companies, page 1 of 13')
      await expectNoSidewaysScrolling(page)

      await page.getByRole('link', { name: 'Next' }).click()
      expect(await page.getByRole('status').innerText()).toBe('250 companies, page 2 of 13')
      await search(page, '249')
      await page.getByRole('button', { name: 'Account 249' }).click()
      expect(await headline(page)).toBe('Account 249')

      await page.getByRole('link', { name: 'Switch company' }).click()
      await search(page, '17')
      expect(await page.getByRole('status').innerText()).toContain('companies for “17”')
      await page.getByRole('button', { name: 'Account 17', exact: true }).click()
      expect(await headline(page)).toBe('Account 17')
      await page.goto('/accounts?q=Account+17')
      expect(await page.locator('[aria-current]').innerText()).toBe('Account 17')
    })
  })

  it('searches while the member types', async () => {
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
    // The field has the focus.
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

  it('signs out in every tab', async () => {
    const first = await browser.visit(shop)
    await signIn(first, shop, ADA)
    const second = await first.context().newPage()
    await second.goto('/account')
    await first.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click()
    await first.waitForURL(shop.url + '/')

    await second.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click()
    await second.waitForURL(shop.url + '/')
    await second.goBack()
    // The browser asks the server again, and does not show the page from its memory.
    await second.waitForURL('**/login?returnTo=%2Faccount')
  })

  it('returns to the page that asked to sign in', async () => {
    const email = newMember('Marlow Rigging')
    const page = await browser.visit(shop)
    await page.goto('/accounts?q=rigging')
    await page.getByLabel('Email address').fill(email)
    await page.keyboard.press('Enter')
    await page.waitForURL('**/login/verify')
    await page.getByLabel('Your code').fill(shop.store.lastCode(email) ?? '')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/accounts?q=rigging')
    expect(await page.getByRole('main').getByRole('button', { name: 'Marlow Rigging' }).isVisible()).toBe(
      true,
    )
  })

  it.each([
    ['320', NARROW_PHONE],
    ['360', { ...PHONE, viewport: { width: 360, height: 740 } }],
    ['1280', DESKTOP],
  ])('fits on a screen %s wide, with a company name of 60 characters', async (_width, device) => {
    const company = 'Worshipful Company of Shipwrights, Ropemakers & Lamp Makers!'
    const email = `a-long-address-without-a-place-to-break.${newMember(company)}`
    shop.store.addMember({ username: email, accounts: [{ name: company }] })
    const page = await browser.visit(shop, device)
    const look = async (path: string) => {
      await page.goto(path)
      await expectNoSidewaysScrolling(page)
    }
    for (const path of ['/', '/login', '/login/link', '/login/no-company', '/none']) await look(path)
    await requestCode(page, email)
    await expectNoSidewaysScrolling(page)
    await newestLetter(page, shop, email)
    await expectNoSidewaysScrolling(page)
    await signIn(page, shop, email)
    for (const path of ['/', '/account', '/accounts', '/login/link']) await look(path)
    const name = page.getByRole('navigation').getByRole('link', { name: company })
    expect(await name.getAttribute('title')).toBe(company)
    expect((await name.boundingBox())?.height).toBeLessThan(60)
    expect(await page.getByRole('navigation').getByRole('button', { name: 'Sign out' }).isVisible()).toBe(
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

/** Searches while typing, and without JavaScript by the button. */
async function search(page: Page, text: string): Promise<void> {
  await page.getByRole('searchbox', { name: 'Search your companies' }).fill(text)
  await page.getByRole('button', { name: 'Search' }).click()
  await page
    .getByRole('status')
    .filter({ hasText: `for “${text}”` })
    .waitFor()
}

/** Presses Tab until an element with this name has the focus, and a visible outline. */
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
