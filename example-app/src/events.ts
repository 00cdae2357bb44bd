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
 * A line of the log for what somebody may have to retrace one day: what, when, from where, and by whom. Nothing that
 * was typed is in it; the request, its id and its path come along by themselves.
 */
export function tell(req: Request, event: Event, details: Details = {}): void {
  const level = event === 'refusal' || details.outcome === 'failure' ? 'warn' : 'info'
  req.log[level]({ event, ...details, member: req.user?.accountMemberId, from: req.ip }, 'security')
}

/** The same username is the same word, so that tries can be told apart, and nobody reads who it is. */
export function createPseudonyms(secret: string): (username: string | undefined) => string | undefined {
  return (username) =>
    username && createHmac('sha256', secret).update(username.trim().toLowerCase()).digest('hex').slice(0, 16)
}
