import { examine } from '../doctor/examine'
import { EnvFile } from '../env-file'
import { CliError, UsageError } from '../errors'
import { COMMON, parseFlags, type Command, type Flags } from '../flags'
import type { Io } from '../io'
import { APPLICATION_KEYS, readSettings, STORE_FLAGS, type Settings } from '../settings'
import { Store } from '../store'
import { Terminal } from '../terminal'
import { Choices } from './choices'
import { printAdvice, sortLines, wantedEnv, type EnvLines } from './env-lines'
import {
  envChange,
  integrationChange,
  isSecretName,
  profileChange,
  showChanges,
  type Change,
  type Secret,
} from './plan'

const FLAGS = {
  ...STORE_FLAGS,
  'webhook-url': {
    type: 'string',
    value: 'URL',
    help: 'Where Elastic Path posts each code: your otpWebhook.',
  },
  integration: {
    type: 'string',
    value: 'ID',
    help: 'Use and rename this integration instead of making one.',
  },
  yes: {
    type: 'boolean',
    short: 'y',
    help: 'Make the changes without asking. Values in .env are never replaced.',
  },
  'dry-run': { type: 'boolean', help: 'Show the changes, and make none.' },
  'no-write-env': { type: 'boolean', help: 'Print the lines for .env instead of writing them.' },
  ...COMMON,
} as const satisfies Flags

type SetupFlags = ReturnType<typeof parseFlags<typeof FLAGS>>

export const command: Command = {
  name: 'setup',
  summary: 'Turns codes on and registers the webhook. Running it twice changes nothing.',
  description: [
    'Shows first what it will change, and asks. It needs EPCC_CLIENT_SECRET, which a terminal is asked for.',
    'It ends with the checks of doctor, whose exit code it returns.',
  ].join('\n'),
  flags: FLAGS,
  examples: ['setup', 'setup --webhook-url https://shop.example.com/webhooks/otp --yes', 'setup --dry-run'],
}

/** The state to reach, and the changes that lead there. */
interface Plan {
  readonly settings: Settings
  readonly secret: Secret
  /** Changes at the store, in the order in which they are made. */
  readonly changes: readonly Change[]
  /** Lines to add to `.env`, and lines that the user sets elsewhere. */
  readonly env: EnvLines
}

export async function run(argv: readonly string[], io: Io): Promise<number> {
  const flags = parseFlags(command.name, FLAGS, argv)
  const terminal = new Terminal(io, flags.json === true)
  try {
    return await setUp(flags, io, terminal)
  } finally {
    terminal.close()
  }
}

async function setUp(flags: SetupFlags, io: Io, terminal: Terminal): Promise<number> {
  const file = await EnvFile.open(io.cwd)
  const asks = terminal.canAsk && flags.yes !== true
  const { settings, secret, changes, env } = await makePlan(flags, io, file, terminal, asks)
  const inFile = envChange(file, env.write)
  const all = inFile ? [...changes, inFile] : changes
  const shown = all.map(({ id, target, fields }) => ({ id, target, fields }))
  terminal.line()
  if (all.length === 0) terminal.line('Nothing to change.')
  showChanges(terminal, all)
  if (flags['dry-run']) {
    terminal.line('This was a dry run: nothing was changed.')
    if (flags.json) io.stdout.write(`${JSON.stringify({ ok: true, applied: false, changes: shown })}\n`)
    return 0
  }
  if (changes.length > 0 && !(await agreed('Make these changes at the store?', flags, terminal, asks))) {
    terminal.line('Nothing was changed.')
    return 1
  }
  const writes = inFile && (await agreed(`Write these lines to ${file.path}?`, flags, terminal, asks))
  // .env comes last: a secret that is not the integration's must not get there if this is interrupted.
  await apply(changes, terminal)
  const left = { ...env.print, ...(writes ? await writeEnv(inFile, env.write, terminal) : env.write) }
  // A secret that the user has already is not printed.
  const lines = Object.fromEntries(
    Object.entries(left).filter(([name]) => secret.isNew || !isSecretName(name)),
  )
  await printAdvice(lines, secret, io, terminal)
  terminal.line()
  const report = await examine(io, settings, terminal)
  const result = { ok: report.ok, applied: true, changes: shown, env: lines, checks: report.checks }
  if (flags.json) io.stdout.write(`${JSON.stringify(result)}\n`)
  return report.ok ? 0 : 1
}

async function makePlan(
  flags: SetupFlags,
  io: Io,
  file: EnvFile,
  terminal: Terminal,
  asks: boolean,
): Promise<Plan> {
  const read = readSettings(flags, io, file)
  const choices = new Choices(terminal, asks)
  const settings = await choices.complete(read)
  const store = new Store(settings, io)
  terminal.working('reading the store')
  await signIn(store)
  const realmId = settings.authenticationRealmId ?? (await findRealm(store))
  const profiles = await store.profiles(realmId)
  const integrations = await store.integrations()

  const profile = await choices.profile(profiles, settings.passwordProfileId)
  const integration = await choices.integration(integrations, flags.integration)
  const url = await choices.webhookUrl(flags['webhook-url'], integration, settings.baseUrl)
  const secret = await choices.secret(settings.webhookSecret, integration)
  store.hide(secret.value)

  const wanted = wantedEnv(settings, secret, profile, profiles)
  const changes = [
    profileChange(store, realmId, profile),
    integrationChange(store, integration, url, secret),
  ].filter((change) => change !== undefined)
  const env = await sortLines(wanted, io, file, terminal, asks, flags['no-write-env'] === true)
  return { settings: { ...settings, webhookSecret: secret.value }, secret, changes, env }
}

async function signIn(store: Store): Promise<void> {
  if (await store.authenticate('client_credentials')) return
  throw new CliError(
    'Elastic Path refuses this client id and secret.',
    `Check EPCC_CLIENT_ID, EPCC_CLIENT_SECRET and EPCC_BASE_URL. ${APPLICATION_KEYS}`,
  )
}

async function findRealm(store: Store): Promise<string> {
  const { realmId } = await store.accountSettings()
  if (realmId !== undefined) return realmId
  throw new CliError(
    "The store's account settings name no authentication realm.",
    'Set up account authentication in Commerce Manager, under Settings > Account Management.',
  )
}

async function agreed(
  question: string,
  flags: SetupFlags,
  terminal: Terminal,
  asks: boolean,
): Promise<boolean> {
  if (flags.yes) return true
  if (asks) return terminal.confirm(question)
  throw new UsageError(
    flags.json ? 'With --json, setup does not ask.' : 'Not a terminal, so setup cannot ask.',
    'Add --yes to apply the changes, or --dry-run to see them.',
  )
}

/** @returns the lines that could not be written. */
async function writeEnv(
  change: Change,
  lines: EnvLines['write'],
  terminal: Terminal,
): Promise<EnvLines['write']> {
  try {
    await apply([change], terminal)
    return {}
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    // The integration has the new secret by now, so it has to be printed.
    terminal.line(`${terminal.paint('yellow', '!')} ${error.message}`)
    return lines
  }
}

async function apply(changes: readonly Change[], terminal: Terminal): Promise<void> {
  for (const change of changes) {
    terminal.working(change.target)
    try {
      await change.apply()
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      const again = 'run setup again: it continues from here.'
      throw new CliError(
        `${error.message} What was changed before stays.`,
        error.fix === undefined ? `To complete the setup, ${again}` : `${error.fix} Then ${again}`,
      )
    }
    terminal.line(`${terminal.paint('green', '✓')} ${change.target}`)
  }
}
