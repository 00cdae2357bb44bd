import type { ErrorRequestHandler, Request, Response } from 'express'
import { logEvent } from '../events'
import { errorText } from './error-texts'
import { field, ownPath } from './input'

/** The same form again, with what was typed in it, and a valid token. Other errors pass. */
export const expiredForms: ErrorRequestHandler = (error: { code?: unknown }, req, res, next) => {
  if (error.code !== 'form_expired' || res.headersSent) {
    next(error)
    return
  }
  const show = FORMS[req.path]
  // Whoever is signed out already has what they want, or has to sign in first.
  if (!req.user && req.path.startsWith('/logout')) res.redirect(303, '/')
  else if (!show || (!req.user && req.path === '/accounts/switch')) next(error)
  else {
    logEvent(req, 'refusal', { status: 403, code: error.code })
    res.status(403)
    show(req, res)
  }
}

const FORMS: Partial<Record<string, (req: Request, res: Response) => void>> = {
  '/login/code': (req, res) =>
    res.render('login', {
      username: usernameOf(req),
      returnTo: ownPath(field(req, 'returnTo')),
      expired: true,
    }),
  '/login': (req, res) =>
    res.render('link', {
      username: usernameOf(req),
      otp: typed(req, 'otp'),
      proof: typed(req, 'proof'),
      expired: true,
    }),
  '/basket': (req, res) =>
    offer(res, { action: '/basket', fields: { sku: typed(req, 'sku') }, label: 'Add to basket' }),
  // What it changes is on the page.
  '/basket/items': showBasket,
  '/basket/saved': showBasket,
  '/order': showBasket,
  '/logout': (_req, res) => offer(res, { action: '/logout', fields: {}, label: 'Sign out' }),
  '/logout/everywhere': (_req, res) =>
    offer(res, { action: '/logout/everywhere', fields: {}, label: 'Sign out everywhere' }),
  // A choice is made on a page that shows it.
  '/accounts/switch': (_req, res) =>
    res.render('error', {
      ...errorText(403, 'form_expired'),
      action: { label: 'Choose a company', href: '/accounts' },
      status: 403,
    }),
}

function showBasket(_req: Request, res: Response): void {
  res.render('error', {
    ...errorText(403, 'form_expired'),
    action: { label: 'Show your basket', href: '/basket' },
    status: 403,
  })
}

interface Form {
  action: string
  fields: Record<string, string>
  label: string
}

function offer(res: Response, form: Form): void {
  res.render('error', { ...errorText(403, 'form_expired'), form, status: 403 })
}

/** As typed, or the one that a code was requested for. */
function usernameOf(req: Request): string {
  return typed(req, 'username') || (req.session.pending?.username ?? '')
}

/** What fits into a field. */
function typed(req: Request, name: string): string {
  return (field(req, name) ?? '').slice(0, 254)
}
