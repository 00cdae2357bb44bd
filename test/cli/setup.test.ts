import { existsSync, readdirSync, statSync } from 'node:fs'
import type { SimulatorOptions } from '../../lib/testing'
import {
  answering,
  attended,
  EVENT,
  integration,
  NAME,
  OLD_SECRET,
  open,
  OTHER_PROFILE,
  PROFILE,
  setup,
  shell,
  shop,
  simulator,
  unattended,
  useSetup,
  writes,
} from './setup-store'
import { leadTo } from './support'

useSetup()

const secretOf = (text: string) => /^EPCC_WEBHOOK_SECRET=(.*)$/m.exec(text)?.[1]

const TWO_PROFILES = [
  { id: PROFILE, name: 'Shoppers', oneTimePasswords: false },
  { id: OTHER_PROFILE, name: 'Staff', oneTimePasswords: false },
]
const enabled = () =>
  simulator.profiles.filter(({ oneTimePasswords }) => oneTimePasswords).map(({ id }) => id)

/** Whether the store and `.env` are as they have to be after a setup. */
function expectComplete(): void {
  expect(simulator.profiles.filter(({ oneTimePasswords }) => oneTimePasswords)).toHaveLength(1)
  expect(simulator.integrations).toHaveLength(1)
  expect(integration()).toMatchObject({
    enabled: true,
    observes: [EVENT],
    configuration: { url: shop.url, secret_key: secretOf(shell.envText) },
  })
  expect(secretOf(shell.envText)).toMatch(/^[0-9a-f]{64}$/)
}

