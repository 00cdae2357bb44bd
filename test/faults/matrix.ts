import { inspect } from 'node:util'
import { ElasticPathError, type PasswordlessOtpStrategy } from '../../lib'
import type { Fault } from '../../lib/testing'
import {
  ALL_DOORS,
  answerOf,
  cells,
  hasEffect,
  healthyAnswer,
  isShared,
  makes,
  OLD_TOKEN,
  sendings,
  WORKS,
  type Cell,
  type Door,
} from './rules'
import { listenToDiagnostics, Shop, SHOPPERS, watchSockets, type Attempt } from './shop'

export interface Observation {
  cell: Cell
  /** What a door answered where the fault struck it. */
  answers: Map<Door, string>
  /** What the errors said. */
  log: string[]
  /** How often a code, or a request for one, went out. */
  sent: number
  /** What was not as promised. */
  problems: string[]
}

// Enough to keep the machine busy while some wait, few enough that nobody runs out of time for want of it.
const SHOPS = 5
// What a busy machine, and the grid on which requestOtp answers, may add to the strategy's own time.
const LATENESS = 2500

/** Every fault at every call, by every door, with other traffic at the same time. */
export async function runMatrix(): Promise<Observation[]> {
  const queue = cells()
  const observations: Observation[] = []
  await withShops(SHOPS, async (shop, sockets) => {
    for (let cell = queue.shift(); cell; cell = queue.shift()) {
      observations.push(await runCell(shop, sockets, cell))
    }
  })
  return observations
}

export type Sockets = ReturnType<typeof watchSockets>

export async function withShops(
  count: number,
  work: (shop: Shop, sockets: Sockets) => Promise<void>,
): Promise<void> {
  const stopListening = listenToDiagnostics()
  const sockets = watchSockets()
  try {
    await Promise.all(
      Array.from({ length: count }, async () => {
        const shop = await Shop.open()
        try {
          await work(shop, sockets)
        } finally {
          await shop.close()
        }
      }),
    )
  } finally {
    sockets.stop()
    stopListening()
  }
}

async function runCell(shop: Shop, sockets: Sockets, cell: Cell): Promise<Observation> {
  const { simulator } = shop
  const { call, fault, times, afterEffect } = cell
  const timeout = fault.timeout ?? 8000
  const strategy = shop.begin({ timeout })
  const traffic = trafficOf(cell)
  try {
    if (!isShared(call)) await warmUp(shop, strategy, cell, traffic.length)
    simulator.clearRequests()
    const struck = simulator.fault(call, faultOf(cell), { times, afterEffect })
    const attempts = await Promise.all(traffic.map(([door, n]) => shop.visit(strategy, door, n)))
    const hits = struck.hits
    const observation = observe(shop, cell, attempts, timeout)
    const { problems } = observation
    if (hits === 0) problems.push('the fault struck nobody')
    simulator.clearFaults()

    const doors = [...new Set(traffic.map(([door]) => door))]
    for (const again of await Promise.all(doors.map((door) => shop.visit(strategy, door, 0)))) {
      if (again.outcome !== healthyAnswer(again.door))
        problems.push(`${again.door} after the fault: ${again.outcome}`)
      problems.push(...again.problems)
    }
    await strategy.close()
    const open = await sockets.openTo(Number(new URL(simulator.url).port))
    if (open > 0) problems.push(`${open} connections are left open`)
    // A second end of a request would have come by now.
    for (const { door, ends } of attempts) if (ends !== 1) problems.push(`${door} ended ${ends} times`)
    return observation
  } finally {
    simulator.clearFaults()
    await strategy.close()
  }
}

function faultOf({ fault: { fault } }: Cell): Fault {
  if (typeof fault !== 'function') return fault
  return fault(['sign-in', 'asks', 'switchaccount'].map((who) => `${who}-1@example.com`).join(' '))
}

/** Some by each door at once: those that a fault strikes, and those that come by the other doors meanwhile. */
function trafficOf(cell: Cell): [Door, number][] {
  const { call, fault, door: focus } = cell
  // Which of several were first on a new connection nobody can say.
  if (fault.cold) return [[call === 'exchange' ? 'sign-in' : 'requestOtp', 1]]
  const later: Door = 'sign-in to an account of a later page'
  return ALL_DOORS.flatMap((door): [Door, number][] => {
    if (door === later && call !== 'renewal') return []
    // Answers on a grid of time: its promise does for it where all is well.
    if (door === 'requestOtp' && !makes(door, call)) return []
    if (focus) {
      if (door === focus) return [1, 2, 3, 4].map((n) => [door, n])
      if (makes(door, call)) return []
    }
    const few = door === later || door === 'ready' || door === 'sign-in with a wrong code'
    return (few ? [1] : [1, 2]).map((n) => [door, n])
  })
}

