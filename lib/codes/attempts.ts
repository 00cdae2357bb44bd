import type { Context } from '../context'
import { limiterSecret } from '../limits/keys'
import { Limit } from '../limits/limit'
import type { Settings } from '../options'
import type { Proofs } from './proofs'
import { newTicket, type Ticket } from './tickets'

/** A sign-in attempt that is allowed. */
export interface Attempt {
  /** Whether it was counted for a ticket or a proof, and not as one of the shared attempts. */
  readonly privileged: boolean
  /** Refunds the attempt. Call it if Elastic Path did not check the code. */
  readonly refund: (context: Context) => Promise<void>
  /** Ends the ticket of the request. An attempt that was not counted for the ticket is refunded. Call it if the code was right. */
  readonly accept: (context: Context) => Promise<void>
}

export interface TicketAndProof {
  /** The session's ticket for this username, from `readTicket`. */
  ticket?: Ticket | undefined
  /** The field `proof` of the request, not verified yet. */
  proof?: unknown
}

const SHARED_ATTEMPTS = 10
// For each ticket and each proof. The points of the app's limiter change the shared attempts only.
const OWN_ATTEMPTS = 5
const TICKETS = 3

/**
 * Counts sign-in attempts. Each proof and each ticket has five attempts of its own, which strangers cannot use up. All
 * other attempts for a username share ten in 15 minutes. If the attempts of a proof are used up, those of the ticket are
 * used, and then the shared ones.
 */
export class Attempts {
  private readonly limit: Limit

  constructor(
    settings: Pick<Settings, 'limiter' | 'requestLimiter' | 'clientId' | 'clientSecret'>,
    private readonly proofs: Proofs,
  ) {
    const { limiter } = settings
    const secret = limiterSecret(settings)
    this.limit = new Limit({ limiter, name: 'limiter', points: SHARED_ATTEMPTS, secret, settings })
  }

  /**
   * Takes an attempt, before Elastic Path is asked.
   *
   * @returns The attempt, or the seconds to wait for one.
   * @throws ElasticPathError `limiter_failed` or `limiter_unsuitable`.
   */
  async take(
    username: string,
    { ticket, proof }: TicketAndProof,
    context: Context,
  ): Promise<{ retryAfter: number } | Attempt> {
    const proofId = this.proofs.read(proof, username)
    if (proofId !== undefined) {
      const { count, refund } = await this.limit.take('proof', proofId, context)
      const accept = async (own: Context) => {
        await Promise.all([refund(own), ticket && this.endTicket(ticket, own)])
      }
      if (count <= OWN_ATTEMPTS) return { privileged: true, refund, accept }
    }
    if (ticket) {
      const { count, refund } = await this.limit.take('ticket', ticket.id, context)
      const accept = (own: Context) => this.endTicket(ticket, own)
      if (count <= OWN_ATTEMPTS) return { privileged: true, refund, accept }
    }
    // If the request had a ticket, its attempts are used up, so `accept` does not have to end it.
    const { allowed, retryAfter, refund } = await this.limit.take('sign-in', username, context)
    return allowed ? { privileged: false, refund, accept: refund } : { retryAfter }
  }

  /**
   * Grants a ticket to a session that requests a code. A username has three in 15 minutes.
   *
   * @returns The ticket, or undefined if the username has no more.
   * @throws ElasticPathError `limiter_failed` or `limiter_unsuitable`.
   */
  async grantTicket(username: string, context: Context): Promise<Ticket | undefined> {
    const { count } = await this.limit.take('grant', username, context)
    return count > TICKETS ? undefined : newTicket(username)
  }

  /** Uses up all attempts of a ticket, so that a copy of the session in an old cookie cannot use it. */
  private async endTicket({ id }: Ticket, context: Context): Promise<void> {
    const taken = Array.from({ length: OWN_ATTEMPTS }, () => this.limit.take('ticket', id, context))
    // The code is used up, so an error of the limiter must not fail the sign-in. The ticket then keeps some attempts.
    await Promise.allSettled(taken)
  }
}
