import { asObject, asText, at, parseJson, type JsonObject } from './json'

/** An answer of Elastic Path that says no, in its own JSON:API words (fact 25). */
export interface Refusal {
  status: number
  /** The fields that a 422 complains of, such as `Username` (fact 9). */
  fields: string[]
  /** Whether it is about the access token, and not about what was asked (fact 5). */
  ofAccessToken: boolean
  /** What it says, fit for an error: nothing that was sent is in it. */
  summary: string
}

// Fact 9.
const COMPLAINT = /field '(\w{1,60})' on the '(\w{1,60})' tag/g
// These blame the shopper or the access token, so that they must say so in Elastic Path's own way.
const NEED_WORDS = new Set([400, 401])
// These can only mean the setup, in whatever words, but for a page that something in between made.
const SPEAK_FOR_THEMSELVES = new Set([403, 404, 409, 422])

/**
 * Reads a refusal; undefined where the answer is none: an HTML page, an outage, another shape.
 * @param sent the body that was refused
 */
export function readRefusal(status: number, text: string, sent: string): Refusal | undefined {
  if (!NEED_WORDS.has(status) && !SPEAK_FOR_THEMSELVES.has(status)) return undefined
  const json = parseJson(text)
  const errors = at(json, 'errors')
  if (!Array.isArray(errors) || errors.length === 0) {
    const plain = SPEAK_FOR_THEMSELVES.has(status) && (text === '' || json !== undefined)
    return plain ? { status, fields: [], ofAccessToken: false, summary: '' } : undefined
  }
  const entries = (errors as unknown[]).map(asObject)
  if (!entries.every((entry) => entry !== undefined)) return undefined
  const titles = textsOf(entries, 'title')
  const details = textsOf(entries, 'detail')
  const complaints = details.flatMap((detail) => [...detail.matchAll(COMPLAINT)])
  const fields = complaints.map(([, field = '']) => field)
  const said =
    complaints.map(([, field, tag]) => `${field} ${tag}`).join(', ') || (titles.find(isPlain) ?? '')
  // A code or a username can look like any word of these.
  const quotes = said.split(/\W+/).some((word) => sent.includes(word))
  const ofAccessToken = status === 401 && [...titles, ...details].some((words) => /access token/i.test(words))
  return { status, fields, ofAccessToken, summary: quotes ? '' : said }
}

function textsOf(entries: JsonObject[], field: string): string[] {
  return entries.map((entry) => asText(entry[field])).filter((text) => text !== undefined)
}

// Free text can quote what was sent; a title in Elastic Path's own manner cannot.
function isPlain(title: string): boolean {
  return /^[A-Za-z]{2,20}( [A-Za-z]{2,20}){0,7}$/.test(title)
}
