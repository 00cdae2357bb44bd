import type { Context } from '../context'
import { deriveKey } from '../limits/keys'
import { Limit, type LimitOptions } from '../limits/limit'
import type { Taken } from '../limits/counter'

const DELIVERIES = 10

/**
 * Limits the emails to one address. Somebody who knows a public client id can request codes at Elastic Path directly, past
 * the limits of the app. Codes that were requested through the app do not count: each of them is a credit.
 */
export class DeliveryLimit {
  private readonly limit: Limit
  private readonly credits: boolean

  /** `credits` says whether code requests of a strategy give credits. */
  constructor(options: Pick<LimitOptions, 'limiter' | 'settings'> & { secretKey: string; credits: boolean }) {
    const { limiter, settings, secretKey, credits } = options
    const secret = deriveKey('deliveries', secretKey)
    this.limit = new Limit({ limiter, name: 'limiter of the webhook', points: DELIVERIES, secret, settings })
    this.credits = credits
  }

  /** Adds a credit: a code was requested through the app. It never rejects. */
  credit(username: string, context: Context): Promise<void> {
    return this.limit.addCredit('credit', username, context)
  }

  /**
   * Takes a credit of the username. If there is none, takes one of the ten deliveries to the address in 15 minutes.
   *
   * @throws ElasticPathError `limiter_failed` or `limiter_unsuitable`.
   */
  async take(username: string, email: string, context: Context): Promise<Taken> {
    if (this.credits) {
      // A code request subtracts 1 and a delivery adds 1. If the count is then 0 or less, a code request paid for it.
      const credit = await this.limit.takeCredit('credit', username, context)
      if (credit.allowed && credit.count <= 0) return credit
      await credit.refund(context)
    }
    return this.limit.take('delivery', email, context)
  }
}
