/** A problem that a person can correct. It is printed without a stack trace, and the exit code is 1. */
export class CliError extends Error {
  override readonly name: string = 'CliError'

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
export class UsageError extends CliError {
  override readonly name = 'UsageError'
}

/** Node's code of a system error, such as `ENOENT`; an empty string if there is none. */
export function systemCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}

/** The user pressed Ctrl+C or closed the input at a question. The exit code is 1. */
export class Interrupted extends CliError {
  override readonly name = 'Interrupted'

  constructor() {
    super('Interrupted.')
  }
}
