import type { EnvFile } from '../env-file'
import type { Io } from '../io'
import { DEFAULT_BASE_URL } from '../settings'
import type { Profile } from '../store'
import type { Terminal } from '../terminal'
import type { CompleteSettings } from './choices'
import { isCommittable } from './git'
import { isSecretName, type Secret } from './plan'

/** The settings that the shop needs, beyond the defaults. */
export function wantedEnv(
  { clientId, baseUrl }: CompleteSettings,
  secret: Secret,
  profile: Profile | undefined,
  profiles: readonly Profile[],
): Record<string, string> {
  const base = baseUrl.href.replace(/\/$/, '')
  const isAmbiguous = profile && profiles.some((other) => other !== profile && other.issuesCodes)
  return {
    EPCC_CLIENT_ID: clientId,
    ...(base !== DEFAULT_BASE_URL && { EPCC_BASE_URL: base }),
    ...(isAmbiguous && { EPCC_PASSWORD_PROFILE_ID: profile.id }),
    EPCC_WEBHOOK_SECRET: secret.value,
  }
}

export interface EnvLines {
  readonly write: Readonly<Record<string, string>>
  readonly print: Readonly<Record<string, string>>
}

/** Which lines are written to `.env`, and which are printed. Values that are set already are neither. */
export async function sortLines(
  wanted: Readonly<Record<string, string>>,
  io: Io,
  file: EnvFile,
  terminal: Terminal,
  asks: boolean,
  onlyPrint: boolean,
): Promise<EnvLines> {
  const write: Record<string, string> = {}
  const print: Record<string, string> = {}
  for (const [name, value] of Object.entries(wanted)) {
    const existing = file.values[name]
    if (existing === value || (existing === undefined && io.env[name] === value)) continue
    const writes =
      !onlyPrint && (existing === undefined || (asks && (await agreesToReplace(terminal, name, existing))))
    const lines = writes ? write : print
    lines[name] = value
  }
  return { write, print }
}

function agreesToReplace(terminal: Terminal, name: string, existing: string): Promise<boolean> {
  const shown = isSecretName(name) ? 'another secret' : `${name}=${existing}`
  return terminal.confirm(`.env has ${shown}. Replace ${name}?`)
}

/** Prints what the user has to do, now that the store is changed. */
export async function printAdvice(
  lines: Readonly<Record<string, string>>,
  secret: Secret,
  io: Io,
  terminal: Terminal,
): Promise<void> {
  const others = Object.entries(lines).filter(([name]) => !(secret.replaces && isSecretName(name)))
  printLines('Set these where the shop runs, for example in .env:', Object.fromEntries(others), terminal)
  if (secret.replaces) {
    const title =
      '! Running shops refuse deliveries until they get the new secret. Set this line in the .env of each:'
    printLines(terminal.paint('yellow', title), { EPCC_WEBHOOK_SECRET: secret.value }, terminal)
  }
  if (await isCommittable(io.cwd)) {
    terminal.line()
    terminal.line(
      `${terminal.paint('yellow', '!')} .env is not ignored by Git, so its secrets can be committed. ` +
        'Add this line to .gitignore: .env',
    )
  }
}

function printLines(title: string, lines: Readonly<Record<string, string>>, terminal: Terminal): void {
  const entries = Object.entries(lines)
  if (entries.length === 0) return
  terminal.line()
  terminal.line(title)
  for (const [name, value] of entries) terminal.line(`  ${name}=${value}`)
}
