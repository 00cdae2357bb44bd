import { createHmac } from 'node:crypto'
import type { Request } from 'express'

type Event = 'sign-in' | 'sign-out' | 'code' | 'switch' | 'refusal'

interface Details {
  outcome?: 'success' | 'failure'
  code?: unknown
  status?: number
  reason?: string
  who?: string | undefined
}

/**
 * Logs a security event: what, when, from which address, by which member. Nothing that somebody typed is in it. The
 * request's id and path are added by the logger.
 */
export function logEvent(req: Request, event: Event, details: Details = {}): void {
  const level = event === 'refusal' || details.outcome === 'failure' ? 'warn' : 'info'
  req.log[level]({ event, ...details, member: req.user?.accountMemberId, from: req.ip }, 'security')
}

/** Replaces a username by a hash, so that attempts for one username can be grouped without showing it. */
export function createPseudonyms(secret: string): (username: string | undefined) => string | undefined {
  return (username) =>
    username && createHmac('sha256', secret).update(username.trim().toLowerCase()).digest('hex').slice(0, 16)
}