describe('setup at a new store', () => {
  it('turns codes on, creates the webhook and writes .env for its owner only', async () => {
    const { code, out } = await unattended(await open())

    expectComplete()
    expect(integration()?.description).toBe('Delivers one-time codes to the shop.')
    expect(out).toContain('- enable_one_time_password_token: false\n')
    expect(out).toContain('+ enable_one_time_password_token: true\n')
    expect(out).toContain(`+ configuration.url: ${shop.url}\n`)
    expect(statSync(shell.envPath).mode & 0o777).toBe(0o600)
    expect(readdirSync(shell.cwd)).toEqual(['.env'])
    // The shop that runs has another secret, which doctor finds.
    expect(out).toContain('The shop refuses EPCC_WEBHOOK_SECRET')
    expect(code).toBe(1)
  })

  it('ends with the exit code of doctor', async () => {
    const env = { ...(await open()), EPCC_WEBHOOK_SECRET: OLD_SECRET }

    const { code, out } = await unattended(env)

    expect(out).toContain('✓ The shop accepts EPCC_WEBHOOK_SECRET.')
    expect(code).toBe(0)
  })

  it('works with the id of the realm in the settings', async () => {
    const env = await open()

    await unattended({ ...env, EPCC_AUTHENTICATION_REALM_ID: simulator.realmId })

    expectComplete()
  })

  it('keeps every other field of the profile', async () => {
    const env = await open()

    await unattended(env)

    expect(simulator.profiles).toEqual([
      expect.objectContaining({
        id: PROFILE,
        name: 'Shoppers',
        usernameFormat: 'email',
        oneTimePasswords: true,
      }),
    ])
  })

  it('creates a profile if the realm has none', async () => {
    await unattended(await open({ passwordProfiles: [] }))

    expectComplete()
    expect(simulator.profiles[0]).toMatchObject({ usernameFormat: 'email' })
  })

  it('changes nothing with --dry-run', async () => {
    const env = await open()

    const { code, out } = await unattended(env, '--dry-run')

    expect(code).toBe(0)
    expect(out).toContain('+ enable_one_time_password_token: true')
    expect(out).toContain('This was a dry run: nothing was changed.')
    expect(writes()).toEqual([])
    expect(existsSync(shell.envPath)).toBe(false)
  })

  it('prints the changes as JSON with --dry-run --json', async () => {
    const env = await open({
      passwordProfiles: [],
      integrations: [{ name: NAME, url: shop.url, observes: ['order.created', 'cart.updated'] }],
    })

    const { code, out } = await unattended(env, '--dry-run', '--json')

    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      applied: false,
      changes: [{ id: 'profile' }, { id: 'integration' }, { id: 'env' }],
    })
    expect(writes()).toEqual([])
  })

  it('does nothing without --yes where nobody can be asked', async () => {
    const { code, err } = await setup({ env: await open() }, '--webhook-url', shop.url)

    expect(code).toBe(2)
    expect(err).toContain(
      'Not a terminal, so setup cannot ask.\n  Add --yes to apply the changes, or --dry-run to see them.\n',
    )
    expect(writes()).toEqual([])
  })

  it('asks for what is missing on a terminal, and hides the client secret', async () => {
    const {
      EPCC_CLIENT_ID: clientId,
      EPCC_CLIENT_SECRET: clientSecret,
      EPCC_BASE_URL: baseUrl,
    } = await open()
    const { asked, answer } = answering({
      'Client id': clientId,
      'API base URL': baseUrl,
      'Client secret': clientSecret,
      'URL of the webhook': shop.url,
      'Make these changes': 'y',
      'Write these lines': 'y',
    })

    const { out } = await setup({ answer })

    expectComplete()
    expect(asked).toHaveLength(6)
    expect(out).not.toContain(clientSecret)
    expect(shell.envText).toContain(`EPCC_CLIENT_ID=${clientId}\nEPCC_BASE_URL=${baseUrl}\n`)
    expect(shell.envText).not.toContain('EPCC_CLIENT_SECRET')
  })

  it('asks again until an answer is possible', async () => {
    const { EPCC_CLIENT_ID: id = '', ...env } = await open({ passwordProfiles: TWO_PROFILES })
    const { asked, answer } = answering({
      'Client id': ['', ' ', id],
      'Password profile': ['0', '3', '1.5', 'Staff', '2'],
      'URL of the webhook': ['', shop.url],
      'Make these': ['yes?', 'YES'],
      'Write these': 'No',
    })

    await setup({ env, answer })

    expect(asked).toHaveLength(13)
    expect(enabled()).toEqual([OTHER_PROFILE])
    expect(existsSync(shell.envPath)).toBe(false)
  })

  it('asks nothing with --yes on a terminal', async () => {
    const { asked, answer } = answering({})

    await setup({ env: await open(), answer }, '--yes', '--webhook-url', shop.url)

    expect(asked).toEqual([])
    expectComplete()
  })

  it('suggests the default region, which needs no line in .env', async () => {
    const { EPCC_BASE_URL: _url, ...env } = await open()
    const url = 'https://shop.example.com/webhooks/otp'

    const { out } = await setup(
      {
        env,
        fetch: leadTo({ 'useast.api.elasticpath.com': simulator.url, 'shop.example.com': shop.url }),
        ...answering({ 'API base URL': '', 'Make these': 'y', 'Write these': 'y' }),
      },
      '--webhook-url',
      url,
    )

    expect(integration()?.configuration['url']).toBe(url)
    expect(shell.envText).toMatch(/^EPCC_WEBHOOK_SECRET=.*\n$/)
    expect(out).toContain(' https://useast.api.elasticpath.com answers (region US East).\n')
  })

  it.each([
    [
      'API base URL',
      'useast',
      'The base URL must be a URL such as https://useast.api.elasticpath.com, not "useast".',
    ],
    ['Client secret', '', 'Changing a store needs the client secret.'],
  ])('refuses an invalid answer to the question "%s"', async (question, reply, message) => {
    const { EPCC_CLIENT_ID } = await open()

    const { code, err } = await setup({
      env: { EPCC_CLIENT_ID },
      ...answering({ 'API base URL': simulator.url, [question]: reply }),
    })

    expect(code).toBe(2)
    expect(err).toContain(message)
  })

  it.each(['n', ''])('changes nothing if the answer is "%s"', async (no) => {
    const env = await open()

    const { code, out } = await attended(env, { 'Make these changes': no, 'Write these': 'y' })

    expect(code).toBe(1)
    expect(out).toContain('Nothing was changed.')
    expect(writes()).toEqual([])
    expect(existsSync(shell.envPath)).toBe(false)
  })

  it('prints a new secret if it may not write .env', async () => {
    const env = await open()

    const { out } = await attended(env, { 'Make these': 'y', 'Write these': 'n' })

    expect(existsSync(shell.envPath)).toBe(false)
    expect(/EPCC_WEBHOOK_SECRET=([0-9a-f]{64})/.exec(out)?.[1]).toBe(
      integration()?.configuration['secret_key'],
    )
  })

  it('prints one JSON object with --json, with a new secret only if .env was not written', async () => {
    const env = await open()

    const written = await unattended(env, '--json')

    const secret = secretOf(shell.envText) ?? ''
    expect(JSON.parse(written.out)).toMatchObject({
      ok: false,
      applied: true,
      changes: [{ id: 'profile' }, { id: 'integration' }, { id: 'env' }],
      env: {},
      checks: expect.arrayContaining([expect.objectContaining({ id: 'webhook_secret' })]) as unknown,
    })
    expect(written.out).not.toContain(secret)
  })

  it('prints the lines with --no-write-env', async () => {
    const { out } = await unattended(await open(), '--json', '--no-write-env')

    const { env } = JSON.parse(out) as { env: Record<string, string> }
    expect(env['EPCC_WEBHOOK_SECRET']).toBe(integration()?.configuration['secret_key'])
    expect(existsSync(shell.envPath)).toBe(false)
  })
})

