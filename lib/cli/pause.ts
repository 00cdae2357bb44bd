import { Interrupted } from './errors'
import type { Io } from './io'

/**
 * Waits for some milliseconds.
 *
 * @throws Interrupted if the command is stopped before they are over.
 */
export async function pause({ clock, signal }: Io, milliseconds: number): Promise<void> {
  try {
    await clock.sleep(milliseconds, signal)
  } catch (error) {
    throw signal.aborted ? new Interrupted() : error
  }
}
