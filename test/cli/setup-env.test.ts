import { lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  answering,
  integration,
  OLD_SECRET,
  open,
  setup,
  shell,
  shop,
  simulator,
  unattended,
  useSetup,
} from './setup-store'

useSetup()

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

  it('stays as it is with --no-write-env, and what differs is printed', async () => {
    const { out } = await setup(
      { env: await open(), file: FILE, ...answering({ 'Make these': 'y' }) },
      '--no-write-env',
      '--webhook-url',
      shop.url,
    )

    expect(shell.envText).toBe(FILE)
    expect(out).toContain(`  EPCC_CLIENT_ID=${simulator.clientId}\n  EPCC_BASE_URL=${simulator.url}\n`)
  })

  it('stays as it is if it has all values', async () => {
    const env = { ...(await open()), EPCC_WEBHOOK_SECRET: OLD_SECRET }
    const file = Object.entries(env)
      .map(([name, value]) => `${name}=${value}\n`)
      .join('')

    const { out } = await setup({ file, ...answering({ 'Make these': 'y' }) }, '--webhook-url', shop.url)

    expect(shell.envText).toBe(file)
    expect(out).not.toContain('Set these where the shop runs')
  })

  it('keeps another secret unless the user agrees, who does not see it', async () => {
    const env = { ...(await open()), EPCC_WEBHOOK_SECRET: OLD_SECRET }
    const file = 'EPCC_WEBHOOK_SECRET=a-secret-of-another-shop\n'
    const { asked, answer } = answering({ Replace: 'n', 'Make these': 'y' })

    const { out } = await setup({ env, file, answer }, '--webhook-url', shop.url)

    expect(asked[0]).toBe('.env has another secret. Replace EPCC_WEBHOOK_SECRET? (y/N)')
    expect(shell.envText).toBe(file)
    expect(out).not.toContain(OLD_SECRET)
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
    ['env', true],
    ['.env!', true],
    ['.envs', true],
    ['.?nv', false],
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
