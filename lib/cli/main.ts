import { CliError, UsageError } from './errors'
import { COMMAND, helpOf, table, type Command } from './flags'
import * as doctor from './doctor'
import type { Io } from './io'
import * as probe from './probe'
import * as setup from './setup'
import * as simulate from './simulate'
import { packageVersion } from './version'

interface Subcommand {
  readonly command: Command
  /** @returns the exit code. */
  run(argv: readonly string[], io: Io): Promise<number>
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = { setup, doctor, simulate, probe }

/**
 * Runs the command line.
 *
 * @param argv - The arguments after the program's name.
 * @returns the exit code: 0 if everything is fine, 1 if something is wrong, 2 if the usage is wrong.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const asJson = argv.includes('--json')
  try {
    return await dispatch(argv, io)
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    const { message, fix } = error
    if (asJson) io.stdout.write(`${JSON.stringify({ ok: false, error: { message, fix } })}\n`)
    else io.stderr.write(`${COMMAND}: ${message}\n${fix === undefined ? '' : `  ${fix}\n`}`)
    return error instanceof UsageError ? 2 : 1
  }
}

async function dispatch([name = '', ...rest]: readonly string[], io: Io): Promise<number> {
  if (name === '--version' || name === '-V') return print(io, packageVersion())
  if (name === '--help' || name === '-h') return print(io, overview())
  if (name === 'help') return dispatch([...rest, '--help'], io)
  const subcommand = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined
  if (!subcommand) {
    const known = Object.keys(SUBCOMMANDS).join(', ')
    const problem = name === '' ? 'A command is missing.' : `There is no command "${name}".`
    throw new UsageError(`${problem} The commands are ${known}.`, `See: npx ${COMMAND} --help`)
  }
  if (rest.includes('--help') || rest.includes('-h')) return print(io, helpOf(subcommand.command))
  return subcommand.run(rest, io)
}

function overview(): string {
  return [
    `Usage: ${COMMAND} <command> [flags]`,
    '',
    'Sets up, checks and simulates the Elastic Path store that signs shoppers in with one-time codes.',
    '',
    'Commands:',
    ...table(Object.values(SUBCOMMANDS).map(({ command }) => [command.name, command.summary])),
    '',
    `The flags of a command: npx ${COMMAND} <command> --help`,
    'Settings: flags, then the environment, then .env in the working directory.',
    'Exit codes: 0 fine, 1 something is wrong, 2 wrong usage.',
    '',
  ].join('\n')
}

function print(io: Io, text: string): number {
  io.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
  return 0
}
