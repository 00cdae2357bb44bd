import { BoundedMap } from './bounded-map'
import type { Commerce } from './commerce/commerce'
import type { Operation } from './commerce/operation'
import { requestCode } from './commerce/otp-requests'
import { ElasticPathError } from './errors'
import { giveBackTries, giveBackTry, limiterKey, MemoryLimiter, takeTry } from './limits'
import type { OtpLimiter, Settings } from './options'

// A second code may kill the first, which is in the mail already: one in half a minute is enough.
const ONE_IN = 30_000
// Enough for a shopper whose mail is slow, too few to flood a mailbox.
const CODES = 5
const CODES_WITHIN = 15 * 60_000

/** Asking for codes: once for taps in a row, and not without end. */
export class CodeRequests {
  private readonly recent = new BoundedMap<Promise<void>>()
  private readonly limiter: OtpLimiter

  constructor(
    private readonly commerce: Commerce,
    settings: Pick<Settings, 'requestLimiter'>,
  ) {
    this.limiter = settings.requestLimiter ?? new MemoryLimiter(CODES, CODES_WITHIN)
  }

  async ask(username: string, operation: Operation): Promise<void> {
    const asked = this.recent.get(username)
    if (asked) return operation.race(asked)
    const request = operation.apart((own) => this.askCommerce(username, own))
    this.recent.set(username, request, ONE_IN)
    // What failed is not what a second tap should wait for, also where nobody is left to hear of it.
    request.catch(() => this.recent.delete(username, request))
    return operation.race(request)
  }

  /** The username's code may be spent: the next tap asks for another one. */
  codeSpent(username: string): void {
    this.recent.delete(username)
  }

  /** The username's code was right: it is spent, and whoever asks for another one is its owner. */
  async codeAccepted(username: string, operation: Operation): Promise<void> {
    this.codeSpent(username)
    await giveBackTries(this.limiter, this.keyOf(username), operation)
  }

  private async askCommerce(username: string, operation: Operation): Promise<void> {
    const key = this.keyOf(username)
    const retryAfter = await takeTry(this.limiter, key, operation)
    if (retryAfter !== undefined) {
      throw new ElasticPathError('too_many_attempts', 'Too many codes were asked for with this username', {
        retryAfter,
      })
    }
    try {
      await requestCode(this.commerce.client, this.commerce.settings, operation, username)
    } catch (error) {
      if (madeNoCode(error)) await giveBackTry(this.limiter, key, operation)
      throw error
    }
  }

  /** Only what leaves this process is hashed. */
  private keyOf(username: string): string {
    return this.limiter instanceof MemoryLimiter ? username.toLowerCase() : limiterKey('code', username)
  }
}

// Where an answer did not come, or came broken, a code may be in the mail all the same.
function madeNoCode(error: unknown): boolean {
  return error instanceof ElasticPathError && error.code !== 'timeout' && error.code !== 'bad_answer'
}
