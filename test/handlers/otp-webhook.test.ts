import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import express, { type RequestHandler } from 'express'
import supertest from 'supertest'
import { otpWebhook, type OtpDelivery, type OtpWebhookOptions } from '../../lib'
import { ADA, listen, nextMessage, openJourney, SECRET_KEY, turn } from '../support/journey'

const CREATED = '2026-01-02T03:04:05.000Z'

const noMail = (): void => undefined

function event(fields: Record<string, unknown> = {}, payload: Record<string, unknown> = {}) {
  return {
    id: 'event-1',
    triggered_by: 'one-time-password-token-request.created',
    attempt: 1,
    ...fields,
    payload: {
      created_at: CREATED,
      one_time_password_token: 'abc123',
      password_profile_id: 'profile-1',
      purpose: 'passwordless_authentication',
      user_authentication_info: { email: 'ada@home.example', id: 'member-1', name: 'Ada' },
      user_authentication_password_profile_info: { username: ADA },
      ...payload,
    },
  }
}

const DELIVERY: OtpDelivery = {
  eventId: 'event-1',
  attempt: 1,
  username: ADA,
  email: 'ada@home.example',
  name: 'Ada',
  otp: 'abc123',
  expires: '2026-01-02T03:14:05.000Z',
  passwordProfileId: 'profile-1',
}

/** A shop with a webhook, behind these handlers, and a mailer that takes everything unless told otherwise. */
function openHook(deliver: jest.Mock = jest.fn(), ...before: RequestHandler[]) {
  const app = express()
  app.post('/hook', ...before, otpWebhook({ secretKey: SECRET_KEY, deliver }))
  const post = (body: string | object, secret: string | null = SECRET_KEY, type = 'application/json') => {
    const call = supertest(app).post('/hook').set('content-type', type)
    if (secret !== null) call.set('X-Moltin-Secret-Key', secret)
    return call.send(body)
  }
  return { app, deliver, post }
}

