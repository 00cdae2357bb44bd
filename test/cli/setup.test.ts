import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { ElasticPathSimulator, type RecordedRequest, type SimulatorOptions } from '../../lib/testing'
import { settingsOf, Shell, type Situation } from './support'
import { FakeShop } from './webhook'

const EVENT = 'one-time-password-token-request.created'
const NAME = 'passport-elasticpath-otp'
const OLD_SECRET = 'the-old-secret-of-the-webhook'
const PROFILE = '11111111-1111-4111-8111-111111111111'
const OTHER_PROFILE = '22222222-2222-4222-8222-222222222222'

let shell: Shell
let shop: FakeShop
let simulator: ElasticPathSimulator

beforeEach(async () => {
  shell = new Shell()
  shop = await FakeShop.open(OLD_SECRET)
})

afterEach(async () => {
  await simulator.stop()
  await shop.close()
  shell.close()
})

/** A new store: codes are off, and there is no webhook. */
async function open(options: SimulatorOptions = {}): Promise<Record<string, string>> {
  simulator = await ElasticPathSimulator.start({
    passwordProfiles: [{ id: PROFILE, name: 'Shoppers', usernameFormat: 'email', oneTimePasswords: false }],
    ...options,
  })
  return settingsOf(simulator)
}

const setup = (situation: Situation, ...argv: string[]) => shell.run(['setup', ...argv], situation)
const unattended = (env: Record<string, string | undefined>, ...argv: string[]) =>
  setup({ env }, '--yes', '--webhook-url', shop.url, ...argv)

const writes = () =>
  simulator.requests.filter(({ method, call }) => method !== 'GET' && call !== 'access_token')
const secretOf = (text: string) => /^EPCC_WEBHOOK_SECRET=(.*)$/m.exec(text)?.[1]
const integration = () => simulator.integrations.find(({ name }) => name === NAME)

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

/** Answers questions by a part of their text. */
function answering(answers: Record<string, string | undefined>) {
  const asked: string[] = []
  const answer = (question: string) => {
    asked.push(question)
    const key = Object.keys(answers).find((part) => question.includes(part))
    if (key === undefined) throw new Error(`Nobody expected the question: ${question}`)
    return answers[key]
  }
  return { asked, answer }
}

