import type { Answer, Body } from './messages'
import type { Store } from './store'

/** Returns the string in a field. Undefined if it is missing, empty or not a string. */
export function field(object: unknown, name: string): string | undefined {
  const value = isObject(object) ? object[name] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type Refusable<T> = ({ refusal?: never } & T) | { refusal: Answer }

/** Validates that a body is a JSON object. Returns the object, or the error response. */
export function jsonOf(store: Store, { kind, value }: Body): Refusable<{ json: Record<string, unknown> }> {
  if (kind === 'malformed') return { refusal: store.refusal(400, 'malformed JSON') }
  if (kind !== 'json') return { refusal: store.refusal(415) }
  return isObject(value) ? { json: value } : { refusal: store.refusal(400, 'the body must have data') }
}

/** Validates that a JSON body has an object in `data`. Returns the object, or the error response. */
export function dataOf(store: Store, body: Body): Refusable<{ data: Record<string, unknown> }> {
  const read = jsonOf(store, body)
  if (read.refusal) return read
  const data = read.json['data']
  return isObject(data) ? { data } : { refusal: store.refusal(400, 'the body must have data') }
}

/** Returns Elastic Path's response to invalid fields. A tag names the violated validation rule. */
export function invalid(store: Store, complaints: readonly (readonly [name: string, tag: string])[]): Answer {
  const list = complaints.map(([name, tag]) => `field '${name}' on the '${tag}' tag`)
  return store.refusal(422, `Validation failed: ${list.join('; ')}.`)
}