describe('setup run again', () => {
  it('changes nothing, and sends no write request', async () => {
    const env = await open()
    await unattended(env)
    const before = shell.envText
    simulator.clearRequests()

    const { out } = await setup({ env })

    expect(out).toContain('Nothing to change.\n')
    expect(writes()).toEqual([])
    expect(shell.envText).toBe(before)
  })

  const isWrite = (method: string, url: URL) => method !== 'GET' && url.pathname !== '/oauth/access_token'

  it.each([
    [1, 'before'],
    [2, 'before'],
    [1, 'after'],
    [2, 'after'],
  ])('repairs an interruption of write request %i, %s it had its effect', async (nth, moment) => {
    const env = await open()
    let count = 0
    const interrupted: typeof fetch = async (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input)
      if (!isWrite(init?.method ?? 'GET', url)) return fetch(input, init)
      count += 1
      if (count !== nth) return fetch(input, init)
      if (moment === 'after') await fetch(input, init)
      throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) })
    }

    const first = await setup({ env, fetch: interrupted }, '--yes', '--webhook-url', shop.url)

    expect(first.code).toBe(1)
    expect(first.err).toContain('Then run setup again: it continues from here.')
    await unattended(env)
    expectComplete()
    simulator.clearRequests()
    await setup({ env })
    expect(writes()).toEqual([])
  })

  it('makes a new secret if the first run ended before .env was written', async () => {
    const env = await open()
    await unattended(env, '--no-write-env')
    const lost = integration()?.configuration['secret_key']

    const { out } = await unattended(env)

    expectComplete()
    const secret = secretOf(shell.envText) ?? ''
    expect(secret).not.toBe(lost)
    const [before = '', after = ''] = out.split('✓ Webhook integration')
    expect(before).toContain(
      'The old one stops working: running shops refuse deliveries until they get the new',
    )
    expect(before).not.toContain(secret)
    expect(after).toContain(
      `Running shops refuse deliveries until they get the new secret. Set this line in the .env of each:\n  EPCC_WEBHOOK_SECRET=${secret}\n`,
    )
  })

  it('prints a new secret once if it may not write .env', async () => {
    const env = await open()
    await unattended(env, '--no-write-env')

    const { out } = await unattended(env, '--no-write-env')

    expect(out.match(/EPCC_WEBHOOK_SECRET=[0-9a-f]{64}/g)).toHaveLength(1)
  })

  it('exits with 0 after it made a new secret, if doctor finds no error', async () => {
    const env = await open()
    await unattended(env, '--no-write-env')
    const { url } = shop
    await shop.close()

    const { code, out } = await setup({ env }, '--yes', '--webhook-url', url)

    expect(out).toContain('Running shops refuse deliveries')
    expect(code).toBe(0)
  })

  it('changes nothing if it is interrupted at a question', async () => {
    const env = await open()

    const { code, err } = await attended(env, { 'Make these': 'y', 'Write these': undefined })

    expect(code).toBe(1)
    expect(err).toContain('Interrupted.')
    expect(writes()).toEqual([])
  })
})

