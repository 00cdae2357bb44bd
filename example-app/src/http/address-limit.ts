import type { Request, RequestHandler } from 'express'
import { rateLimit, type Store } from 'express-rate-limit'

/** Limits requests by IP address; IPv6 addresses of one network count together. */
export function limitByAddress(limit: number, windowMs: number, store: Store): RequestHandler {
  return rateLimit({
    windowMs,
    limit,
    store,
    legacyHeaders: false,
    handler: (req, _res, next) => next({ status: 429, retryAfter: secondsLeft(req, windowMs) }),
  })
}

function secondsLeft(req: Request & { rateLimit?: { resetTime?: Date } }, windowMs: number): number {
  const { resetTime } = req.rateLimit ?? {}
  const wait = resetTime ? resetTime.getTime() - Date.now() : windowMs
  return Math.max(1, Math.ceil(wait / 1000))
}
