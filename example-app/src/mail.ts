import { createTransport } from 'nodemailer'
import type { OtpDelivery } from 'passport-elasticpath-otp'
import { inWords } from './errors'
import type { Storage } from './storage'
import { renderView } from './views'

/** A mail as the demo's mailbox shows it. */
export interface StoredMail extends OtpDelivery {
  subject: string
  link: string
  sentAt: Date
}

export interface Mailer {
  deliver(code: OtpDelivery): Promise<void>
  /** Newest first; only where no SMTP server takes the mail. */
  mailbox?: readonly StoredMail[]
  close(): void
}

interface MailerOptions {
  smtpUrl?: string | undefined
  from: string
  publicUrl: URL
  storage: Storage
}

const MAILBOX_SIZE = 50

export function createMailer({ smtpUrl, from, publicUrl, storage }: MailerOptions): Mailer {
  const smtp =
    smtpUrl === undefined
      ? undefined
      : createTransport({ url: smtpUrl, connectionTimeout: 5_000, socketTimeout: 8_000 })
  const mailbox: StoredMail[] = []

  async function send(delivery: OtpDelivery) {
    const code = { ...delivery, name: greetable(delivery.name) }
    const link = linkTo(publicUrl, code)
    const secondsLeft = (Date.parse(code.expires) - Date.now()) / 1000
    // Commerce can be late. A code that is over helps nobody, and the page offers a new one.
    if (secondsLeft <= 0) return
    const life = inWords(secondsLeft)
    const subject = 'Your sign-in code for Northquay'
    if (!smtp) {
      mailbox.unshift({ ...code, subject, link, sentAt: new Date() })
      mailbox.splice(MAILBOX_SIZE)
      return
    }
    await smtp.sendMail({
      from,
      to: { name: code.name, address: code.email },
      subject,
      text: plainText(code, link, life),
      html: renderView('mail', { ...code, link, life, shop: publicUrl.host }),
      messageId: `<${code.eventId}@${publicUrl.hostname}>`,
      // Asks out-of-office robots and the like not to answer.
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
  }

  return {
    // Commerce delivers at least once; a shopper wants one mail.
    async deliver(code) {
      if (!(await storage.claim(code.eventId))) return
      try {
        await send(code)
      } catch (error) {
        await storage.settle(code.eventId, false)
        throw error
      }
      await storage.settle(code.eventId, true)
    },
    ...(!smtp && { mailbox }),
    close: () => smtp?.close(),
  }
}

/**
 * Who signs up chooses the name, and an address that may be another's: the shop's own letter must not carry what they
 * want that person to read, such as a line of theirs or a link.
 */
function greetable(name: string): string {
  const line = name.replace(/[\p{C}\s]+/gu, ' ').trim()
  return line.length > 60 || /:\/\/|[.\u3002\uff0e\uff61]\S/.test(line) ? '' : line
}

/** The fragment stays in the browser: no server's log and no Referer header ever has the code. */
function linkTo(publicUrl: URL, { username, otp }: OtpDelivery): string {
  const link = new URL('/login/link', publicUrl)
  link.hash = new URLSearchParams({ username, otp }).toString()
  return link.href
}

function plainText({ otp, name }: OtpDelivery, link: string, life: string): string {
  return `Hello${name && ` ${name}`},

your code for Northquay is

    ${otp}

It works once, within the next ${life}.

Or open this link, and press the button there:
${link}

Not you? Do nothing: without the code nobody gets in.
`
}
