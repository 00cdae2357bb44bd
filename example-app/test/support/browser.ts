import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import type { TestShop } from './shop'
import { requireTool } from './tools'

export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
export const NARROW_PHONE = { ...PHONE, viewport: { width: 320, height: 568 } }
export const DESKTOP = { viewport: { width: 1280, height: 800 } }

const SWITCHES =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking ' +
  '--disable-component-update --disable-sync'

/** A real browser for the tests of one file. */
export class TestBrowser {
  /** Errors of scripts, and violations of the Content-Security-Policy. */
  readonly complaints: string[] = []

  private constructor(private readonly browser: Browser) {}

  static async launch(): Promise<TestBrowser> {
    const executablePath = requireTool('chromium')
    return new TestBrowser(await chromium.launch({ executablePath, args: SWITCHES.split(' ') }))
  }

  /** The browser of a shopper: no cookies yet. */
  async visit(shop: TestShop, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ ...PHONE, baseURL: shop.url, ...options })
    // Only a page that hangs takes this long.
    context.setDefaultTimeout(60_000)
    context.on('weberror', (event) => this.complaints.push(event.error().message))
    context.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) this.complaints.push(message.text())
    })
    return context.newPage()
  }

  async endVisits(): Promise<void> {
    await Promise.all(this.browser.contexts().map((context) => context.close()))
  }

  close(): Promise<void> {
    return this.browser.close()
  }
}

export async function requestCode(page: Page, email: string): Promise<void> {
  await page.goto('/login?another=1')
  await page.getByLabel('Email address').fill(email)
  await page.getByRole('button', { name: 'Send me a code' }).click()
  await page.waitForURL('**/login/verify')
}

export async function enterCode(page: Page, code: string | undefined): Promise<void> {
  await page.getByLabel('Your code').fill(code ?? '')
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
}

export async function signIn(page: Page, shop: TestShop, email: string): Promise<void> {
  await requestCode(page, email)
  await enterCode(page, shop.store.lastCode(email))
  await page.waitForURL(/\/accounts?$/)
}

/** The newest letter to an address, on the mailbox page. */
export async function newestLetter(page: Page, shop: TestShop, email: string) {
  await shop.delivered()
  await page.goto('/mailbox')
  return page.getByRole('article').filter({ hasText: email }).first()
}

export async function linkIn(page: Page, shop: TestShop, email: string): Promise<string> {
  const letter = await newestLetter(page, shop, email)
  return (await letter.getByRole('link', { name: 'sign in with the link' }).getAttribute('href')) ?? ''
}

export const headline = (page: Page) => page.getByRole('heading', { level: 1 }).innerText()

export async function expectNoSidewaysScrolling(page: Page): Promise<void> {
  const width = await page.evaluate(() => document.documentElement.scrollWidth)
  expect([page.url(), width]).toEqual([page.url(), Math.min(width, page.viewportSize()?.width ?? 0)])
}
