import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import express, { type Request, type RequestHandler, type Response } from 'express'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import supertest from 'supertest'
import type { DeliveryLimit } from '../../lib/codes/delivery-limit'
import { Proofs } from '../../lib/codes/proofs'
import { Context } from '../../lib/context'
import type { DiagnosticMessage } from '../../lib/diagnostics'
import { ElasticPathError } from '../../lib/errors'
import { otpWebhook, type OtpDelivery, type OtpWebhookOptions } from '../../lib/express/otp-webhook'
import { registerServices, type Operation, type Services } from '../../lib/services'

const SECRET_KEY = 'the secret key'
const NOW = Date.UTC(2026, 0, 2, 3, 4, 10)
const CREATED = '2026-01-02T03:04:05.000Z'
const ADA = 'ada@home.example'
const MINUTE = 60_000

const DELIVERY: OtpDelivery = {
  eventId: 'event-1',
  attempt: 1,
  username: ADA,
  email: 'mail@home.example',
  name: 'Ada',
  otp: 'abc123',
  expires: '2026-01-02T03:14:05.000Z',
  passwordProfileId: 'profile-1',
  authenticationRealmId: 'realm-1',
}

let messages: DiagnosticMessage[]
const listen = (message: unknown) => messages.push(message as DiagnosticMessage)
const servers: Server[] = []
let lastEvent = 100

