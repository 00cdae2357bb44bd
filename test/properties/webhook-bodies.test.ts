import express from 'express'
import fc from 'fast-check'
import type { Pool } from 'undici'
import { otpWebhook, type OtpDelivery } from '../../lib'
import { anyJson, dig, holdsAtOnce, isObject, isText, mangled, mangledBytes, serve } from './support'

const SECRET_KEY = 'the-integrations-secret-key'
const CODE = 'lprvj4'
const EVENT = {
  id: 'event',
  triggered_by: 'one-time-password-token-request.created',
  attempt: 1,
  integration: { id: 'integration', integration_type: 'webhook' },
  payload: {
    authentication_realm_id: 'a-realm',
    created_at: '2030-01-01T00:00:00.000Z',
    one_time_password_token: CODE,
    password_profile_id: 'a-profile',
    purpose: 'passwordless_authentication',
    updated_at: '2030-01-01T00:00:00.000Z',
    user_authentication_info: { email: 'ada@example.com', id: 'member', name: 'Ada' },
    user_authentication_password_profile_info: {
      id: 'info',
      password_profile_id: 'a-profile',
      username: 'ada',
    },
  },
  configuration: { secret_key: SECRET_KEY, url: 'https://shop.example.com/webhooks/otp' },
}

/** What fact 22 and the README say of an event: to be delivered, another's, or none at all. */
function judge(event: unknown): Partial<OtpDelivery> | 'ignored' | 'bad' {
  if (!isObject(event) || !isText(event['triggered_by'])) return 'bad'
  if (event['triggered_by'] !== 'one-time-password-token-request.created') return 'ignored'
  const { payload } = event
  const purpose = dig(payload, 'purpose')
  if (typeof purpose !== 'string') return 'bad'
  if (purpose !== 'passwordless_authentication') return 'ignored'
  const delivery = {
    eventId: event['id'],
    username: dig(payload, 'user_authentication_password_profile_info', 'username'),
    email: dig(payload, 'user_authentication_info', 'email'),
    otp: dig(payload, 'one_time_password_token'),
    passwordProfileId: dig(payload, 'password_profile_id'),
  }
  return Object.values(delivery).every(isText) ? (delivery as Partial<OtpDelivery>) : 'bad'
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

const asBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const bytes = fc.oneof(
  { weight: 6, arbitrary: mangled(EVENT).map(asBytes) },
  { weight: 3, arbitrary: mangledBytes(JSON.stringify(EVENT)) },
  { weight: 2, arbitrary: fc.constant(asBytes(EVENT)) },
  anyJson.map(asBytes),
  fc
    .constantFrom('', 'null', '{}', '[]', '[[[[', `${JSON.stringify(EVENT)}}`)
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 300 }).map((some) => Buffer.from(some)),
  fc.nat(30_000).map((deep) => Buffer.from('{"payload":'.repeat(deep / 4) + '1' + '}'.repeat(deep / 4))),
)
const secret = fc.oneof(
  { weight: 8, arbitrary: fc.constant(SECRET_KEY) },
  fc.constantFrom('', `${SECRET_KEY} x`, SECRET_KEY.toUpperCase(), SECRET_KEY.slice(1), 'x'.repeat(5000)),
  fc.stringMatching(/^[!-~]{0,30}$/),
)
const parser = fc.constantFrom('bare', 'json', 'text', 'raw', 'urlencoded')

let pool: Pool
const delivered: OtpDelivery[] = []

beforeAll(async () => {
  const app = express()
  const receive = otpWebhook({
    secretKey: SECRET_KEY,
    deliver: (delivery) => {
      delivered.push(delivery)
      if (delivery.name === 'fails') throw new Error(`no mail with ${delivery.otp}`)
    },
  })
  const any = { type: () => true }
  app.post('/bare', receive)
  app.post('/json', express.json({ ...any, strict: false }), receive)
  app.post('/text', express.text(any), receive)
  app.post('/raw', express.raw(any), receive)
  app.post('/urlencoded', express.urlencoded({ extended: true }), receive)
  app.use(((_error, _req, res, _next) => {
    res.sendStatus(418)
  }) satisfies express.ErrorRequestHandler)
  pool = await serve(app)
})

