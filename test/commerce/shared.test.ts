import { Operation } from '../../lib/commerce/operation'
import { Shared } from '../../lib/commerce/shared'
import { ElasticPathError } from '../../lib'
import { turn } from '../support/journey'

interface Found {
  value: string
  until: number
}

/** Something that is found when the test says so, and every search for it. */
function open() {
  const searches: { operation: Operation; find: (value: string) => void; fail: (error: unknown) => void }[] =
    []
  const shared = new Shared<string>((operation) =>
    operation.race(
      new Promise<Found>((resolve, reject) => {
        searches.push({
          operation,
          find: (value) => resolve({ value, until: Infinity }),
          fail: reject,
        })
      }),
    ),
  )
  return { shared, searches }
}

/** Time that only the test passes. */
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] })
})

test('is looked for once by all who wait, and kept', async () => {
  const { shared, searches } = open()
  const operations = [new Operation(1000), new Operation(1000)]
  const waiting = operations.map((operation) => shared.get(operation))
  searches[0]?.find('found')
  expect(await Promise.all(waiting)).toEqual(['found', 'found'])
  expect(await shared.get(new Operation(1000))).toBe('found')
  expect(searches).toHaveLength(1)
})

test('whoever joins late looks again where the search ran out of the time of another', async () => {
  const { shared, searches } = open()
  const first = shared.get(new Operation(1000))
  jest.advanceTimersByTime(500)
  const second = shared.get(new Operation(1000))
  jest.advanceTimersByTime(500)
  await expect(first).rejects.toMatchObject({ code: 'timeout' })
  await turn()
  expect(searches).toHaveLength(2)
  searches[1]?.find('found')
  expect(await second).toBe('found')
})

test('whoever has no time left themselves does not look again', async () => {
  const { shared, searches } = open()
  const first = shared.get(new Operation(1000))
  const second = shared.get(new Operation(1000))
  jest.advanceTimersByTime(1000)
  await expect(first).rejects.toMatchObject({ code: 'timeout' })
  await expect(second).rejects.toMatchObject({ code: 'timeout' })
  await turn()
  expect(searches).toHaveLength(1)
})

test.each([
  ['an error of Commerce', new ElasticPathError('bad_answer', 'No')],
  ['an error that only looks like running out of time', Object.assign(new Error('No'), { code: 'timeout' })],
])('%s is for all who wait, and for nobody after', async (_what, error) => {
  const { shared, searches } = open()
  const waiting = [shared.get(new Operation(1000)), shared.get(new Operation(2000))]
  searches[0]?.fail(error)
  for (const one of waiting) await expect(one).rejects.toBe(error)
  await turn()
  expect(searches).toHaveLength(1)
  const next = shared.get(new Operation(1000))
  searches[1]?.find('found')
  expect(await next).toBe('found')
})

test('a search goes on while one still waits, and ends when none does', async () => {
  const { shared, searches } = open()
  const operations = [new Operation(1000), new Operation(1000)] as const
  const waiting = operations.map((operation) => shared.get(operation).catch(() => 'left'))
  operations[0].end()
  await turn()
  expect(searches[0]?.operation.ended).toBeUndefined()
  operations[1].end()
  await turn()
  expect(searches[0]?.operation.ended).toMatchObject({ code: 'request_aborted' })
  expect(await Promise.all(waiting)).toEqual(['left', 'left'])

  const next = shared.get(new Operation(1000))
  expect(searches).toHaveLength(2)
  searches[1]?.find('found')
  expect(await next).toBe('found')
})

test('only what is forgotten by its value is looked for again', async () => {
  const { shared, searches } = open()
  const first = shared.get(new Operation(1000))
  searches[0]?.find('found')
  await first
  shared.forget('what was before')
  expect(await shared.get(new Operation(1000))).toBe('found')
  shared.forget('found')
  void shared.get(new Operation(1000)).catch(() => undefined)
  expect(searches).toHaveLength(2)
  searches[1]?.find('other')
})
