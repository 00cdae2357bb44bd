import { EventEmitter } from 'node:events'
import type { Request } from 'express'
import { PasswordlessOtpStrategy, type PasswordlessOtpStrategyOptions } from '../lib'
import { ElasticPathSimulator } from '../lib/testing'
import { until } from './support/journey'

const ADA = 'ada@example.com'
let simulator: ElasticPathSimulator
const opened: PasswordlessOtpStrategy[] = []

beforeEach(async () => {
  simulator = await ElasticPathSimulator.start({ members: [{ username: ADA }] })
})

afterEach(async () => {
  for (const strategy of opened.splice(0)) await strategy.close()
  await simulator.stop()
})

/** How a sign-in ended: as one of the three ends that Passport gives a strategy was told. */
interface Ended {
  success?: unknown[]
  fail?: unknown[]
  error?: unknown[]
}

/** A sign-in as Passport asks for it, by a request of which no framework but the test has made anything. */
function authenticate(
  req: object,
  options: Partial<PasswordlessOtpStrategyOptions> = {},
  ends: Partial<Record<keyof Ended, () => void>> = {},
): Promise<Ended> {
  const strategy = new PasswordlessOtpStrategy({
    clientId: simulator.clientId,
    baseUrl: simulator.url,
    ...options,
  })
  opened.push(strategy)
  return new Promise((resolve) => {
    const end =
      (how: keyof Ended) =>
      (...told: unknown[]) => {
        ends[how]?.()
        resolve({ [how]: told })
      }
    const delegate = Object.create(strategy) as PasswordlessOtpStrategy
    Object.assign(delegate, { success: end('success'), fail: end('fail'), error: end('error') })
    delegate.authenticate.call(delegate as never, req as Request, {})
  })
}

const rightCode = () => ({ username: ADA, otp: simulator.issueCode(ADA) })
const noTryLeft = {
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the shape that limiters reject with
  consume: () => Promise.reject({ msBeforeNext: 2000 }),
  delete: () => Promise.resolve(),
}

describe('a request that is not of Express', () => {
  test('signs in by nothing more than its body', async () => {
    const { success } = await authenticate({ body: rightCode() })
    expect(success).toMatchObject([{ username: ADA }, { totalAccounts: 1 }])
  })

  test.each([undefined, null, 'username=ada', 42, []])('with the body %p is 400', async (body) => {
    const { fail } = await authenticate({ body })
    expect(fail).toMatchObject([{ code: 'missing_credentials' }, 400])
  })

  test('hears in the info alone when to come back', async () => {
    const { fail } = await authenticate({ body: rightCode() }, { limiter: noTryLeft })
    expect(fail).toMatchObject([{ code: 'too_many_attempts', retryAfter: 2 }, 429])
  })

  test('has an error where its success throws, which no next is there to hear of', async () => {
    const thrown = new Error('the session is full')
    const success = () => {
      throw thrown
    }
    expect(await authenticate({ body: rightCode() }, {}, { success })).toEqual({ error: [thrown] })
  })

  test('ends when its socket closes', async () => {
    simulator.fault('exchange', 'hang')
    const socket = new EventEmitter()
    const ended = authenticate({ body: rightCode(), socket })
    await until(() => simulator.count('exchange') > 0)
    socket.emit('close')
    expect((await ended).error).toMatchObject([{ code: 'request_aborted', status: 499 }])
  })

  test('leaves nothing on its socket, which goes on to other requests', async () => {
    const socket = new EventEmitter()
    await authenticate({ body: rightCode(), socket })
    await authenticate({ body: { username: ADA, otp: 'wrong1' }, socket })
    expect(socket.eventNames()).toEqual([])
  })
})

describe("Express's response", () => {
  const response = (headersSent: boolean) =>
    Object.assign(new EventEmitter(), { headersSent, setHeader: jest.fn() })

  test('is told when to come back', async () => {
    const res = response(false)
    await authenticate({ body: rightCode(), res }, { limiter: noTryLeft })
    expect(res.setHeader.mock.calls).toEqual([['Retry-After', '2']])
  })

  test('is left alone where it has been answered, and by a failure that time does not mend', async () => {
    const answered = response(true)
    const { fail } = await authenticate({ body: rightCode(), res: answered }, { limiter: noTryLeft })
    expect(fail).toMatchObject([{ code: 'too_many_attempts' }, 429])
    const res = response(false)
    expect((await authenticate({ body: {}, res })).fail).toStrictEqual([
      { code: 'missing_credentials', message: expect.any(String) as string },
      400,
    ])
    for (const { setHeader } of [answered, res]) expect(setHeader).not.toHaveBeenCalled()
  })

  test('counts rather than the socket, which may serve another request already', async () => {
    const [res, socket] = [response(false), new EventEmitter()]
    simulator.fault('exchange', 'hang')
    const ended = authenticate({ body: rightCode(), res, socket })
    await until(() => simulator.count('exchange') > 0)
    expect(socket.eventNames()).toEqual([])
    res.emit('close')
    expect((await ended).error).toMatchObject([{ code: 'request_aborted' }])
  })
})
