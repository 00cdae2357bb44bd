import { ADA, EVENT, examine, IDS, open, SECRET, shell, shop, simulator, useDoctor } from './doctor-store'
import { type Situation } from './support'

useDoctor()

describe('doctor at a store where everything is right', () => {
  it('prints a line for each check, and exits with 0', async () => {
    const env = await open()

    const { code, out, err } = await shell.run(['doctor'], { env })

    expect(code).toBe(0)
    expect(err).toBe('')
    expect(out).toContain('✓ The password profile "Shoppers" signs in with codes.\n')
    expect(out).toContain('✓ The shop accepts EPCC_WEBHOOK_SECRET.\n')
    expect(out).toMatch(/\n13 ok, 0 warnings, 0 errors, 0 skipped\n$/)
    expect(out).not.toContain('\u001b')
  })

  it('prints the documented JSON', async () => {
    const { code, report } = await examine({ env: await open() })

    expect(code).toBe(0)
    expect(report.ok).toBe(true)
    expect(report.checks.map(({ id }) => id)).toEqual(IDS)
    expect(report.checks.every(({ status, message }) => status === 'ok' && message !== '')).toBe(true)
  })

  it('changes nothing, and mails nobody', async () => {
    const env = await open()

    await shell.run(['doctor'], { env })

    const writes = simulator.requests.filter(
      ({ method, call }) => method !== 'GET' && call !== 'access_token',
    )
    expect(writes).toEqual([])
    const event = { id: 'doctor', triggered_by: 'doctor.check', attempt: 1, payload: {} }
    const request = { type: 'application/json', body: JSON.stringify(event) }
    expect(shop.requests).toEqual([
      { secret: undefined, ...request },
      { secret: SECRET, ...request },
    ])
  })

  it('reads its settings from .env, and prefers the environment', async () => {
    const env = await open()
    const file = Object.entries({ ...env, EPCC_CLIENT_ID: 'another' })
      .map(([name, value]) => `${name}=${value}`)
      .join('\n')

    const { code } = await examine({ file, env: { EPCC_CLIENT_ID: env['EPCC_CLIENT_ID'] } })

    expect(code).toBe(0)
  })

  it('sends the headers of --header with every request to the store, and with none to the webhook', async () => {
    const env = await open()

    await examine({ env }, '--header', 'X-REQUEST-STORE-ID: 0a1b')

    expect(simulator.requests.every(({ headers }) => headers['x-request-store-id'] === '0a1b')).toBe(true)
  })

  it('checks what it may without a client secret, and says what it could not', async () => {
    const { EPCC_CLIENT_SECRET: _secret, ...env } = await open()

    const { code, report } = await examine({ env })

    expect(code).toBe(0)
    const skipped = report.checks.filter(({ status }) => status === 'skipped').map(({ id }) => id)
    expect(skipped).toEqual([
      'client_credentials_token',
      'webhook_integration',
      'webhook_url',
      'webhook_secret',
      'deliveries',
    ])
    expect(report.checks.find(({ id }) => id === 'profiles')?.status).toBe('ok')
  })

  it.each([
    ['uses colors on a terminal', {}, true],
    ['uses no colors with NO_COLOR', { NO_COLOR: '1' }, false],
  ])('%s', async (_, more, colored) => {
    const env = { ...(await open()), ...more }

    const { out } = await shell.run(['doctor'], { env, answer: () => '' })

    expect(out.includes('\u001b[32m✓')).toBe(colored)
  })
})

describe('doctor at a store where something differs', () => {
  it('shows no secret that an error of Elastic Path repeats', async () => {
    const env = await open()
    const detail = `no ${simulator.clientSecret} and no ${SECRET}.`
    simulator.fault('GET /v2/integrations', {
      status: 422,
      body: { errors: [{ title: 'Refused', detail }] },
    })

    const { out } = await examine({ env })

    expect(out).toContain('Refused, no ••• and no •••.')
    expect(out).not.toContain(SECRET)
  })

  it('finds a failure at either end of a long log', async () => {
    const env = await open()
    const ended = new Promise<void>((resolve) => {
      simulator.on('delivery', () => simulator.deliveries.length === 100 && resolve())
    })
    for (let count = 0; count < 100; count++) simulator.publish(EVENT, {})
    await ended
    shop.status = () => 500
    const failed = simulator.nextDelivery()
    simulator.publish(EVENT, {})
    await failed

    const { report } = await examine({ env })

    expect(report.checks.find(({ id }) => id === 'deliveries')?.message).toMatch(/^1 of 101 recent/)
  })

  it('waits once when the store limits the rate', async () => {
    const env = await open()
    simulator.fault('password_profiles', { rateLimited: 2 })

    const { code } = await examine({ env })

    expect(code).toBe(0)
    expect(shell.clock.sleeps).toEqual([2000])
  })

  it('gives up on a shop that does not answer', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
    const env = await open()
    const silent = silentShop()

    const examined = examine({ env: { ...env, EPCC_WEBHOOK_SECRET: '' }, ...silent })
    await silent.requested
    jest.advanceTimersByTime(10_000)

    const { report } = await examined
    expect(report.checks.find(({ id }) => id === 'webhook_url')?.message).toContain(
      'no answer within 10 seconds',
    )
  })

  it('gives up on a store that does not answer', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
    const env = await open()
    simulator.fault('account_settings', 'hang')
    const arrived = simulator.nextRequest('account_settings')

    const examined = examine({ env })
    await arrived
    jest.advanceTimersByTime(10_000)

    const { report } = await examined
    expect(report.checks[0]?.message).toMatch(/did not answer within 10 seconds/)
  })

  it('ends at once, without a stack trace, when it is interrupted', async () => {
    const env = await open()
    simulator.fault('account_settings', 'hang')
    const arrived = simulator.nextRequest('account_settings')

    const ended = shell.run(['doctor'], { env })
    await arrived
    shell.stop()

    expect(await ended).toMatchObject({ code: 1, err: 'passport-elasticpath-otp: Interrupted.\n' })
  })
})

