/** Reads JSON that is not trusted. Each function returns undefined if the value is not of the type it reads. */

export type JsonObject = Record<string, unknown>

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined
}

/** A string that is not empty. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Walks into nested objects. Reads own properties only, so `__proto__` is not followed. */
export function at(value: unknown, ...path: string[]): unknown {
  let here = value
  for (const key of path) {
    const object = asObject(here)
    if (!object || !Object.hasOwn(object, key)) return undefined
    here = object[key]
  }
  return here
}
