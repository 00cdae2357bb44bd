import { validateHeaderName, validateHeaderValue } from 'node:http'

/**
 * Validates the names of options. A misspelled option would otherwise be ignored.
 *
 * @param of the owner of the options, for the message, such as 'the simulator'
 * @throws TypeError if an option is unknown; the message lists the known ones
 */
export function checkNames(of: string, object: object, known: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(object)) {
    if (Object.hasOwn(known, name)) continue
    throw new TypeError(`Unknown option of ${of}: ${name}. Known options: ${Object.keys(known).join(', ')}`)
  }
}

/** @throws TypeError if the value is not one of the possible ones */
export function checkOneOf<T>(name: string, value: T, possible: readonly T[]): void {
  if (possible.includes(value)) return
  throw new TypeError(`${name} must be one of ${possible.join(', ')}, not ${String(value)}`)
}

/** @throws RangeError if the value is not a number from `least` to `most` */
export function checkNumber(name: string, value: unknown, least: number, most: number): void {
  if (typeof value === 'number' && value >= least && value <= most) return
  throw new RangeError(`${name} must be a number from ${least} to ${most}, not ${String(value)}`)
}

/** @throws RangeError if the value is not a whole number from `least` to `most` */
export function checkWholeNumber(name: string, value: unknown, least: number, most: number): void {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${String(value)}`)
}

/** The longest delay of a timer, in milliseconds. Node runs a longer one immediately. */
export const LONGEST_TIMEOUT = 2 ** 31 - 1

/** @throws RangeError if the value is not a positive and finite number of seconds */
export function checkLifetime(name: string, seconds: unknown): void {
  if (typeof seconds === 'number' && seconds > 0 && Number.isFinite(seconds)) return
  throw new RangeError(`${name} must be a positive number of seconds, not ${String(seconds)}`)
}

/** @throws TypeError if the name or value of a header is invalid */
export function checkHeaders(headers: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name)
    validateHeaderValue(name, value)
  }
}

/** @throws TypeError if the id is in use */
export function checkUnused(what: string, id: string, existing: unknown): void {
  if (existing !== undefined) throw new TypeError(`The ${what} id ${id} is already in use`)
}

export function isUuid(value: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
}
