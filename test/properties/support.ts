import { inspect } from 'node:util'
import fc from 'fast-check'
import { ElasticPathError, type PasswordlessOtpStrategy } from '../../lib'

/**
 * `PROPERTIES_SEED` repeats a run, and CI runs a tenth of the cases. `npm run test:properties -- -t 'part of a name'`
 * runs one property.
 */
const { PROPERTIES_SEED: seed = '20251125', CI } = process.env
const SHARE = CI ? 0.1 : 1

// Only a hang reaches this limit.
jest.setTimeout(600_000)

const PROTOTYPE = Object.getOwnPropertyNames(Object.prototype)
const strays: unknown[] = []
const collect = (error: unknown): void => void strays.push(error)

beforeAll(() => process.on('unhandledRejection', collect).on('uncaughtExceptionMonitor', collect))
afterAll(() => process.off('unhandledRejection', collect).off('uncaughtExceptionMonitor', collect))
afterEach(() => {
  expect(strays.splice(0)).toEqual([])
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(PROTOTYPE)
})

/** Judges this number of cases, one after the other. A failure names the seed and the smallest case that fails. */
export async function holds<T>(
  arbitrary: fc.Arbitrary<T>,
  cases: number,
  judge: (value: T) => unknown,
): Promise<void> {
  const property = fc.asyncProperty(arbitrary, async (value) => {
    await judge(value)
  })
  await fc.assert(property, { seed: Number(seed), numRuns: Math.ceil(cases * SHARE) })
}

/** Values that often reveal defects. Random values would rarely include them. */
export const nasty: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown[]>(
    ...[null, true, 0, -1, 1.5, 1e308, 2 ** 53, '', ' ', 'null', '__proto__', 'constructor'],
    ...['\u0000', '\ud800', '\udc00x', '\u202eada', 'a\r\nx-injected: yes', 'tök€n', 'tomorrow'],
    ...['2030-01-01T00:00:00Z', '2030-02-31T00:00:00Z', '2030-01-01T00:00:00Z (or so)'],
    ...['x'.repeat(300), 'x'.repeat(9000), [], {}, [null], { length: 1 }, { id: 'x' }],
  ),
  fc.constantFrom<unknown[]>(JSON.parse('{"__proto__":{"admin":true}}'), {
    constructor: { prototype: { admin: true } },
  }),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: 'binary' }),
)

type Parent = Record<string, unknown>

const mutation = fc.record({
  which: fc.nat(1000),
  how: fc.constantFrom('drop', 'replace', 'wrap', 'rename', 'add'),
  value: nasty,
})

/** The same JSON with one to three changes. */
export function mangled(json: unknown): fc.Arbitrary<unknown> {
  return fc.array(mutation, { minLength: 1, maxLength: 3 }).map((mutations) => {
    const root: Parent = { root: structuredClone(json) }
    for (const { which, how, value } of mutations) {
      const places = placesIn(root)
      const [parent, key] = places[which % places.length] ?? [root, 'root']
      const old = parent[key]
      if (how === 'replace') parent[key] = structuredClone(value)
      else if (how === 'wrap') parent[key] = [old]
      else if (how === 'add') parent[`${key}_`] = structuredClone(value)
      else {
        Reflect.deleteProperty(parent, key)
        if (how === 'rename') parent[key.toUpperCase()] = old
      }
    }
    return root['root'] ?? null
  })
}

function placesIn(parent: Parent): [Parent, string][] {
  return Object.entries(parent).flatMap(([key, child]): [Parent, string][] => [
    [parent, key],
    ...(typeof child === 'object' && child !== null ? placesIn(child as Parent) : []),
  ])
}

/** The text as bytes, some of which are changed, cut out or put in. */
export function mangledBytes(text: string): fc.Arbitrary<Buffer> {
  const change = fc.record({ at: fc.nat(), cut: fc.nat(4), bytes: fc.uint8Array({ maxLength: 4 }) })
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) =>
    changes.reduce<Buffer>((bytes, { at, cut, bytes: given }) => {
      const here = at % (bytes.length + 1)
      return Buffer.concat([bytes.subarray(0, here), given, bytes.subarray(here + cut)])
    }, Buffer.from(text)),
  )
}

/** An error for logs: an ElasticPathError whose message is one line, and that contains none of the secrets. */
export function expectSafe(error: unknown, secrets: readonly string[]): asserts error is ElasticPathError {
  if (!(error instanceof ElasticPathError)) throw new Error('Not an ElasticPathError', { cause: error })
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(error.message)) throw new Error('More than one line', { cause: error })
  // The stack names files of the test, not what is logged of the request.
  const { stack: _stack, ...fields } = Object.getOwnPropertyDescriptors(error)
  const shown = inspect(fields, { depth: null, showHidden: true, maxStringLength: null })
  for (const secret of secrets) {
    if (shown.includes(secret)) throw new Error(`The error contains ${secret}`, { cause: error })
  }
}

export type End =
  | { how: 'success'; user: unknown }
  | { how: 'fail'; code: string; status: number }
  | { how: 'error'; error: unknown }

/** Signs in with a body of any type, as Passport does, and resolves with all outcomes: there must be one. */
export async function signIn(
  strategy: PasswordlessOtpStrategy,
  body: unknown,
  session: unknown = {},
): Promise<End[]> {
  const ends: End[] = []
  await new Promise<void>((resolve) => {
    const end = (one: End): void => {
      ends.push(one)
      resolve()
    }
    const attempt = Object.assign(Object.create(strategy) as PasswordlessOtpStrategy, {
      success: (user: unknown) => end({ how: 'success', user }),
      fail: (info: { code: string }, status: number) => end({ how: 'fail', code: info.code, status }),
      error: (error: unknown) => end({ how: 'error', error }),
    })
    // Passport adds its methods to a copy of the strategy. Its types describe only the copy.
    strategy.authenticate.call(attempt as never, { body, headers: {}, session } as never)
  })
  return ends
}
