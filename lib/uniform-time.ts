/**
 * Waits until a fixed time after a start, so that the time of a response does not depend on Elastic Path.
 *
 * @param startedAt - The start, by `performance.now()`.
 * @param milliseconds - The time after the start.
 */
export async function untilUniformTime(startedAt: number, milliseconds: number): Promise<void> {
  const remaining = startedAt + milliseconds - performance.now()
  if (remaining > 0) await new Promise((resolve) => setTimeout(resolve, remaining))
}
