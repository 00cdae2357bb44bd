import { inspect } from 'node:util'
import type { RequestHandler } from 'express'
import session from 'express-session'
import { Context } from '../../lib/context'
import type { Fault } from '../../lib/testing'
import { controlClock, pass, SECOND } from '../support/clock'
import { ADA, collectDiagnostics, nextDiagnostic, openShop, type Shop } from '../support/shop'
import { needsUser, OPERATION, visit } from './doors'
import {
  EVERY_CALL,
  ROWS,
  TABLE,
  type Cells,
  type Door,
  type Result,
  type RowName,
  type StruckCall,
} from './table'

const TIMEOUT = 8 * SECOND
const CLIENT_SECRET = 'the-client-secret'

interface Case {
  call: StruckCall
  row: RowName
  fault: Fault
  door: Door
  expected: Result
  /** The most requests of the call. */
  requests: number
  times: number
  codeUsed?: true
}

const calls = Object.entries(TABLE) as [StruckCall, (typeof TABLE)[StruckCall]][]
const rowNames = Object.keys(ROWS) as RowName[]

describe.each(calls)('%s', (call, { doors, own, codeUsed }) => {
  const rows: Record<RowName, Cells> = { ...EVERY_CALL, ...own }
  describe.each(rowNames)('if Elastic Path %s', (row) => {
    const { faults }: { faults: readonly Fault[] } = ROWS[row]
    const [always, once, requests] = rows[row]
    const cases = faults.flatMap((fault) => doors.map((door) => ({ call, row, fault, door, requests })))
    const named = cases.map((one): [Door, string, typeof one] => [one.door, nameOf(one.fault), one])

    test.each(named)(`${always} each time: %s, %s`, (_door, _fault, one) =>
      check({ ...one, expected: always, times: Infinity }),
    )
    // If it makes no difference, the first fault of the row shows that.
    test.each(once === always ? named.slice(0, doors.length) : named)(
      `${once} once: %s, %s`,
      (_door, _fault, one) => check({ ...one, expected: once, times: 1 }),
    )
    if (!codeUsed) return
    const used = codeUsed[row] ?? once
    test.each(named)(`${used} once, if the code is used up: %s, %s`, (_door, _fault, one) =>
      check({ ...one, expected: used, times: 1, codeUsed: true }),
    )
  })
})