describe('doctor that is interrupted while it waits', () => {
  const interrupted = { code: 1, err: 'passport-elasticpath-otp: Interrupted.\n' }

  /** Sends SIGTERM at the first wait, which would not end otherwise. */
  const stopAtFirstWait = () => {
    shell.clock.until = new Promise(() => undefined)
    shell.clock.onSleep = () => shell.stop()
  }

  it('ends without a stack trace while it waits for the shop', async () => {
    const env = await open()
    const silent = silentShop()

    const ended = shell.run(['doctor'], { env, ...silent })
    await silent.requested
    shell.stop()

    expect(await ended).toMatchObject(interrupted)
  })

  it('ends without a stack trace while it waits for a delivery', async () => {
    const env = await open({ deliveryDelay: 3_600_000 })
    stopAtFirstWait()

    expect(await shell.run(['doctor', '--send', ADA], { env })).toMatchObject(interrupted)
  })

  it('ends without a stack trace while it waits after a rate limit', async () => {
    const env = await open()
    simulator.fault('password_profiles', { rateLimited: 2 })
    stopAtFirstWait()

    expect(await shell.run(['doctor'], { env })).toMatchObject(interrupted)
  })
})

describe('doctor --send', () => {
  const send = async (situation: Situation) => {
    const { report } = await examine(situation, '--send', ADA)
    return report.checks.at(-1)
  }

  it('follows the delivery of a code', async () => {
    const env = await open()
    shell.clock.until = simulator.nextDelivery()

    expect(await send({ env })).toMatchObject({
      id: 'code_delivery',
      status: 'ok',
      message: expect.stringContaining('was delivered') as string,
    })
    expect(simulator.count('otp_request')).toBe(1)
  })

  it('reports the status of a delivery that failed', async () => {
    const env = await open()
    shop.status = () => 500
    shell.clock.until = simulator.nextDelivery()

    expect(await send({ env })).toMatchObject({
      status: 'error',
      message: 'The webhook did not accept the code (500).',
    })
  })

  it('says so when no delivery is logged within a minute', async () => {
    const env = await open({ members: [] })

    expect(await send({ env })).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('no delivery within a minute') as string,
    })
    expect(shell.clock.sleeps).toEqual(Array.from({ length: 30 }, () => 2000))
  })

  const [OLD, FAILED, DONE] = [
    { id: 1, succeeded: true },
    { id: 2, status_code: 0 },
    { id: 3, succeeded: true },
  ]

  it.each([
    ['has only an older delivery', [], 'warning', 'no delivery within a minute'],
    ['has a delivery that got no answer', [FAILED], 'error', 'did not accept the code (no answer)'],
    ['has a delivery that succeeded after one that failed', [FAILED, DONE], 'ok', 'within 2 s'],
  ])('follows a delivery when the log %s', async (_, entries, status, message) => {
    const env = await open()
    const log = (data: object[], times: number) =>
      simulator.fault('GET /v2/integrations/:id/logs', { status: 200, body: { data } }, { times })
    // One of the checks reads the log, and it is read again before the code is requested.
    log([OLD], 2)
    entries.forEach((_entry, index) => {
      log([OLD, ...entries.slice(0, index + 1)], index + 1 < entries.length ? 1 : Infinity)
    })
    log([OLD], Infinity)

    expect(await send({ env })).toMatchObject({ status, message: expect.stringContaining(message) as string })
  })

  it('requests no code without a profile', async () => {
    expect(await send({ env: await open({ passwordProfiles: [] }) })).toMatchObject({ status: 'skipped' })
    expect(simulator.count('otp_request')).toBe(0)
  })

  it.each([
    [400, 'error', 'it may not know this username'],
    [404, 'error', 'it may not know this username'],
    [201, 'warning', 'no delivery within a minute'],
    [500, 'error', 'returns 500 to the request for a code'],
  ])('reports the status %i of a request that is refused', async (status, kind, message) => {
    const env = await open()
    simulator.fault('otp_request', { status })

    expect(await send({ env })).toMatchObject({
      status: kind,
      message: expect.stringContaining(message) as string,
    })
  })

  it('requests a code without a client secret, and says that it cannot follow it', async () => {
    const { EPCC_CLIENT_SECRET: _secret, ...env } = await open()

    expect(await send({ env })).toMatchObject({ status: 'skipped' })
    expect(simulator.count('otp_request')).toBe(1)
  })
})

/** A shop that never answers. */
function silentShop() {
  let arrived = (): void => undefined
  const requested = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const silent: typeof fetch = (input, init) => {
    if (String(input instanceof Request ? input.url : input) !== shop.url) return fetch(input, init)
    return new Promise((_, reject) => {
      init?.signal?.addEventListener('abort', () => reject(new Error('aborted')))
      arrived()
    })
  }
  return { fetch: silent, requested }
}
