/** Replaces the clock and the timers until the test ends. Sockets and promises go on as usual. */
export function controlClock(now?: number): void {
  jest.useFakeTimers({
    doNotFake: ['nextTick', 'setImmediate', 'clearImmediate', 'queueMicrotask', 'hrtime'],
    ...(now === undefined ? {} : { now }),
  })
}

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

/** Lets time pass: timers that are due run. */
export function pass(milliseconds: number): Promise<void> {
  return jest.advanceTimersByTimeAsync(milliseconds)
}

afterEach(() => {
  jest.useRealTimers()
})

/** A promise with the functions that settle it. */
export function deferred<T = void>() {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((ok, fail) => {
    resolve = ok
    reject = fail
  })
  return { promise, resolve, reject }
}
