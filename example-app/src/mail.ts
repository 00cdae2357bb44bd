import { createTransport } from 'nodemailer'
import type { OtpDelivery } from 'passport-elasticpath-otp'
import type { Logger } from 'pino'
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
  storage: Pick<Storage, 'claim' | 'settle'>
  log: Logger
}

const MAILBOX_SIZE = 50
/** Milliseconds: Commerce waits ten seconds for the webhook's answer, and comes again. */
const LONGEST_SEND = 8_000

export function createMailer({ smtpUrl, from, publicUrl, storage, log }: MailerOptions): Mailer {
  const smtp =
    smtpUrl === undefined
      ? undefined
      : createTransport({ url: smtpUrl, connectionTimeout: 5_000, socketTimeout: LONGEST_SEND })
  smtp?.verify().catch((error: unknown) => log.error(reasonOf(error), 'The mail server cannot be used'))
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
    const sent = smtp.sendMail({
      from,
      to: { name: code.name, address: code.email },
      subject,
      text: plainText(code, link, life),
      html: renderView('mail', { ...code, link, life, shop: publicUrl.host }),
      messageId: `<${code.eventId}@${publicUrl.hostname}>`,
      // Asks out-of-office robots and the like not to answer.
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
    await inTime(sent)
  }

  return {
    // Commerce delivers at least once; a shopper wants one mail.
    async deliver(code) {
      const claim = await storage.claim(code.eventId)
      if (claim === 'mailed') return
      // Whoever is at it may yet fail: Commerce shall come again.
      if (claim === 'under way') throw new Error('This mail is on its way')
      try {
        await send(code)
      } catch (error) {
        log.error({ eventId: code.eventId, ...reasonOf(error) }, 'A code could not be mailed')
        await storage.settle(code.eventId, false)
        throw error
      }
      await storage.settle(code.eventId, true)
    },
    ...(!smtp && { mailbox }),
    close: () => smtp?.close(),
  }
}

/** A mail server that says a little now and then can take for ever. */
async function inTime(sent: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_resolve, reject) => {
    const error = Object.assign(new Error('The mail server is too slow'), { code: 'ETIMEDOUT' })
    timer = setTimeout(reject, LONGEST_SEND, error)
  })
  try {
    await Promise.race([sent, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Why a mail server failed, without its words: they can quote the letter and its address. */
function reasonOf(error: unknown): { code?: unknown; responseCode?: unknown; command?: unknown } {
  const { code, responseCode, command } = error as Record<string, unknown>
  return { code, responseCode, command }
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
