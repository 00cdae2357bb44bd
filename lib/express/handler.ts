import type { Request, RequestHandler } from 'express'
import type { Departure } from '../context'
import { asError } from '../errors'

/** An Express handler that calls `next()` when its work is done, and `next(err)` if it fails. */
export function handler(work: (req: Request) => Promise<void>): RequestHandler {
  return (req, _res, next) => {
    work(req).then(
      () => next(),
      (thrown: unknown) => next(asError(thrown)),
    )
  }
}

/** The emitter that closes when the client disconnects. In Koa and Lambda, `req.res` is not one; the socket may be. */
export function departureOf(req: Request): Departure | undefined {
  const { res, socket } = req as Partial<Request>
  return [res, socket].find((candidate) => isEmitter(candidate))
}

function isEmitter(value: unknown): value is Departure {
  const { once, off } = (value ?? {}) as Partial<Record<'once' | 'off', unknown>>
  return typeof once === 'function' && typeof off === 'function'
}
