import type { Response } from 'supertest'
import { DAY, HOUR, MINUTE, moveClock } from './support/clock'
import {
  ADA,
  GRACE,
  NEMO,
  newMember,
  openDemo,
  openOn,
  startStore,
  withShop,
  type TestShop,
} from './support/shop'
import { redirectOf, Visitor } from './support/visitor'

let shop: TestShop
beforeAll(async () => (shop = await openDemo()))
afterAll(() => shop.close())

const FIELD = 'name="otp"'

/** A response without what differs between two of the same page: times, tokens and the address. */
function comparable({ status, headers, text }: Response) {
  const own = /^(date|etag|set-cookie|content-length|ratelimit.*)$/
  return {
    status,
    headers: Object.entries(headers as Record<string, unknown>).filter(([name]) => !own.test(name)),
    text: text.replace(/\w{96}|data-(left|wait)="\d+"|member-\w+@example\.com/g, ''),
  }
}

describe('the sign-in page', () => {
  it('takes addresses as text, so that browsers do not rewrite international domains', async () => {
    for (const path of ['/login', '/login/link']) {
      const { text } = await new Visitor(shop).get(path)
      expect(text).toMatch(/name="username" type="text" inputmode="email" autocomplete="email"/)
      expect(text).not.toContain('type="email"')
    }
  })

  it.each([
    ['blank', ' '],
    ['longer than an address can be', 'a'.repeat(255)],
  ])('asks again for a username that is %s', async (_what, username) => {
    const visitor = new Visitor(shop)
    await visitor.get('/login')
    const { status, text } = await visitor.post('/login/code', { username })
    expect([status, text.includes('Enter your email address.')]).toEqual([400, true])
    expect(visitor.cookie).toBe('')
  })

  it('keeps no username of 9,500 characters', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/login/link')
    const response = await visitor.post('/login', { username: 'a'.repeat(9_500), otp: 'abc123' })
    expect(redirectOf(response)).toEqual([303, '/login'])
    expect(visitor.cookie).toBe('')
  })

  it('offers an empty field for another address', async () => {
    const visitor = new Visitor(shop)
    const username = newMember(shop)
    await visitor.requestCode(username)
    expect((await visitor.get('/login')).text).toContain(`value="${username}"`)
    expect((await visitor.get('/login?another=1')).text).not.toContain(username)
  })

  it.each([
    ['/account', '/account'],
    ['//elsewhere.example', '/account'],
    ['/accounts?q=a', '/accounts?q=a'],
  ])('continues, for returnTo=%s, on %s', async (returnTo, location) => {
    const visitor = new Visitor(shop)
    const username = newMember(shop)
    const page = await visitor.get(`/login?returnTo=${encodeURIComponent(returnTo)}`)
    const [, hidden] = /name="returnTo" value="([^"]*)"/.exec(page.text) ?? []
    await visitor.post('/login/code', { username, ...(hidden !== undefined && { returnTo: hidden }) })
    const response = await visitor.post('/login', { otp: shop.store.lastCode(username) ?? '' })
    expect(redirectOf(response)).toEqual([303, location])
  })
})