describe('setup at a new store', () => {
  it('turns codes on, creates the webhook and writes .env for its owner only', async () => {
    const { code, out } = await unattended(await open())

    expectComplete()
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

  it.each(['n', ''])('changes nothing if the answer is "%s"', async (no) => {
    const env = await open()

    const { code, out } = await setup(
      { env, ...answering({ 'Make these changes': no, 'Write these': 'y' }) },
      '--webhook-url',
      shop.url,
    )

    expect(code).toBe(1)
    expect(out).toContain('Nothing was changed.')
    expect(writes()).toEqual([])
    expect(existsSync(shell.envPath)).toBe(false)
  })

  it('prints a new secret if it may not write .env', async () => {
    const env = await open()

    const { out } = await setup(
      { env, ...answering({ 'Make these': 'y', 'Write these': 'n' }) },
      '--webhook-url',
      shop.url,
    )

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

    const { code, err } = await setup(
      { env, ...answering({ 'Make these': 'y', 'Write these': undefined }) },
      '--webhook-url',
      shop.url,
    )

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
  const two: SimulatorOptions = {
    passwordProfiles: [
      { id: PROFILE, name: 'Shoppers', oneTimePasswords: false },
      { id: OTHER_PROFILE, name: 'Staff', oneTimePasswords: false },
    ],
  }
  const enabled = () =>
    simulator.profiles.filter(({ oneTimePasswords }) => oneTimePasswords).map(({ id }) => id)

  it.each([['Staff'], [OTHER_PROFILE]])('is chosen by --profile %s', async (profile) => {
    await unattended(await open(two), '--profile', profile)

    expect(enabled()).toEqual([OTHER_PROFILE])
  })

  it('is chosen on a terminal', async () => {
    await setup(
      {
        env: await open(two),
        ...answering({ 'Password profile': '2', 'Make these': 'y', 'Write these': 'y' }),
      },
      '--webhook-url',
      shop.url,
    )

    expect(enabled()).toEqual([OTHER_PROFILE])
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

describe('.env', () => {
  const FILE =
    '# The shop\nPORT=3000\nEPCC_CLIENT_ID=another-client\nexport EPCC_BASE_URL="https://euwest.api.elasticpath.com"'

  it('keeps its other lines, and its values unless the user agrees', async () => {
    const env = await open()
    const argv = ['--webhook-url', shop.url, '--client-id', simulator.clientId, '--base-url', simulator.url]

    const { out } = await setup(
      {
        env,
        file: FILE,
        ...answering({
          'Replace EPCC_CLIENT_ID': 'y',
          'Replace EPCC_BASE_URL': 'n',
          'Make these': 'y',
          'Write these': 'y',
        }),
      },
      ...argv,
    )

    expect(shell.envText).toMatch(
      new RegExp(
        `^# The shop\nPORT=3000\nEPCC_CLIENT_ID=${simulator.clientId}\nexport EPCC_BASE_URL="https://euwest.*"\nEPCC_WEBHOOK_SECRET=[0-9a-f]{64}\n$`,
      ),
    )
    expect(out).toContain(`EPCC_BASE_URL=${simulator.url}`)
    expect(statSync(shell.envPath).mode & 0o777).toBe(0o600)
  })

  it('keeps its values with --yes, and prints what to set', async () => {
    const env = await open()

    const { out } = await setup({ env, file: FILE }, '--yes', '--webhook-url', shop.url)

    expect(shell.envText).toContain(`${FILE}\nEPCC_WEBHOOK_SECRET=`)
    expect(out).toContain('Set these where the shop runs')
    expect(out).toContain(`  EPCC_CLIENT_ID=${simulator.clientId}\n`)
  })

  it('prints the new secret if it cannot be written', async () => {
    const env = await open()
    // A folder takes the place of the file that would become .env.
    mkdirSync(join(shell.cwd, `.env.${process.pid}.tmp`))

    const { out } = await unattended(env)

    expect(out).toContain('.env cannot be written')
    expect(/EPCC_WEBHOOK_SECRET=([0-9a-f]{64})/.exec(out)?.[1]).toBe(
      integration()?.configuration['secret_key'],
    )
  })

  it('may be a link, which stays one', async () => {
    const env = await open()
    writeFileSync(join(shell.cwd, 'shared.env'), 'PORT=1\n')
    symlinkSync('shared.env', shell.envPath)

    await unattended(env)

    expect(lstatSync(shell.envPath).isSymbolicLink()).toBe(true)
    expect(readFileSync(join(shell.cwd, 'shared.env'), 'utf8')).toMatch(/^PORT=1\nEPCC_WEBHOOK_SECRET=/)
  })
})

describe('.env in a folder with git', () => {
  const WARNING =
    '! .env is not ignored by Git, so its secrets can be committed. Add this line to .gitignore: .env\n'

  /** Runs setup in `shops/` of a repository, and returns whether it warns. */
  async function warns(ignored: string, ignoredInside = ''): Promise<boolean> {
    mkdirSync(join(shell.cwd, '.git'))
    writeFileSync(join(shell.cwd, '.gitignore'), ignored)
    shell.folder = 'shops'
    mkdirSync(join(shell.cwd, 'shops'))
    if (ignoredInside !== '') writeFileSync(join(shell.cwd, 'shops/.gitignore'), ignoredInside)
    return (await unattended(await open())).out.includes(WARNING)
  }

  it.each([
    ['', true],
    ['# .env\n[\nnode_modules/\n.env.local\n', true],
    ['/.env', true],
    ['.env\n!.env', true],
    ['.env', false],
    ['node_modules\r\n.env*\r\n', false],
    ['**/.env', false],
    ['/shops/.env', false],
  ])('is warned of with %j in .gitignore: %s', async (ignored, expected) => {
    expect(await warns(ignored)).toBe(expected)
  })

  it('may be ignored in its own folder', async () => {
    expect(await warns('', '/.env')).toBe(false)
  })

  it('is not warned of without git', async () => {
    const { out } = await unattended(await open())

    expect(out).not.toMatch(/git/i)
  })

  it('is not warned of if it is not there', async () => {
    mkdirSync(join(shell.cwd, '.git'))

    const { out } = await unattended(await open(), '--no-write-env')

    expect(out).not.toMatch(/git/i)
  })
})

describe('what setup cannot do', () => {
  it.each([
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
    ['an unknown profile', {}, ['--profile', 'Nobody'], 1, 'no password profile "Nobody"'],
    ['an unknown integration', {}, ['--integration', 'x'], 1, 'no webhook integration x'],
    [
      'a secret that no header can carry',
      { EPCC_WEBHOOK_SECRET: 'ü' },
      ['--webhook-url', 'https://shop.example.com/'],
      2,
      '16 to 256 ASCII',
    ],
  ])('is explained for %s', async (_, more, argv, exit, message) => {
    const { code, err, out } = await setup({ env: { ...(await open()), ...more } }, ...argv)

    expect(code).toBe(exit)
    expect(err).toContain(message)
    expect(err + out).not.toContain('wrong-secret')
    expect(writes()).toEqual([])
  })

  it.each<[string, RecordedRequest['call'], number, RegExp]>([
    [
      'the key may not write profiles',
      'PUT /v2/authentication-realms/:realm/password-profiles/:profile',
      403,
      /returned 403 to PUT .*application key/s,
    ],
    [
      'the store refuses the integration',
      'POST /v2/integrations',
      422,
      /returned 422 to POST \/v2\/integrations/,
    ],
    ['Elastic Path fails', 'POST /v2/integrations', 500, /failure of Elastic Path/],
  ])('is explained if %s', async (_, call, status, message) => {
    const env = await open()
    simulator.fault(call, { status })

    const { code, err } = await unattended(env)

    expect(code).toBe(1)
    expect(err).toMatch(message)
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
