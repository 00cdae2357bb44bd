import { createTransport } from 'nodemailer'
import type { OtpDelivery } from 'passport-elasticpath-otp'
import type { Logger } from 'pino'
import { inWords } from './http/wait'
import type { Storage } from './storage/storage'
import { renderView } from './views'

/** An email as the demo's mailbox page shows it. */
export interface StoredMail {
  email: string
  otp: string
  subject: string
  link: string
  sentAt: Date
}

export interface Mailer {
  deliver(code: OtpDelivery): Promise<void>
  /** The last emails, newest first, if there is no SMTP server. */
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
/** Milliseconds. Elastic Path waits ten seconds for the webhook's response, and delivers again. */
const SEND_TIMEOUT = 8_000
/** Seconds in which nobody else sends the same email: longer than it takes to send it. */
const CLAIM_LIFETIME = 15

export function createMailer({ smtpUrl, from, publicUrl, storage, log }: MailerOptions): Mailer {
  const smtp =
    smtpUrl === undefined
      ? undefined
      : createTransport({ url: smtpUrl, connectionTimeout: 5_000, socketTimeout: SEND_TIMEOUT })
  smtp?.verify().catch((error: unknown) => log.error(reasonOf(error), 'The mail server cannot be reached'))
  const mailbox: StoredMail[] = []

  async function send(delivery: OtpDelivery) {
    const { email, otp } = delivery
    const secondsLeft = (Date.parse(delivery.expires) - Date.now()) / 1000
    // An expired code helps nobody, and the page offers a new one.
    if (secondsLeft <= 0) return
    const link = linkTo(publicUrl, delivery)
    const subject = 'Your sign-in code for Northquay'
    if (!smtp) {
      mailbox.unshift({ email, otp, subject, link, sentAt: new Date() })
      mailbox.splice(MAILBOX_SIZE)
      return
    }
    const lifetime = inWords(secondsLeft)
    const username = printableUsername(delivery)
    await inTime(
      smtp.sendMail({
        from,
        to: { name: '', address: email },
        subject,
        text: plainText(otp, link, lifetime, username),
        html: renderView('mail', { otp, link, lifetime, username, shop: publicUrl.host }),
        messageId: `<${delivery.eventId}@${publicUrl.hostname}>`,
        // Asks automatic responders not to reply.
        headers: { 'Auto-Submitted': 'auto-generated' },
      }),
    )
  }

  return {
    // Elastic Path delivers at least once; a shopper gets one email.
    async deliver(code) {
      const claim = await storage.claim(code.eventId, CLAIM_LIFETIME)
      if (claim === 'sent') return
      // The other delivery may still fail. An error makes Elastic Path deliver again.
      if (claim === 'in progress') throw new Error('This email is being sent')
      try {
        await send(code)
      } catch (error) {
        log.error({ eventId: code.eventId, ...reasonOf(error) }, 'A code could not be emailed')
        await storage.settle(code.eventId, false)
        throw error
      }
      await storage.settle(code.eventId, true)
    },
    ...(!smtp && { mailbox }),
    close: () => smtp?.close(),
  }
}

/** A mail server that sends a byte now and then never runs into the socket's timeout. */
async function inTime(sent: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_resolve, reject) => {
    const error = Object.assign(new Error('The mail server is too slow'), { code: 'ETIMEDOUT' })
    timer = setTimeout(reject, SEND_TIMEOUT, error)
  })
  try {
    await Promise.race([sent, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Why a mail server failed, without its message, which can quote the email and its address. */
function reasonOf(error: unknown): { code?: unknown; responseCode?: unknown; command?: unknown } {
  const { code, responseCode, command } = error as Record<string, unknown>
  return { code, responseCode, command }
}

/**
 * The link of the email. The fragment stays in the browser: code and proof are in no server's log and in no `Referer`
 * header. With the proof, the link works even if strangers have used up the attempts for this username.
 */
function linkTo(publicUrl: URL, delivery: OtpDelivery): string {
  const { otp, proof } = delivery
  const username = printableUsername(delivery)
  const link = new URL('/login/link', publicUrl)
  link.hash = new URLSearchParams({
    ...(username !== undefined && { username }),
    otp,
    ...(proof !== undefined && { proof }),
  }).toString()
  return link.href
}

/**
 * The username, if it can be in the email. Whoever signs up chooses name and username, perhaps with somebody else's
 * address. An email shows no text of theirs, so it names the username only if it is the address itself or one plain word.
 * If it is not, the page of the link asks for it.
 */
function printableUsername({ username, email }: OtpDelivery): string | undefined {
  const isAddress = username.toLowerCase() === email.toLowerCase()
  return isAddress || /^[a-z0-9_-]{1,32}$/i.test(username) ? username : undefined
}

function plainText(otp: string, link: string, lifetime: string, username: string | undefined): string {
  return `Your sign-in code for Northquay is

    ${otp}

It expires in ${lifetime} and works once.${username === undefined ? '' : ` It is for ${username}.`}

Or open this link and select "Sign in":
${link}

If you didn't request this code, you can ignore this email.
`
}
