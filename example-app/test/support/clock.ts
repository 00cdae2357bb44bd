// Dates and `performance.now()` stand still until a test moves them. Timers are real, because nothing that a test waits
// for is a timer of the app.
const REAL = [
  'nextTick',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
] as const

jest.useFakeTimers({ doNotFake: [...REAL] })

export const MINUTE = 60
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Moves the clock of the process forward, and with it those of the shop and of the simulated store. */
export function moveClock(seconds: number): void {
  jest.advanceTimersByTime(seconds * 1000)
}
