import type { ErrorRequestHandler } from 'express'
import { refreshSession } from '../sessions/session'
import { endSignIn } from '../sessions/sign-in-end'
import { pageOf } from './error-pages'

/** Elastic Path refuses the account token, whatever its expiry: the member signs in again, and keeps the basket. */
export const endRefusedSignIn: ErrorRequestHandler = async (error: { code?: unknown }, req, res, next) => {
  if (error.code !== 'account_token_refused' || !req.user || res.headersSent) {
    next(error)
    return
  }
  // If the session has ended meanwhile, another tab has signed out or signed in again.
  if (await refreshSession(req)) await endSignIn(req, req.user, 'account token refused')
  res.redirect(303, `/login?returnTo=${encodeURIComponent(pageOf(req))}`)
}
