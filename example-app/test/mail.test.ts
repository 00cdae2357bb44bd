import type { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import { pino } from 'pino'
import request from 'supertest'
import { createMailer } from '../src/mail'
import { ADA, codeEvent, eventually, openOn, startStore, WEBHOOK_SECRET, type TestShop } from './support/shop'
import { TestMailServer } from './support/smtp'
import { Visitor } from './support/visitor'

describe('mail', () => {
  const mail = new TestMailServer()
  let store: ElasticPathSimulator
  let shop: TestShop

  beforeAll(async () => {
    store = await startStore()
    shop = await openOn(store, {
      SMTP_URL: await mail.start(),
      MAIL_FROM: 'The Shop <codes@shop.example.com>',
      PUBLIC_URL: 'http://localhost:3000',
    })
  })
  beforeEach(() => void mail.letters.splice(0))
  afterAll(async () => {
    await shop.close()
    await store.stop()
    await mail.stop()
  })

  function ask(username: string): Promise<Visitor> {
    const visitor = new Visitor(shop)
    return visitor
      .get('/login')
      .then(() => visitor.post('/login/code', { username }))
      .then(() => visitor)
  }
  let members = 0
  function newMember(): string {
    const username = `reader-${++members}@example.com`
    store.addMember({ username, name: 'Jo <b>Reader</b>' })
    return username
  }

  it('brings a code that signs in', async () => {
    const visitor = await ask(ADA)
    const letter = await eventually(() => mail.letters[0])
    const code = /^ {4}(\S+)$/m.exec(letter.text ?? '')?.[1] ?? ''
    expect((await visitor.post('/login', { otp: code })).headers['location']).toBe('/account')
    expect((await visitor.get('/account')).text).toContain('Fernley Boatworks')
  })

  it('says all that is needed, as text and as HTML', async () => {
    const username = newMember()
    await ask(username)
    const { from, to, subject, text = '', html, headers } = await eventually(() => mail.letters[0])
    const code = store.lastCode(username) ?? '?'
    const link = `http://localhost:3000/login/link#username=${encodeURIComponent(username)}&otp=${code}`
    expect(from?.text).toBe('"The Shop" <codes@shop.example.com>')
    expect(to).toMatchObject({ value: [{ address: username }] })
    expect(headers.get('auto-submitted')).toBe('auto-generated')
    // Lock screens and lists show it.
    expect(subject).not.toContain(code)
    for (const part of [text, String(html)]) {
      expect(part).toContain(code)
      expect(part).toContain('within the next 10 minutes')
      expect(part).toContain('Not you? Do nothing')
    }
    expect(text).toContain(link)
    expect(html).toContain(link.replace('&', '&amp;'))
    expect(html).toContain('Jo &lt;b&gt;Reader&lt;/b&gt;')
  })

  it.each([
    ['a line of their own', 'Ann,\n\nyour order is held. Write to the number below.\n\nGoodbye', false],
    ['a link', 'winner, see evil.example', false],
    ['a link with a scheme', 'winner, see http://evil', false],
    ['a long tale', 'Ann '.repeat(40), false],
    ['two lines', 'Ann\r\nBcc: all', true],
  ])('does not carry what somebody else wants it to say: %s', async (_what, name, greets) => {
    const event = codeEvent(ADA)
    event.payload.user_authentication_info.name = name
    await request(shop.url)
      .post('/webhooks/otp')
      .set('x-moltin-secret-key', WEBHOOK_SECRET)
      .send(event)
      .expect(204)
    const [letter] = mail.letters
    const [, greeting = ''] = /^(Hello.*),\n\nyour code/.exec(letter?.text ?? '') ?? []
    if (greets) expect(greeting).toBe(`Hello ${name.replace('\r\n', ' ')}`)
    else if (name.includes('\n')) expect(greeting).toMatch(/^Hello[^\n]*$/)
    else expect(greeting).toBe('Hello')
    expect(letter?.to).toMatchObject({ value: [{ address: ADA }] })
    expect(letter?.html).not.toContain('evil')
    expect(letter?.bcc).toBeUndefined()
  })

  it('comes once, however often the store delivers', async () => {
    const event = codeEvent(ADA)
    const deliver = () =>
      request(shop.url).post('/webhooks/otp').set('x-moltin-secret-key', WEBHOOK_SECRET).send(event)
    const answers = await Promise.all([deliver(), deliver(), deliver()])
    // Those that come while the mail is on its way are to come again: it may yet fail.
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 500, 500])
    expect((await deliver()).status).toBe(204)
    expect(mail.letters).toHaveLength(1)
  })

  it('does not come with a code that is over', async () => {
    const event = codeEvent(ADA)
    event.payload.created_at = new Date(Date.now() - 11 * 60_000).toISOString()
    await request(shop.url)
      .post('/webhooks/otp')
      .set('x-moltin-secret-key', WEBHOOK_SECRET)
      .send(event)
      .expect(204)
    expect(mail.letters).toEqual([])
  })

  it('that the mail server refuses is sent when the store delivers again', async () => {
    mail.refusals = 2
    const username = newMember()
    await ask(username)
    const letter = await eventually(() => mail.letters[0])
    expect(letter.text).toContain(store.lastCode(username))
    expect(mail.letters).toHaveLength(1)
  })

  it('that fails is in the log with the reason, and without the letter', async () => {
    const lines: string[] = []
    const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) })
    const storage = { claim: () => Promise.resolve('mine' as const), settle: () => Promise.resolve() }
    const smtpUrl = 'smtp://127.0.0.1:9'
    const mailer = createMailer({
      smtpUrl,
      from: 'a@example.com',
      publicUrl: new URL(shop.url),
      storage,
      log,
    })
    const code = { eventId: 'event-7', attempt: 1, username: ADA, email: ADA, name: '', otp: 'abd1g5' }
    const expires = new Date(Date.now() + 60_000).toISOString()
    await expect(mailer.deliver({ ...code, expires, passwordProfileId: 'p' })).rejects.toThrow()
    await eventually(() => lines.length >= 2)
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(told).toContainEqual(expect.objectContaining({ eventId: 'event-7', code: 'ESOCKET' }))
    expect(told).toContainEqual(
      expect.objectContaining({ msg: 'The mail server cannot be used', code: 'ESOCKET' }),
    )
    expect(lines.join()).not.toMatch(/ada@|abd1g5/)
  })

  it('has no page of its own where it is really sent', async () => {
    expect((await new Visitor(shop).get('/mailbox')).status).toBe(404)
    expect((await new Visitor(shop).get('/')).text).not.toContain('Try it')
  })
})