async function post(path: string, key: string, type: string, body: Buffer) {
  const {
    statusCode,
    headers,
    body: stream,
  } = await pool.request({
    path: `/${path}`,
    method: 'POST',
    headers: { 'content-type': type, 'x-moltin-secret-key': key },
    body,
  })
  return { status: statusCode, shown: JSON.stringify(headers) + (await stream.text()) }
}

test('any event is delivered exactly where it is one, once, to whom it names, and shows no code', async () => {
  let number = 0
  await holdsAtOnce(
    fc.record({ bytes, secret, parser }),
    12_000,
    async ({ bytes: given, secret: key, parser: path }) => {
      // An id of its own, by which its delivery is found among those of others.
      const id = `event-${number++}`
      const body = Buffer.from(given.toString('latin1').replace('"id":"event"', `"id":"${id}"`), 'latin1')
      const { status, shown } = await post(path, key, 'application/json', body)
      if (shown.includes(CODE) || shown.includes(SECRET_KEY)) throw new Error(`The answer tells ${shown}`)
      if (status === 418) {
        expect([path, parsed(body)]).toEqual(['json', undefined])
        return
      }
      const mine = delivered.filter(({ eventId }) => eventId === id)
      const verdict = key === SECRET_KEY ? judge(parsed(body)) : 'wrong secret'
      if (typeof verdict === 'object') {
        expect(status).toBe(204)
        if (verdict.eventId !== id) return
        expect(mine).toMatchObject([verdict])
        const [{ attempt, expires, name } = { attempt: 0, expires: '', name: 0 }] = mine
        expect([
          Number.isSafeInteger(attempt) && attempt >= 1,
          new Date(expires).toISOString(),
          typeof name,
        ]).toEqual([true, expires, 'string'])
        return
      }
      expect([status, mine]).toEqual([{ 'wrong secret': 401, ignored: 204, bad: 400 }[verdict], []])
    },
  )
  expect(delivered.length).toBeGreaterThan(0)
})

test('any form is delivered only where it holds an event, at most once', async () => {
  const field = fc.constantFrom(
    ['triggered_by', EVENT.triggered_by],
    ['id', 'form'],
    ['payload[purpose]', 'passwordless_authentication'],
    ['payload[one_time_password_token]', CODE],
    ['payload[password_profile_id]', 'a-profile'],
    ['payload[user_authentication_info][email]', 'ada@example.com'],
    ['payload[user_authentication_password_profile_info][username]', 'ada'],
  )
  const junk = fc.tuple(
    fc.constantFrom('payload', 'payload[]', '__proto__[id]', 'constructor', 'id[]'),
    fc.string(),
  )
  const form = fc.array(fc.oneof({ weight: 5, arbitrary: field }, junk), { maxLength: 16, size: 'max' })
  await holdsAtOnce(
    form,
    3000,
    async (pairs) => {
      delivered.length = 0
      const body = Buffer.from(new URLSearchParams(pairs as [string, string][]).toString())
      const { status, shown } = await post(
        'urlencoded',
        SECRET_KEY,
        'application/x-www-form-urlencoded',
        body,
      )
      expect(shown).not.toContain(CODE)
      const names = new Set<string>(pairs.map(([name]) => name))
      const complete = [
        'triggered_by',
        'id',
        'payload[purpose]',
        'payload[one_time_password_token]',
        'payload[password_profile_id]',
        'payload[user_authentication_info][email]',
        'payload[user_authentication_password_profile_info][username]',
      ].every((name) => names.has(name))
      expect([204, 400]).toContain(status)
      if (delivered.length > 0) expect([complete, delivered.length]).toEqual([true, 1])
    },
    1,
  )
})

test('any error of the mailer is 500, without the code', async () => {
  const failing = {
    ...EVENT,
    payload: {
      ...EVENT.payload,
      user_authentication_info: { ...EVENT.payload.user_authentication_info, name: 'fails' },
    },
  }
  await holdsAtOnce(
    parser.filter((path) => path !== 'urlencoded'),
    200,
    async (path) => {
      const { status, shown } = await post(path, SECRET_KEY, 'application/json', asBytes(failing))
      expect(status).toBe(500)
      expect(shown).not.toContain(CODE)
    },
  )
})