beforeEach(() => {
  jest.useFakeTimers({ now: NOW, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
  messages = []
  subscribe('passport-elasticpath-otp', listen)
})
afterEach(() => {
  unsubscribe('passport-elasticpath-otp', listen)
  jest.useRealTimers()
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

function event(fields: object = {}, payload: object = {}) {
  return {
    id: 'event-1',
    triggered_by: 'one-time-password-token-request.created',
    attempt: 1,
    ...fields,
    payload: {
      created_at: CREATED,
      one_time_password_token: 'abc123',
      password_profile_id: 'profile-1',
      authentication_realm_id: 'realm-1',
      purpose: 'passwordless_authentication',
      user_authentication_info: { email: 'mail@home.example', id: 'member-1', name: 'Ada' },
      user_authentication_password_profile_info: { username: ADA },
      ...payload,
    },
  }
}

const withEmail = (email: unknown, name: unknown = 'Ada') =>
  event({}, { user_authentication_info: { email, name } })

/** A webhook behind these handlers, whose `deliver` resolves unless the test says otherwise. */
function open(options: Partial<OtpWebhookOptions> = {}, ...before: RequestHandler[]) {
  const deliver = jest.fn(options.deliver ?? (() => undefined))
  const app = express()
  app.post('/hook', ...before, otpWebhook({ secretKey: SECRET_KEY, ...options, deliver }))
  const post = (body: string | object = event(), headers: Record<string, string> = {}) =>
    supertest(app)
      .post('/hook')
      .set({ 'content-type': 'application/json', 'X-Moltin-Secret-Key': SECRET_KEY, ...headers })
      // Bytes and text are sent as they are.
      .serialize((data: unknown) => (isRaw(data) ? data : JSON.stringify(data)))
      .send(body)
  const status = async (body?: string | object, headers?: Record<string, string>) =>
    (await post(body, headers)).status
  return { app, deliver, post, status }
}

/** The services of a strategy of this store. */
function openStrategy(
  look: Partial<Record<'realmId' | 'passwordProfileId' | 'recheck', () => Promise<unknown>>> = {},
) {
  const strategy = { name: 'passwordless-otp', authenticate: () => undefined }
  const store = {
    realmId: () => Promise.resolve('realm-1'),
    passwordProfileId: () => Promise.resolve('profile-1'),
    recheck: () => Promise.resolve(),
    ...look,
  }
  const services = {
    settings: { limiter: undefined, requestLimiter: undefined },
    commerce: { store },
    proofs: new Proofs(),
    deliveryLimits: new Set<DeliveryLimit>(),
    async run<T>(_operation: Operation<T>, work: (context: Context) => Promise<T>): Promise<T> {
      const context = new Context(10_000)
      return work(context).finally(() => context.end())
    },
  }
  registerServices(strategy, services as unknown as Services)
  return { strategy, ...services }
}

/** Buffers are declared as text, because superagent passes on any chunk but declares text only. */
function isRaw(data: unknown): data is string {
  return typeof data === 'string' || Buffer.isBuffer(data)
}

function deferred() {
  let resolve: () => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<void>((...settle) => ([resolve, reject] = settle))
  return { promise, resolve, reject }
}

const codes = () => messages.map(({ outcome, code }) => [outcome, code])

describe('otpWebhook', () => {
  test.each<[string, RequestHandler[]]>([
    ['no body parser', []],
    ['express.json()', [express.json()]],
    ['express.raw()', [express.raw({ type: '*/*' })]],
    ['express.raw() for other types', [express.raw()]],
    ['express.text()', [express.text({ type: '*/*' })]],
    ['express.urlencoded() and express.json()', [express.urlencoded(), express.json()]],
    [
      'a platform that has parsed it',
      [
        (req, _res, next) => {
          req.body = event()
          next()
        },
      ],
    ],
  ])('delivers the code behind %s', async (_name, before) => {
    const { deliver, post } = open({}, ...before)
    const reply = await post()
    expect([reply.status, reply.text]).toEqual([204, ''])
    expect(deliver.mock.calls).toEqual([[DELIVERY]])
    expect(codes()).toEqual([['success', undefined]])
  })

  describe.each<[string, RequestHandler[]]>([
    ['no body parser', []],
    ['express.json()', [express.json()]],
    ['express.raw()', [express.raw({ type: '*/*' })]],
    ['express.text()', [express.text({ type: '*/*' })]],
    // Some platforms pass the bytes on as they are.
    [
      'a platform that keeps bytes compressed',
      [
        (req, _res, next) => {
          const chunks: Buffer[] = []
          req.on('data', (chunk: Buffer) => chunks.push(chunk))
          req.on('end', () => {
            req.body = new Uint8Array(Buffer.concat(chunks))
            next()
          })
        },
      ],
    ],
  ])('behind %s', (parser, before) => {
    const text = Buffer.from(JSON.stringify(event()))
    test.each<[string, Buffer, Record<string, string>]>([
      ['a byte order mark', Buffer.concat([Buffer.from('\ufeff'), text]), {}],
      ['gzip', gzipSync(text), { 'content-encoding': 'gzip' }],
      ['deflate', deflateSync(text), { 'content-encoding': 'deflate' }],
      ['br', brotliCompressSync(text), { 'content-encoding': 'br' }],
      ['GZIP in capitals', gzipSync(text), { 'content-encoding': 'GZIP' }],
    ])('reads a body with %s', async (_name, body, headers) => {
      const { deliver, status } = open({}, ...before)
      expect(await status(body, headers)).toBe(204)
      expect(deliver.mock.calls).toEqual([[DELIVERY]])
    })

    if (parser !== 'no body parser') return
    test.each<[string, Buffer, string]>([
      ['deflate without a header', deflateRawSync(text), 'deflate'],
      ['x-gzip', gzipSync(text), 'x-gzip'],
    ])('reads a body with %s', async (_name, body, encoding) => {
      expect(await open().status(body, { 'content-encoding': encoding })).toBe(204)
    })

    test.each<[string, Buffer, string]>([
      [
        'is too large when it is decompressed',
        gzipSync(JSON.stringify(event({ more: 'a'.repeat(100 * 1024) }))),
        'gzip',
      ],
      ['is not compressed as its header says', brotliCompressSync(text), 'gzip'],
      ['has an unknown compression', gzipSync(text), 'zstd'],
      ['is UTF-16', Buffer.from(`\ufeff${text.toString()}`, 'utf16le'), 'identity'],
    ])('responds with 400 to a body that %s', async (_name, body, encoding) => {
      const { deliver, status } = open()
      expect(await status(body, { 'content-encoding': encoding })).toBe(400)
      expect(deliver).not.toHaveBeenCalled()
    })
  })

  test.each([
    ['wrong', 'wrong'],
    ['missing', ''],
    ['in capitals', SECRET_KEY.toUpperCase()],
    ['cut off', SECRET_KEY.slice(0, -1)],
  ])('responds with 401 if the secret key is %s', async (_name, secret) => {
    const { deliver, status } = open()
    expect(await status(event(), { 'X-Moltin-Secret-Key': secret })).toBe(401)
    expect(deliver).not.toHaveBeenCalled()
    expect(codes()).toEqual([['error', 'wrong_secret']])
  })

  test.each<[string, string | object]>([
    ['malformed JSON', '{"id":'],
    ['nothing', ''],
    ['null', 'null'],
    ['an array', '[]'],
    ['an empty object', '{}'],
    ['an event without an id', event({ id: undefined })],
    ['an event without a payload', { ...event(), payload: null }],
    ['an event without a code', event({}, { one_time_password_token: '' })],
    ['an event without an address', event({}, { user_authentication_info: {} })],
    ['an event without a purpose', event({}, { purpose: undefined })],
    ['an event without a username', event({}, { user_authentication_password_profile_info: {} })],
    ['an event without a profile', event({}, { password_profile_id: '' })],
    ['a code with a line end', event({}, { one_time_password_token: 'abc123\r\nBcc: x' })],
    [
      'a username with a line end',
      event({}, { user_authentication_password_profile_info: { username: 'a\nb' } }),
    ],
    ...[
      'mail@home.example\n',
      'mail@home.example\r\nBcc: eve@evil.example',
      'mail@home.example\u2028',
      'mail@home.example\0',
      'mail@home.example\u200b',
      'mail@home.example,eve@evil.example',
      'mail@home.example, eve@evil.example',
      'mail@home.example;eve@evil.example',
      'mail@home.example eve@evil.example',
      'mail@home.example，eve', // full-width comma
      'mail＠evil.example@home.example',
      'Ada <mail@home.example>',
      '"a b"@home.example',
      'mail@home.example(comment)',
      'mail@home@example',
      'mail',
      '@home.example',
      'mail@',
    ].map((email): [string, object] => [`the address ${JSON.stringify(email)}`, withEmail(email)]),
  ])('responds with 400 to %s', async (_name, body) => {
    const { deliver, status } = open()
    expect(await status(body)).toBe(400)
    expect(deliver).not.toHaveBeenCalled()
    expect(codes()).toEqual([['error', 'bad_event']])
  })

  test.each([
    "o'neil+shop@mail.home.example",
    'jörg@müller.example',
    '艾达@例子.example',
    'a_b-c@xn--80ak6aa92e.example',
  ])('delivers to %s', async (email) => {
    const { deliver, status } = open()
    // An apostrophe is part of many addresses.
    expect(await status(withEmail(email))).toBe(204)
    expect(deliver).toHaveBeenCalledWith({ ...DELIVERY, email })
  })

  test.each([
    ['another event', event({ triggered_by: 'order.created' })],
    ['another event without a payload', { triggered_by: 'order.created' }],
    ['a code for another purpose', event({}, { purpose: 'reset_password' })],
  ])('ignores %s', async (_name, body) => {
    const { deliver, status } = open()
    expect(await status(body)).toBe(204)
    expect(deliver).not.toHaveBeenCalled()
    expect(codes()).toEqual([['success', 'ignored_event']])
  })

  test.each<[string, object, Partial<OtpDelivery>]>([
    ['its third attempt', event({ attempt: 3 }), { attempt: 3 }],
    ['the attempt 1.5 as the first', event({ attempt: 1.5 }), {}],
    ['the attempt -1 as the first', event({ attempt: -1 }), {}],
    ['the attempt "2" as the first', event({ attempt: '2' }), {}],
    ['no name', withEmail('mail@home.example', null), { name: '' }],
    ['a long name', withEmail('mail@home.example', 'Ä'.repeat(20_000)), { name: 'Ä'.repeat(20_000) }],
    ['a name with a line end', withEmail('mail@home.example', 'Ada\r\nBcc: x'), { name: 'Ada Bcc: x' }],
    ['no realm', event({}, { authentication_realm_id: undefined }), { authenticationRealmId: '' }],
    ['more than is needed', event({ configuration: { secret_key: 'x' } }, { more: true }), {}],
  ])('passes on an event with %s', async (_name, body, fields) => {
    const { deliver, status } = open()
    expect(await status(body)).toBe(204)
    expect(deliver.mock.calls).toEqual([[{ ...DELIVERY, ...fields }]])
  })

  test.each([
    undefined,
    'yesterday',
    '1',
    42,
    '2026-01-02T03:04:05',
    new Date(NOW + 5 * MINUTE + 1).toISOString(),
  ])('counts ten minutes from now if an event was created at %p', async (created_at) => {
    const { deliver, status } = open()
    expect(await status(event({}, { created_at }))).toBe(204)
    const expires = new Date(NOW + 10 * MINUTE).toISOString()
    expect(deliver).toHaveBeenCalledWith({ ...DELIVERY, expires })
  })

  test.each([
    [-12 * MINUTE - 1, 'expired_event'],
    [-12 * MINUTE, undefined],
    [5 * MINUTE, undefined],
  ])('treats an event that was created %d ms from now as %p', async (age, code) => {
    const { deliver, status } = open()
    expect(await status(event({}, { created_at: new Date(NOW + age).toISOString() }))).toBe(204)
    expect(deliver).toHaveBeenCalledTimes(code ? 0 : 1)
    expect(codes()).toEqual([[code ? 'error' : 'success', code]])
  })

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('abc123 to mail@home.example')
      },
    ],
    ['rejects', () => Promise.reject(new Error('abc123 to mail@home.example'))],
  ])('responds with 500 without a body if deliver %s, and delivers again', async (_name, fail) => {
    let attempt = 0
    const { deliver, post, status } = open({ deliver: () => (++attempt === 1 ? fail() : undefined) })
    const reply = await post()
    expect([reply.status, reply.text]).toEqual([500, ''])
    expect(await status(event({ attempt: 2 }))).toBe(204)
    expect(deliver).toHaveBeenCalledTimes(2)
    expect(codes()).toEqual([
      ['error', 'delivery_failed'],
      ['success', undefined],
    ])
  })

  test('delivers an event once within ten minutes', async () => {
    const { deliver, status } = open()
    expect([await status(), await status(), await status(event({ id: 'event-2' }))]).toEqual([204, 204, 204])
    expect(deliver).toHaveBeenCalledTimes(2)
    expect(codes()[1]).toEqual(['success', 'duplicate_event'])
    jest.advanceTimersByTime(10 * MINUTE)
    await status()
    expect(deliver).toHaveBeenCalledTimes(3)
  })

  test.each([
    ['succeeds', 204, 'duplicate_event'],
    ['fails', 500, 'delivery_failed'],
  ])('joins a delivery in progress that %s', async (outcome, expected, code) => {
    const sent = deferred()
    const otherBegun = deferred()
    const deliver = jest.fn(({ eventId }: OtpDelivery) =>
      eventId === 'event-1' ? sent.promise : otherBegun.resolve(),
    )
    const hook = otpWebhook({ secretKey: SECRET_KEY, deliver })
    const call = (body: object) =>
      new Promise<number>((resolve) => {
        const headers = { 'x-moltin-secret-key': SECRET_KEY }
        const res = { statusCode: 0, end: () => resolve(res.statusCode) }
        void hook(
          { headers, body, complete: true } as unknown as Request,
          res as unknown as Response,
          () => undefined,
        )
      })

    const replies = [call(event()), call(event({ attempt: 2 }))]
    // An event that is received later takes the same way, so when it is delivered, the second event has joined.
    await Promise.all([call(event({ id: 'event-2' })), otherBegun.promise])
    if (outcome === 'succeeds') sent.resolve()
    else sent.reject(new Error('down'))

    expect(await Promise.all(replies)).toEqual([expected, expected])
    expect(deliver).toHaveBeenCalledTimes(2)
    expect(codes()[2]?.[1]).toBe(code)
  })

  test('responds with 500 after nine seconds, and does not repeat a delivery that succeeds later', async () => {
    const sent = deferred()
    const begun = deferred()
    const { deliver, status } = open({
      deliver: () => {
        begun.resolve()
        return sent.promise
      },
    })
    const settled = jest.fn()
    const first = status()
    void first.then(settled)
    await begun.promise
    jest.advanceTimersByTime(8999)
    expect(settled).not.toHaveBeenCalled()
    jest.advanceTimersByTime(1)
    expect(await first).toBe(500)
    sent.resolve()
    expect(await status()).toBe(204)
    expect(deliver).toHaveBeenCalledTimes(1)
    expect(codes()).toEqual([
      ['error', 'delivery_timeout'],
      ['success', 'duplicate_event'],
    ])
  })

  test('does not change a response that the app has ended', async () => {
    const { deliver, post } = open({}, (_req, res, next) => {
      res.status(503).end()
      next()
    })
    await post().expect(503)
    expect(deliver).toHaveBeenCalledTimes(1)
  })
})

