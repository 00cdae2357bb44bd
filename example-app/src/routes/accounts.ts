import { Router, type RequestHandler, type Response } from 'express'
import type { PasswordlessOtpStrategy, PasswordlessOtpUser } from 'passport-elasticpath-otp'
import { createCompanyFinder, type AccountReader } from '../commerce'
import { parameter } from '../input'

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
        const page = Math.max(1, Math.min(Number.parseInt(parameter(req, 'page') ?? '', 10) || 1, 1_000))
        const found = await findCompanies(user, query, page)
        res.render('accounts', { ...found, query, current: user.account?.id })
      }),
    )
    .post('/accounts/switch', strategy.switchAccount(), (req, res) => {
      const { returnTo = '/account' } = req.session
      delete req.session.returnTo
      res.redirect(303, returnTo)
    })
    .get(
      '/account',
      signedIn(async ({ account }, _req, res) => {
        if (account)
          res.render('account', { details: await readAccount(account), expires: new Date(account.expires) })
        else res.redirect('/accounts')
      }),
    )
}

type SignedInHandler = (user: PasswordlessOtpUser, ...rest: Parameters<RequestHandler>) => Promise<void>

/** For shoppers who are signed in; others are asked to sign in first, and come back. */
function signedIn(handle: SignedInHandler): RequestHandler {
  return async (req, res: Response, next) => {
    if (req.user) await handle(req.user, req, res, next)
    else res.redirect(`/login?returnTo=${encodeURIComponent(req.originalUrl)}`)
  }
}