describe('the webhook integration', () => {
  const own = (more: object = {}): SimulatorOptions => ({
    passwordProfiles: [{ id: PROFILE }],
    integrations: [{ name: NAME, description: 'Ours', url: shop.url, secretKey: OLD_SECRET, ...more }],
  })

  it.each([
    ['is disabled', { enabled: false }, { enabled: true }],
    ['observes something else', { observes: ['order.created'] }, { observes: ['order.created', EVENT] }],
    ['has another URL', { url: 'http://127.0.0.1:9/old' }, {}],
    ['has another secret', { secretKey: 'some-other-secret-key' }, {}],
  ])('is corrected if it %s', async (_, broken, corrected) => {
    const env = { ...(await open(own(broken))), EPCC_WEBHOOK_SECRET: OLD_SECRET }

    await unattended(env)

    expect(writes().map(({ method }) => method)).toEqual(['PUT'])
    expect(simulator.integrations).toEqual([
      expect.objectContaining({
        enabled: true,
        observes: [EVENT],
        description: 'Ours',
        ...corrected,
        configuration: { url: shop.url, secret_key: OLD_SECRET },
      }),
    ])
  })

  it('keeps its URL if none is given', async () => {
    const env = { ...(await open(own({ enabled: false }))), EPCC_WEBHOOK_SECRET: OLD_SECRET }

    await setup({ env }, '--yes')

    expect(integration()).toMatchObject({ enabled: true, configuration: { url: shop.url } })
  })

  it('gets the secret that the user pastes, which is not printed', async () => {
    const env = await open(own())

    const { out } = await setup({ env, ...answering({ 'Paste it': OLD_SECRET, 'Write these': 'y' }) })

    expect(writes()).toEqual([])
    expect(secretOf(shell.envText)).toBe(OLD_SECRET)
    expect(out).not.toContain(OLD_SECRET)
  })

  it('gets the secret that the user pastes, which is not printed either if .env stays as it is', async () => {
    const { EPCC_CLIENT_ID, ...env } = await open(own())
    const argv = ['--client-id', EPCC_CLIENT_ID ?? '']

    const { out } = await setup(
      { env, ...answering({ 'Paste it': OLD_SECRET, 'Write these': 'n' }) },
      ...argv,
    )

    expect(out).toContain(
      `Set these where the shop runs, for example in .env:\n  EPCC_CLIENT_ID=${EPCC_CLIENT_ID}\n`,
    )
    expect(out).not.toContain(OLD_SECRET)
  })

  /** Has the store show its integration with other fields. */
  const show = (fields: object, configuration: object) => {
    const [{ id } = {}] = simulator.integrations
    const one = { id, type: 'integration', name: NAME, enabled: true, observes: [EVENT], ...fields }
    const data = [{ ...one, configuration: { url: shop.url, secret_key: '*****', ...configuration } }]
    simulator.fault('GET /v2/integrations', { status: 200, body: { data } })
  }

  it('is left alone if the store does not show its secret and the settings have one', async () => {
    const env = await open(own())
    show({}, {})

    const { out } = await unattended({ ...env, EPCC_WEBHOOK_SECRET: OLD_SECRET })

    expect(out).toContain('Nothing to change.\n')
  })

  it('keeps its other fields', async () => {
    const env = await open(own())
    show({ enabled: false, portable: true }, { timeout: 5 })

    await unattended({ ...env, EPCC_WEBHOOK_SECRET: OLD_SECRET })

    expect(writes()).toMatchObject([
      {
        body: {
          data: { portable: true, configuration: { timeout: 5, url: shop.url, secret_key: OLD_SECRET } },
        },
      },
    ])
  })

  it('is the one of the type webhook', async () => {
    const env = await open()
    const queue = { id: 'queue', name: NAME, integration_type: 'aws_sqs', observes: [EVENT] }
    simulator.fault('GET /v2/integrations', { status: 200, body: { data: [queue] } })

    const { out } = await attended(env, { 'Make these': 'n' })

    expect(out).toContain(
      `The integration "${NAME}" (queue) delivers codes too, to no URL. It is left alone.\n`,
    )
    expect(out).toContain('New webhook integration')
  })

  it.each(['1', ''])('is created in addition to one of another name if the answer is "%s"', async (first) => {
    const env = await open({ integrations: [{ name: 'Old', url: shop.url }] })

    await attended(env, { Webhook: first, 'Make these': 'y', 'Write these': 'y' })

    expect(simulator.integrations.map(({ name }) => name).sort()).toEqual(['Old', NAME])
  })

  it.each([16, 256])('can have a secret of %i characters', async (length) => {
    const secret = '~'.repeat(length)

    await unattended({ ...(await open()), EPCC_WEBHOOK_SECRET: secret })

    expect(integration()?.configuration['secret_key']).toBe(secret)
  })

  it('gets a new secret if the user has none', async () => {
    const env = await open(own())

    const { out } = await setup({
      env,
      ...answering({ 'Paste it': '', 'Make these': 'y', 'Write these': 'y' }),
    })

    expect(out).toContain('The old one stops working')
    expectComplete()
  })

  it('of another name is shown and left alone', async () => {
    const env = await open({ integrations: [{ name: 'Old', url: shop.url, secretKey: OLD_SECRET }] })

    const { out } = await unattended(env)

    expect(out).toMatch(/The integration "Old" \(.*\) delivers codes too, to .*It is left alone\./)
    expect(simulator.integrations.map(({ name }) => name).sort()).toEqual(['Old', NAME])
    expect(simulator.integrations.find(({ name }) => name === 'Old')?.configuration).toEqual({
      url: shop.url,
      secret_key: OLD_SECRET,
    })
  })

  it('of another name is used and renamed if the user says so', async () => {
    const env = {
      ...(await open({ integrations: [{ name: 'Old', url: shop.url, secretKey: OLD_SECRET }] })),
      EPCC_WEBHOOK_SECRET: OLD_SECRET,
    }

    await setup({ env, ...answering({ Webhook: '2', 'Make these': 'y' }) })

    expect(simulator.integrations.map(({ name }) => name)).toEqual([NAME])
    await setup({ env })
    expect(writes().filter(({ path }) => path.startsWith('/v2/integrations'))).toHaveLength(1)
  })

  it('is chosen by --integration', async () => {
    const env = {
      ...(await open({ integrations: [{ name: 'Old', url: shop.url, secretKey: OLD_SECRET }] })),
      EPCC_WEBHOOK_SECRET: OLD_SECRET,
    }

    await setup({ env }, '--yes', '--integration', simulator.integrations[0]?.id ?? '')

    expect(simulator.integrations.map(({ name }) => name)).toEqual([NAME])
  })
})

