import { asObject, asText, at, parseJson, type JsonObject } from '../json'

/** A response of Elastic Path that refuses a request, in JSON:API style (docs/elastic-path-facts.md#25). */
export interface Refusal {
  status: number
  /** The fields that a 422 names, such as `Username` (docs/elastic-path-facts.md#9). */
  fields: string[]
  /** Whether the access token is refused, and not the request (docs/elastic-path-facts.md#5). */
  ofAccessToken: boolean
  /** Whether the realm no longer exists or the code is wrong. The detail is the same (docs/elastic-path-facts.md#28). */
  ofRealm: boolean
  /** Elastic Path's words for an error. They contain nothing that was sent. */
  summary: string
}

const COMPLAINT = /field '(\w{1,60})' on the '(\w{1,60})' tag/g
const ACCESS_TOKEN = /access token/i
const REALM = /authorization realm for the token could not be found/i
// These statuses concern the shopper or the access token. They count only if the body has an error of Elastic Path.
const NEED_ERROR_BODY = new Set([400, 401])
// These statuses concern the setup. They count with any JSON or no body, but not if a proxy sent an HTML page.
const STATUS_SUFFICES = new Set([403, 404, 409, 422])

/**
 * Reads a refusal. Returns undefined if the response is not one: an HTML page, an outage, another shape.
 *
 * @param sent - The headers and the body of the refused request.
 * @param anyWords - Whether the status is sufficient, with any body.
 */
export function readRefusal(
  status: number,
  text: string,
  sent: unknown,
  anyWords = false,
): Refusal | undefined {
  const plain: Refusal = { status, fields: [], ofAccessToken: false, ofRealm: false, summary: '' }
  const statusSuffices = STATUS_SUFFICES.has(status)
  if (!NEED_ERROR_BODY.has(status) && !statusSuffices) return undefined
  const json = parseJson(text)
  const errors = at(json, 'errors')
  if (!Array.isArray(errors) || errors.length === 0) {
    const isPage = text !== '' && json === undefined
    return anyWords || (statusSuffices && !isPage) ? plain : undefined
  }
  const entries = (errors as unknown[]).map(asObject)
  if (!entries.every((entry) => entry !== undefined)) return anyWords ? plain : undefined
  const titles = textsOf(entries, 'title')
  const details = textsOf(entries, 'detail')
  const words = [...titles, ...details]
  const complaints = details.flatMap((detail) => [...detail.matchAll(COMPLAINT)])
  const said =
    complaints.map(([, field, tag]) => `${field} ${tag}`).join(', ') || (titles.find(isPlain) ?? '')
  // A code, a username or a token can look like any of these words.
  const sentText = textsIn(sent).join('\n').toLowerCase()
  const quotes = said.split(/\W+/).some((word) => sentText.includes(word.toLowerCase()))
  const ofRealm = words.some((text) => REALM.test(text))
  return {
    status,
    fields: complaints.map(([, field = '']) => field),
    ofAccessToken: status === 401 && !ofRealm && words.some((text) => ACCESS_TOKEN.test(text)),
    ofRealm,
    summary: quotes ? '' : said,
  }
}

/** All texts in a value, without the names of fields. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

function textsOf(entries: JsonObject[], field: string): string[] {
  return entries.map((entry) => asText(entry[field])).filter((text) => text !== undefined)
}

// Free text can contain parts of the request. A title of a few plain words cannot.
function isPlain(title: string): boolean {
  return /^[A-Za-z]{2,20}( [A-Za-z]{2,20}){0,7}$/.test(title)
}
