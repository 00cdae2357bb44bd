import { exchange } from '../../lib/commerce/client'
import { isThenable, Operation } from '../../lib/commerce/operation'
import { turn } from '../support/journey'

const never = () => new Promise<never>(() => undefined)

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] })
})

describe('an operation', () => {
  test('ends at its deadline, and says who was too late', async () => {
    const waiting = new Operation(1000)
    const commerce = waiting.race(never())
    const busy = new Operation(1000)
    const app = busy.raceApp('verify', never())
    jest.advanceTimersByTime(1000)
    await expect(commerce).rejects.toMatchObject({
      code: 'timeout',
      message: 'Elastic Path did not answer within 1000 ms (option timeout)',
    })
    await expect(app).rejects.toMatchObject({
      code: 'app_timeout',
      message: "The app's own verify did not finish within the 1000 ms of a sign-in (option timeout)",
    })
  })

  test('blames no function of the app that has answered', async () => {
    const operation = new Operation(1000)
    expect(await operation.raceApp('verify', 'at once')).toBe('at once')
    expect(await operation.raceApp('verify', Promise.resolve('later'))).toBe('later')
    const late = operation.race(never())
    jest.advanceTimersByTime(1000)
    await expect(late).rejects.toMatchObject({ code: 'timeout' })
  })

  test('that has ended waits for nothing, and keeps its first reason', async () => {
    const operation = new Operation(1000)
    jest.advanceTimersByTime(1000)
    operation.end()
    expect(operation.ended).toMatchObject({ code: 'timeout' })
    await expect(operation.race(never())).rejects.toMatchObject({ code: 'timeout' })
  })

  test('tells nobody of its end who waits no more', () => {
    const operation = new Operation(1000)
    const listener = jest.fn()
    operation.onEnd(listener)
    operation.offEnd(listener)
    operation.end()
    expect(listener).not.toHaveBeenCalled()
  })

  test('tells once of its end', () => {
    const operation = new Operation(1000)
    const listener = jest.fn()
    operation.onEnd(listener)
    operation.end()
    operation.end()
    jest.advanceTimersByTime(1000)
    expect(listener).toHaveBeenCalledTimes(1)
  })

  test('waits only where its time is enough, and leaves no timer', async () => {
    const operation = new Operation(1000)
    expect(await operation.wait(1000)).toBe(false)
    const waited = operation.wait(999)
    jest.advanceTimersByTime(999)
    expect(await waited).toBe(true)
    expect(await operation.wait(1)).toBe(false)
    const other = new Operation(5000)
    const interrupted = other.wait(4000)
    operation.end()
    other.end()
    await expect(interrupted).rejects.toMatchObject({ code: 'request_aborted' })
    expect(jest.getTimerCount()).toBe(0)
  })

  test('counts the calls of what it did apart, whose time is its own', async () => {
    const operation = new Operation(1000)
    let apart: Operation | undefined
    await operation.apart(async (own) => {
      apart = own
      own.calls += 3
      await turn()
    })
    expect(operation.calls).toBe(3)
    expect(apart?.ended).toMatchObject({ code: 'request_aborted' })
    operation.end()
    expect(jest.getTimerCount()).toBe(0)
  })
})

test.each([
  [Promise.resolve(), true],
  [{ then: () => undefined }, true],
  [{ then: 'later' }, false],
  [{}, false],
  [null, false],
  [undefined, false],
  ['then', false],
  [7, false],
])('%p is a promise: %p', (value, is) => {
  expect(isThenable(value)).toBe(is)
})

test('a store that is over its limit, and says to wait for nothing, is asked again ever later', async () => {
  const waits: number[] = []
  const statuses = [429, 429, 429, 200]
  const transport = { send: () => Promise.resolve({ status: statuses.shift(), retryAfter: '0' }) }
  const operation = { wait: (milliseconds: number) => Promise.resolve(waits.push(milliseconds) > 0) }
  const answer = await exchange(transport as never, operation as never, {} as never)
  expect(answer.status).toBe(200)
  expect(waits).toEqual([100, 200, 400])
})
