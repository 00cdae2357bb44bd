import type { Readable, Writable } from 'node:stream'

/** Everything a command needs from the outside. Tests pass their own. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
  /** The working directory, where `.env` is. */
  readonly cwd: string
  /** Node's version, such as `v20.18.1`. */
  readonly nodeVersion: string
  readonly fetch: typeof fetch
  readonly clock: Clock
  /** Aborts at SIGINT and SIGTERM. */
  readonly signal: AbortSignal
}

interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after some milliseconds. Rejects if the signal aborts first. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>
}