describe('a connection to otpWebhook', () => {
  async function connect(...before: RequestHandler[]) {
    const { app, deliver } = open({}, ...before)
    const server = createServer(app).listen(0)
    servers.push(server)
    await once(server, 'listening')
    const call = request({
      port: (server.address() as AddressInfo).port,
      path: '/hook',
      method: 'POST',
      headers: { 'X-Moltin-Secret-Key': SECRET_KEY },
    })
    call.on('error', () => undefined)
    const reply = async () => ((await once(call, 'response')) as [IncomingMessage])[0].resume()
    return { call, deliver, reply }
  }

  test('is closed after a body of over 100 kB, before the body has ended', async () => {
    const { call, deliver, reply } = await connect()
    call.write('"'.padEnd(200 * 1024, 'a'))
    const { statusCode, headers } = await reply()
    call.destroy()
    expect([statusCode, headers.connection]).toEqual([400, 'close'])
    expect(deliver).not.toHaveBeenCalled()
  })

  test.each([
    [100 * 1024, 204],
    [100 * 1024 + 1, 400],
  ])('accepts a body of %d bytes with %d', async (bytes, status) => {
    const { call, reply } = await connect()
    call.end(JSON.stringify({ triggered_by: 'order.created' }).padEnd(bytes))
    expect((await reply()).statusCode).toBe(status)
  })

  test('ends the request if the body is cut off', async () => {
    const reported = new Promise<void>((resolve) => {
      const heard = () => {
        unsubscribe('passport-elasticpath-otp', heard)
        resolve()
      }
      subscribe('passport-elasticpath-otp', heard)
    })
    const { call, deliver } = await connect((req, _res, next) => {
      next()
      req.socket.destroy()
    })
    call.write('{"triggered_by"')
    await reported
    expect(codes()).toEqual([['error', 'bad_event']])
    expect(deliver).not.toHaveBeenCalled()
  })

  test('is answered after nine seconds if the body does not end', async () => {
    const waiting = deferred()
    const { call, reply } = await connect((_req, _res, next) => {
      next()
      waiting.resolve()
    })
    call.write('{"triggered_by"')
    await waiting.promise
    jest.advanceTimersByTime(9000)
    expect((await reply()).statusCode).toBe(500)
    call.destroy()
  })
})

