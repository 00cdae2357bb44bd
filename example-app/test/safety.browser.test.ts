import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import {
  askForCode,
  DESKTOP,
  headline,
  newestLetter,
  PHONE,
  signIn,
  TestBrowser,
  typeCode,
} from './support/browser'
import { ADA, GRACE, NEMO, openDemo, type TestShop } from './support/shop'
import { describeWith } from './support/tools'
import { Visitor } from './support/visitor'

describeWith('chromium', 'safety and access in a browser', (chromium) => {
  let shop: TestShop
  let browser: TestBrowser
  beforeAll(async () => {
    shop = await openDemo()
    browser = await TestBrowser.launch(chromium)
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

  it('a session that was planted before the sign-in is worth nothing after it', async () => {
    const attacker = new Visitor(shop)
    await attacker.get('/login')
    const [name = '', value = ''] = attacker.cookie().split('=')
    const victim = await browser.visit(shop)
    await victim.context().addCookies([{ name, value, url: shop.url }])
    await signIn(victim, shop, ADA)
    expect(await headline(victim)).toBe('Fernley Boatworks')
    expect((await attacker.get('/account')).headers['location']).toBe('/login?returnTo=%2Faccount')
  })

  describe('a form on somebody else’s page', () => {
    let other: Server
    beforeAll(async () => {
      other = createServer((_request, response) => {
        const form = `<form method="post" action="${shop.url}/logout"><input name="_csrf" value="guess"></form>`
        response
          .setHeader('content-type', 'text/html')
          .end(`${form}<script>document.forms[0].submit()</script>`)
      }).listen(0)
      await once(other, 'listening')
    })
    afterAll(() => other.close())

    // Another site, whose requests come without the cookie; and another port of this one, whose come with it.
    it.each(['127.0.0.1', 'localhost'])('at %s changes nothing', async (host) => {
      const page = await browser.visit(shop)
      await signIn(page, shop, newMember(shop))
      await page.goto(`http://${host}:${(other.address() as AddressInfo).port}/`)
      await page.waitForURL('**/logout')
      expect(await headline(page)).toBe('This page has grown old')
      await page.goto('/account')
      expect(await headline(page)).toBe('Company')
    })
  })

  describe.each([
    ['light', PHONE],
    ['dark', DESKTOP],
  ] as const)('axe finds nothing, %s', (colorScheme, device) => {
    const visit = () => browser.visit(shop, { ...device, colorScheme })

    it(`before the sign-in, ${device.viewport.width} wide`, async () => {
      const page = await visit()
      for (const path of [
        '/',
        '/login',
        '/login/link',
        '/login/link#username=a%40example.com&otp=abc123',
        '/mailbox',
        '/none',
      ]) {
        await page.goto(path)
        await examine(page)
      }
      await askForCode(page, newMember(shop))
      await examine(page)
      await typeCode(page, 'wrong1')
      await examine(page)
      await page
        .getByRole('button', { name: /Send a new code/ })
        .evaluate((button: HTMLButtonElement) => (button.disabled = false))
      await page.getByRole('button', { name: /Send a new code/ }).click()
      await page.getByRole('status').waitFor()
      await examine(page)
      shop.store.fault('any', { status: 503 }, { times: Infinity })
      await typeCode(page, 'wrong1')
      await examine(page)
      expect(await headline(page)).toBe('The store is not answering')
    })

    it(`after it, ${device.viewport.width} wide`, async () => {
      const page = await visit()
      shop.store.setAccounts(NEMO, 0)
      await askForCode(page, NEMO)
      await typeCode(page, shop.store.issueCode(NEMO))
      expect(await headline(page)).toBe('Your code was right')
      await examine(page)

      await askForCode(page, GRACE)
      await newestLetter(page, GRACE)
      await examine(page)
      await page.goto('/login/verify')
      await typeCode(page, shop.store.issueCode(GRACE))
      await examine(page)
      await page.getByRole('button', { name: 'Ashby Marine' }).click()
      await examine(page)
      for (const path of [
        '/',
        '/accounts?q=ashby',
        '/accounts?q=nothing',
        '/accounts?page=13',
        '/login/link',
      ]) {
        await page.goto(path)
        await examine(page)
      }
    })
  })
})

/** Every rule of axe-core's, its recommendations included. */
async function examine(page: Page): Promise<void> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run())
  const found = violations.map(
    ({ id, help, nodes }) => `${page.url()}: ${id}, ${help}: ${nodes.map(({ html }) => html).join(' ')}`,
  )
  expect(found).toEqual([])
}

let members = 0
function newMember(shop: TestShop): string {
  const username = `buyer-${++members}@example.com`
  shop.store.addMember({ username, accounts: [{ name: 'Company' }] })
  return username
}
