import { createHash, timingSafeEqual } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import type { Strategy } from 'passport'
import { DeliveryLimit } from '../codes/delivery-limit'
import { Context } from '../context'
import { outcomeOf, publish, type DiagnosticMessage } from '../diagnostics'
import { asObject } from '../json'
import { checkNames, hasMethods, refuseLimiter, type OtpLimiter } from '../options'
import { servicesOf, type Services } from '../services'
import { TtlMap } from '../ttl-map'
import { CODE_LIFETIME, readEvent, type OtpDelivery } from './otp-event'
import { readBody } from './read-body'

export type { OtpDelivery } from './otp-event'

/** The options of {@link otpWebhook}. Unknown options throw a `TypeError`; undefined ones are ignored. */
export interface OtpWebhookOptions {
  /** The secret key of the store's webhook integration. Elastic Path sends it in `X-Moltin-Secret-Key`. Required. */
  secretKey: string
  /**
   * Sends the code. Required. The webhook waits for its promise. If it throws, rejects or takes longer than nine seconds,
   * Elastic Path delivers the event again. What it throws is not logged, because it can contain the code.
   */
  deliver: (delivery: OtpDelivery) => unknown
  /**
   * The strategy of the same store. Then `deliver` receives a `proof`, events of other realms and password profiles are
   * ignored, and emails that shoppers request through this app do not count towards the limit.
   */
  strategy?: Strategy | undefined
  /** Events of other password profiles are ignored. @default that of `strategy`; without it, all are delivered */
  passwordProfileId?: string | undefined
  /**
   * Counts deliveries; false turns the limit off. Several processes need a limiter that they share.
   *
   * @default ten in 15 minutes per address, in memory
   */
  limiter?: OtpLimiter | false | undefined
}

interface Result {
  status: number
  code?: DiagnosticMessage['code']
}

const OPTION_NAMES: Record<keyof OtpWebhookOptions, true> = {
  secretKey: true,
  deliver: true,
  strategy: true,
  passwordProfileId: true,
  limiter: true,
}
const HEADER_TEXT = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/
// Milliseconds. Elastic Path waits ten seconds for a response.
const TIME = 9000
// For the look-up of realm and profile. It ends earlier, so that its timeout does not look like one of `deliver`.
const LOOK_UP = 5000
const REMEMBERED = 10 * 60_000

/**
 * An Express handler for the webhook through which Elastic Path hands over codes: the store's integration for the event
 * `one-time-password-token-request.created`. It works with and without a body parser before it.
 *
 * It responds with 204 when `deliver` has resolved, and for events that must not be delivered. It responds with 401 if
 * the secret key is wrong, 400 if the body is not an event, and 500 if Elastic Path has to deliver the event again.
 *
 * @throws TypeError if an option is missing, invalid or unknown.
 * @example
 * ```ts
 * const deliver = ({ email, otp }) => sendMail(email, `Your code is ${otp}`)
 * app.post('/webhooks/otp', otpWebhook({ strategy, secretKey: process.env.EPCC_WEBHOOK_SECRET, deliver }))
 * ```
 */