describe('the limit of deliveries', () => {
  const flood = async (status: (body: object) => Promise<number>, count: number, body = event) => {
    for (let i = 0; i < count; i++) expect(await status(body({ id: `event-${++lastEvent}` }))).toBe(204)
  }

  test('delivers ten of forty events for one address that the app did not request', async () => {
    const { deliver, status } = open({ strategy: openStrategy().strategy })
    await flood(status, 40)
    expect(deliver).toHaveBeenCalledTimes(10)
    expect(codes().slice(9, 11)).toEqual([
      ['success', undefined],
      ['error', 'delivery_limited'],
    ])
    await flood(status, 1, (fields) => ({ ...withEmail('other@home.example'), ...fields }))
    expect(deliver).toHaveBeenCalledTimes(11)
  })

  test('delivers each code that was requested through the app', async () => {
    const { strategy, deliveryLimits } = openStrategy()
    const { deliver, status } = open({ strategy })
    await flood(status, 40)
    const context = new Context(10_000)
    for (let i = 0; i < 5; i++) {
      for (const limit of deliveryLimits) await limit.credit(ADA.toUpperCase(), context)
    }
    context.end()
    await flood(status, 40)
    expect(deliver).toHaveBeenCalledTimes(15)
  })

  test('does not count a failed, a joined or a repeated delivery', async () => {
    let fails = true
    const { deliver, status } = open({
      deliver: () => (fails ? Promise.reject(new Error('down')) : undefined),
    })
    for (let i = 0; i < 20; i++) expect(await status()).toBe(500)
    fails = false
    await Promise.all(Array.from({ length: 20 }, () => status()))
    deliver.mockClear()
    await flood(status, 40)
    expect(deliver).toHaveBeenCalledTimes(9)
  })

  test.each<[string, OtpWebhookOptions['limiter'], number]>([
    ['its limiter', new RateLimiterMemory({ points: 3, duration: 900 }), 3],
    ['no limiter', false, 40],
  ])('is that of %s', async (_name, limiter, deliveries) => {
    const { deliver, status } = open({ limiter })
    await flood(status, 40)
    expect(deliver).toHaveBeenCalledTimes(deliveries)
  })

  test('responds with 500 if its limiter fails', async () => {
    const limiter = { consume: () => Promise.reject(new Error('down')), reward: () => Promise.resolve() }
    const { deliver, status } = open({ limiter })
    expect(await status()).toBe(500)
    expect(deliver).not.toHaveBeenCalled()
    expect(codes()).toEqual([['error', 'limiter_failed']])
  })
})

