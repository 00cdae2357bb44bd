import { EnvFile } from '../env-file'
import { COMMON, parseFlags, type Command, type Flags } from '../flags'
import type { Io } from '../io'
import { readSettings, requireClientId, STORE_FLAGS } from '../settings'
import { Terminal } from '../terminal'
import { examine } from './examine'

const FLAGS = {
  ...STORE_FLAGS,
  send: {
    type: 'string',
    value: 'USERNAME',
    help: 'Request a code for this member and follow its delivery.',
  },
  ...COMMON,
} as const satisfies Flags

export const command: Command = {
  name: 'doctor',
  summary: 'Says what is wrong with a store and its webhook, and what to do.',
  description: [
    'Checks the store, the webhook and the settings, and changes nothing. Set EPCC_CLIENT_SECRET for the checks of the webhook.',
    'It posts two events that are no codes to the webhook; otpWebhook ignores them.',
  ].join('\n'),
  flags: FLAGS,
  examples: ['doctor', 'doctor --send ada@example.com', 'doctor --json'],
}

/** @returns 1 if a check found an error; warnings are fine. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const flags = parseFlags(command.name, FLAGS, argv)
  const settings = readSettings(flags, io, await EnvFile.open(io.cwd))
  requireClientId(settings)
  const terminal = new Terminal(io, flags.json === true)
  const report = await examine(io, settings, terminal, flags.send)
  if (flags.json) io.stdout.write(`${JSON.stringify(report)}\n`)
  return report.ok ? 0 : 1
}
