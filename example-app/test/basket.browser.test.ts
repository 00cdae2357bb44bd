import type { Page } from 'playwright-core'
import {
  DESKTOP,
  enterCode,
  expectNoSidewaysScrolling,
  headline,
  NARROW_PHONE,
  signIn,
  TestBrowser,
} from './support/browser'
import { MINUTE, moveClock } from './support/clock'
import { ADA, GRACE, openDemo, type TestShop } from './support/shop'

// A code is sent once in half a minute.
beforeEach(() => moveClock(MINUTE))

describe('the basket in a browser', () => {
  let shop: TestShop
  let browser: TestBrowser
  beforeAll(async () => {
    shop = await openDemo()
    browser = await TestBrowser.launch()
  })
  afterAll(async () => {
    await browser.close()
    await shop.close()
    expect(browser.complaints).toEqual([])
  })

  it.each([
    ['a narrow phone', ADA, 0, NARROW_PHONE],
    ['a narrow phone without JavaScript', GRACE, 1, { ...NARROW_PHONE, javaScriptEnabled: false }],
    ['a desktop', GRACE, 3, DESKTOP],
  ])('goes from a guest to an order, on %s', async (_device, email, first, device) => {
    const page = await browser.visit(shop, device)
    await addToBasket(page, 'Mooring rope')
    await addToBasket(page, 'Deck lamp')
    await page.getByRole('navigation').getByRole('link', { name: 'Basket' }).click()
    await page.getByLabel('Quantity of Mooring rope').fill('3')
    await page.getByRole('button', { name: 'Update Mooring rope' }).click()
    await expectBasket(page, ['3 Mooring rope', '1 Deck lamp'])

    // It follows the sign-in; with several companies, after the choice.
    await page.getByRole('link', { name: 'Sign in to order' }).click()
    await page.getByLabel('Email address').fill(email)
    await page.getByRole('button', { name: 'Send me a code' }).click()
    await page.waitForURL('**/login/verify')
    await enterCode(page, shop.store.lastCode(email))
    await page.waitForURL(email === GRACE ? '**/accounts' : '**/basket')
    if (email === GRACE) await choose(page, first)
    await expectBasket(page, ['3 Mooring rope', '1 Deck lamp'])

    if (email === GRACE) {
      await choose(page, first + 1)
      await expectBasket(page, [])
      await choose(page, first)
      await expectBasket(page, ['3 Mooring rope', '1 Deck lamp'])
    }

    await page.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click()
    await expectBasket(page, [])
    moveClock(MINUTE)
    await addToBasket(page, 'Marker buoy')
    await addToBasket(page, 'Mooring rope')
    await signIn(page, shop, email)
    if (email === GRACE) await choose(page, first)
    // Nothing is merged before the shopper asks for it.
    await expectBasket(page, ['1 Marker buoy', '1 Mooring rope'])
    expect(await page.getByRole('main').innerText()).toContain('You also have a saved basket with 4 items')
    await page.getByRole('button', { name: 'Add them' }).click()
    await expectBasket(page, ['1 Marker buoy', '4 Mooring rope', '1 Deck lamp'])

    await page.getByRole('link', { name: 'Order', exact: true }).click()
    await expectNoSidewaysScrolling(page)
    for (const [label, text] of Object.entries({
      'First name': 'Ada',
      'Last name': 'Byron',
      'Street and number': '12 Quay Street',
      City: 'Fernley',
      'County or region': 'Cornwall',
      Postcode: 'TR1 1AA',
      'Country code (for example GB or DE)': 'GB',
    })) {
      await page.getByLabel(label).fill(text)
    }
    await page.getByRole('button', { name: 'Place the order' }).click()
    expect(await headline(page)).toBe('Thank you')
    const [number = ''] = /NQ-\w+/.exec(await page.getByRole('main').innerText()) ?? []
    await page.getByRole('link', { name: 'Orders' }).click()
    await page.getByRole('link', { name: number }).waitFor()
    await expectNoSidewaysScrolling(page)
    await expectBasket(page, [])
  })

  it('says in a stale tab that the company was switched, and leads both ways', async () => {
    const page = await browser.visit(shop, NARROW_PHONE)
    await signIn(page, shop, GRACE)
    await choose(page, 5)
    await page.goto('/')
    const other = await page.context().newPage()
    await choose(other, 6)
    await page.getByRole('button', { name: /^Add to basket.*Deck lamp$/ }).click()
    expect(await headline(page)).toBe(`You switched to ${await nameOf(other)} in another tab`)
    await expectNoSidewaysScrolling(page)
    await page.getByRole('button', { name: /^Switch back to/ }).click()
    expect(await headline(page)).toBe('Your basket')
    await expectBasket(page, [])
  })

  async function addToBasket(page: Page, product: string): Promise<void> {
    await page.goto('/')
    await page.getByRole('button', { name: new RegExp(`^Add to basket.*${product}$`) }).click()
    await page.getByRole('link', { name: 'In your basket' }).waitFor()
  }

  /** Chooses one of Grace's companies. */
  async function choose(page: Page, which: number): Promise<void> {
    await page.goto('/accounts')
    await page.locator('.companies button').nth(which).click()
    await page.waitForURL((url) => !url.pathname.startsWith('/accounts'))
  }

  async function nameOf(page: Page): Promise<string> {
    await page.goto('/account')
    return headline(page)
  }

  async function expectBasket(page: Page, expected: string[]): Promise<void> {
    await page.goto('/basket')
    await expectNoSidewaysScrolling(page)
    const found: string[] = []
    for (const line of await page.locator('.lines > li').all()) {
      found.push(
        `${await line.locator('.quantity').inputValue()} ${await line.locator('strong').innerText()}`,
      )
    }
    expect(found).toEqual(expected)
  }
})
