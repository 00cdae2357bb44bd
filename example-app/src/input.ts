import type { Request } from 'express'

/** A form's field, undefined where it is missing or sent twice. */
export const field = (req: Request, name: string) => text(req.body, name)

/** The same of the query. */
export const parameter = (req: Request, name: string) => text(req.query, name)

function text(values: unknown, name: string): string | undefined {
  const value = (values as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : undefined
}

const SHOP = 'http://shop.invalid'

/** The path, if it leads to a page of this shop; a path to elsewhere, however disguised, is undefined. */
export function ownPath(path: unknown): string | undefined {
  // It is kept in the session of whoever asks.
  if (typeof path !== 'string' || path.length > 500) return undefined
  if (!path.startsWith('/') || !URL.canParse(path, SHOP)) return undefined
  const { origin, pathname, search } = new URL(path, SHOP)
  // `/.//elsewhere.example` is a path here, and another host's address once it is written down again.
  return origin === SHOP && !pathname.startsWith('//') ? pathname + search : undefined
}
