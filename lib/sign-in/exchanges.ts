import { hash } from 'node:crypto'
import type { Request } from 'express'
import { readTicket } from '../codes/tickets'
import { exchangeCode } from '../commerce/account-tokens'
import type { Commerce } from '../commerce/commerce'
import type { PageWindow, TokenPage } from '../commerce/token-page'
import type { Context } from '../context'
import { ElasticPathError } from '../errors'
import { asText, at } from '../json'
import { InFlight } from '../limits/in-flight'
import { TtlMap } from '../ttl-map'
import type { Credentials } from './credentials'

export type Exchanged = TokenPage | 'refused'

// The limit prevents a flood of sign-ins from exhausting the memory or the store's rate limit.
const MAX_IN_PROGRESS = 500
const RESERVED_FOR_SHOPPERS = 100
// A browser drops the first of two form submissions, and the second can arrive after the first exchange succeeded.
const RESULT_KEPT = 5000
// In the cookie of express-session: `s:ID.SIGNATURE`. Shorter values are not unique to a browser.
const SIGNED_ID = /=s(?::|%3A)([\w-]{20,})\./i

/** Exchanges codes at Elastic Path. The same code that one session submits twice is exchanged once. */
export class Exchanges {
  private readonly inProgress = new InFlight(MAX_IN_PROGRESS, RESERVED_FOR_SHOPPERS)
  private readonly shared = new TtlMap<Promise<Exchanged>>(2 * MAX_IN_PROGRESS)

  constructor(private readonly commerce: Commerce) {}

  /** The exchange of the same code that this session has submitted already; undefined if there is none. */
  find(
    req: Request,
    credentials: Credentials,
    window: PageWindow | undefined,
  ): Promise<Exchanged> | undefined {
    const key = keyOf(req, credentials, window)
    return key === undefined ? undefined : this.shared.get(key)
  }

  /**
   * @param privileged - Whether the attempt was counted for a ticket or a proof.
   * @throws ElasticPathError `overloaded` (503) if too many exchanges are in progress.
   */
  exchange(
    req: Request,
    credentials: Credentials,
    window: PageWindow | undefined,
    privileged: boolean,
    context: Context,
  ): Promise<Exchanged> {
    const key = keyOf(req, credentials, window)
    if (key === undefined) return this.send(credentials, window, privileged, context)
    const pending = this.shared.get(key)
    if (pending) return context.upstream(pending)
    // Detached, because the second request needs the result even if the browser drops the first one.
    const exchange = this.commerce.part(
      context.detached((own) => this.send(credentials, window, privileged, own)),
    )
    this.shared.set(key, exchange, Infinity)
    exchange.then(
      (result) => {
        if (result === 'refused') this.shared.delete(key, exchange)
        else this.shared.set(key, exchange, RESULT_KEPT)
      },
      () => this.shared.delete(key, exchange),
    )
    return context.upstream(exchange)
  }

  private async send(
    { username, otp }: Credentials,
    window: PageWindow | undefined,
    privileged: boolean,
    context: Context,
  ): Promise<Exchanged> {
    const leave = this.inProgress.enter(privileged)
    if (!leave) {
      throw new ElasticPathError('overloaded', 'Too many sign-ins are in progress. Retry in a second.', {
        retryAfter: 1,
      })
    }
    try {
      const { client, store } = this.commerce
      const passwordProfileId = await store.passwordProfileId(context)
      return await exchangeCode(client, context, { passwordProfileId, username, otp }, window)
    } finally {
      leave()
    }
  }
}

/** Stands for a code that a session submits; undefined if the request came without a session. */
function keyOf(
  req: Request,
  { username, otp }: Credentials,
  window: PageWindow | undefined,
): string | undefined {
  const session = sessionIdOf(req, username)
  if (session === undefined) return undefined
  const submission = JSON.stringify([session, username, otp, window])
  return hash('sha256', submission, 'base64url')
}

/**
 * The id of the session that the browser already had. A sign-in replaces the session, so the second submission of its form
 * can have the cookie of a session that has ended. Then express-session sets a new id, and the cookie still has the old.
 *
 * @returns undefined if the request came without a session.
 */
function sessionIdOf(req: Request, username: string): string | undefined {
  // A request without a cookie got a new session, which no other request can share.
  const cookie = asText(at(req.headers, 'cookie'))
  if (cookie === undefined) return undefined
  const { sessionID, session } = req as { sessionID?: unknown; session?: unknown }
  // A session in a cookie has no id. Its ticket has one that no other session knows.
  if (typeof sessionID !== 'string') return readTicket(session, username)?.id
  return cookie.includes(sessionID) ? sessionID : SIGNED_ID.exec(cookie)?.[1]
}