describe('requesting a code', () => {
  it('looks the same for a username that the store does not know', async () => {
    const journeys = [newMember(shop), 'member-x@example.com'].map(async (username) => {
      const visitor = new Visitor(shop)
      await visitor.get('/login')
      const requested = await visitor.post('/login/code', { username })
      const page = await visitor.get('/login/verify')
      const tried = await visitor.post('/login', { otp: 'wrong1' })
      return [requested, page, tried, await visitor.get('/login/verify')].map(comparable)
    })
    const [known, unknown] = await Promise.all(journeys)
    expect(known).toEqual(unknown)
  })

  it('says where the code went, if there is an account', async () => {
    const username = newMember(shop)
    const { text } = await new Visitor(shop).requestCode(username)
    expect(text).toContain('Check your email')
    expect(text).toContain(
      `If there’s an account for <strong>${username}</strong>, we’ve emailed it a 6-character code.`,
    )
  })

  it('twice in half a minute sends one code', async () => {
    const username = newMember(shop)
    const visitor = new Visitor(shop)
    await visitor.requestCode(username)
    const first = shop.store.lastCode(username)
    expect((await visitor.submit('/login/code')).text).toContain('We sent a code a moment ago')
    expect(shop.store.lastCode(username)).toBe(first)
    moveClock(31)
    await visitor.submit('/login/code')
    expect(shop.store.lastCode(username)).not.toBe(first)
  })

  /** Five codes in the first minutes; the sixth is refused. */
  async function requestTooMany(visitor: Visitor, username: string): Promise<Response> {
    await visitor.requestCode(username)
    for (let n = 1; n < 5; n++) {
      moveClock(31)
      await visitor.submit('/login/code', { username })
    }
    moveClock(31)
    return visitor.submit('/login/code', { username })
  }

  it('too often leads to the page with the field, which says when another one is possible', async () => {
    const username = newMember(shop)
    const visitor = new Visitor(shop)
    const { text } = await requestTooMany(visitor, username)
    expect(text).toContain(FIELD)
    expect(text).toContain('You’ve requested several codes.')
    expect(text).toContain('The newest one still works.')
    expect(text).toMatch(
      /another one in 1[0-5] minutes, at <time datetime="[^"]+" data-clock>\d\d:\d\d UTC<\/time>/,
    )
    expect(text).toContain('Use another address')
    const response = await visitor.post('/login', { otp: shop.store.lastCode(username) ?? '' })
    expect(redirectOf(response)).toEqual([303, '/account'])
  })

  it('too often does not claim that an expired code works', async () => {
    const visitor = new Visitor(shop)
    await requestTooMany(visitor, newMember(shop))
    moveClock(10 * MINUTE)
    const { text } = await visitor.get('/login/verify')
    expect(text).toContain('The newest one has expired.')
    expect(text).not.toContain('still works')
    moveClock(5 * MINUTE)
    expect((await visitor.get('/login/verify')).text).toContain('Send a new code')
  })

  it('too often on another device leads to the page with the field, too', async () => {
    const username = newMember(shop)
    await requestTooMany(new Visitor(shop), username)
    const other = new Visitor(shop)
    await other.get('/login')
    const { text } = await other.submit('/login/code', { username })
    expect(text).toContain(FIELD)
    expect(text).toContain('The newest one works for 10 minutes.')
  })
})

describe('a wrong code', () => {
  it('leads back to the page with the field, so that a reload sends nothing again', async () => {
    const username = newMember(shop)
    const visitor = new Visitor(shop)
    await visitor.requestCode(username)
    expect(redirectOf(await visitor.post('/login', { otp: 'wr0ng1' }))).toEqual([303, '/login/verify'])
    const page = await visitor.get('/login/verify')
    expect(page.text).toMatch(/name="otp"[^>]*aria-invalid="true"/s)
    expect(page.text).toContain('That code didn’t work.')
    expect(page.text).not.toContain('wr0ng1')
    expect((await visitor.get('/login/verify')).text).not.toContain('That code didn’t work.')
    const response = await visitor.post('/login', { otp: shop.store.lastCode(username) ?? '' })
    expect(redirectOf(response)).toEqual([303, '/account'])
  })

  it('that is empty is asked for again', async () => {
    const visitor = new Visitor(shop)
    await visitor.requestCode(newMember(shop))
    expect((await visitor.submit('/login', { otp: ' ' })).text).toContain('Enter the code from the email.')
  })

  it('of nobody leads to the sign-in page', async () => {
    const visitor = new Visitor(shop)
    await visitor.get('/login')
    expect(redirectOf(await visitor.post('/login', { otp: 'abc123' }))).toEqual([303, '/login'])
  })

  it('from the link of an email leads to a page that knows the address, and not when the code was sent', async () => {
    const username = newMember(shop)
    const visitor = new Visitor(shop)
    await visitor.get('/login/link')
    const { text } = await visitor.submit('/login', { username, otp: 'wrong1' })
    expect(text).toContain(`Enter the newest code that we emailed to <strong>${username}</strong>.`)
    expect(text).not.toContain('data-left')
  })

  it('fifteen times stops further attempts, and the page says until when', async () => {
    const username = newMember(shop)
    const visitor = new Visitor(shop)
    await visitor.requestCode(username)
    for (let n = 0; n < 15; n++) await visitor.post('/login', { otp: 'wrong1' })
    shop.store.clearRequests()
    const otp = shop.store.lastCode(username) ?? ''
    for (const { text } of [await visitor.submit('/login', { otp }), await visitor.get('/login/verify')]) {
      expect(text).toMatch(
        /Too many attempts\. Try again in 15 minutes, at <time datetime="[^"]+" data-clock>\d\d:\d\d UTC<\/time>\./,
      )
      expect(text).toContain('Use another address')
    }
    expect(shop.store.count('exchange')).toBe(0)
    moveClock(15 * MINUTE - 1)
    expect((await visitor.get('/login/verify')).text).toContain('Try again in 1 second,')
  })
})

