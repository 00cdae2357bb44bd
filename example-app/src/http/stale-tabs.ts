import type { RequestHandler } from 'express'
import { logEvent } from '../events'
import { field } from './input'

/**
 * Forms about a basket or an order name the account that they were made for. If another tab has switched to another one
 * since, nothing is changed: its prices and its basket are others.
 */
export const sameAccount: RequestHandler = (req, res, next) => {
  const madeFor = field(req, 'account_id')
  const account = req.user?.account
  if (madeFor === undefined || madeFor === (account?.id ?? '')) {
    next()
    return
  }
  logEvent(req, 'refusal', { status: 409, code: 'account_switched' })
  if (!account) {
    res.redirect(303, req.user ? '/accounts' : '/basket')
    return
  }
  const name = field(req, 'account_name')?.slice(0, 100)
  res.status(409).render('switched', { current: account.name, former: { id: madeFor, name } })
}
