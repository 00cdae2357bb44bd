import { CliError, Interrupted } from '../errors'
import type { Io } from '../io'
import type { Settings } from '../settings'
import { Store } from '../store'
import type { Terminal } from '../terminal'
import { problem, type Check, type Finding, type Status, type Visit } from './check'
import { sendCheck } from './send'
import { LAST_CHECKS, STORE_CHECKS } from './store-checks'
import { WEBHOOK_CHECKS } from './webhook-checks'

/** What the doctor reports, and what `doctor --json` prints. */
export interface Report {
  readonly ok: boolean
  readonly checks: readonly ({ readonly id: string } & Finding)[]
}

const MARKS: Readonly<Record<Status, readonly [string, 'green' | 'yellow' | 'red' | 'gray']>> = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  error: ['✗', 'red'],
  skipped: ['-', 'gray'],
}

/**
 * Runs all checks from top to bottom, and prints a line for each.
 *
 * @param sendTo - The member to whom a code is sent, if one is to be.
 */
export async function examine(
  io: Io,
  settings: Settings,
  terminal: Terminal,
  sendTo?: string,
): Promise<Report> {
  const visit: Visit = { io, settings, store: new Store(settings, io) }
  const sending = sendTo === undefined ? [] : [sendCheck(sendTo)]
  const checks: ({ id: string } & Finding)[] = []
  for (const check of [...STORE_CHECKS, ...WEBHOOK_CHECKS, ...LAST_CHECKS, ...sending]) {
    terminal.working(check.id)
    const finding = await find(check, visit)
    checks.push({ id: check.id, ...finding })
    print(terminal, finding)
  }
  const count = (status: Status) => checks.filter((check) => check.status === status).length
  const plural = (status: Status) => `${count(status)} ${status}${count(status) === 1 ? '' : 's'}`
  terminal.line()
  terminal.line(`${count('ok')} ok, ${plural('warning')}, ${plural('error')}, ${count('skipped')} skipped`)
  return { ok: count('error') === 0, checks }
}

async function find({ run }: Check, visit: Visit): Promise<Finding> {
  try {
    return await run(visit)
  } catch (error) {
    if (error instanceof Interrupted || !(error instanceof CliError)) throw error
    return problem(error.message, error.fix)
  }
}

function print(terminal: Terminal, { status, message, fix }: Finding): void {
  const [mark, color] = MARKS[status]
  terminal.line(`${terminal.paint(color, mark)} ${message}`)
  if (fix !== undefined) terminal.line(`    ${fix}`)
}