export function otpWebhook(options: OtpWebhookOptions): RequestHandler {
  const { secretKey, deliver, services, passwordProfileId, limiter } = readOptions(options)
  const expected = digest(secretKey)
  const settings = services?.settings ?? { limiter: undefined, requestLimiter: undefined }
  const limit = new DeliveryLimit({ limiter, settings, secretKey, credits: services !== undefined })
  // By id: the events in progress, and those that were delivered.
  const events = new TtlMap<Promise<Result>>()
  services?.proofs.addKey(secretKey)
  services?.deliveryLimits.add(limit)

  async function receive(req: Request): Promise<Result> {
    const secret = req.headers['x-moltin-secret-key']
    // Digests have the same length, so comparing them does not reveal that of the key.
    if (!timingSafeEqual(digest(typeof secret === 'string' ? secret : ''), expected)) {
      return { status: 401, code: 'wrong_secret' }
    }
    const body = asObject(await readBody(req).catch(() => undefined))
    const event = body ? readEvent(body) : 'bad_event'
    if (typeof event !== 'string') return deliverOnce(event)
    return { status: event === 'bad_event' ? 400 : 204, code: event }
  }

  async function deliverOnce(delivery: OtpDelivery): Promise<Result> {
    const { eventId } = delivery
    const earlier = events.get(eventId)
    if (earlier) {
      const result = await earlier
      return result.code === undefined ? { ...result, code: 'duplicate_event' } : result
    }
    const work = tryToDeliver(delivery).catch((error: unknown) => ({ status: 500, ...codeOf(error) }))
    events.set(eventId, work, REMEMBERED)
    const result = await work
    if (result.code === undefined) events.set(eventId, work, REMEMBERED)
    else events.delete(eventId, work)
    return result
  }

  async function tryToDeliver(delivery: OtpDelivery): Promise<Result> {
    if (await isForeign(delivery)) return { status: 204, code: 'foreign_event' }
    const context = new Context(TIME)
    try {
      const { username, email } = delivery
      const { allowed, refund } = await limit.take(username, email, context)
      if (!allowed) return { status: 204, code: 'delivery_limited' }
      try {
        await deliver(services ? { ...delivery, proof: proofFor(delivery, services) } : delivery)
        return { status: 204 }
      } catch {
        await refund(context)
        return { status: 500, code: 'delivery_failed' }
      }
    } finally {
      context.end()
    }
  }

  async function isForeign(delivery: OtpDelivery): Promise<boolean> {
    if (passwordProfileId !== undefined && passwordProfileId !== delivery.passwordProfileId) return true
    if (!services) return false
    const { store } = services.commerce
    const realm = delivery.authenticationRealmId
    const differs = async (context: Context): Promise<boolean> =>
      (realm !== '' && realm !== (await store.realmId(context))) ||
      (passwordProfileId ?? (await store.passwordProfileId(context))) !== delivery.passwordProfileId
    return services.run({ timeout: LOOK_UP }, async (context) => {
      if (!(await differs(context))) return false
      // The realm or the profile may have been replaced since this process detected it.
      await store.recheck(context)
      return differs(context)
    })
  }

  return (req, res) => {
    const startedAt = performance.now()
    let answered = false
    const timer = setTimeout(() => answer({ status: 500, code: 'delivery_timeout' }), TIME)

    function answer({ status, code }: Result): void {
      if (answered) return
      answered = true
      clearTimeout(timer)
      const isError = status >= 300 || code === 'expired_event' || code === 'delivery_limited'
      publish({
        operation: 'delivery',
        outcome: isError ? 'error' : 'success',
        ...(code === undefined ? {} : { code }),
        duration: performance.now() - startedAt,
        calls: 0,
      })
      if (res.headersSent) return
      // The rest of a body that was not read must not be parsed as the next request.
      if (!req.complete) res.setHeader('Connection', 'close')
      res.statusCode = status
      res.end()
    }

    receive(req).then(answer, () => answer({ status: 400, code: 'bad_event' }))
  }
}

function readOptions(options: unknown) {
  const given = asObject(options)
  if (!given) throw new TypeError('otpWebhook: options must be an object with a secretKey and deliver.')
  checkNames('otpWebhook', given, OPTION_NAMES)
  const { secretKey, deliver, strategy, passwordProfileId, limiter } = given
  if (typeof secretKey !== 'string' || secretKey.trim() === '') {
    throw new TypeError(
      "otpWebhook: secretKey is required: the secret key of the store's webhook integration.",
    )
  }
  if (!HEADER_TEXT.test(secretKey)) {
    throw new TypeError('otpWebhook: secretKey must be ASCII without spaces or a line end around it.')
  }
  if (typeof deliver !== 'function') {
    throw new TypeError('otpWebhook: deliver is required: a function that sends the code.')
  }
  const services = servicesOf(strategy)
  if (strategy !== undefined && !services) {
    throw new TypeError('otpWebhook: strategy must be a PasswordlessOtpStrategy of this package.')
  }
  if (
    passwordProfileId !== undefined &&
    !(typeof passwordProfileId === 'string' && /^[\x21-\x7e]+$/.test(passwordProfileId))
  ) {
    throw new TypeError('otpWebhook: passwordProfileId must be the id of a password profile, without spaces.')
  }
  return {
    secretKey,
    deliver: deliver as OtpWebhookOptions['deliver'],
    services,
    passwordProfileId,
    limiter: readLimiter(limiter),
  }
}

function readLimiter(limiter: unknown): OtpWebhookOptions['limiter'] {
  if (limiter === undefined || limiter === false || hasMethods<OtpLimiter>(limiter, 'consume', 'reward'))
    return limiter
  return refuseLimiter('otpWebhook', 'limiter', limiter)
}

/** A proof expires with its code, but not later than a code that is created now. */
function proofFor({ username, expires }: OtpDelivery, { proofs }: Services): string {
  return proofs.make(username, Math.min(Date.parse(expires), Date.now() + CODE_LIFETIME))
}

function codeOf(error: unknown): Pick<DiagnosticMessage, 'code'> {
  const { code = 'app_error' } = outcomeOf(error)
  return { code }
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