/** All that is needed but for the call that goes wrong, and a connection for each that comes. */
async function warmUp(
  shop: Shop,
  strategy: PasswordlessOtpStrategy,
  { fault }: Cell,
  many: number,
): Promise<void> {
  if (fault.cold) return
  await strategy.ready()
  const connections = fault.fault === 'reset' ? many : 2
  const visits = Array.from({ length: connections }, (_, n) =>
    shop.visit(strategy, 'listAccounts', n % SHOPPERS),
  )
  await Promise.all(visits)
  // undici hands a connection back a turn of the loop after its answer was read.
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
}

function observe(shop: Shop, cell: Cell, attempts: Attempt[], timeout: number): Observation {
  const { call, times, door: focus } = cell
  const problems: string[] = []
  const answers = new Map<Door, string>()
  let struck = 0
  for (const attempt of attempts) {
    const { door, outcome } = attempt
    const healthy = healthyAnswer(door)
    const mayBeStruck = focus ? door === focus : makes(door, call)
    const expected = mayBeStruck ? answerOf(cell, door) : healthy
    if (outcome === expected && expected !== healthy) struck++
    if (outcome === expected) answers.set(door, outcome)
    else if (!mayBeStruck || times !== 1 || outcome !== healthy) {
      problems.push(`${door}: ${outcome}, not ${expected}`)
    }
    problems.push(...attempt.problems, ...problemsWith(attempt, timeout))
  }
  if (times === 1) {
    const shared = isShared(call)
    const visible = attempts.some(
      ({ door }) => makes(door, call) && answerOf(cell, door) !== healthyAnswer(door),
    )
    if (visible && (shared ? struck === 0 : struck !== 1)) problems.push(`${struck} shoppers were struck`)
  }
  const sent = problemsOfSending(shop, cell, attempts, problems)
  if (shop.simulator.count('other') > 0) problems.push('a redirect was followed')
  problemsOfSecrets(shop, attempts, problems)
  const log = attempts.flatMap(({ error }) => (error instanceof Error ? [error.message] : []))
  return { cell, answers, log, sent, problems }
}

/** What is promised to every request. */
export function problemsWith(attempt: Attempt, timeout: number): string[] {
  const { door, outcome, error, messages, took } = attempt
  const problems: string[] = []
  const told = ({ code, outcome }: { code?: string; outcome: string }) => `${outcome} ${code ?? ''}`
  if (took > timeout + LATENESS) problems.push(`${door} took ${Math.round(took)} of ${timeout} ms`)
  if (error !== undefined && !(error instanceof ElasticPathError))
    problems.push(`${door} ended with a stranger's error`)

  const silent = door === 'listAccounts' || door === 'ready'
  const [message] = messages
  if (messages.length !== (silent ? 0 : 1)) problems.push(`${door} told of itself ${messages.length} times`)
  else if (message) {
    const [status, code] = outcome.split(' ')
    if (outcome === OLD_TOKEN) {
      if (message.outcome === 'success') problems.push(`${door} told of a success`)
    } else {
      const expected =
        outcome === WORKS ? 'success ' : `${Number(status) < 500 ? 'failure' : 'error'} ${code}`
      if (told(message) !== expected)
        problems.push(`${door} told of ${told(message)} and answered ${outcome}`)
    }
    if (message.duration > timeout + LATENESS) problems.push(`${door} told of ${message.duration} ms`)
  }
  return problems
}

/** A code goes out once unless Elastic Path cannot have acted on it, and so does a request for one. */
function problemsOfSending(shop: Shop, cell: Cell, attempts: Attempt[], problems: string[]): number {
  const counts = new Map<string, number>()
  for (const { call, body } of shop.simulator.requests) {
    if (call !== 'exchange' && call !== 'otp_request') continue
    const { data } = body as { data: { username: string } }
    counts.set(data.username, (counts.get(data.username) ?? 0) + 1)
  }
  const { call, times } = cell
  const { least, most } = sendings(cell)
  let several = 0
  let highest = 0
  for (const { door, username } of attempts) {
    const count = counts.get(username) ?? 0
    const isStruck = hasEffect(call) && makes(door, call)
    if (isStruck) highest = Math.max(highest, count)
    if (isStruck && count > 1) several++
    const [low, high] = isStruck ? [times === 1 ? 1 : least, most] : [0, 1]
    if (count < low || count > high) problems.push(`${door} sent its code ${count} times`)
  }
  if (hasEffect(call) && times === 1 && least > 1 && several !== 1) {
    problems.push(`${several} codes went out again`)
  }
  return highest
}

export function problemsOfSecrets(shop: Shop, attempts: Attempt[], problems: string[]): void {
  const secrets = shop.secrets(attempts)
  for (const { door, error, body, messages } of attempts) {
    const shown = inspect([error, error instanceof Error ? error.cause : '', messages], {
      depth: 20,
      showHidden: true,
      maxStringLength: null,
      maxArrayLength: null,
    })
    const stack = error instanceof Error ? String(error.stack) : ''
    const all = shown + stack + JSON.stringify(error ?? null) + body
    if (secrets.some((secret) => all.includes(secret)) || /eyJ[\w-]+\./.test(all)) {
      problems.push(`${door} told a secret`)
    }
  }
}
