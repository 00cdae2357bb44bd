import { parseArgs } from 'node:util'
import { closest } from './closest'
import { UsageError } from './errors'
import { at } from './json'

/** A flag of a command: what `parseArgs` needs, and what `--help` says. */
interface Flag {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly multiple?: boolean
  /** How the help names its value, such as `URL`. */
  readonly value?: string
  readonly help: string
}

export type Flags = Readonly<Record<string, Flag>>

/** A subcommand. */
export interface Command {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** A few lines that `--help` starts with. */
  readonly description: string
  readonly flags: Flags
  readonly examples: readonly string[]
}

export const COMMAND = 'passport-elasticpath-otp'

export const COMMON = {
  json: { type: 'boolean', help: 'Print JSON for machines.' },
  help: { type: 'boolean', short: 'h', help: 'Print this help.' },
} as const satisfies Flags

// Secrets on a command line are in the shell's history and in the list of processes.
const SECRETS = new Map([
  ['--client-secret', 'EPCC_CLIENT_SECRET'],
  ['--webhook-secret', 'EPCC_WEBHOOK_SECRET'],
  ['--secret', 'EPCC_CLIENT_SECRET'],
])

/**
 * Parses the arguments of a command.
 *
 * @param command - The command's name, whose help errors point to.
 * @throws UsageError for unknown flags, missing values and stray arguments.
 */
export function parseFlags<T extends Flags>(command: string, flags: T, argv: readonly string[]) {
  for (const argument of argv) {
    const flag = argument.replace(/=.*/s, '')
    const variable = SECRETS.get(flag)
    if (variable === undefined || flag.slice(2) in flags) continue
    throw new UsageError(
      `${flag} is not a flag, because secrets on a command line end up in the shell's history.`,
      `Set ${variable} in the environment or in .env.`,
    )
  }
  try {
    return parseArgs({ args: [...argv], options: flags, strict: true, allowPositionals: false }).values
  } catch (error) {
    // Only the first sentence: the others are about the syntax of positional arguments.
    const message = `${String(at(error, 'message')).replace(/\.\s.*/s, '')}.`
    const unknown = /Unknown option '--(.+)'/.exec(message)?.[1]
    const meant = unknown === undefined ? undefined : closest(unknown, Object.keys(flags))
    const suggestion = meant === undefined ? '' : `Did you mean --${meant}? `
    throw new UsageError(message, `${suggestion}See: npx ${COMMAND} ${command} --help`)
  }
}

/** Reads a whole number from a flag. */
export function wholeNumber(name: string, value: string, least: number, most: number): number {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN
  if (number >= least && number <= most) return number
  throw new UsageError(`--${name} must be a whole number from ${least} to ${most}, not "${value}".`)
}

export function helpOf({ name, description, flags, examples }: Command): string {
  return [
    `Usage: ${COMMAND} ${name} [flags]`,
    '',
    description,
    '',
    'Flags:',
    ...table(
      Object.entries(flags).map(([flag, { short, value, help }]) => [label(flag, short, value), help]),
    ),
    '',
    'Examples:',
    ...examples.map((example) => `  npx ${COMMAND} ${example}`),
    '',
  ].join('\n')
}

/** Two columns; lines of the second are kept under each other. */
export function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(
    ([left, right]) => `  ${left.padEnd(width)}  ${right.replaceAll('\n', `\n${' '.repeat(width + 4)}`)}`,
  )
}

function label(flag: string, short: string | undefined, value: string | undefined): string {
  return `${short === undefined ? '' : `-${short}, `}--${flag}${value === undefined ? '' : ` ${value}`}`
}