describe('otpWebhook', () => {
  test.each<[string, RequestHandler[]]>([
    ['no body parser', []],
    ['express.json()', [express.json()]],
    ['express.raw()', [express.raw({ type: '*/*' })]],
    ['express.raw() for other types', [express.raw()]],
    ['express.text()', [express.text({ type: '*/*' })]],
    ['express.urlencoded()', [express.urlencoded({ extended: true })]],
    ['express.urlencoded() and express.json()', [express.urlencoded(), express.json()]],
  ])('delivers the code behind %s', async (_name, before) => {
    const { deliver, post } = openHook(jest.fn(), ...before)

    const reply = await post(event())

    expect([reply.status, reply.text]).toEqual([204, ''])
    expect(deliver.mock.calls).toEqual([[DELIVERY]])
  })

  test.each([
    ['a wrong secret', 'wrong'],
    ['no secret', null],
    ['an empty secret', ''],
    ['the secret in capitals', SECRET_KEY.toUpperCase()],
    ["the secret's beginning", SECRET_KEY.slice(0, -1)],
  ])('answers 401 to %s, and delivers nothing', async (_name, secret) => {
    const { deliver, post } = openHook()

    const reply = await post(event(), secret)

    expect(reply.status).toBe(401)
    expect(deliver).not.toHaveBeenCalled()
  })

  test('takes and ignores other events', async () => {
    const { deliver, post } = openHook()

    await post(event({ triggered_by: 'order.created' })).expect(204)
    await post({ triggered_by: 'order.created' }).expect(204)

    expect(deliver).not.toHaveBeenCalled()
  })

  test.each([1.5, -1, '2', null])('counts the try %p as the first', async (attempt) => {
    const { deliver, post } = openHook()

    await post(event({ attempt })).expect(204)

    expect(deliver.mock.calls).toEqual([[{ ...DELIVERY, attempt: 1 }]])
  })

  test('takes and ignores codes for other purposes', async () => {
    const { deliver, post } = openHook()

    await post(event({}, { purpose: 'reset_password' })).expect(204)

    expect(deliver).not.toHaveBeenCalled()
  })

  test.each([
    ['broken JSON', '{"id":'],
    ['nothing', ''],
    ['null', 'null'],
    ['an array', '[]'],
    ['an object of nothing', '{}'],
    ['an event without an id', JSON.stringify(event({ id: undefined }))],
    ['an event without a payload', JSON.stringify({ ...event(), payload: null })],
    ['an event without a code', JSON.stringify(event({}, { one_time_password_token: '' }))],
    ['an event without an address', JSON.stringify(event({}, { user_authentication_info: {} }))],
    ['an event without a purpose', JSON.stringify(event({}, { purpose: undefined }))],
    ['an event whose purpose is no text', JSON.stringify(event({}, { purpose: null }))],
    [
      'an event without a username',
      JSON.stringify(event({}, { user_authentication_password_profile_info: {} })),
    ],
    ['an event without a profile', JSON.stringify(event({}, { password_profile_id: '' }))],
  ])('answers 400 to %s', async (_name, body) => {
    const { deliver, post } = openHook()

    await post(body).expect(400)

    expect(deliver).not.toHaveBeenCalled()
  })

  describe('on a connection that is kept alive', () => {
    const agent = new Agent({ keepAlive: true })
    afterAll(() => agent.destroy())

    async function begin(...before: RequestHandler[]) {
      const { app, deliver } = openHook(jest.fn(), ...before)
      const url = await listen(app)
      const call = request(`${url}/hook`, {
        method: 'POST',
        agent,
        headers: { 'X-Moltin-Secret-Key': SECRET_KEY, 'content-type': 'application/json' },
      })
      call.on('error', () => undefined)
      return { call, deliver }
    }

    test('answers 400 to a huge body before it has ended, and closes it', async () => {
      const { call, deliver } = await begin()

      call.write('"'.padEnd(200 * 1024, 'a'))
      const [response] = (await once(call, 'response')) as [IncomingMessage]
      call.destroy()

      expect([response.statusCode, response.headers.connection]).toEqual([400, 'close'])
      expect(deliver).not.toHaveBeenCalled()
    })

    test('answers 400 to a body that is one byte too long, and takes one that is not', async () => {
      const limit = 100 * 1024
      for (const [bytes, status] of [
        [limit, 204],
        [limit + 1, 400],
      ] as const) {
        const { call } = await begin()
        call.end(JSON.stringify({ triggered_by: 'order.created' }).padEnd(bytes))
        const [response] = (await once(call, 'response')) as [IncomingMessage]
        response.resume()
        expect(response.statusCode).toBe(status)
      }
    })

    test('is done with a body that broke off', async () => {
      const { call, deliver } = await begin((req, _res, next) => {
        next()
        req.socket.destroy()
      })
      const told = nextMessage()

      call.write('{"triggered_by"')

      expect(await told).toMatchObject({ operation: 'delivery', outcome: 'error', code: 'bad_event' })
      expect(deliver).not.toHaveBeenCalled()
    })

    test('leaves it open to the next event', async () => {
      const { call } = await begin()

      call.end(JSON.stringify(event()))
      const [response] = (await once(call, 'response')) as [IncomingMessage]
      response.resume()

      expect([response.statusCode, response.headers.connection]).toEqual([204, 'keep-alive'])
    })
  })

  test('takes an event of a shop with long names', async () => {
    const { deliver, post } = openHook()
    const name = 'Ä'.repeat(20_000)

    await post(event({}, { user_authentication_info: { email: 'a@b.example', name } })).expect(204)

    expect(deliver).toHaveBeenCalledWith(expect.objectContaining({ name }))
  })

  test('ignores what else an event brings along', async () => {
    const { deliver, post } = openHook()

    await post(event({ configuration: { secret_key: 'x' } }, { more: true })).expect(204)

    expect(deliver.mock.calls).toEqual([[DELIVERY]])
  })

  test('greets nobody by name where Elastic Path has none', async () => {
    const { deliver, post } = openHook()

    await post(event({}, { user_authentication_info: { email: 'a@b.example' } })).expect(204)

    expect(deliver).toHaveBeenCalledWith(expect.objectContaining({ name: '' }))
  })

  test.each([undefined, 'yesterday', 42])(
    'counts ten minutes from now where an event was made at %p',
    async (created_at) => {
      const { deliver, post } = openHook()
      const before = Date.now()

      await post(event({}, { created_at })).expect(204)

      const [[delivery]] = deliver.mock.calls as [[OtpDelivery]]
      const life = Date.parse(delivery.expires) - before
      expect(life).toBeGreaterThanOrEqual(600_000)
      expect(life).toBeLessThan(660_000)
    },
  )

  test.each([undefined, '2', 0, -1, null])('counts a try of %p as the first', async (attempt) => {
    const { deliver, post } = openHook()

    await post(event({ attempt })).expect(204)

    expect(deliver).toHaveBeenCalledWith(DELIVERY)
  })

  test("hands on Elastic Path's count of its tries", async () => {
    const { deliver, post } = openHook()

    await post(event({ attempt: 3 })).expect(204)

    expect(deliver).toHaveBeenCalledWith({ ...DELIVERY, attempt: 3 })
  })

  test('answers only when the mail is on its way', async () => {
    let sent = false
    const { post } = openHook(
      jest.fn(async () => {
        await new Promise((resolve) => setImmediate(resolve))
        sent = true
      }),
    )

    await post(event()).expect(204)

    expect(sent).toBe(true)
  })

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('abc123 to ada@home.example')
      },
    ],
    ['rejects', () => Promise.reject(new Error('abc123 to ada@home.example'))],
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what a careless mailer does
    ['rejects with nothing', () => Promise.reject()],
  ])('answers 500 and nothing more where the mailer %s', async (_name, deliver) => {
    const { post } = openHook(jest.fn(deliver))

    const reply = await post(event())

    expect([reply.status, reply.text]).toEqual([500, ''])
  })

  test('answers 500 after nine seconds to a mailer that hangs', async () => {
    let asked: () => void
    let mailed: () => void = noMail
    const waiting = new Promise<void>((resolve) => (asked = resolve))
    const { app } = openHook(
      jest.fn(() => {
        asked()
        return new Promise<void>((resolve) => (mailed = resolve))
      }),
    )
    const url = await listen(app)
    jest.useFakeTimers({
      doNotFake: [
        'Date',
        'hrtime',
        'nextTick',
        'performance',
        'queueMicrotask',
        'setImmediate',
        'clearImmediate',
        'setInterval',
        'clearInterval',
      ],
    })
    let status: number | undefined
    const reply = fetch(`${url}/hook`, {
      method: 'POST',
      headers: { 'X-Moltin-Secret-Key': SECRET_KEY, connection: 'close' },
      body: JSON.stringify(event()),
    }).then((response) => (status = response.status))

    await waiting
    jest.advanceTimersByTime(8999)
    await new Promise((resolve) => setImmediate(resolve))
    expect(status).toBeUndefined()
    const told = jest.fn()
    subscribe('passport-elasticpath-otp', told)
    jest.advanceTimersByTime(1)

    expect(await reply).toBe(500)
    // The mailer was only slow: nothing more is to be said.
    mailed()
    await turn()
    unsubscribe('passport-elasticpath-otp', told)
    expect(told.mock.calls).toMatchObject([
      [{ outcome: 'error', code: 'delivery_timeout' }, expect.anything()],
    ])
  })

  test('takes an event that the platform has read and parsed already', async () => {
    const { deliver, post } = openHook(jest.fn(), (req, _res, next) => {
      req.body = event()
      next()
    })

    await post('').expect(204)

    expect(deliver.mock.calls).toEqual([[DELIVERY]])
  })

  test('answers 400 to an object of nothing that a parser has read', async () => {
    const { post } = openHook(jest.fn(), express.json())

    await post('{}').expect(400)
  })

  test('leaves a response alone that the app has ended before it', async () => {
    const { deliver, post } = openHook(jest.fn(), (_req, res, next) => {
      res.status(503).end()
      next()
    })
    const told = nextMessage()

    await post(event()).expect(503)

    expect(await told).toMatchObject({ operation: 'delivery', outcome: 'success' })
    expect(deliver).toHaveBeenCalledTimes(1)
  })

  test.each([
    ['no options', undefined],
    ['no secret key', { deliver: noMail }],
    ['an empty secret key', { secretKey: '', deliver: noMail }],
    ['a blank secret key', { secretKey: ' ', deliver: noMail }],
    ['a secret key with a line end', { secretKey: `${SECRET_KEY}\n`, deliver: noMail }],
    ['a secret key that begins with a blank', { secretKey: ` ${SECRET_KEY}`, deliver: noMail }],
    ['a secret key that no header can carry', { secretKey: 'schlüssel', deliver: noMail }],
    ['no mailer', { secretKey: SECRET_KEY }],
  ])('throws a TypeError for %s', (_name, options) => {
    expect(() => otpWebhook(options as OtpWebhookOptions)).toThrow(TypeError)
    expect(() => otpWebhook(options as OtpWebhookOptions)).toThrow(
      /^otpWebhook: (secretKey|deliver) (is|must) \w+/,
    )
  })
})

