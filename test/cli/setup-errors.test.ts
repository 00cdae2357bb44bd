import { existsSync } from 'node:fs'
import type { Fault, RecordedRequest, SimulatorOptions } from '../../lib/testing'
import { NAME, open, setup, shell, shop, simulator, unattended, useSetup, writes } from './setup-store'

useSetup()

describe('what setup cannot do', () => {
  it.each([
    ['a missing client id', { EPCC_CLIENT_ID: '' }, [], 2, 'EPCC_CLIENT_ID is not set'],
    ['a client secret that is missing', { EPCC_CLIENT_SECRET: '' }, [], 2, 'EPCC_CLIENT_SECRET is not set'],
    [
      'a client secret that is wrong',
      { EPCC_CLIENT_SECRET: 'wrong-secret' },
      [],
      1,
      'refuses this client id and secret',
    ],
    ['a missing webhook URL', {}, ['--yes'], 2, '--webhook-url is missing'],
    [
      'a webhook without TLS',
      {},
      ['--webhook-url', 'http://shop.example.com/x'],
      2,
      'must begin with https://',
    ],
    ['a webhook URL that is none', {}, ['--webhook-url', 'shop'], 2, 'must look like https://'],
    [
      'a webhook URL with a password',
      {},
      ['--webhook-url', 'https://a:b@shop.example.com/'],
      2,
      'neither a fragment nor a password',
    ],
    [
      'a webhook URL with only a password',
      {},
      ['--webhook-url', 'https://:b@shop.example.com/'],
      2,
      'neither a fragment nor a password',
    ],
    [
      'a webhook URL with a fragment',
      {},
      ['--webhook-url', 'https://shop.example.com/#otp'],
      2,
      'neither a fragment nor a password',
    ],
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
    ['that no header can carry', 'ü'.repeat(16)],
    ['of 15 characters', 'x'.repeat(15)],
    ['of 257 characters', 'x'.repeat(257)],
    ['with a space before it', ` ${'x'.repeat(16)}`],
    ['with a space after it', `${'x'.repeat(16)} `],
  ])('is explained for a secret %s', async (_, EPCC_WEBHOOK_SECRET) => {
    const { code, err } = await unattended({ ...(await open()), EPCC_WEBHOOK_SECRET })

    expect(code).toBe(2)
    expect(err).toContain('16 to 256 ASCII')
    expect(writes()).toEqual([])
  })

  it('is explained for an unknown profile of a realm that has none', async () => {
    const { code, err } = await unattended(await open({ passwordProfiles: [] }), '--profile', 'Nobody')

    expect(code).toBe(1)
    expect(err).toContain('There are: none\n')
  })

  it('is explained for an integration that is a queue', async () => {
    const env = await open()
    simulator.fault('GET /v2/integrations', {
      status: 200,
      body: { data: [{ id: 'queue', integration_type: 'aws_sqs' }] },
    })

    expect(await unattended(env, '--integration', 'queue')).toMatchObject({ code: 1 })
  })

  it('is explained as JSON if it would have to ask', async () => {
    const { code, out } = await setup({ env: await open() }, '--json', '--webhook-url', shop.url)

    expect(code).toBe(2)
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      error: { message: 'With --json, setup does not ask.' },
    })
  })

  const NO_REALM = { status: 200, body: { data: {} } }

  it.each<[string, RecordedRequest['call'], number | Fault, SimulatorOptions, RegExp]>([
    ['tokens fail', 'access_token', 500, {}, /returned 500 to POST \/oauth\/access_token/],
    ['the key may not read the settings', 'account_settings', 403, {}, /returned 403 to GET \/v2\/settings/],
    ['the store has no realm', 'account_settings', NO_REALM, {}, /name no authentication realm/],
    [
      'the realm is of another store',
      'password_profiles',
      404,
      {},
      /returned 404 to GET .*password-profiles/,
    ],
    [
      'the key may not read integrations',
      'GET /v2/integrations',
      403,
      {},
      /returned 403 to GET \/v2\/integrations/,
    ],
    [
      'the key may not write profiles',
      'PUT /v2/authentication-realms/:realm/password-profiles/:profile',
      403,
      {},
      /returned 403 to PUT .*application key/s,
    ],
    [
      'the store refuses a profile',
      'POST /v2/authentication-realms/:realm/password-profiles',
      422,
      { passwordProfiles: [] },
      /returned 422 to POST .*password-profiles/,
    ],
    [
      'the store refuses the integration',
      'POST /v2/integrations',
      422,
      {},
      /returned 422 to POST \/v2\/integrations/,
    ],
    ['Elastic Path fails', 'POST /v2/integrations', 500, {}, /failure of Elastic Path/],
    [
      'the integration was deleted',
      'PUT /v2/integrations/:id',
      404,
      { integrations: [{ name: NAME, url: 'http://127.0.0.1:9/' }] },
      /returned 404 to PUT \/v2\/integrations/,
    ],
  ])('is explained if %s', async (_, call, fault, options, message) => {
    const env = await open(options)
    simulator.fault(call, typeof fault === 'number' ? { status: fault } : fault)

    const { code, err } = await unattended(env)

    expect(code).toBe(1)
    expect(err).toMatch(message)
    expect(err.includes('run setup again')).toBe(/ (PUT|POST \/v2)/.test(err))
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
