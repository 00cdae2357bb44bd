import { MemoryStore, type SessionData } from 'express-session'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { Context } from '../lib/context'
import { Gate } from './sign-in/support'
import { controlClock, deferred, pass } from './support/clock'
import { ADA, bodyOf, openShop } from './support/shop'
import { compareErrors } from './support/errors'

compareErrors()

const never = () => new Promise<never>(() => undefined)

beforeEach(() => controlClock())

describe('A timeout of 1,000 ms', () => {
  type Call = 'exchange' | 'renewal'
  type Own = 'verify' | 'selectAccount' | 'limiter' | 'refund' | 'request limiter' | 'session store'
  type Act = 'sign-in' | 'switch' | 'code request'

  /** A shop whose store, limiters and functions the test can hold. */
  async function openSlowShop() {
    const gates: Record<Own, Gate> = {
      verify: new Gate(),
      selectAccount: new Gate(),
      limiter: new Gate(),
      refund: new Gate(),
      'request limiter': new Gate(),
      'session store': new Gate(),
    }
    const limiter = new RateLimiterMemory({ points: 10, duration: 900 })
    const slow = (name: Own) => ({
      consume: (key: string) => gates[name].pass().then(() => limiter.consume(key)),
      reward: (key: string, points?: number) => gates.refund.pass().then(() => limiter.reward(key, points)),
    })
    class SlowStore extends MemoryStore {
      override get(id: string, done: (error: unknown, session?: SessionData | null) => void): void {
        void gates['session store'].pass().then(() => super.get(id, done))
      }
    }
    const shop = await openShop({
      store: { members: [{ username: ADA, accounts: 101 }] },
      sessions: new SlowStore(),
      verify: (user: object) => gates.verify.pass().then(() => user),
      options: {
        timeout: 1000,
        limiter: slow('limiter'),
        requestLimiter: slow('request limiter'),
        selectAccount: (accounts) => gates.selectAccount.pass().then(() => accounts.at(-1)?.id),
      },
    })
    await shop.strategy.ready()
    const hold = (side: Call | Own, isFirst: boolean) => {
      if (side === 'exchange' || side === 'renewal') return shop.simulator.hold(side)
      // The session middleware reads the session, too.
      return gates[side].hold(side === 'session store' && isFirst ? 1 : 0)
    }
    return { ...shop, hold }
  }

  // The steps with their milliseconds; the side that the error names; and the division of the time in its message.
  test.each<[Act, string, string, string]>([
    ['switch', 'renewal 950, session store 50', 'Elastic Path', 'Elastic Path 950 ms, session store 50 ms'],
    ['sign-in', 'exchange 950, verify 50', 'Elastic Path', 'Elastic Path 950 ms, verify 50 ms'],
    ['sign-in', 'exchange 950, refund 50', 'Elastic Path', 'Elastic Path 950 ms, limiter 50 ms'],
    ['sign-in', 'limiter 950, exchange 50', 'limiter', 'Elastic Path 50 ms, limiter 950 ms'],
    ['sign-in', 'selectAccount 950, renewal 50', 'selectAccount', 'Elastic Path 50 ms, selectAccount 950 ms'],
    ['code request', 'request limiter 1000', 'request limiter', 'Elastic Path 0 ms, request limiter 1000 ms'],
    ['switch', 'session store 1000', 'session store', 'Elastic Path 0 ms, session store 1000 ms'],
    ['sign-in', 'exchange 500, verify 500', 'Elastic Path', 'Elastic Path 500 ms, verify 500 ms'],
    [
      'sign-in',
      'limiter 400, exchange 500, verify 100',
      'Elastic Path',
      'Elastic Path 500 ms, limiter 400 ms, verify 100 ms',
    ],
    [
      'sign-in',
      'limiter 300, exchange 300, verify 400',
      'verify',
      'Elastic Path 300 ms, verify 400 ms, limiter 300 ms',
    ],
  ])('of a %s after %s names %s: %s', async (act, times, slowest, division) => {
    const { signIn, submit, browser, hold } = await openSlowShop()
    const { agent, info } = act === 'switch' ? await signIn() : { agent: browser(), info: undefined }
    const start = {
      'sign-in': () => submit(),
      switch: () => agent.post('/switch').send({ account_id: info?.accounts[1]?.id }),
      'code request': () => agent.post('/code').send({ username: ADA }),
    }
    let response: Promise<{ status: number; body: unknown }> | undefined
    let release: () => void = () => undefined
    for (const [, side, milliseconds] of times.matchAll(/([a-z ]+) (\d+)/gi)) {
      const held = hold(side?.trim() as Call | Own, response === undefined)
      release()
      response ??= start[act]().then((ended) => ended)
      await held.arrived
      await pass(Number(milliseconds))
      release = () => held.release()
    }
    const ended = await response
    const isUpstream = slowest === 'Elastic Path'
    const blame = isUpstream ? 'Elastic Path did not respond' : `The app's own ${slowest} did not finish`
    expect(ended?.status).toBe(isUpstream ? 504 : 500)
    expect(ended && bodyOf(ended)).toEqual({
      code: isUpstream ? 'timeout' : 'app_timeout',
      message: `${blame} within 1000 ms (option timeout): ${division}.`,
    })
    release()
  })
})

describe('A context', () => {
  test('counts functions of the app that run at the same time once', async () => {
    const context = new Context(1000)
    const work = [context.callApp('one', never), context.callApp('two', never), context.upstream(never())]
    const ended = Promise.allSettled(work)
    await pass(1000)
    expect(context.ended).toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('Elastic Path 1000 ms, one 1000 ms, two 1000 ms.') as unknown,
    })
    expect(await ended).toEqual(work.map(() => ({ status: 'rejected', reason: context.ended })))
  })

  test('returns results, rethrows errors, and removes its timer and listeners at the end', async () => {
    const connection = { on: jest.fn(), off: jest.fn() }
    const context = new Context(1000, connection)
    const failure = new Error('Broken')
    const fail = () => {
      throw failure
    }
    expect(await context.race(Promise.resolve(1))).toBe(1)
    expect(await context.callApp('one', () => 2)).toBe(2)
    await expect(context.race(Promise.reject(failure))).rejects.toBe(failure)
    await expect(context.callApp('one', fail)).rejects.toBe(failure)
    context.end()
    expect(connection.off.mock.calls).toEqual(connection.on.mock.calls)
    expect(jest.getTimerCount()).toBe(0)
    await expect(context.race(never())).rejects.toMatchObject({ code: 'request_aborted' })
  })

  test('waits on behalf of Elastic Path, but not beyond the deadline', async () => {
    const context = new Context(1000)
    const [short, long] = [context.wait(999), context.wait(1001)]
    const refused = expect(long).rejects.toMatchObject({ code: 'timeout' })
    await pass(1000)
    await short
    await refused
    expect(jest.getTimerCount()).toBe(0)
  })

  test('lets detached work go on after its own end, and adds the calls of that work', async () => {
    const context = new Context(1000)
    const gate = deferred()
    const work = context.detached(async (own) => {
      await gate.promise
      own.calls = 3
      return own.ended
    })
    context.end()
    gate.resolve()
    expect(await work).toBeUndefined()
    expect(context.calls).toBe(3)
  })
})
