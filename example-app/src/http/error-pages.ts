import type { ErrorRequestHandler, Request, RequestHandler } from 'express'
import { logEvent } from '../events'
import { errorText, SAME_PAGE } from './error-texts'
import { ownPath } from './input'
import { waitFor } from './wait'

/** The page of each form, to try again from. */
const PAGES: Record<string, string> = {
  '/login/code': '/login',
  '/login': '/login/verify',
  '/accounts/switch': '/accounts',
  '/basket': '/basket',
  '/basket/items': '/basket',
  '/basket/saved': '/basket',
  '/order': '/basket',
}

/** What the parts of the app pass to `next`. */
interface Failure {
  /** An HTTP status; default 500. */
  status?: unknown
  /** Seconds. */
  retryAfter?: unknown
  code?: unknown
}

export const notFound: RequestHandler = (_req, _res, next) => next({ status: 404 })

export const errorPages: ErrorRequestHandler = (error: Failure, req, res, next) => {
  if (res.headersSent) {
    // The session could not be saved after the response, or the response was cut off.
    req.log.error({ err: error }, 'A request failed after its response')
    if (!res.writableEnded) next(error)
    return
  }
  const { code } = error
  const status = statusOf(error)
  if (status >= 500) req.log.error({ err: error }, 'A request failed')
  // An expired form, too many requests, another member's company: this may be an attack.
  else if (status !== 404) logEvent(req, 'refusal', { status, code })
  const wait = typeof error.retryAfter === 'number' ? waitFor(error.retryAfter) : undefined
  if (wait) res.set('Retry-After', String(wait.seconds))
  const { title, text, action } = errorText(status, code)
  const href = action.href === SAME_PAGE ? pageOf(req) : action.href
  res.status(status).render('error', { title, text, wait, action: { ...action, href }, status })
}

function statusOf({ status }: Failure): number {
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500
}

/** The page to try again on: the one that failed, or that of the form. */
export function pageOf(req: Request): string {
  return (req.method === 'GET' ? ownPath(req.originalUrl) : PAGES[req.path]) ?? '/'
}
