/** Reading JSON of unknown shape, without casts. */

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at a path of names; undefined if there is none. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), value)
}

/** A string that is not empty, or undefined. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A finite number, or undefined. */
export function number(value: unknown): number | undefined {
  return Number.isFinite(value) ? Number(value) : undefined
}

/** The objects of an array; an empty list if it is no array. */
export function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Parsed JSON, or undefined if the text is no JSON. */
export function parse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    return undefined
  }
}

/**
 * Finds the error in a text that is not JSON.
 *
 * @returns its line and column, both from 1.
 */
export function errorPosition(json: string): { line: number; column: number } {
  // JSON.parse does not always say where the error is. The text before it is incomplete, and any longer part is wrong.
  let before = 0
  let after = json.length + 1
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (isStart(json.slice(0, middle))) before = middle
    else after = middle
  }
  const valid = json.slice(0, before)
  return { line: valid.split('\n').length, column: valid.length - valid.lastIndexOf('\n') }
}

/** Whether a text is JSON or can be completed to it: the error is at its end. */
function isStart(json: string): boolean {
  try {
    JSON.parse(json)
    return true
  } catch (error) {
    const message = String(error)
    const position = / in JSON at position (\d+)/.exec(message)?.[1]
    return position === undefined
      ? message.endsWith('Unexpected end of JSON input')
      : Number(position) >= json.length
  }
}

/** Foreign text in one line, without control characters, and of bounded length. */
export function oneLine(value: string, longest = 200): string {
  const line = value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line
}
