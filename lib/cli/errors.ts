import { at, text } from './json'

/** A problem that a person can correct. It is printed without a stack trace, and the exit code is 1. */
export class CliError extends Error {
  /**
   * @param message - What happened, and whose fault it is.
   * @param fix - What to do about it.
   */
  constructor(
    message: string,
    readonly fix?: string,
  ) {
    super(message)
  }
}

/** The command was called in a way it does not support, or a setting is missing or invalid. The exit code is 2. */
export class UsageError extends CliError {}

/** Node's code of a system error, such as `ENOENT`; an empty string if there is none. */
export function systemCode(error: unknown): string {
  return text(at(error, 'code')) ?? ''
}

/**
 * The error for a port at which a server cannot listen.
 *
 * @param flag - The flag that sets the port.
 */
export function portError(error: unknown, port: number | undefined, flag: string): CliError {
  const code = systemCode(error)
  if (code === 'EADDRINUSE') {
    return new CliError(
      `Port ${port} is in use (${code}).`,
      `Stop what uses it, or pass another port with ${flag}. 0 takes any free one.`,
    )
  }
  return new CliError(
    `Port ${port} cannot be opened (${code}).`,
    `Ports below 1024 need more rights. Pass another one with ${flag}.`,
  )
}

/** The user pressed Ctrl+C or closed the input at a question. The exit code is 1. */
export class Interrupted extends CliError {
  constructor() {
    super('Interrupted.')
  }
}
