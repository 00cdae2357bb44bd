/** The parts of a URL that is below the base URL. */
export interface Target {
  /** The whole URL, without a fragment. */
  href: string
  /** The path below the base URL, without the query. */
  path: string
  /** The query, with its question mark; empty if there is none. */
  query: string
}

interface Base {
  origin: string
  /** The path of the base URL, without a trailing slash. */
  prefix: string
}

// URL parsers remove these characters, so an attacker could use them to hide dots or a host.
// eslint-disable-next-line no-control-regex -- they are what is looked for
const REMOVED_BY_PARSERS = /^ | $|[\u0000-\u001f\u007f]/
const ENCODED_SEPARATOR = /%2f|%5c|\\/i
// Some servers decode first: then `%3f` ends the path, and a URL parser removes `%09`.
// eslint-disable-next-line no-control-regex -- they are what is looked for
const REMOVED_AFTER_DECODING = /[\u0000\t\n\r]/g
const DOT_SEGMENT = /^\.{1,2}([;?#]|$)/
const MAX_DECODINGS = 5

/**
 * Finds the target of a call. Relative URLs are appended to the base URL.
 *
 * A string is checked as it is given, because a URL parser resolves dot segments: a value from a browser that is put
 * into a path must not reach another resource (docs/elastic-path-facts.md#42).
 *
 * @throws TypeError for another origin, for a path outside the base URL, and for a path with a dot segment, an encoded
 * slash or a backslash, after decoding once or more. Its message does not contain the URL.
 */
export function findTarget(given: string, { origin, prefix }: Base): Target {
  const path = pathOf(given)
  if (REMOVED_BY_PARSERS.test(path)) throw refused('must not contain control characters')
  checkPath(path)
  const isAbsolute = /^([a-z][a-z\d+.-]*:|\/\/)/i.test(given)
  const whole = isAbsolute ? given : `${origin}${prefix}${given.startsWith('/') ? '' : '/'}${given}`
  if (!URL.canParse(whole, origin)) throw refused('is not a valid URL')
  const url = new URL(whole, origin)
  if (url.origin !== origin) throw refused('has another origin than baseUrl')
  if (url.username !== '' || url.password !== '') throw refused('must not contain a username or a password')
  if (url.pathname !== prefix && !url.pathname.startsWith(`${prefix}/`)) throw refused('is outside baseUrl')
  url.hash = ''
  return { href: url.href, path: url.pathname.slice(prefix.length) || '/', query: url.search }
}

/** The path as given, with the host of an absolute URL. */
function pathOf(given: string): string {
  const end = given.search(/[?#]/)
  return end < 0 ? given : given.slice(0, end)
}

function checkPath(given: string): void {
  let path = given
  for (let decodings = 0; ; decodings++) {
    if (ENCODED_SEPARATOR.test(path)) throw refused('must not contain an encoded slash or a backslash')
    // Some servers remove parameters (`..;a=b`) before they resolve dots.
    if (
      path
        .replace(REMOVED_AFTER_DECODING, '')
        .split('/')
        .some((segment) => DOT_SEGMENT.test(segment))
    )
      throw refused('must not contain a dot segment')
    // Separators and dots are ASCII. Other characters stay as they are, because they may be malformed.
    const decoded = path.replace(/%([0-7][\da-f])/gi, (_, hex: string) =>
      String.fromCharCode(parseInt(hex, 16)),
    )
    if (decoded === path) return
    if (decodings === MAX_DECODINGS) throw refused('is encoded too often')
    path = decoded
  }
}

function refused(why: string): TypeError {
  return new TypeError(`fetch: the URL ${why}. Use encodeURIComponent for ids in a path.`)
}
