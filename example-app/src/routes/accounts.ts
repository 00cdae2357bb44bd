import { Router, type ErrorRequestHandler, type RequestHandler, type Response } from 'express'
import type { PasswordlessOtpStrategy, PasswordlessOtpUser } from 'passport-elasticpath-otp'
import type { AccountReader } from '../commerce'
import { createCompanyFinder } from '../companies'
import { tell } from '../events'
import { parameter } from '../input'
import { signOut } from '../session-end'

interface AccountOptions {
  strategy: PasswordlessOtpStrategy
  readAccount: AccountReader
}

/** For signed-in shoppers: which company they act for, and what Commerce says about it. */
export function accountRoutes({ strategy, readAccount }: AccountOptions): Router {
  const findCompanies = createCompanyFinder(strategy)
  return Router()
    .get(
      '/accounts',
      signedIn(async (user, req, res) => {
        const query = parameter(req, 'q')?.trim().slice(0, 100) ?? ''
        // Commerce knows no page beyond a member's 10,000th company.
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
      tell(req, 'switch', { outcome: 'success' })
      const { returnTo = '/account' } = req.session
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
          readAccount(account),
          strategy.listAccounts(user, { limit: 1 }),
        ])
        res.render('account', { details, expires: new Date(account.expires), hasChoice: total > 1 })
      }),
    )
    .use(signedOutByCommerce)
}

type SignedInHandler = (user: PasswordlessOtpUser, ...rest: Parameters<RequestHandler>) => Promise<void>

/** For shoppers who are signed in; others are asked to sign in first, and come back. */
function signedIn(handle: SignedInHandler): RequestHandler {
  return async (req, res: Response, next) => {
    if (req.user) await handle(req.user, req, res, next)
    else res.redirect(`/login?returnTo=${encodeURIComponent(req.originalUrl)}`)
  }
}

/** Commerce takes the token no longer, whatever it said about its end: the shopper signs in again, and keeps the basket. */
const signedOutByCommerce: ErrorRequestHandler = (error: { code?: unknown }, req, res, next) => {
  if (error.code !== 'account_token_refused') {
    next(error)
    return
  }
  tell(req, 'sign-out', { reason: 'account_token_refused' })
  const returnTo = encodeURIComponent(req.method === 'GET' ? req.originalUrl : '/accounts')
  signOut(req, { keepBasket: true }).then(() => res.redirect(303, `/login?returnTo=${returnTo}`), next)
}
