import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import {
  DESKTOP,
  headline,
  enterCode,
  newestLetter,
  PHONE,
  requestCode,
  signIn,
  TestBrowser,
} from './support/browser'
import { ADA, GRACE, NEMO, openDemo, type TestShop } from './support/shop'
import { Visitor } from './support/visitor'

describe('safety and access in a browser', () => {
  let shop: TestShop
  let browser: TestBrowser
  beforeAll(async () => {
    shop = await openDemo()
    browser = await TestBrowser.launch()
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

  it('a session that an attacker set before the sign-in is not signed in after it', async () => {
    const attacker = new Visitor(shop)
    await attacker.get('/')
    await attacker.post('/basket', { sku: 'rope' })
    const [name = '', value = ''] = attacker.cookie.split('=')
    const victim = await browser.visit(shop)
    await victim.context().addCookies([{ name, value, url: shop.url }])
    await signIn(victim, shop, ADA)
    expect(await headline(victim)).toBe('Fernley Boatworks')
    expect((await attacker.get('/account')).headers['location']).toBe('/login?returnTo=%2Faccount')
  })

  describe('a form on a page of another site', () => {
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

    // Requests of another site have no cookie; those of another port of this host do.
    it.each(['127.0.0.1', 'localhost'])('at %s changes nothing', async (host) => {
      const page = await browser.visit(shop)
      await signIn(page, shop, newMember(shop))
      await page.goto(`http://${host}:${(other.address() as AddressInfo).port}/`)
      await page.waitForURL(host === 'localhost' ? '**/logout' : `${shop.url}/`)
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
      await requestCode(page, newMember(shop))
      await examine(page)
      await enterCode(page, 'wrong1')
      await page.getByRole('alert').waitFor()
      await examine(page)
      // Sent although the button still counts down, as without JavaScript.
      await page
        .getByRole('button', { name: /Send a new code/ })
        .evaluate((button: HTMLButtonElement) => button.form?.requestSubmit())
      await page.getByRole('status').waitFor()
      await examine(page)
      shop.store.fault('any', { status: 503 }, { times: Infinity })
      await enterCode(page, 'wrong1')
      await page.waitForURL('**/login')
      await examine(page)
      expect(await headline(page)).toBe('The store isn’t responding')
    })

    it(`after it, ${device.viewport.width} wide`, async () => {
      const page = await visit()
      await requestCode(page, NEMO)
      await enterCode(page, shop.store.issueCode(NEMO))
      await page.waitForURL('**/no-company')
      expect(await headline(page)).toBe('You’re not part of a company yet')
      await examine(page)

      await requestCode(page, GRACE)
      await newestLetter(page, shop, GRACE)
      await examine(page)
      await page.goto('/login/verify')
      await enterCode(page, shop.store.issueCode(GRACE))
      await page.waitForURL('**/accounts')
      await examine(page)
      await page.getByRole('button', { name: 'Ashby Marine' }).click()
      await page.waitForURL('**/account')
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
