import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import diagnostics from 'node:diagnostics_channel'
import type { Express } from 'express'
import fc from 'fast-check'
import { Pool } from 'undici'
import { ElasticPathError } from '../../lib'

/**
 * The full run (`npm run test:properties`) sums up the cases of all files in this one, and takes a seed of its own.
 * `npm test` runs a twentieth of them, always the same.
 */
const { PROPERTIES_COUNT: countFile, PROPERTIES_SEED: seed = '20251125' } = process.env
const SHARE = countFile === undefined ? 1 / 20 : 1
const BATCH = 64

// A busy machine makes them slow, and that is not what they are about.
jest.setTimeout(300_000)

let judged = 0
const strays: unknown[] = []
const messages: unknown[] = []
const listen = (message: unknown): void => void messages.push(message)
const stray = (error: unknown): void => void strays.push(error)

beforeAll(() => {
  diagnostics.subscribe('passport-elasticpath-otp', listen)
  process.on('unhandledRejection', stray).on('uncaughtExceptionMonitor', stray)
})
afterEach(async () => {
  // Rejections that nobody handled are told of a turn later.
  await new Promise((resolve) => setImmediate(resolve))
  expect(strays.splice(0)).toEqual([])
  messages.splice(0).forEach(expectKnownMessage)
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(PROTOTYPE)
})
afterAll(() => {
  diagnostics.unsubscribe('passport-elasticpath-otp', listen)
  process.off('unhandledRejection', stray).off('uncaughtExceptionMonitor', stray)
  if (countFile !== undefined) appendFileSync(countFile, `${judged}\n`)
})
const PROTOTYPE = Object.getOwnPropertyNames(Object.prototype)

/** Judges so many cases, one after the other. */
export async function holds<T>(
  arbitrary: fc.Arbitrary<T>,
  cases: number,
  judge: (value: T) => unknown,
): Promise<void> {
  const property = fc.asyncProperty(arbitrary, async (value) => {
    judged++
    await judge(value)
  })
  await fc.assert(property, { seed: Number(seed), numRuns: Math.ceil(cases * SHARE) })
}

/** Judges so many cases, many of them at once; the one that fails is named, and not made smaller. */
export async function holdsAtOnce<T>(
  arbitrary: fc.Arbitrary<T>,
  cases: number,
  judge: (value: T) => Promise<unknown>,
  batch = BATCH,
): Promise<void> {
  const some = fc.array(arbitrary, { minLength: 1, maxLength: batch, size: 'max' })
  let left = Math.ceil(cases * SHARE)
  const property = fc.asyncProperty(some, async (values) => {
    judged += values.length
    left -= values.length
    await Promise.all(
      values.map(async (value) => {
        try {
          await judge(value)
        } catch (error) {
          throw new Error(`${String(error)}\nIt is ${inspect(readable(value))}`, { cause: error })
        }
      }),
    )
  })
  // A batch is half full on average; rounds go on until there were enough cases.
  for (let round = 0; left > 0; round++) {
    await fc.assert(property, {
      seed: Number(seed) + round,
      numRuns: Math.ceil((left * 2) / batch),
      endOnFailure: true,
    })
  }
}

function readable(value: unknown): unknown {
  const asText = (bytes: unknown): unknown =>
    bytes instanceof Uint8Array ? Buffer.from(bytes).toString() : bytes
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asText(part)]))
    : asText(value)
}

/** The values that break things more often than chance would find them. */
export const nasty: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown[]>(
    null,
    true,
    false,
    0,
    -0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    '',
    ' ',
    'null',
    'undefined',
    '__proto__',
    'constructor',
    '\u0000',
    '\ud800',
    '\udc00x',
    '\u202eada',
    'e\u0301',
    'a\r\nx-injected: yes',
    'tök€n',
    '2030-01-01T00:00:00Z',
    '2030-01-01T00:00:00.000+01:00',
    '2030-02-31T00:00:00Z',
    '2030-13-01T00:00:00Z',
    '2030-01-01T00:00:00Z (or so)',
    'tomorrow',
    '👩‍👩‍👧‍👦',
    'x'.repeat(300),
    'x'.repeat(9000),
    [],
    {},
    [[]],
    [null],
    { length: 1 },
    { id: 'x' },
  ),
  fc.constantFrom<unknown[]>(JSON.parse('{"__proto__":{"admin":true}}'), {
    constructor: { prototype: { admin: true } },
  }),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary' }),
  fc.double(),
)

export const anyJson: fc.Arbitrary<unknown> = fc.oneof(fc.jsonValue({ maxDepth: 4 }), nasty)

/** One thing done to a piece of JSON: which piece, what, and what with. */
interface Mutation {
  which: number
  how: 'drop' | 'replace' | 'duplicate' | 'retype' | 'rename' | 'add'
  value: unknown
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  which: fc.nat(1000),
  how: fc.constantFrom('drop', 'replace', 'duplicate', 'retype', 'rename', 'add'),
  value: nasty,
})

