import { Shared, type Found } from '../../lib/commerce/shared'
import { Context } from '../../lib/context'
import { ElasticPathError } from '../../lib/errors'
import { holdTime } from './support'

interface Search {
  context: Context
  find: (value: string) => void
  fail: (error: unknown) => void
}

/** A shared value whose fetch the test controls. */
function open() {
  const searches: Search[] = []
  let onSearch: (search: Search) => void = () => undefined
  const shared = new Shared<string>((context) =>
    context.race(
      new Promise<Found<string>>((resolve, reject) => {
        const find = (value: string): void => {
          resolve({ value, lifetime: 10_000 })
        }
        const search = { context, find, fail: reject }
        searches.push(search)
        onSearch(search)
      }),
    ),
  )
  const nextSearch = () => new Promise<Search>((resolve) => (onSearch = resolve))
  return { shared, searches, nextSearch }
}

beforeEach(holdTime)
afterEach(() => {
  jest.useRealTimers()
})

describe('a shared value', () => {
  test('is fetched once for concurrent callers, and again after its lifetime', async () => {
    const { shared, searches } = open()
    const waiting = [1, 2].map(async () => shared.get(new Context(1000)))
    searches[0]?.find('found')
    expect(await Promise.all(waiting)).toEqual(['found', 'found'])
    jest.advanceTimersByTime(9_999)
    expect(await shared.get(new Context(1000))).toBe('found')
    expect(searches).toHaveLength(1)
    jest.advanceTimersByTime(1)
    const next = shared.get(new Context(1000))
    searches[1]?.find('found later')
    expect(await next).toBe('found later')
  })

  test.each([-1_200_000, 1_200_000])(
    'keeps its lifetime if the clock is set by %i ms',
    async (milliseconds) => {
      const { shared, searches } = open()
      const first = shared.get(new Context(1000))
      searches[0]?.find('found')
      await first
      jest.setSystemTime(Date.now() + milliseconds)
      expect(await shared.get(new Context(1000))).toBe('found')
      jest.advanceTimersByTime(10_000)
      void Promise.resolve(shared.get(new Context(1000))).catch(() => undefined)
      expect(searches).toHaveLength(2)
    },
  )

  test('is fetched again for a caller who joined a fetch that ran out of time', async () => {
    const { shared, nextSearch } = open()
    const first = shared.get(new Context(1000))
    jest.advanceTimersByTime(500)
    const second = shared.get(new Context(1000))
    const again = nextSearch()
    jest.advanceTimersByTime(500)
    await expect(first).rejects.toMatchObject({ code: 'timeout' })
    ;(await again).find('found')
    expect(await second).toBe('found')
  })

  test('is not fetched again for a caller who has no time left', async () => {
    const { shared, searches } = open()
    const waiting = [1, 2].map(async () => shared.get(new Context(1000)))
    jest.advanceTimersByTime(1000)
    for (const one of waiting) await expect(one).rejects.toMatchObject({ code: 'timeout' })
    expect(searches).toHaveLength(1)
  })

  test.each([
    ['an ElasticPathError', new ElasticPathError('bad_answer', 'No')],
    ['an error that has the code timeout only', Object.assign(new Error('No'), { code: 'timeout' })],
  ])(
    'that fails with %s fails for all waiting callers, and is fetched again for the next',
    async (_what, error) => {
      const { shared, searches } = open()
      const waiting = [shared.get(new Context(1000)), shared.get(new Context(2000))]
      searches[0]?.fail(error)
      for (const one of waiting) await expect(one).rejects.toBe(error)
      const next = shared.get(new Context(1000))
      searches[1]?.find('found')
      expect(await next).toBe('found')
      expect(searches).toHaveLength(2)
    },
  )

  test('is fetched while one caller waits, and its fetch is canceled when no caller waits', async () => {
    const { shared, searches } = open()
    const contexts = [new Context(1000), new Context(1000)]
    const left = contexts.map((context) =>
      expect(shared.get(context)).rejects.toMatchObject({ code: 'request_aborted' }),
    )
    contexts[0]?.end()
    await left[0]
    expect(searches[0]?.context.ended).toBeUndefined()
    contexts[1]?.end()
    await left[1]
    expect(searches[0]?.context.ended).toMatchObject({ code: 'request_aborted' })
    void Promise.resolve(shared.get(new Context(1000))).catch(() => undefined)
    expect(searches).toHaveLength(2)
  })

  test('continues its fetch after all callers timed out, so that the connection counts as dead', async () => {
    const { shared, searches } = open()
    const context = new Context(1000)
    const first = shared.get(context)
    jest.advanceTimersByTime(1000)
    await expect(first).rejects.toMatchObject({ code: 'timeout' })
    expect(searches[0]?.context.ended).toMatchObject({ code: 'timeout' })
  })

  test('is removed by `forget` with its value, and `clear` ignores a fetch in progress', async () => {
    const { shared, searches } = open()
    const first = shared.get(new Context(1000))
    searches[0]?.find('old')
    await first
    expect(shared.forget('another')).toBe(false)
    expect(await shared.get(new Context(1000))).toBe('old')
    expect(shared.forget('old')).toBe(true)
    const second = shared.get(new Context(1000))
    shared.clear()
    const third = shared.get(new Context(1000))
    searches[1]?.find('stale')
    expect(await second).toBe('stale')
    searches[2]?.find('new')
    expect(await third).toBe('new')
    expect(await shared.get(new Context(1000))).toBe('new')
  })

  test('counts the waiting time of every caller as time of Elastic Path', async () => {
    const { shared } = open()
    const [first, second] = [new Context(1000), new Context(1000)]
    const waiting = [shared.get(first), shared.get(second)]
    jest.advanceTimersByTime(1000)
    for (const one of waiting)
      await expect(one).rejects.toMatchObject({
        message: 'Elastic Path did not respond within 1000 ms (option timeout): Elastic Path 1000 ms.',
      })
  })
})
