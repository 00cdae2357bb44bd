import fc from 'fast-check'
import { findTarget } from '../../lib/calls/target'
import { holds } from './support'

const BASE = { origin: 'https://store.example', prefix: '/region/store' }

const piece = fc.oneof(
  fc.constantFrom('.', '..', '/', '\\', ';', '%', '?', '#', ':', '@', '//', '\t', '\n', '\u0000', ' '),
  fc.constantFrom('%2e', '%2E', '%2f', '%5c', '%25', '%252e', '%00', '%09', '%c0%ae', '%zz', '%u002e'),
  fc.constantFrom('．', '／', '＼', '․', '\u200b', '\u00ad', '\ud800', 'é'),
  fc.constantFrom('v2', 'carts', 'region', 'store', BASE.prefix, BASE.origin, 'http:', 'evil.example'),
)
const joined = (most: number) => fc.array(piece, { maxLength: most }).map((pieces) => pieces.join(''))
const given = fc.oneof(
  joined(12),
  joined(8).map((id) => `/v2/carts/${id}/items`),
  joined(8).map((rest) => `${BASE.origin}${BASE.prefix}/${rest}`),
)

/** The segments that a lenient server could make of a path: all is decoded, and parameters are removed. */
function resolved(path: string): string[] {
  let decoded = path
  for (let i = 0; i < 8; i++) {
    decoded = decoded.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  }
  const segments: string[] = []
  for (const segment of decoded.split(/[/\\]/).map((text) => text.replace(/;.*/, ''))) {
    if (segment === '..') segments.pop()
    else if (segment !== '.') segments.push(segment)
  }
  return segments
}

test('a target of fetch is below the base URL for the most lenient server, or it is a TypeError', async () => {
  let accepted = 0
  await holds(given, 40_000, (url) => {
    let target: ReturnType<typeof findTarget>
    try {
      target = findTarget(url, BASE)
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError)
      return
    }
    accepted++
    const { origin, pathname } = new URL(target.href)
    expect(origin).toBe(BASE.origin)
    expect(resolved(pathname).slice(0, 3)).toEqual(['', 'region', 'store'])
    // Nor does the part below it leave its own resource.
    expect(resolved(pathname).length).toBe(pathname.split('/').length)
  })
  expect(accepted).toBeGreaterThan(1000)
})
