import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { eventually, type TestShop } from './shop'

export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
export const DESKTOP = { viewport: { width: 1280, height: 800 } }

const SWITCHES =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking ' +
  '--disable-component-update --disable-sync'

/** A real browser for the tests of one file. */
export class TestBrowser {
  /** What pages complained about: errors of scripts, and breaches of the Content-Security-Policy. */
  readonly complaints: string[] = []

  private constructor(private readonly browser: Browser) {}

  static async launch(executablePath: string): Promise<TestBrowser> {
    return new TestBrowser(await chromium.launch({ executablePath, args: SWITCHES.split(' ') }))
  }

  /** A shopper's own browser: no cookies yet. */
  async visit(shop: TestShop, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({ ...PHONE, baseURL: shop.url, ...options })
    context.setDefaultTimeout(10_000)
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

export async function askForCode(page: Page, email: string): Promise<void> {
  await page.goto('/login')
  await page.getByLabel('E-mail address').fill(email)
  await page.getByRole('button', { name: 'Send me a code' }).click()
  await page.waitForURL('**/login/verify')
}

export async function typeCode(page: Page, code: string | undefined): Promise<void> {
  await page.getByLabel('Your code').fill(code ?? '')
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
}

export async function signIn(page: Page, shop: TestShop, email: string): Promise<void> {
  await askForCode(page, email)
  await typeCode(page, shop.store.lastCode(email))
  await page.waitForURL(/\/accounts?$/)
}

/** The newest letter to an address. Waits for it as a shopper does: by looking again. */
export function newestLetter(page: Page, email: string) {
  return eventually(async () => {
    await page.goto('/mailbox')
    const letter = page.getByRole('article').filter({ hasText: email }).first()
    return (await letter.isVisible()) ? letter : undefined
  })
}

export function linkIn(page: Page, email: string): Promise<string> {
  return newestLetter(page, email).then(async (letter) => {
    return (await letter.getByRole('link', { name: 'sign in with the link' }).getAttribute('href')) ?? ''
  })
}

export const headline = (page: Page) => page.getByRole('heading', { level: 1 }).innerText()
