import type { Request, RequestHandler } from 'express'
import { asError } from '../errors'

/** An Express handler that goes on when its work is done, and to the error handler where that fails. */
export function handlerOf(work: (req: Request) => Promise<void>): RequestHandler {
  return (req, _res, next) => {
    work(req).then(
      () => next(),
      (thrown: unknown) => next(asError(thrown)),
    )
  }
}