describe('otpWebhook with a strategy', () => {
  test('passes a proof that is valid for the username until the code expires', async () => {
    const { strategy, proofs } = openStrategy()
    const { deliver, status } = open({ strategy })
    await status()
    const [[{ proof }]] = deliver.mock.calls as [[OtpDelivery]]
    expect(proofs.read(proof, ADA)).toBeDefined()
    expect(proofs.read(proof, 'grace@home.example')).toBeUndefined()
    jest.advanceTimersByTime(Date.parse(DELIVERY.expires) - NOW - 1)
    expect(proofs.read(proof, ADA)).toBeDefined()
    jest.advanceTimersByTime(1)
    expect(proofs.read(proof, ADA)).toBeUndefined()
  })

  test('passes a proof for ten minutes at most if the clock of Elastic Path is ahead', async () => {
    const { strategy, proofs } = openStrategy()
    const { deliver, status } = open({ strategy })
    await status(event({}, { created_at: new Date(NOW + 5 * MINUTE).toISOString() }))
    jest.advanceTimersByTime(10 * MINUTE)
    expect(proofs.read(deliver.mock.calls[0]?.[0].proof, ADA)).toBeUndefined()
  })

  test.each<[string, object, Partial<OtpWebhookOptions>, boolean]>([
    ['another realm', { authentication_realm_id: 'realm-2' }, {}, false],
    ['another profile', { password_profile_id: 'profile-2' }, {}, false],
    [
      'the profile of the option',
      { password_profile_id: 'profile-2' },
      { passwordProfileId: 'profile-2' },
      true,
    ],
    ['a profile other than that of the option', {}, { passwordProfileId: 'profile-2' }, false],
    ['no realm', { authentication_realm_id: undefined }, {}, true],
  ])(
    'given an event of %s, delivers it only if it is its own',
    async (_name, payload, options, delivered) => {
      const { deliver, status } = open({ strategy: openStrategy().strategy, ...options })
      expect(await status(event({}, payload))).toBe(204)
      expect(deliver).toHaveBeenCalledTimes(delivered ? 1 : 0)
      expect(codes()).toEqual([['success', delivered ? undefined : 'foreign_event']])
    },
  )

  test('delivers an event of a realm that replaced the one which this process had detected', async () => {
    let realm = 'realm-0'
    const recheck = () => Promise.resolve((realm = 'realm-1'))
    const { strategy } = openStrategy({ realmId: () => Promise.resolve(realm), recheck })
    const { deliver, status } = open({ strategy })
    expect(await status()).toBe(204)
    expect(deliver).toHaveBeenCalledTimes(1)
  })

  test('responds with 500 if a look-up fails, and delivers the event at the next attempt', async () => {
    let isDown = true
    const { strategy } = openStrategy({
      realmId: () =>
        isDown ? Promise.reject(new ElasticPathError('unreachable', 'down')) : Promise.resolve('realm-1'),
    })
    const { deliver, status } = open({ strategy })
    expect(await status()).toBe(500)
    isDown = false
    expect(await status()).toBe(204)
    expect(deliver).toHaveBeenCalledTimes(1)
    expect(codes()).toEqual([
      ['error', 'unreachable'],
      ['success', undefined],
    ])
  })

  test('needs no strategy to ignore other profiles', async () => {
    const { deliver, status } = open({ passwordProfileId: 'profile-2' })
    expect(await status()).toBe(204)
    expect(deliver).not.toHaveBeenCalled()
  })
})

