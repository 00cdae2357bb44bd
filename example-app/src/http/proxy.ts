import { isIP } from 'node:net'
import type { RequestHandler } from 'express'
import type { Logger } from 'pino'

/**
 * Removes ports from `X-Forwarded-For`: some proxies write `203.0.113.7:40000` or `[2001:db8::1]:40000`, and each port
 * would count as an address of its own.
 */
export const forwardedAddresses: RequestHandler = (req, _res, next) => {
  const header = req.headers['x-forwarded-for']
  if (header !== undefined) {
    req.headers['x-forwarded-for'] = String(header).split(',').map(withoutPort).join(', ')
  }
  next()
}

function withoutPort(entry: string): string {
  const text = entry.trim()
  const [, address = text] = /^\[(.+)\](?::\d+)?$/.exec(text) ?? /^([\d.]+):\d+$/.exec(text) ?? []
  return isIP(address) ? address : text
}

/**
 * If shoppers use https and the proxy does not say so, browsers get no session cookie. The log says it once, with the
 * settings; forms fail with an error page instead of losing what the shopper typed.
 */
export function requireForwardedProto(secure: boolean, log: Logger): RequestHandler {
  let said = false
  return (req, _res, next) => {
    if (!secure || req.secure) {
      next()
      return
    }
    if (!said) {
      said = true
      log.error(
        { forwardedProto: req.headers['x-forwarded-proto'] !== undefined },
        'PUBLIC_URL is https, but requests do not arrive as https, so no session cookie can be set. Make the proxy ' +
          'send `X-Forwarded-Proto: https`, and set TRUST_PROXY to the number of proxies or to their addresses.',
      )
    }
    next(req.method === 'POST' ? { status: 500, code: 'forwarded_proto_missing' } : undefined)
  }
}

/** `OPTIONS *` asks about the server and not about a page. Express has no route for it. */
export const serverOptions: RequestHandler = (req, res, next) => {
  if (req.url !== '*') next()
  else if (req.method === 'OPTIONS') res.status(204).set('Allow', 'GET, HEAD, POST, OPTIONS').end()
  else next({ status: 400 })
}