/** The same JSON with one thing changed in it, or up to three. */
export function mangled(json: unknown): fc.Arbitrary<unknown> {
  return fc.array(mutation, { minLength: 1, maxLength: 3 }).map((mutations) => {
    const root: Parent = { root: structuredClone(json) }
    for (const one of mutations) mutate(root, one)
    return root['root'] ?? null
  })
}

type Parent = Record<string, unknown>

function mutate(root: Parent, { which, how, value: given }: Mutation): void {
  // A copy: what follows may change it.
  const value = structuredClone(given)
  const places: [Parent, string][] = []
  const walk = (parent: Parent): void => {
    for (const key of Object.keys(parent)) {
      places.push([parent, key])
      const child = parent[key]
      if (typeof child === 'object' && child !== null) walk(child as Parent)
    }
  }
  walk(root)
  const [parent, key] = places[which % places.length] ?? [root, 'root']
  const old = parent[key]
  if (how === 'replace') parent[key] = value
  else if (how === 'retype') parent[key] = retyped(old)
  else if (Array.isArray(parent)) {
    if (how === 'drop') parent.splice(Number(key), 1)
    else parent.splice(Number(key), 0, how === 'add' ? value : structuredClone(old))
  } else if (how === 'add') parent[`${key}_`] = value
  else {
    Reflect.deleteProperty(parent, key)
    if (how === 'rename') parent[key.toUpperCase()] = old
    if (how === 'duplicate') parent[key] = [old, old]
  }
}

function retyped(value: unknown): unknown {
  if (typeof value === 'string')
    return value.trim() === '' || Number.isNaN(Number(value)) ? [value] : Number(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return Object.fromEntries(Object.entries(value))
  return [value]
}

/** The text with a few of its bytes changed, cut out or put in. */
export function mangledBytes(text: string): fc.Arbitrary<Buffer> {
  const change = fc.record({
    at: fc.nat(),
    how: fc.constantFrom('flip', 'cut', 'insert', 'end'),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }),
  })
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    let bytes = Buffer.from(text)
    for (const { at, how, bytes: given } of changes) {
      const here = at % (bytes.length + 1)
      const before = bytes.subarray(0, here)
      if (how === 'end') bytes = Buffer.from(before)
      else if (how === 'insert') bytes = Buffer.concat([before, given, bytes.subarray(here)])
      else if (how === 'cut') bytes = Buffer.concat([before, bytes.subarray(here + given.length)])
      else bytes = Buffer.concat([before, given, bytes.subarray(here + given.length)])
    }
    return bytes
  })
}

/** What an error shows to whoever logs it is one line of ours, and nothing of what must not be told. */
export function expectSafe(error: unknown, secrets: readonly string[]): asserts error is ElasticPathError {
  if (!(error instanceof ElasticPathError)) throw new Error('Not an ElasticPathError', { cause: error })
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(error.message)) throw new Error('More than a line', { cause: error })
  const { stack: _ours, ...fields } = Object.fromEntries(
    Object.getOwnPropertyNames(error).map((name) => [name, error[name as keyof ElasticPathError]]),
  )
  const shown = inspect(fields, { depth: null, showHidden: true, maxStringLength: null })
  for (const secret of secrets) {
    if (shown.includes(secret)) throw new Error(`The error tells ${secret}`, { cause: error })
  }
}

const VOCABULARY: Record<string, (value: unknown) => boolean> = {
  operation: (value) =>
    ['sign-in', 'code-request', 'delivery', 'renewal', 'switch'].includes(value as string),
  outcome: (value) => ['success', 'failure', 'error'].includes(value as string),
  code: (value) => typeof value === 'string' && CODES.has(value),
  upstreamStatus: (value) => Number.isInteger(value),
  duration: (value) => Number.isFinite(value),
  calls: (value) => Number.isInteger(value),
}
const CODES = new Set(
  (
    'missing_credentials invalid_credentials no_account account_not_found too_many_attempts not_signed_in ' +
    'account_token_refused request_aborted client_refused access_token_refused realm_not_found ' +
    'password_profile_not_found password_profile_ambiguous request_refused limiter_failed app_timeout ' +
    'unexpected_user strategy_closed unreachable upstream_error bad_answer rate_limited timeout app_error ' +
    'refused_by_verify wrong_secret bad_event ignored_event delivery_failed delivery_timeout'
  ).split(' '),
)

/** A diagnostics message has nothing but known words and numbers in it, and so no secret. */
function expectKnownMessage(message: unknown): void {
  for (const [name, value] of Object.entries(message as object)) {
    if (VOCABULARY[name]?.(value) !== true) throw new Error(`Diagnostics tell of ${name}: ${String(value)}`)
  }
}

/** Serves an app to many requests at once, until the file's tests are through. */
export async function serve(app: Express): Promise<Pool> {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { connections: 16 })
  closers.push(async () => {
    await pool.close()
    const closed = once(server, 'close')
    server.close()
    await closed
  })
  return pool
}
const closers: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closers) await close()
})

// What the models read answers and events with: their own, and not those of the code that they are held against.

export const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
export const dig = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>(
    (here, key) => (isObject(here) && Object.hasOwn(here, key) ? here[key] : undefined),
    value,
  )
export const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0
