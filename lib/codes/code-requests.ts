import type { Commerce } from '../commerce/commerce'
import { requestAgain, requestCode } from '../commerce/otp-requests'
import type { Context } from '../context'
import { outcomeOf, publish } from '../diagnostics'
import { ElasticPathError } from '../errors'
import type { Attempts } from './attempts'
import { InFlight } from '../limits/in-flight'
import { Limit } from '../limits/limit'
import { limiterSecret } from '../limits/keys'
import type { Taken } from '../limits/counter'
import type { Settings } from '../options'
import { TtlMap } from '../ttl-map'
import { warnOfProfile, warnOfResponseTime } from '../warnings'
import type { DeliveryLimit } from './delivery-limit'
import { isTicketSpent, readTicket, writeTicket } from './tickets'

// Milliseconds. A second code may invalidate the first, which may have been emailed already.
const DOUBLE_TAP = 30_000
// The limit prevents a flood of usernames from exhausting the memory or the store's rate limit.
const MAX_IN_PROGRESS = 500
const LIMITER = 'request limiter'
// The limit in 15 minutes: enough for a shopper whose email is slow, too few to flood a mailbox.
const CODES = 5

/** A code request that passed the limits. It is an object, so that `await` does not wait for `done`. */
export interface CodeRequest {
  /** Whether another request was sent for it before. */
  joined: boolean
  /** Whether the session was changed and needs to be saved. */
  isNewTicket: boolean
  /** Resolves when Elastic Path accepted or refused it; rejects if Elastic Path or the setup failed. */
  done: Promise<void>
}

/** A code request that several sessions can share. Each part is bounded by the option `timeout`. */
interface Pending {
  /** Resolves when the limiter allowed it. */
  limited: Promise<Taken>
  /** Resolves when Elastic Path accepted or refused it; rejects if the limiter, Elastic Path or the setup failed. */
  done: Promise<void>
}

/** Requests codes from Elastic Path. It limits the requests, and sends one request for double taps. */
export class CodeRequests {
  private readonly recent = new TtlMap<Pending>()
  private readonly inProgress = new InFlight(MAX_IN_PROGRESS)

  private readonly limit: Limit

  constructor(
    private readonly settings: Settings,
    private readonly commerce: Commerce,
    private readonly attempts: Attempts,
    private readonly deliveryLimits: ReadonlySet<DeliveryLimit>,
  ) {
    this.limit = new Limit({
      limiter: settings.requestLimiter,
      name: LIMITER,
      points: CODES,
      secret: limiterSecret(settings),
      settings,
    })
  }

  /**
   * Starts a request, or joins the one that was sent for the username within the last half minute. Gives the session a
   * ticket for its sign-in attempts.
   *
   * @param session - The session of the request, if there is one.
   * @throws ElasticPathError `too_many_attempts` (429), `limiter_failed` or `limiter_unsuitable` (500).
   */
  async start(username: string, session: unknown, context: Context): Promise<CodeRequest> {
    warnOfResponseTime(this.settings)
    const joined = isTicketSpent(session) ? undefined : this.recent.get(username)
    const { limited, done } = joined ?? this.send(username, context)
    await context.callApp(LIMITER, () => limited)
    const hasTicket = readTicket(session, username) !== undefined
    const granted = joined && hasTicket ? undefined : await this.attempts.grantTicket(username, context)
    // Others may have taken the last grant, so a ticket that is still valid is kept.
    const isNewTicket = (granted !== undefined || !hasTicket) && writeTicket(session, granted)
    return { joined: joined !== undefined, isNewTicket, done }
  }

  /** All of it is detached, because others may wait for it when the first client has left. */
  private send(username: string, context: Context): Pending {
    const limited = context.detached((own) => this.take(username, own))
    let answered = (): void => undefined
    const firstAnswer = new Promise<void>((resolve) => (answered = resolve))
    const work = async (): Promise<void> => {
      const taken = await limited
      const leave = this.inProgress.enter(false)
      // The response must not depend on the load, which a stranger could cause.
      if (!leave) {
        this.recent.delete(username, pending)
        await context.detached((own) => taken.refund(own))
        publish({ operation: 'code-request', outcome: 'error', code: 'overloaded', duration: 0, calls: 0 })
        return
      }
      try {
        await context.detached((own) => this.ask(username, taken, own, answered))
      } finally {
        leave()
      }
    }
    const done = Promise.race([firstAnswer, this.commerce.part(work())])
    const pending = { limited, done }
    this.recent.set(username, pending, DOUBLE_TAP)
    // A second tap must not wait for a request that failed. This also handles the error if all clients disconnected.
    done.catch(() => this.recent.delete(username, pending))
    return pending
  }

  private async take(username: string, context: Context): Promise<Taken> {
    const taken = await this.limit.take('code', username, context)
    if (taken.allowed) return taken
    throw new ElasticPathError('too_many_attempts', 'Too many codes were requested for this username.', {
      retryAfter: taken.retryAfter,
    })
  }

  /** @param answered - Called when responses need not wait any longer. */
  private async ask(username: string, taken: Taken, context: Context, answered: () => void): Promise<void> {
    const { client, store } = this.commerce
    try {
      for (const limit of this.deliveryLimits) await limit.credit(username, context)
      const refused = await requestCode(client, store, context, username)
      if (!refused) return
      // A refusal may depend on the username, so neither it nor what follows may reach the response or delay it.
      answered()
      const refusal = await requestAgain(client, store, context, username, refused)
      if (!refusal) return
      if (refusal.code === 'password_profile_not_found') warnOfProfile(this.settings, refusal.message)
      const { elapsed: duration, calls } = context
      publish({ operation: 'code-request', ...outcomeOf(refusal), outcome: 'error', duration, calls })
    } catch (error) {
      if (madeNoCode(error)) await taken.refund(context)
      throw error
    }
  }
}

/** Whether no code was created. After a timeout or a broken response, the code may have been emailed. */
function madeNoCode(error: unknown): boolean {
  return error instanceof ElasticPathError && error.code !== 'timeout' && error.code !== 'bad_answer'
}
