import type { Request, RequestHandler } from 'express'
import type { ClientConnection } from '../context'
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

/**
 * What closes when the client disconnects. In Express, that is the response. In Koa and Lambda, `req.res` is no emitter,
 * so it is the socket, if that is one.
 */
export function connectionOf(req: Request): ClientConnection | undefined {
  const { res, socket } = req as Partial<Request>
  return [res, socket].find((candidate) => isEmitter(candidate))
}

function isEmitter(value: unknown): value is ClientConnection {
  const { on, off } = (value ?? {}) as Partial<Record<'on' | 'off', unknown>>
  return typeof on === 'function' && typeof off === 'function'
}
