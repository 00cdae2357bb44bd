import type { Body } from './requests'
import type { Answer, Store } from './store'

/** The text of a field; undefined where it is absent, empty or no text. */
export function field(object: unknown, name: string): string | undefined {
  const value = isObject(object) ? object[name] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The `data` of a JSON body; where there is none, the refusal of the body. */
export function dataOf(
  store: Store,
  { kind, value }: Body,
): { data: Record<string, unknown> } | { refusal: Answer } {
  if (kind === 'malformed') return { refusal: store.refusal(400, 'malformed JSON') }
  if (kind !== 'json') return { refusal: store.refusal(415) }
  const data = isObject(value) ? value['data'] : undefined
  return isObject(data) ? { data } : { refusal: store.refusal(400, 'the body must have data') }
}

/** The refusal of malformed fields, each with what is wrong with it (fact 9). */
export function invalid(store: Store, complaints: readonly (readonly [name: string, tag: string])[]): Answer {
  const list = complaints.map(([name, tag]) => `field '${name}' on the '${tag}' tag`)
  return store.refusal(422, `Validation failed: ${list.join('; ')}.`)
}
