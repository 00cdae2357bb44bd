import type { ErrorRequestHandler, RequestHandler } from 'express'
import { tell } from './events'
import { ownPath } from './input'

interface Explanation {
  title: string
  text: string
  action?: { label: string; href: string }
}

const home = { label: 'Go to the shop', href: '/' }
const outage: Explanation = {
  title: 'The store is not answering',
  text: 'This is our fault, not yours. Nothing is lost: your basket is kept, and whoever was signed in still is. Please try again in a minute.',
  action: { label: 'Try again', href: '' },
}
const EXPLANATIONS: Record<number, Explanation> = {
  400: {
    title: 'That did not arrive whole',
    text: 'Something in the request was missing or garbled. Please go back and try again.',
    action: home,
  },
  401: {
    title: 'You are signed out',
    text: 'Your sign-in has ended, or you signed out in another tab.',
    action: { label: 'Sign in', href: '/login' },
  },
  403: {
    title: 'This page has grown old',
    text: 'You may have signed in or out in another tab since it was opened. Nothing was changed.',
    action: home,
  },
  404: {
    title: 'There is no such page',
    text: 'The address may be mistyped, or the page has moved.',
    action: home,
  },
  413: {
    title: 'That is too much at once',
    text: 'The request was larger than this shop takes.',
    action: home,
  },
  429: {
    title: 'Too many tries',
    text: 'To keep your account safe we let a little time pass between tries.',
    action: home,
  },
  502: outage,
  503: outage,
  504: outage,
}
const ours: Explanation = {
  title: 'Something went wrong on our side',
  text: 'We have been told, and are looking at it. Please try again in a little while.',
  action: home,
}

/** The page to try again from, by where its form went. */
const FORMS: Record<string, string> = {
  '/login/code': '/login',
  '/login': '/login/verify',
  '/accounts/switch': '/accounts',
}

/** What goes wrong, as the parts of the app say it: an HTTP status, perhaps seconds to wait, perhaps a word for it. */
interface Failure {
  status?: unknown
  retryAfter?: unknown
  code?: unknown
}

export const notFound: RequestHandler = (_req, _res, next) => next({ status: 404 })

export const errorPages: ErrorRequestHandler = (error: Failure, req, res, next) => {
  if (res.headersSent) {
    // The session of an answer that is out already could not be saved, or the answer breaks off.
    req.log.error({ err: error }, 'A request failed after its answer')
    if (!res.writableEnded) next(error)
    return
  }
  const status =
    typeof error.status === 'number' && error.status >= 400 && error.status < 600 ? error.status : 500
  if (status >= 500) req.log.error({ err: error }, 'A request failed')
  // A form without its token, too many requests, another's company: somebody may be trying things.
  else if (status !== 404) tell(req, 'refusal', { status, code: error.code })
  const wait = typeof error.retryAfter === 'number' ? error.retryAfter : undefined
  if (wait !== undefined) res.set('Retry-After', String(wait))
  const { title, text, action } = explain(status, error.code)
  res.status(status).render('error', {
    title,
    text: wait === undefined ? text : `${text} Please try again in ${inWords(wait)}.`,
    action:
      action?.href === ''
        ? { ...action, href: (req.method === 'GET' ? ownPath(req.originalUrl) : FORMS[req.path]) ?? '/' }
        : action,
    status,
  })
}

function explain(status: number, code: unknown): Explanation {
  if (code === 'account_not_found') {
    return {
      title: 'That company is not yours to act for',
      text: 'You may have been taken off it a moment ago. Nothing was changed.',
      action: { label: 'Choose a company', href: '/accounts' },
    }
  }
  return EXPLANATIONS[status] ?? (status >= 500 ? ours : (EXPLANATIONS[400] ?? ours))
}

/** `45` is 45 seconds, `200` is 4 minutes. */
export function inWords(seconds: number): string {
  const [count, unit] =
    seconds < 60 ? [Math.max(1, Math.ceil(seconds)), 'second'] : [Math.ceil(seconds / 60), 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