describe('the options of otpWebhook', () => {
  const valid = { secretKey: SECRET_KEY, deliver: () => undefined }
  test.each<[string, unknown, string]>([
    ['no options', undefined, 'options must be an object'],
    ['no secret key', { ...valid, secretKey: undefined }, 'secretKey is required'],
    ['a blank secret key', { ...valid, secretKey: ' ' }, 'secretKey is required'],
    ['a secret key with a line end', { ...valid, secretKey: `${SECRET_KEY}\n` }, 'secretKey must be ASCII'],
    [
      'a secret key with a leading space',
      { ...valid, secretKey: ` ${SECRET_KEY}` },
      'secretKey must be ASCII',
    ],
    [
      'a secret key that no header can carry',
      { ...valid, secretKey: 'schlüssel' },
      'secretKey must be ASCII',
    ],
    ['no deliver', { ...valid, deliver: undefined }, 'deliver is required'],
    ['another strategy', { ...valid, strategy: { name: 'local' } }, 'strategy must be'],
    ['the name of a strategy', { ...valid, strategy: 'passwordless-otp' }, 'strategy must be'],
    ['an empty profile', { ...valid, passwordProfileId: '' }, 'passwordProfileId must be'],
    [
      'a profile with a line end',
      { ...valid, passwordProfileId: 'profile-1\n' },
      'passwordProfileId must be',
    ],
    [
      'a limiter without reward',
      { ...valid, limiter: { consume: valid.deliver } },
      'limiter must have the methods',
    ],
    [
      'an unknown option',
      { ...valid, onError: valid.deliver },
      'unknown option onError. The options are secretKey',
    ],
    ['a misspelled option', { deliver: valid.deliver, secretkey: SECRET_KEY }, 'Did you mean secretKey?'],
  ])('throw a TypeError if there is %s', (_name, options, message) => {
    const create = () => otpWebhook(options as OtpWebhookOptions)
    expect(create).toThrow(TypeError)
    expect(create).toThrow(message)
  })
})
