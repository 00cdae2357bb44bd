import { Router, type RequestHandler, type Response } from 'express'
import type { PasswordlessOtpStrategy, PasswordlessOtpUser } from 'passport-elasticpath-otp'
import { createCompanyFinder } from '../companies'
import { inTime } from '../elastic-path/call'
import { readAccount } from '../elastic-path/account'
import { logEvent } from '../events'
import { field, ownPath, parameter } from '../http/input'

interface AccountOptions {
  strategy: PasswordlessOtpStrategy
}

/** The companies of a signed-in member, and the one that they buy for. */
export function accountRoutes({ strategy }: AccountOptions): Router {
  const findCompanies = createCompanyFinder(strategy)
  return Router()
    .get(
      '/accounts',
      signedIn(async (user, req, res) => {
        const query = parameter(req, 'q')?.trim().slice(0, 100) ?? ''
        // Elastic Path lists at most 10,000 companies of a member.
        const page = Math.max(1, Math.min(Number.parseInt(parameter(req, 'page') ?? '', 10) || 1, 500))
        const found = await findCompanies(user, query, page)
        if (found.pages > 0 && page > found.pages) {
          res.redirect(`/accounts?${new URLSearchParams({ q: query, page: String(found.pages) })}`)
          return
        }
        res.render('accounts', { ...found, query, current: user.account?.id })
      }),
    )
    .post('/accounts/switch', strategy.switchAccount(), (req, res) => {
      logEvent(req, 'switch', { outcome: 'success' })
      const returnTo = ownPath(field(req, 'returnTo')) ?? req.session.returnTo ?? '/account'
      delete req.session.returnTo
      res.redirect(303, returnTo)
    })
    .get(
      '/account',
      signedIn(async (user, _req, res) => {
        const { account } = user
        if (!account) {
          res.redirect('/accounts')
          return
        }
        const [details, { total }] = await Promise.all([
          inTime(strategy.fetchAs(user), (fetch) => readAccount(fetch, account)),
          strategy.listAccounts(user, { limit: 1 }),
        ])
        res.render('account', { details, hasChoice: total > 1 })
      }),
    )
}

type SignedInHandler = (user: PasswordlessOtpUser, ...rest: Parameters<RequestHandler>) => Promise<void>

/** Only for members. Others sign in first, and come back. */
function signedIn(handle: SignedInHandler): RequestHandler {
  return async (req, res: Response, next) => {
    if (req.user) await handle(req.user, req, res, next)
    else res.redirect(`/login?returnTo=${encodeURIComponent(req.originalUrl)}`)
  }
}
