import { ElasticPathSimulator, type SimulatorOptions } from '../../testing'
import { portError, systemCode, UsageError } from '../errors'
import { COMMON, parseFlags, wholeNumber, type Command, type Flags } from '../flags'
import type { Io } from '../io'
import { Terminal } from '../terminal'
import { CALLS, FAULT_SYNTAX, readFault } from './faults'
import { readMember, readSeed, withMembers } from './seed'
import { isPagePath, Site } from './site'

const FLAGS = {
  port: { type: 'string', value: 'PORT', help: 'The port; 0 takes any free one. Default: 4010' },
  host: { type: 'string', value: 'ADDRESS', help: 'The address to listen at. Default: 127.0.0.1' },
  member: {
    type: 'string',
    multiple: true,
    value: 'USERNAME[:ACCOUNTS]',
    help: 'Somebody who can sign in, with a number of accounts. Repeatable.\nDefault: ada@example.com:1 and grace@example.com:250',
  },
  seed: { type: 'string', value: 'FILE', help: 'A JSON file with options of ElasticPathSimulator.' },
  'webhook-url': { type: 'string', value: 'URL', help: 'Where the event of each code is posted.' },
  'webhook-secret': {
    type: 'string',
    value: 'TEXT',
    help: 'The secret key it is posted with. Default: simulator-webhook-secret',
  },
  'client-id': { type: 'string', value: 'TEXT', help: 'Default: simulator-client-id' },
  'client-secret': { type: 'string', value: 'TEXT', help: 'Default: simulator-client-secret' },
  fault: {
    type: 'string',
    multiple: true,
    value: FAULT_SYNTAX,
    help: `Such as exchange=503*3 or any=hang*always. Repeatable.\nCalls: ${CALLS.join(', ')}`,
  },
  'account-token-lifetime': { type: 'string', value: 'SECONDS', help: 'Default: 86400' },
  'access-token-lifetime': { type: 'string', value: 'SECONDS', help: 'Default: 3600' },
  'code-lifetime': { type: 'string', value: 'SECONDS', help: 'Default: 600' },
  ...COMMON,
} as const satisfies Flags

export const command: Command = {
  name: 'simulate',
  summary: 'Runs an Elastic Path on this machine, for any test runner or language.',
  description: [
    'Starts a simulated Elastic Path store and prints each code that is requested. A page for the browser is at its base URL.',
    'It runs until SIGINT (Ctrl+C) or SIGTERM. With --json, each line is an event: ready, code, request, delivery, stopped.',
  ].join('\n'),
  flags: FLAGS,
  examples: [
    'simulate',
    'simulate --member ada@example.com --webhook-url http://localhost:3000/webhooks/otp',
    'simulate --fault exchange=503*3',
  ],
}

/** Runs until the signal aborts. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const flags = parseFlags(command.name, FLAGS, argv)
  const faults = (flags.fault ?? []).map((text) => [text, readFault(text)] as const)
  const simulator = await start(await readOptions(flags, io.cwd))
  const site = new Site(simulator)
  for (const [text, fault] of faults) site.addFault(text, fault)
  if (flags.json) printEvents(simulator, io)
  else printLines(simulator, new Terminal(io, false))
  await aborted(io.signal)
  await simulator.stop()
  if (flags.json) io.stdout.write('{"event":"stopped"}\n')
  return 0
}

async function readOptions(
  flags: ReturnType<typeof parseFlags<typeof FLAGS>>,
  folder: string,
): Promise<SimulatorOptions> {
  const seed = flags.seed === undefined ? {} : await readSeed(folder, flags.seed)
  const seconds = (name: 'account-token-lifetime' | 'access-token-lifetime' | 'code-lifetime') =>
    flags[name] === undefined ? undefined : wholeNumber(name, flags[name], 1, 999_999_999)
  const [accountTokenLifetime, accessTokenLifetime, codeLifetime] = [
    seconds('account-token-lifetime'),
    seconds('access-token-lifetime'),
    seconds('code-lifetime'),
  ]
  return {
    ...withMembers(seed, (flags.member ?? []).map(readMember)),
    port: wholeNumber('port', flags.port ?? String(seed.port ?? 4010), 0, 65_535),
    ...(flags.host !== undefined && { host: flags.host }),
    ...(flags['client-id'] !== undefined && { clientId: flags['client-id'] }),
    ...(flags['client-secret'] !== undefined && { clientSecret: flags['client-secret'] }),
    ...(accountTokenLifetime !== undefined && { accountTokenLifetime }),
    ...(accessTokenLifetime !== undefined && { accessTokenLifetime }),
    ...(codeLifetime !== undefined && { codeLifetime }),
    ...(flags['webhook-url'] !== undefined && {
      webhook: {
        url: flags['webhook-url'],
        secretKey: flags['webhook-secret'] ?? 'simulator-webhook-secret',
      },
    }),
  }
}

async function start(options: SimulatorOptions): Promise<ElasticPathSimulator> {
  try {
    return await ElasticPathSimulator.start(options)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EADDRINUSE' || code === 'EACCES') throw portError(error, options.port, '--port')
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new UsageError(`--host: this machine does not have the address ${options.host}.`)
    }
    if (error instanceof TypeError || error instanceof RangeError) throw new UsageError(error.message)
    throw error
  }
}

function printLines(simulator: ElasticPathSimulator, terminal: Terminal): void {
  const { clientId, clientSecret, members } = simulator
  const url = reachable(simulator.url)
  const names = members.slice(0, 5).map(({ username, accounts }) => `${username} (${accounts.total})`)
  terminal.line(
    `${terminal.paint('bold', 'Elastic Path simulator')}, with a page for your browser at its base URL`,
  )
  terminal.line(`  EPCC_BASE_URL=${url}`)
  terminal.line(`  EPCC_CLIENT_ID=${clientId}`)
  terminal.line(`  EPCC_CLIENT_SECRET=${clientSecret}`)
  terminal.line(
    `  Members, with their accounts: ${names.join(', ')}${members.length > names.length ? ', …' : ''}`,
  )
  terminal.line('Ready. Press Ctrl+C to stop.')
  simulator.on('code', ({ username, otp }) =>
    terminal.line(`code ${username} ${terminal.paint('bold', otp)}`),
  )
  simulator.on('delivery', ({ succeeded, status, attempt }) => {
    if (!succeeded) terminal.line(`webhook attempt ${attempt} failed: ${status ?? 'no answer'}`)
  })
}

function printEvents(simulator: ElasticPathSimulator, io: Io): void {
  const print = (event: string, fields: object) =>
    io.stdout.write(`${JSON.stringify({ event, ...fields })}\n`)
  const { clientId, clientSecret, members } = simulator
  const url = reachable(simulator.url)
  const names = members.map(({ username, accounts }) => ({ username, accounts: accounts.total }))
  simulator.on('code', ({ username, otp, expires }) => print('code', { username, code: otp, expires }))
  simulator.on('answer', ({ call, method, path, status }) => {
    if (!isPagePath(path)) print('request', { call, method, path, status: status ?? null })
  })
  simulator.on('delivery', ({ attempt, succeeded, status }) =>
    print('delivery', { attempt, succeeded, status: status ?? null }),
  )
  print('ready', { baseUrl: url, clientId, clientSecret, members: names })
}

/** The address of all interfaces is none to send requests to. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve())
  })
}