function nameOf(fault: Fault): string {
  return inspect(fault, { breakLength: Infinity }).replace(/'body'.*|(body: '.{8}).*/, '$1…')
}

/** Applies a fault to the request of one visitor, and checks every statement of docs/faults.md about it. */
async function check(one: Case): Promise<void> {
  const { call, fault, door, expected, requests, times } = one
  controlClock()
  const listeners: number[] = []
  const shop = await openShop({
    store: {
      members: [{ username: ADA, accounts: 2 }],
      clientSecret: CLIENT_SECRET,
      accountTokenLifetime: 300,
      // An access token expires while its connection is still open.
      accessTokenLifetime: call === 'access_token' ? 40 : 3600,
    },
    options: { timeout: TIMEOUT, clientSecret: CLIENT_SECRET },
    keepFresh: { within: 1e9 },
    sessionMiddleware: countListeners(listeners),
  })
  const { simulator, strategy } = shop
  const signedIn = needsUser(door) ? await shop.signIn() : { agent: shop.browser(), user: undefined }
  const visitor = { shop, ...signedIn }
  await prepare(shop, one)
  simulator.clearRequests()

  const messages = collectDiagnostics()
  const handle = simulator.fault(call, fault, { times, afterEffect: one.codeUsed ?? false })
  const restoreTime = passTimeFor(shop, one)
  const operation = OPERATION[door]
  const published = operation && nextDiagnostic({ operation })
  // What may depend on the username is published after the response.
  const reported =
    operation && expected === 'works, reported' ? nextDiagnostic({ operation, outcome: 'error' }) : undefined
  const outcome = await visit(door, visitor)
  await published
  await reported
  restoreTime()

  expect(outcome).toBe(resultAt(door, expected))
  expect(handle.hits).toBeGreaterThan(0)
  const sent = simulator.count(call)
  if (times === 1) expect(sent).toBeLessThanOrEqual(requests)
  else expect(sent).toBe(requests)
  // No redirect was followed.
  expect(simulator.count('other')).toBe(0)

  // Diagnostics and the error handler have the same outcome, and only one.
  expect(messages.map(codeOf)).toEqual(operation ? diagnosticsOf(expected) : [])
  expect(shop.errors.map(codeOf)).toEqual(/^5|account_token/.test(outcome) ? [outcome.split(' ')[1]] : [])
  expectNoSecret(shop, [shop.errors, messages])

  if (times === Infinity && expected !== 'works') {
    simulator.clearFaults()
    // A failed renewal, and a code request, are not repeated within half a minute.
    await pass(31 * SECOND)
    expect(await visit(door, visitor)).toBe('works')
  }
  await strategy.close()
  expect(new Set(listeners)).toEqual(new Set(listeners.length > 0 ? [0] : []))
  await simulator.stop()
  // undici removes its own timer at its next tick.
  await pass(SECOND)
  expect(jest.getTimerCount()).toBe(0)
}

/** Fetches the values that are cached before the call, and leaves a connection that is idle or closed. */
async function prepare({ strategy }: Shop, { call, row, door }: Case): Promise<void> {
  // keepFresh renews a token in the second half of its life.
  if (door === 'keepFresh') await pass(160 * SECOND)
  if (call === 'exchange' || call === 'otp_request' || call === 'renewal') await strategy.ready()
  else await strategy.accessToken()
  if ('newConnection' in ROWS[row]) await pass(61 * SECOND)
  else if (call === 'access_token') await pass(45 * SECOND)
}

/** Advances the clock when a request with the fault has arrived, and when the strategy waits before a retry. */
function passTimeFor({ simulator }: Shop, { call, row, expected }: Case): () => void {
  const late = ['responds late or compressed', 'responds byte by byte', 'does not respond in time'].includes(
    row,
  )
  const stop = simulator.on('request', (request) => {
    const milliseconds = expected === '504 timeout' ? TIMEOUT : SECOND
    // The fault takes effect right after the event.
    if (late && request.call === call) queueMicrotask(() => jest.advanceTimersByTime(milliseconds))
  })
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the context below
  const { wait } = Context.prototype
  const waiting = jest.spyOn(Context.prototype, 'wait').mockImplementation(function (
    this: Context,
    milliseconds,
  ) {
    const waited = wait.call(this, milliseconds)
    jest.advanceTimersByTime(milliseconds)
    return waited
  })
  return () => {
    stop()
    waiting.mockRestore()
  }
}

/** The exception of the table. */
function resultAt(door: Door, expected: Result): string {
  if (expected === 'works, reported') return 'works'
  return door === 'keepFresh' && expected !== 'works' ? 'old token' : expected
}

function diagnosticsOf(expected: Result): unknown[] {
  if (expected === 'works, reported') return [undefined, 'request_refused']
  return [expected === 'works' ? undefined : expected.split(' ')[1]]
}

function codeOf(thing: unknown): unknown {
  return (thing as { code?: unknown }).code
}

function expectNoSecret({ simulator }: Shop, shown: unknown): void {
  const sent = simulator.requests.flatMap(({ headers, body }) => [
    headers.authorization?.replace('Bearer ', ''),
    headers['ep-account-management-authentication-token'],
    (body as { data?: { one_time_password_token?: string } } | undefined)?.data?.one_time_password_token,
  ])
  const text = inspect(shown, { depth: 20, showHidden: true, maxStringLength: null }) + JSON.stringify(shown)
  for (const secret of [ADA, encodeURIComponent(ADA), CLIENT_SECRET, ...sent]) {
    if (secret !== undefined) expect(text).not.toContain(secret)
  }
}

/** Sessions. Counts the listeners that each request leaves on its response. */
function countListeners(left: number[]): RequestHandler {
  const handle = session({ secret: 'a test', resave: false, saveUninitialized: false })
  return (req, res, next) => {
    const before = res.listenerCount('close')
    res.once('finish', () => left.push(res.listenerCount('close') - before))
    handle(req, res, next)
  }
}