describe('a member of no company', () => {
  it.each([
    ['orders@example.com', '<a href="mailto:orders@example.com">orders@example.com</a>'],
    ['Jo Field, 020 7946 0000', '<strong>Jo Field, 020 7946 0000</strong>'],
  ])('learns whom to ask, and can use another address: %s', async (contact, shown) => {
    await withShop(openDemo({ SUPPORT_CONTACT: contact }), async (own) => {
      const visitor = new Visitor(own)
      expect(redirectOf(await visitor.signIn(NEMO))).toEqual([303, '/login/no-company'])
      const { text } = await visitor.get('/login/no-company')
      expect(text).toContain(`contact ${shown}`)
      expect(text).toContain(NEMO)
      expect(text).toContain('href="/login?another=1"')
    })
  })
})

describe('the link of an email', () => {
  it('offers one button to whoever is signed in as somebody else', async () => {
    const visitor = new Visitor(shop)
    await visitor.signIn(GRACE)
    const { text } = await visitor.get('/login/link')
    expect(text).toContain(`You’re signed in as <strong data-member>${GRACE}</strong>.`)
    // Without JavaScript the button signs out; with it, it sends address and code of the link at once.
    expect((await visitor.submit('/logout', { next: 'link' })).text).toContain(
      'Enter your email address and the code from the email.',
    )
    await visitor.signIn(GRACE)
    await visitor.get('/login/link')
    const response = await visitor.post('/login', { username: ADA, otp: shop.store.issueCode(ADA) })
    expect(redirectOf(response)).toEqual([303, '/account'])
    expect((await visitor.get('/account')).text).toContain('Fernley Boatworks')
  })
})

describe('the limit by IP address', () => {
  const open = (env: Record<string, string>) => openDemo({ SIGN_INS_PER_ADDRESS: '2', ...env })

  /** The statuses of requests from these addresses, as a proxy reports them. */
  async function statuses(own: TestShop, addresses: string[]): Promise<number[]> {
    const found: number[] = []
    for (const [n, address] of addresses.entries()) {
      const visitor = new Visitor(own, { 'x-forwarded-for': address })
      await visitor.get('/login/link')
      found.push((await visitor.post('/login', { username: `nobody-${n}@example.com`, otp: 'x' })).status)
    }
    return found
  }

  it.each([
    ['203.0.113.7', ['203.0.113.7', '203.0.113.7:40000', '203.0.113.7:40001', '203.0.113.8']],
    ['2001:db8::1', ['2001:db8::1', '[2001:db8::1]:40000', '[2001:db8::1]', '2001:db9::1']],
    ['the last entry', ['10.0.0.1, 203.0.113.7:1', '10.0.0.2,203.0.113.7:2', '203.0.113.7', '203.0.113.8']],
  ])('counts %s without its port', async (_address, addresses) => {
    await withShop(open({ TRUST_PROXY: '1' }), async (own) => {
      expect(await statuses(own, addresses)).toEqual([303, 303, 429, 303])
    })
  })

  it('looks through trusted proxies whose addresses have ports', async () => {
    await withShop(open({ TRUST_PROXY: 'loopback, 10.0.0.0/8' }), async (own) => {
      const via = (address: string) => `${address}, 10.0.0.1:443`
      expect(
        await statuses(own, ['203.0.113.7', '203.0.113.7', '203.0.113.7', '203.0.113.8'].map(via)),
      ).toEqual([303, 303, 429, 303])
    })
  })

  it('ignores what visitors say about their address if there is no proxy', async () => {
    await withShop(open({}), async (own) => {
      expect(await statuses(own, ['203.0.113.1', '203.0.113.2', '203.0.113.3'])).toEqual([303, 303, 429])
    })
  })

  it('says when to try again', async () => {
    await withShop(open({}), async (own) => {
      const visitor = new Visitor(own)
      await visitor.get('/login/link')
      for (let n = 0; n < 2; n++) await visitor.post('/login', { username: ADA, otp: 'x' })
      moveClock(MINUTE)
      const { status, text, headers } = await visitor.post('/login', { username: ADA, otp: 'x' })
      expect([status, headers['retry-after']]).toEqual([429, '540'])
      expect(text).toMatch(/Try again in 9 minutes, at <time [^>]*>\d\d:\d\d UTC<\/time>/)
    })
  })
})

describe('a store whose account tokens end early', () => {
  it('does not sign out a member who visits', async () => {
    await withShop(openOn(await startStore([{ username: ADA }], HOUR)), async (own) => {
      const visitor = new Visitor(own)
      await visitor.signIn(ADA)
      for (let n = 0; n < DAY / HOUR; n++) {
        moveClock(HOUR - MINUTE)
        expect((await visitor.get('/account')).status).toBe(200)
      }
    })
  })
})
