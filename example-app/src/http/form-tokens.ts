import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'

interface Options {
  /** The first one signs; the others are accepted too. */
  secrets: string[]
  /** Whether shoppers use https. */
  secure: boolean
}

export interface FormTokens {
  /** The value of the form's field `_csrf`. Sets a cookie unless the browser has one. */
  issue(req: Request, res: Response): string
  /** Refuses forms of other sites, and those that were loaded before a sign-in or a sign-out. */
  check: RequestHandler
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
const ID_LENGTH = 32

/**
 * Protects forms against cross-site request forgery with a signed double-submit cookie, so that no session is needed.
 * Libraries keep one token in one cookie, and two tabs that are opened at once invalidate each other's forms. Here the
 * id of the token is a part of the cookie's name, so both stay valid.
 */
export function formTokens({ secrets, secure }: Options): FormTokens {
  const prefix = secure ? '__Host-form-' : 'form-'
  const cookies = new RegExp(`(?:^|;\\s*)${prefix}([0-9a-f]{${ID_LENGTH}})=`, 'g')

  /** The signature is bound to a member's session, so that a token from before the sign-in is worth nothing after it. */
  function sign(secret: string, req: Request, id: string): string {
    const session = req.user ? req.sessionID : ''
    return createHmac('sha256', secret).update(`form ${id} ${session}`).digest('hex')
  }

  function idsOf(req: Request): string[] {
    return Array.from((req.headers.cookie ?? '').matchAll(cookies), ([, id = '']) => id)
  }

  function isValid(req: Request): boolean {
    // A browser that says so is right, and one that says nothing is an old one.
    const site = req.headers['sec-fetch-site']
    if (site === 'cross-site' || site === 'same-site') return false
    const token = (req.body as Record<string, unknown> | undefined)?.['_csrf']
    if (typeof token !== 'string') return false
    const id = token.slice(0, ID_LENGTH)
    return idsOf(req).includes(id) && secrets.some((secret) => isEqual(token, id + sign(secret, req, id)))
  }

  return {
    issue(req, res) {
      const issued: unknown = res.locals['formToken']
      const id =
        typeof issued === 'string' ? issued : (idsOf(req)[0] ?? randomBytes(ID_LENGTH / 2).toString('hex'))
      if (issued === undefined && !idsOf(req).includes(id)) {
        res.cookie(prefix + id, '1', { httpOnly: true, sameSite: 'lax', secure, path: '/' })
      }
      res.locals['formToken'] = id
      return id + sign(secrets[0] ?? '', req, id)
    },
    check(req, _res, next) {
      if (SAFE_METHODS.has(req.method) || isValid(req)) next()
      else next({ status: 403, code: 'form_expired' })
    },
  }
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
