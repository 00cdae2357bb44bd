import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { DiagnosticMessage } from '../lib'
import { ADA, openJourney, SECRET_KEY, until, type JourneyOptions } from './support/journey'

const CHANNEL = 'passport-elasticpath-otp'

let messages: DiagnosticMessage[]
const listener = (message: unknown) => void messages.push(message as DiagnosticMessage)
beforeEach(() => {
  messages = []
  subscribe(CHANNEL, listener)
})
afterEach(() => {
  unsubscribe(CHANNEL, listener)
})

/** A journey without the deliveries of its webhook. */
async function open(options: JourneyOptions = {}) {
  const journey = await openJourney(options)
  journey.simulator.deliverTo(undefined)
  return journey
}

const told = () => messages.map(({ operation, outcome, code }) => ({ operation, outcome, code }))

describe('the diagnostics channel', () => {
  test('tells of a sign-in once, with its calls', async () => {
    const { strategy, signIn } = await open()
    await strategy.ready()

    await signIn()

    expect(messages).toStrictEqual([
      { operation: 'sign-in', outcome: 'success', duration: expect.any(Number) as number, calls: 1 },
    ])
  })

  test('tells how long it took, in milliseconds', async () => {
    const began = performance.now()
    const { strategy, signIn } = await openJourney()
    await strategy.createOtpRequest(ADA)
    await until(() => messages.some(({ operation }) => operation === 'delivery'))
    await signIn()
    const elapsed = performance.now() - began

    expect(messages).toHaveLength(3)
    for (const { duration } of messages) {
      expect(duration).toBeGreaterThan(0)
      expect(duration).toBeLessThan(elapsed)
    }
  })

  test('counts the calls of the first sign-in', async () => {
    const { simulator, signIn } = await open()

    await signIn()

    expect(messages.map(({ calls }) => calls)).toEqual([simulator.requests.length])
  })

  test('tells of a wrong code as a failure', async () => {
    const { browser } = await open()

    await browser().post('/login').send({ username: ADA, otp: 'wrong1' }).expect(401)

    expect(told()).toEqual([{ operation: 'sign-in', outcome: 'failure', code: 'invalid_credentials' }])
  })

  test('tells of an outage as an error, with its status', async () => {
    const { simulator, strategy, browser } = await open()
    await strategy.ready()
    simulator.fault('exchange', { status: 500 })

    await browser().post('/login').send({ username: ADA, otp: 'abc123' }).expect(502)

    expect(messages).toMatchObject([
      { operation: 'sign-in', outcome: 'error', code: 'upstream_error', upstreamStatus: 500, calls: 1 },
    ])
  })

  test("tells of a function of the app's own that throws as an error of the app", async () => {
    const { simulator, browser } = await open({
      strategy: {
        selectAccount: () => {
          throw new Error('The database is down')
        },
      },
    })

    await browser()
      .post('/login')
      .send({ username: ADA, otp: simulator.issueCode(ADA) })
      .expect(500)

    expect(messages).toStrictEqual([
      {
        operation: 'sign-in',
        outcome: 'error',
        code: 'app_error',
        duration: expect.any(Number) as number,
        calls: expect.any(Number) as number,
      },
    ])
  })

  test('tells of a sign-in without Elastic Path as an error without a status', async () => {
    const { simulator, strategy, browser } = await open()
    await strategy.ready()
    await simulator.stop()

    await browser().post('/login').send({ username: ADA, otp: 'abc123' }).expect(502)

    expect(messages).toStrictEqual([
      {
        operation: 'sign-in',
        outcome: 'error',
        code: 'unreachable',
        duration: expect.any(Number) as number,
        calls: expect.any(Number) as number,
      },
    ])
  })

  test('tells of a switch without Express', async () => {
    const { strategy, signIn } = await open()
    const { user } = await signIn()
    messages = []

    await strategy.selectAccount(user, user.account?.id ?? '')
    await strategy.renewAccount(user)
    await strategy.listAccounts(user)

    expect(told()).toEqual([
      { operation: 'switch', outcome: 'success' },
      { operation: 'renewal', outcome: 'success' },
    ])
  })

  test('tells of a request for a code once', async () => {
    const { browser } = await open()

    await browser().post('/code').send({ username: ADA }).expect(202)

    expect(told()).toEqual([{ operation: 'code-request', outcome: 'success', code: undefined }])
  })

  test('tells of a request without a username as a failure', async () => {
    const { browser } = await open()

    await browser().post('/code').send({}).expect(400)

    expect(told()).toEqual([{ operation: 'code-request', outcome: 'failure', code: 'missing_credentials' }])
  })

  test("counts a second tap's calls as none of its own", async () => {
    const { simulator, strategy } = await open()

    await Promise.all([strategy.createOtpRequest(ADA), strategy.createOtpRequest(ADA)])

    expect(messages).toHaveLength(2)
    expect(messages.reduce((sum, { calls }) => sum + calls, 0)).toBe(simulator.requests.length)
  })

  test('tells of a switch once', async () => {
    const { signIn } = await open()
    const { agent, user } = await signIn()
    messages = []

    await agent.post('/switch').send({ account_id: user.account?.id }).expect(200)

    expect(messages).toMatchObject([{ operation: 'switch', outcome: 'success', calls: 1 }])
  })

  test("tells of a switch to a stranger's account as a failure", async () => {
    const { signIn } = await open()
    const { agent } = await signIn()
    messages = []

    await agent.post('/switch').send({ account_id: 'strange' }).expect(403)

    expect(told()).toEqual([{ operation: 'switch', outcome: 'failure', code: 'account_not_found' }])
  })

  test('tells of a renewal once for parallel requests', async () => {
    const { signIn } = await open({ store: { accountTokenLifetime: 1800 } })
    const { agent } = await signIn()
    messages = []

    await Promise.all([1, 2, 3].map(() => agent.get('/fresh').expect(200)))

    expect(messages).toMatchObject([{ operation: 'renewal', outcome: 'success', calls: 1 }])
  })

  test('tells of a renewal that failed, which no shopper noticed', async () => {
    const { simulator, signIn } = await open({ store: { accountTokenLifetime: 1800 } })
    const { agent } = await signIn()
    messages = []
    simulator.fault('renewal', { status: 401 })

    await agent.get('/fresh').expect(200)

    expect(messages).toMatchObject([
      { operation: 'renewal', outcome: 'failure', code: 'account_token_refused', upstreamStatus: 401 },
    ])
  })

  test('tells nothing of a request that needs no renewal', async () => {
    const { signIn } = await open()
    const { agent } = await signIn()
    messages = []

    await agent.get('/fresh').expect(200)

    expect(messages).toEqual([])
  })

  test.each([
    ['a delivery', SECRET_KEY, { triggered_by: 'order.created' }, 'success', 'ignored_event'],
    [
      'a code for another purpose',
      SECRET_KEY,
      {
        triggered_by: 'one-time-password-token-request.created',
        payload: { purpose: 'reset_password' },
      },
      'success',
      'ignored_event',
    ],
    ['a wrong secret', 'wrong', {}, 'error', 'wrong_secret'],
    ['what is no event', SECRET_KEY, {}, 'error', 'bad_event'],
  ])('tells of %s at the webhook once', async (_name, secret, body, outcome, code) => {
    const { browser } = await open()

    await browser().post('/webhooks/otp').set('X-Moltin-Secret-Key', secret).send(body)

    expect(told()).toEqual([{ operation: 'delivery', outcome, code }])
  })

  test('tells of a mailer that failed', async () => {
    let retried: () => void
    const retry = new Promise<void>((resolve) => (retried = resolve))
    let tries = 0
    const { strategy } = await openJourney({
      deliver: () => {
        if (++tries === 2) retried()
        throw new Error('The mailer is down')
      },
    })

    await strategy.createOtpRequest(ADA)
    await retry

    expect(told()).toContainEqual({ operation: 'delivery', outcome: 'error', code: 'delivery_failed' })
  })

  test('names no shopper, and holds no code, token or secret', async () => {
    let mailed: (otp: string) => void
    const mail = new Promise<string>((resolve) => (mailed = resolve))
    const { simulator, signIn, browser } = await openJourney({
      store: { accountTokenLifetime: 1800 },
      strategy: { clientSecret: 'simulator-client-secret' },
      deliver: ({ otp }) => mailed(otp),
    })
    await browser().post('/code').send({ username: ADA }).expect(202)
    const otp = await mail
    await browser().post('/login').send({ username: ADA, otp: 'wrong1' }).expect(401)
    const { agent, user } = await signIn()
    await agent.post('/switch').send({ account_id: user.account?.id }).expect(200)
    await agent.get('/fresh').expect(200)
    simulator.fault('exchange', { status: 500, body: { errors: [{ detail: `${ADA} ${otp}` }] } })
    await browser().post('/login').send({ username: ADA, otp }).expect(502)

    const text = JSON.stringify(messages)

    expect(new Set(messages.map(({ operation }) => operation))).toEqual(
      new Set(['code-request', 'delivery', 'sign-in', 'switch', 'renewal']),
    )
    const secrets = [ADA, otp, 'wrong1', user.account?.token, user.account?.id, user.accountMemberId]
    for (const secret of [...secrets, simulator.clientSecret, SECRET_KEY]) expect(text).not.toContain(secret)
  })

  test('tells once of a switch where nobody is signed in', async () => {
    const { browser } = await open()
    await browser().post('/switch').send({ account_id: 'any' }).expect(401)
    expect(told()).toEqual([{ operation: 'switch', outcome: 'failure', code: 'not_signed_in' }])
  })

  test('tells once of a switch without an account', async () => {
    const { signIn } = await open()
    const { agent } = await signIn()
    messages = []
    await agent.post('/switch').send({}).expect(400)
    expect(told()).toEqual([{ operation: 'switch', outcome: 'failure', code: 'missing_credentials' }])
  })
})
