import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Request, RequestHandler } from 'express'
import { asObject, asText, at, parseJson, type JsonObject } from '../json'
import { publish, type DeliveryCode } from '../diagnostics'
import { checkNames } from '../options'

/** A code that Elastic Path asks the shop to deliver to its shopper. */
export interface OtpDelivery {
  /** The event's id: the same when Elastic Path delivers it again, which it may. Drop one that was mailed already. */
  eventId: string
  /** Elastic Path's count of its tries to deliver this event, from 1. */
  attempt: number
  /** The username that asked. */
  username: string
  /** Where the code goes: the member's e-mail address. */
  email: string
  /** The member's name; empty where Elastic Path has none. */
  name: string
  /** The one-time code. It belongs in the mail, and nowhere else. */
  otp: string
  /** The ISO 8601 moment at which the code ends, ten minutes after it was made. */
  expires: string
  /** The password profile that the code is good for. */
  passwordProfileId: string
}

/** The options of {@link otpWebhook}. Both are required. */
export interface OtpWebhookOptions {
  /** The secret key of the store's webhook integration, which arrives in the header `X-Moltin-Secret-Key`. */
  secretKey: string
  /**
   * Sends the code. Its promise is awaited; where it rejects, or takes longer than nine seconds, Elastic Path delivers
   * again. What it throws is not logged, for the code can be in it: log it there.
   */
  deliver: (delivery: OtpDelivery) => unknown
}

const EVENT = 'one-time-password-token-request.created'
const PURPOSE = 'passwordless_authentication'
const CODE_LIFETIME = 10 * 60_000
const HEADER_TEXT = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/
const MAX_BODY_BYTES = 100 * 1024
// Elastic Path gives up after ten seconds (fact 24); an answer has to be on its way before.
const TIME = 9000

/**
 * A handler for the webhook by which Elastic Path hands over the codes that it made: the store's integration for the
 * event `one-time-password-token-request.created`. With or without a body parser before it. Answers 204 once `deliver`
 * has resolved and for events that are not ours, 401 for a wrong secret key, 400 for what is no event, and 500 where
 * `deliver` rejects or takes longer than nine seconds.
 *
 * @throws TypeError without a secret key, for an open webhook would let anybody send mail in the shop's name; for one
 * that no header can carry; and without a function to deliver.
 *
 * @example
 * ```ts
 * const deliver = ({ email, otp }) => sendMail(email, `Your code is ${otp}`)
 * app.post('/webhooks/otp', otpWebhook({ secretKey: process.env.EPCC_WEBHOOK_SECRET, deliver }))
 * ```
 */
export function otpWebhook(options: OtpWebhookOptions): RequestHandler {
  const { secretKey, deliver } = asObject(options) ?? {}
  if (typeof secretKey !== 'string' || secretKey.trim() === '') {
    throw new TypeError(
      "otpWebhook: secretKey is required: the secret key of the store's webhook integration",
    )
  }
  if (!HEADER_TEXT.test(secretKey)) {
    throw new TypeError(
      'otpWebhook: secretKey must be what a header can carry: ASCII, with no space and no line end around it',
    )
  }
  checkNames('otpWebhook', options, { secretKey: true, deliver: true, strategy: true } as never)
  if (typeof deliver !== 'function')
    throw new TypeError('otpWebhook: deliver must be a function that sends the code')
  const expected = digest(secretKey)

  async function receive(req: Request): Promise<{ status: number; code?: DeliveryCode }> {
    const secret = req.headers['x-moltin-secret-key']
    // Digests have one length, so that comparing them tells nothing of the key's.
    if (!timingSafeEqual(digest(typeof secret === 'string' ? secret : ''), expected)) {
      return { status: 401, code: 'wrong_secret' }
    }
    const event = asObject(await readBody(req))
    const name = asText(event?.['triggered_by'])
    if (!event || name === undefined) return { status: 400, code: 'bad_event' }
    if (name !== EVENT) return { status: 204, code: 'ignored_event' }
    const delivery = readEvent(event)
    if (typeof delivery === 'string') return { status: delivery === 'bad_event' ? 400 : 204, code: delivery }
    try {
      await (deliver as OtpWebhookOptions['deliver'])(delivery)
      return { status: 204 }
    } catch {
      // The mailer's error is the app's to log, in deliver: the code and the address can be in it.
      return { status: 500, code: 'delivery_failed' }
    }
  }

  return (req, res) => {
    const startedAt = performance.now()
    let answered = false
    const timer = setTimeout(() => answer({ status: 500, code: 'delivery_timeout' }), TIME)

    function answer({ status, code }: { status: number; code?: DeliveryCode }): void {
      if (answered) return
      answered = true
      clearTimeout(timer)
      const duration = performance.now() - startedAt
      const outcome = status < 300 ? 'success' : 'error'
      publish({ operation: 'delivery', outcome, ...(code === undefined ? {} : { code }), duration, calls: 0 })
      if (res.headersSent) return
      // What is left of a body that was not read to its end must not be taken for the next request.
      if (!req.complete) res.setHeader('Connection', 'close')
      res.statusCode = status
      res.end()
    }

    receive(req).then(answer, () => answer({ status: 400, code: 'bad_event' }))
  }
}

/** Fact 22; codes for another purpose than signing in, such as a password's reset, are others' to deliver. */
function readEvent(event: JsonObject): OtpDelivery | 'bad_event' | 'ignored_event' {
  const payload = event['payload']
  const purpose = at(payload, 'purpose')
  if (typeof purpose !== 'string') return 'bad_event'
  if (purpose !== PURPOSE) return 'ignored_event'
  const eventId = asText(event['id'])
  const email = asText(at(payload, 'user_authentication_info', 'email'))
  const username = asText(at(payload, 'user_authentication_password_profile_info', 'username'))
  const otp = asText(at(payload, 'one_time_password_token'))
  const passwordProfileId = asText(at(payload, 'password_profile_id'))
  const { attempt } = event
  if (eventId === undefined || email === undefined || otp === undefined) return 'bad_event'
  if (username === undefined || passwordProfileId === undefined) return 'bad_event'
  const created = Date.parse(asText(at(payload, 'created_at')) ?? '')
  const expires = new Date((Number.isNaN(created) ? Date.now() : created) + CODE_LIFETIME).toISOString()
  return {
    eventId,
    attempt: typeof attempt === 'number' && Number.isSafeInteger(attempt) && attempt >= 1 ? attempt : 1,
    username,
    email,
    name: asText(at(payload, 'user_authentication_info', 'name')) ?? '',
    otp,
    expires,
    passwordProfileId,
  }
}

/** The JSON of the body: as a parser has left it, in whichever form, or read from the request itself. */
async function readBody(req: Request): Promise<unknown> {
  const parsed: unknown = req.body
  if (typeof parsed === 'string' || parsed instanceof Uint8Array)
    return parseJson(Buffer.from(parsed).toString('utf8'))
  const untouched = !req.readableDidRead && Object.keys(asObject(parsed) ?? {}).length === 0
  return untouched ? parseJson(await readText(req)) : parsed
}

function readText(req: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_BODY_BYTES) {
        chunks.push(chunk)
        return
      }
      req.pause()
      reject(new Error('the body is too large'))
    })
    req.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    req.once('error', reject)
    req.once('close', () => reject(new Error('the body broke off')))
  })
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
