import { existsSync } from 'node:fs'
import type { RecordedRequest, SimulatorOptions } from '../../lib/testing'
import { NAME, open, setup, shell, shop, simulator, unattended, useSetup, writes } from './setup-store'

useSetup()

describe('what setup cannot do', () => {
  it.each([
    ['a missing client id', { EPCC_CLIENT_ID: '' }, [], 2, 'EPCC_CLIENT_ID is not set'],
    ['a client secret that is missing', { EPCC_CLIENT_SECRET: '' }, [], 2, 'EPCC_CLIENT_SECRET is not set'],
    ['a client secret that is wrong', { EPCC_CLIENT_SECRET: 'wrong-secret' }, [], 1, 'id and secret'],
    ['a missing webhook URL', {}, ['--yes'], 2, '--webhook-url is missing'],
    ['an unknown profile', {}, ['--profile', 'Nobody'], 1, 'no password profile "Nobody"'],
    ['an unknown integration', {}, ['--integration', 'x'], 1, 'no webhook integration x'],
  ])('is explained for %s', async (_, more, argv, exit, message) => {
    const { code, err, out } = await setup({ env: { ...(await open()), ...more } }, ...argv)

    expect(code).toBe(exit)
    expect(err).toContain(message)
    expect(err + out).not.toContain('wrong-secret')
    expect(writes()).toEqual([])
  })

  it.each([
    ['http://shop.example.com/x', 'must begin with https://'],
    ['shop', 'must look like https://'],
    ['https://a:b@shop.example.com/', 'neither a fragment nor a password'],
    ['https://:b@shop.example.com/', 'neither a fragment nor a password'],
    ['https://shop.example.com/#otp', 'neither a fragment nor a password'],
  ])('is explained for the webhook %s', async (url, message) => {
    const { code, err } = await setup({ env: await open() }, '--webhook-url', url)

    expect(code).toBe(2)
    expect(err).toContain(message)
  })

  it.each([
    ['that no header can carry', 'ü'.repeat(16)],
    ['of 15 characters', 'x'.repeat(15)],
    ['of 257 characters', 'x'.repeat(257)],
    ['with a space before it', ` ${'x'.repeat(16)}`],
    ['with a space after it', `${'x'.repeat(16)} `],
  ])('is explained for a secret %s', async (_, EPCC_WEBHOOK_SECRET) => {
    const { code, err } = await unattended({ ...(await open()), EPCC_WEBHOOK_SECRET })

    expect(code).toBe(2)
    expect(err).toContain('16 to 256 ASCII')
  })

  it('is explained for an unknown profile of a realm that has none', async () => {
    const { err } = await unattended(await open({ passwordProfiles: [] }), '--profile', 'Nobody')

    expect(err).toContain('There are: none\n')
  })

  it('is explained for an integration that is a queue', async () => {
    const env = await open()
    const queue = { id: 'queue', integration_type: 'aws_sqs' }
    simulator.fault('GET /v2/integrations', { status: 200, body: { data: [queue] } })

    expect(await unattended(env, '--integration', 'queue')).toMatchObject({ code: 1 })
  })

  it('is explained as JSON if it would have to ask', async () => {
    const { code, out } = await setup({ env: await open() }, '--json', '--webhook-url', shop.url)

    expect(code).toBe(2)
    expect(JSON.parse(out)).toMatchObject({ error: { message: 'With --json, setup does not ask.' } })
  })

  it('is explained for a store without a realm', async () => {
    const env = await open()
    simulator.fault('account_settings', { status: 200, body: { data: {} } })

    expect((await unattended(env)).err).toContain('name no authentication realm')
  })

  const PROFILES = '/v2/authentication-realms/:realm/password-profiles'
  const BROKEN = { integrations: [{ name: NAME, url: 'http://127.0.0.1:9/' }] }

  it.each<[RecordedRequest['call'], number, SimulatorOptions]>([
    ['access_token', 500, {}],
    ['account_settings', 403, {}],
    ['password_profiles', 404, {}],
    ['GET /v2/integrations', 403, {}],
    [`PUT ${PROFILES}/:profile`, 403, {}],
    [`POST ${PROFILES}`, 422, { passwordProfiles: [] }],
    ['POST /v2/integrations', 422, {}],
    ['POST /v2/integrations', 500, {}],
    ['PUT /v2/integrations/:id', 404, BROKEN],
  ])('is explained if the request %s gets the status %i', async (call, status, options) => {
    const env = await open(options)
    simulator.fault(call, { status })

    const { code, err } = await unattended(env)

    expect(code).toBe(1)
    expect(err).toContain(`Elastic Path returned ${status} to `)
    expect(existsSync(shell.envPath)).toBe(false)
  })

  it('is explained if it is interrupted between two changes', async () => {
    const env = await open()
    simulator.fault('POST /v2/integrations', 'hang')
    const arrived = simulator.nextRequest('POST /v2/integrations')

    const ended = unattended(env)
    await arrived
    shell.stop()

    expect(await ended).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'Interrupted. What was changed before stays.\n  To complete the setup, run setup again: it continues from here.\n',
      ) as string,
    })
  })

  it('refuses a webhook on this machine for a store that is not', async () => {
    const env = { EPCC_CLIENT_ID: 'x', EPCC_CLIENT_SECRET: 'hidden-secret' }
    await open()
    const leadTo: typeof fetch = (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input)
      const answer = { access_token: 't', expires_in: 3600 }
      if (url.pathname === '/oauth/access_token') return Promise.resolve(Response.json(answer))
      const realm = { data: { relationships: { authentication_realm: { data: { id: 'r' } } } } }
      return Promise.resolve(Response.json(url.pathname.includes('settings') ? realm : { data: [] }, init))
    }

    const { code, err } = await setup(
      { env, fetch: leadTo },
      '--webhook-url',
      'https://localhost/webhooks/otp',
    )

    expect(code).toBe(2)
    expect(err).toContain('Elastic Path cannot reach localhost')
    expect(err).toContain('Start a tunnel')
  })
})
