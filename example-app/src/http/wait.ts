/** How long to wait, as pages show it: a length and a time of day. */
export interface Wait {
  seconds: number
  /** `4 minutes`. */
  length: string
  /** `14:35 UTC`; app.js replaces it with the shopper's own time. */
  clock: string
  /** ISO 8601. */
  time: string
}

/** @param until - In epoch milliseconds. Undefined, and for a time that has passed, there is no wait. */
export function waitUntil(until: number | undefined): Wait | undefined {
  const seconds = until === undefined ? 0 : Math.ceil((until - Date.now()) / 1000)
  if (until === undefined || seconds <= 0) return undefined
  const time = new Date(until).toISOString()
  return { seconds, length: inWords(seconds), clock: `${time.slice(11, 16)} UTC`, time }
}

export function waitFor(seconds: number): Wait | undefined {
  return waitUntil(Date.now() + seconds * 1000)
}

/** `45` is `45 seconds`, `200` is `4 minutes`. */
export function inWords(seconds: number): string {
  const [count, unit] =
    seconds < 60 ? [Math.max(1, Math.ceil(seconds)), 'second'] : [Math.ceil(seconds / 60), 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
