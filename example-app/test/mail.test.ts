import request from 'supertest'
import { createMailer } from '../src/mail'
import { moveClock } from './support/clock'
import { TestLog } from './support/log'
import { ADA, codeEvent, newMember, openOn, startStore, WEBHOOK_SECRET, type TestShop } from './support/shop'
import { TestMailServer } from './support/smtp'
import { redirectOf, Visitor } from './support/visitor'

const mail = new TestMailServer()
let shop: TestShop
beforeAll(async () => {
  shop = await openOn(await startStore(), {
    SMTP_URL: await mail.start(),
    MAIL_FROM: 'The Shop <codes@shop.example.com>',
    PUBLIC_URL: 'http://localhost:3000',
  })
})
beforeEach(() => void mail.letters.splice(0))
afterAll(async () => {
  await shop.close()
  await mail.stop()
})

async function deliver(event: ReturnType<typeof codeEvent>): Promise<number> {
  const post = request(shop.url).post('/webhooks/otp').set('x-moltin-secret-key', WEBHOOK_SECRET)
  return (await post.send(event)).status
}

describe('the email', () => {
  it('contains a code that signs in', async () => {
    const visitor = new Visitor(shop)
    await visitor.requestCode(ADA)
    const { text = '' } = await mail.letter()
    const [, otp = ''] = /^ {4}(\S+)$/m.exec(text) ?? []
    expect(redirectOf(await visitor.post('/login', { otp }))).toEqual([303, '/account'])
  })

  it('says all that is needed, as text and as HTML', async () => {
    const username = newMember(shop)
    await new Visitor(shop).requestCode(username)
    const { from, to, subject, text = '', html, headers } = await mail.letter()
    const code = shop.store.lastCode(username) ?? '?'
    const link = `http://localhost:3000/login/link#username=${encodeURIComponent(username)}&otp=${code}&proof=`
    expect(from?.text).toBe('"The Shop" <codes@shop.example.com>')
    expect(to).toMatchObject({ text: username })
    expect(headers.get('auto-submitted')).toBe('auto-generated')
    // Lock screens and lists of emails show the subject.
    expect(subject).toBe('Your sign-in code for Northquay')
    for (const part of [text, String(html)]) {
      expect(part).toContain(code)
      expect(part).toContain('It expires in 10 minutes and works once.')
      expect(part).toMatch(/If you didn.t request this code, you can ignore this email\./)
    }
    expect(text).toContain(link)
    expect(html).toContain(link.replaceAll('&', '&amp;'))
  })

  it.each([
    ['a message', 'URGENT: call 0800 555 0100'],
    ['an account number', 'GB29 NWBK 6016 1331 9268 19'],
    ['a link in disguise', 'evil․com/login'],
    ['reversed text', '\u202Emoc.live'],
    ['a harmless name', 'Ann Lee'],
  ])('contains no name that a stranger chose: %s', async (_what, name) => {
    // Name and username are both free to choose at some stores.
    expect(await deliver(codeEvent(shop.store, ADA, { name, username: name }))).toBe(204)
    const letter = await mail.letter()
    const everything = [letter.subject, letter.text, letter.html, JSON.stringify(letter.to)].join('\n')
    for (const form of [
      name,
      encodeURIComponent(name),
      new URLSearchParams({ n: name }).toString().slice(2),
    ]) {
      expect(everything).not.toContain(form)
    }
    expect(letter.to).toMatchObject({ value: [{ address: ADA, name: '' }] })
    expect(letter.text).toContain('/login/link#otp=abc123&proof=')
  })

  it('is sent once, however often the event is delivered', async () => {
    const event = codeEvent(shop.store, ADA)
    const statuses = await Promise.all([deliver(event), deliver(event), deliver(event)])
    expect(statuses).toEqual([204, 204, 204])
    expect(await deliver(event)).toBe(204)
    expect(mail.letters).toHaveLength(1)
  })

  it('is not sent with an expired code', async () => {
    const event = codeEvent(shop.store, ADA)
    moveClock(11 * 60)
    expect(await deliver(event)).toBe(204)
    expect(mail.letters).toEqual([])
  })

  it('is sent at a later delivery if the mail server refused it', async () => {
    mail.refusals = 2
    const username = newMember(shop)
    await new Visitor(shop).requestCode(username)
    expect((await mail.letter()).text).toContain(shop.store.lastCode(username))
    await shop.delivered()
    expect(mail.letters).toHaveLength(1)
  })

  it('that fails is in the log with the reason, and without its content', async () => {
    const log = new TestLog()
    const mailer = createMailer({
      smtpUrl: 'smtp://127.0.0.1:9',
      from: 'a@example.com',
      publicUrl: new URL(shop.url),
      storage: { claim: () => Promise.resolve('claimed'), settle: () => Promise.resolve() },
      log: log.logger,
    })
    const code = { eventId: 'event-7', attempt: 1, username: ADA, email: ADA, name: '', otp: 'abd1g5' }
    const expires = new Date(Date.now() + 60_000).toISOString()
    await expect(
      mailer.deliver({ ...code, expires, passwordProfileId: 'p', authenticationRealmId: 'r' }),
    ).rejects.toThrow()
    await log.until(() => log.lines.length >= 2)
    expect(log.lines).toContainEqual(expect.objectContaining({ eventId: 'event-7', code: 'ESOCKET' }))
    expect(log.lines).toContainEqual(
      expect.objectContaining({ msg: 'The mail server cannot be reached', code: 'ESOCKET' }),
    )
    expect(log.text()).not.toMatch(/ada@|abd1g5/)
  })
})

describe('the mailbox page', () => {
  it('does not exist if emails are really sent', async () => {
    expect((await new Visitor(shop).get('/mailbox')).status).toBe(404)
    expect((await new Visitor(shop).get('/')).text).not.toContain('Try the demo')
  })
})
