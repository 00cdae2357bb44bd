import type { Proofs } from '../codes/proofs'
import { newTicket, type Ticket } from '../codes/tickets'
import type { Context } from '../context'
import type { Settings } from '../options'
import { limiterSecret } from './keys'
import { Limit } from './limit'

/** A sign-in attempt that is allowed. */
export interface Attempt {
  /** Whether it has a ticket or a proof. */
  readonly privileged: boolean
  /** Gives the attempt back: Elastic Path did not judge the code. */
  readonly refund: (context: Context) => Promise<void>
  /** The code was right: gives the attempt back and ends its ticket. */
  readonly accepted: (context: Context) => Promise<void>
}

/** The ticket and the proof of an attempt. */
export interface Credentials {
  /** The session's ticket for this username, from `readTicket`. */
  ticket?: Ticket | undefined
  /** The `proof` of the request. */
  proof?: unknown
}

const SHARED_ATTEMPTS = 10
// The number of attempts for a ticket and for a proof. It does not depend on the points of the app's limiter.
const OWN_ATTEMPTS = 5
const TICKETS = 3

/**
 * Counts sign-in attempts. All attempts for a username share ten in 15 minutes, except those with a ticket or a proof:
 * each ticket and each proof has five of its own, which strangers cannot use up.
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
    { ticket, proof }: Credentials,
    context: Context,
  ): Promise<{ retryAfter: number } | Attempt> {
    const proofId = this.proofs.read(proof, username)
    if (proofId !== undefined) {
      const { count, refund } = await this.limit.take('proof', proofId, context)
      if (count <= OWN_ATTEMPTS) return { privileged: true, refund, accepted: refund }
    }
    if (ticket) {
      const { count, refund } = await this.limit.take('ticket', ticket.id, context)
      const accepted = (acceptedContext: Context) => this.endTicket(ticket, acceptedContext)
      if (count <= OWN_ATTEMPTS) return { privileged: true, refund, accepted }
    }
    const { allowed, retryAfter, refund } = await this.limit.take('sign-in', username, context)
    return allowed ? { privileged: false, refund, accepted: refund } : { retryAfter }
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
    const points = Array.from({ length: OWN_ATTEMPTS }, () => this.limit.take('ticket', id, context))
    // The code is used up, so the sign-in must not fail. A ticket that the limiter cannot end has four attempts left.
    await Promise.allSettled(points)
  }
}