describe('the password profile', () => {
  const two: SimulatorOptions = { passwordProfiles: TWO_PROFILES }

  it.each([['Staff'], [OTHER_PROFILE]])('is chosen by --profile %s', async (profile) => {
    await unattended(await open(two), '--profile', profile)

    expect(enabled()).toEqual([OTHER_PROFILE])
  })

  it('is chosen on a terminal', async () => {
    await attended(await open(two), { 'Password profile': '2', 'Make these': 'y', 'Write these': 'y' })

    expect(enabled()).toEqual([OTHER_PROFILE])
  })

  it('is the only one with codes on', async () => {
    const [, ...others] = TWO_PROFILES
    const env = await open({ passwordProfiles: [...others, { id: PROFILE }, { oneTimePasswords: false }] })

    await unattended(env)

    expect(writes().map(({ path }) => path)).toEqual(['/v2/integrations'])
    expect(enabled()).toEqual([PROFILE])
  })

  it('is chosen among those with codes on', async () => {
    const env = await open({
      passwordProfiles: [{ oneTimePasswords: false }, { id: PROFILE }, { id: OTHER_PROFILE }],
    })

    const { err } = await unattended(env)

    expect(err).toMatch(/--profile with one of: 1[\d-]+ "[^"]+" \(codes on\), 2[\d-]+ "[^"]+" \(codes on\)\n/)
  })

  it('has to be named if there are several and nobody can be asked', async () => {
    const { code, err } = await unattended(await open(two))

    expect(code).toBe(2)
    expect(err).toContain(`Pass --profile with one of: ${PROFILE} "Shoppers", ${OTHER_PROFILE} "Staff"`)
    expect(writes()).toEqual([])
  })

  it('gets a line in .env if another profile has codes on too', async () => {
    const passwordProfiles = [{ id: PROFILE }, { id: OTHER_PROFILE }]

    await unattended(await open({ passwordProfiles }), '--profile', OTHER_PROFILE)

    expect(shell.envText).toContain(`EPCC_PASSWORD_PROFILE_ID=${OTHER_PROFILE}\n`)
  })
})
