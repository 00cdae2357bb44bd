import { randomBytes } from 'node:crypto'
import { asObject, asText, at } from '../json'
import { foldUsername } from '../limits/keys'

/**
 * Gives the session that requested a code its own sign-in attempts, so that strangers cannot use up the attempts of the
 * shopper.
 */
export interface Ticket {
  /** A random id, under which its attempts are counted. */
  id: string
  username: string
  /** Epoch milliseconds. */
  expires: number
}

const SESSION_KEY = 'passport-elasticpath-otp'
// Milliseconds: the lifetime of a code.
const LIFETIME = 10 * 60_000
// Milliseconds by which the clocks of two processes may differ. A ticket must expire before its window of the limiter
// ends, or its attempts would be counted from 0 again.
const MAX_CLOCK_SKEW = 60_000
const ID = /^[0-9a-f]{32}$/

export function newTicket(username: string): Ticket {
  return { id: randomBytes(16).toString('hex'), username, expires: Date.now() + LIFETIME }
}

/**
 * Reads the ticket of a session. The session can be in a cookie, and can have been written by another version of the
 * package, so its content is not trusted.
 *
 * @returns The ticket, or undefined if there is none for this username, or if it expired.
 */
export function readTicket(session: unknown, username: string): Ticket | undefined {
  const stored = asObject(at(contentOf(session), 'ticket'))
  const id = asText(stored?.['id'])
  const owner = asText(stored?.['username'])
  const expires = stored?.['expires']
  if (id === undefined || owner === undefined || typeof expires !== 'number') return undefined
  const left = expires - Date.now()
  if (!ID.test(id) || !(left > 0 && left <= LIFETIME + MAX_CLOCK_SKEW)) return undefined
  return foldUsername(owner) === foldUsername(username) ? { id, username: owner, expires } : undefined
}

/**
 * Writes a ticket into a session, in the place of an earlier one. Without a ticket, removes the earlier one. Without a
 * session, it does nothing.
 *
 * @returns Whether it changed the session.
 */
export function writeTicket(session: unknown, ticket: Ticket | undefined): boolean {
  const target = asObject(session)
  if (!target || !(ticket ?? target[SESSION_KEY])) return false
  target[SESSION_KEY] = ticket ? { ticket } : {}
  return true
}

/** Marks that a code was right, if the session had requested one. Its next request sends a new code at once. */
export function spendTicket(session: unknown): void {
  const target = asObject(session)
  if (target?.[SESSION_KEY]) target[SESSION_KEY] = { spent: true }
}

/** Whether the session's last sign-in attempt used up its code. */
export function isTicketSpent(session: unknown): boolean {
  return at(contentOf(session), 'spent') === true
}

/** Returns this package's data in a session. The session of Fastify is a proxy without own properties. */
function contentOf(session: unknown): unknown {
  return asObject(session)?.[SESSION_KEY]
}
