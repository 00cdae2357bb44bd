import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { otpWebhook, type OtpDelivery } from '../../lib'
import { at, parseJson } from '../../lib/json'
import { ADA, openShop, SECRET_KEY } from '../support/shop'
import { holds, mangled, mangledBytes, nasty } from './support'

const CODE = 'lprvj4'
const ENCODINGS: Record<string, (bytes: Buffer) => Buffer> = {
  identity: (bytes) => bytes,
  gzip: gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  // What the header says is not what the body is.
  'gzip, br': (bytes) => bytes,
  'x-unknown': (bytes) => bytes,
}

test('any body is delivered at most once, only if it is an event with the right secret, and shows no code', async () => {
  const delivered: OtpDelivery[] = []
  const { simulator, url } = await openShop({
    routes: (app, strategy) => {
      const deliver = (delivery: OtpDelivery) => delivered.push(delivery)
      app.post('/hook', otpWebhook({ secretKey: SECRET_KEY, strategy, limiter: false, deliver }))
    },
  })
  const event = {
    id: 'the-event',
    triggered_by: 'one-time-password-token-request.created',
    attempt: 1,
    integration: { id: 'integration', integration_type: 'webhook' },
    payload: {
      authentication_realm_id: simulator.realmId,
      created_at: new Date().toISOString(),
      one_time_password_token: CODE,
      password_profile_id: simulator.profiles[0]?.id,
      purpose: 'passwordless_authentication',
      user_authentication_info: { email: ADA, id: 'member', name: 'Ada' },
      user_authentication_password_profile_info: { id: 'info', username: ADA },
    },
  }
  const asBytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
  const right = asBytes(event)
  const bytes = fc.oneof(
    { weight: 6, arbitrary: mangled(event).map(asBytes) },
    { weight: 3, arbitrary: mangledBytes(right.toString()) },
    { weight: 2, arbitrary: fc.constantFrom(right, Buffer.concat([Buffer.from('\ufeff'), right])) },
    nasty.map(asBytes),
    fc.uint8Array({ maxLength: 300 }).map((some) => Buffer.from(some)),
    fc.nat(30_000).map((depth) => Buffer.from('{"payload":'.repeat(depth / 4) + '1' + '}'.repeat(depth / 4))),
  )
  const secret = fc.oneof(
    { weight: 8, arbitrary: fc.constant(SECRET_KEY) },
    fc.constantFrom('', `${SECRET_KEY} x`, SECRET_KEY.toUpperCase(), SECRET_KEY.slice(1), 'x'.repeat(5000)),
  )
  const type = fc.constantFrom('application/json', 'application/octet-stream', 'text/plain')
  const encoding = fc.oneof(
    { weight: 3, arbitrary: fc.constant('identity') },
    fc.constantFrom(...Object.keys(ENCODINGS)),
  )

  let number = 0
  await holds(fc.record({ bytes, secret, type, encoding }), 6000, async (given) => {
    delivered.length = 0
    // A new id, because an event is delivered once.
    const plain = Buffer.from(
      given.bytes.toString('latin1').replace('the-event', `event-${number++}`),
      'latin1',
    )
    const response = await fetch(`${url}/hook`, {
      method: 'POST',
      headers: {
        'content-type': given.type,
        'content-encoding': given.encoding,
        'x-moltin-secret-key': given.secret,
      },
      body: ENCODINGS[given.encoding]?.(plain) ?? plain,
    })
    const shown = JSON.stringify([...response.headers]) + (await response.text())
    expect(shown).not.toContain(SECRET_KEY)
    const parsed = parseJson(plain.toString('utf8').replace(/^\ufeff/, ''))
    if (delivered.length === 0) {
      const wasRight =
        given.bytes === right && given.secret === SECRET_KEY && ENCODINGS[given.encoding] !== undefined
      const decodable = !['gzip, br', 'x-unknown'].includes(given.encoding)
      expect(wasRight && decodable).toBe(false)
      // 415 is the parser's.
      expect([204, 400, 401, 413, 415]).toContain(response.status)
      if (given.secret !== SECRET_KEY) expect(response.status).not.toBe(204)
      return
    }
    expect([response.status, given.secret, delivered.length]).toEqual([204, SECRET_KEY, 1])
    expect(delivered[0]).toMatchObject({
      eventId: at(parsed, 'id'),
      email: at(parsed, 'payload', 'user_authentication_info', 'email'),
      username: at(parsed, 'payload', 'user_authentication_password_profile_info', 'username'),
      otp: at(parsed, 'payload', 'one_time_password_token'),
    })
    expect(delivered[0]?.email).toMatch(/^[^\s,<>]+@[^\s,<>]+$/)
    expect(at(parsed, 'payload', 'purpose')).toBe('passwordless_authentication')
  })
})