test('otpWebhook knows no other options', () => {
  const options = { secretKey: SECRET_KEY, deliver: noMail, onError: noMail }
  expect(() => otpWebhook(options)).toThrow(
    new TypeError('otpWebhook: onError is not an option; the options are secretKey, deliver'),
  )
})

describe('the webhook of a store', () => {
  test('brings the code that signs the shopper in', async () => {
    let mailed: (delivery: OtpDelivery) => void
    const mail = new Promise<OtpDelivery>((resolve) => (mailed = resolve))
    const { browser } = await openJourney({ deliver: (delivery) => mailed(delivery) })
    const agent = browser()

    await agent.post('/code').send({ username: ADA }).expect(202)
    const { otp, email } = await mail

    expect(email).toBe(ADA)
    await agent.post('/login').send({ username: ADA, otp }).expect(200)
  })

  test('delivers again with the same eventId where the mailer failed', async () => {
    const deliveries: OtpDelivery[] = []
    let mailed: () => void
    const mail = new Promise<void>((resolve) => (mailed = resolve))
    const { strategy } = await openJourney({
      deliver: (delivery) => {
        deliveries.push(delivery)
        if (deliveries.length === 1) throw new Error('The mailer is down')
        mailed()
      },
    })

    await strategy.createOtpRequest(ADA)
    await mail

    const [first, second] = deliveries
    expect(deliveries.map(({ attempt }) => attempt)).toEqual([1, 2])
    expect(second).toEqual({ ...first, attempt: 2 })
  })
})
