import type { Request } from 'express'

/** The longest username: what an email address can have. */
const MAX_USERNAME = 254

/** A field of the form; undefined if it is missing or sent twice. */
export const field = (req: Request, name: string) => text(req.body, name)

/** A parameter of the query; undefined if it is missing or sent twice. */
export const parameter = (req: Request, name: string) => text(req.query, name)

/** The username of the form; undefined if it is missing, blank or too long. */
export function usernameField(req: Request): string | undefined {
  const username = field(req, 'username')?.trim()
  return username && username.length <= MAX_USERNAME ? username : undefined
}

/** Email addresses are compared without regard to case, as the strategy sends them. */
export function sameUsername(a: string, b: string): boolean {
  const fold = (username: string) => (username.includes('@') ? username.toLowerCase() : username)
  return fold(a) === fold(b)
}

function text(values: unknown, name: string): string | undefined {
  const value = (values as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : undefined
}

const SHOP = 'http://shop.invalid'
/** A path is kept in the session, so its length is limited. */
const MAX_PATH = 500

/** The path if it leads to a page of this shop, undefined if it leads anywhere else. */
export function ownPath(path: unknown): string | undefined {
  if (typeof path !== 'string' || path.length > MAX_PATH) return undefined
  if (!path.startsWith('/') || !URL.canParse(path, SHOP)) return undefined
  const { origin, pathname, search } = new URL(path, SHOP)
  // `/.//elsewhere.example` is a path of this shop, but its normalized form is the address of another host.
  return origin === SHOP && !pathname.startsWith('//') ? pathname + search : undefined
}
