import { Shell } from './support'

let shell: Shell

beforeEach(() => {
  shell = new Shell()
})

afterEach(() => shell.close())

const COMMANDS = ['setup', 'doctor', 'simulate', 'probe']

describe('help and version', () => {
  it.each([['--help'], ['-h'], ['help']])('%s lists the commands and exits with 0', async (flag) => {
    const { code, out } = await shell.run([flag])

    expect(code).toBe(0)
    for (const name of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name} +\\S`, 'm'))
  })

  it.each(COMMANDS)('explains every flag of %s', async (name) => {
    const { code, out } = await shell.run([name, '--help'])

    expect(code).toBe(0)
    expect(out).toContain(`Usage: passport-elasticpath-otp ${name} [flags]`)
    expect(out).toMatch(/^ {2}--json +\S/m)
    expect(out).toMatch(/^Examples:\n {2}npx passport-elasticpath-otp/m)
    expect((await shell.run(['help', name])).out).toBe(out)
    expect((await shell.run([name, '-h'])).out).toBe(out)
  })

  it.each(['--version', '-V'])('prints the version of the package for %s', async (flag) => {
    const { code, out } = await shell.run([flag])

    expect(code).toBe(0)
    expect(out).toMatch(/^\d+\.\d+\.\d+\S*\n$/)
  })
})

describe('wrong usage', () => {
  it.each([
    ['no command', [], 'A command is missing. The commands are setup, doctor, simulate, probe.'],
    ['an unknown command', ['docter'], 'There is no command "docter".'],
    ['an unknown flag', ['doctor', '--sned', 'x'], "Unknown option '--sned'."],
    ['a missing value', ['doctor', '--profile'], "Option '--profile"],
    ['a value that looks like a flag', ['doctor', '--profile', '-x'], "'--profile' argument is ambiguous.\n"],
    ['a value of a switch', ['probe', '--yes=no'], 'does not take an argument.\n'],
    ['a stray argument', ['doctor', 'now'], "Unexpected argument 'now'."],
    ['a missing client id', ['doctor'], 'EPCC_CLIENT_ID is not set.'],
    ['a base URL that is none', ['doctor', '--base-url', 'useast'], '--base-url must be a URL such as'],
    [
      'a base URL without TLS',
      ['doctor', '--base-url', 'http://api.example.com'],
      'must begin with https://',
    ],
    ['a header of its own', ['doctor', '--header', 'Authorization: x'], '--header cannot set Authorization'],
    ['a header that is none', ['doctor', '--header', 'x'], '--header must look like'],
    [
      'a client secret as a flag',
      ['doctor', '--client-secret', 'hush'],
      "secrets on a command line end up in the shell's history",
    ],
    ['a webhook secret as a flag', ['setup', '--webhook-secret=hush'], 'secrets on a command line'],
    ['a word that every object has', ['setup', 'constructor'], "Unexpected argument 'constructor'."],
  ])('exits with 2 for %s, and says what to do', async (_, argv, message) => {
    const { code, out, err } = await shell.run(argv)

    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toContain(message)
    expect(err).not.toContain('hush')
    expect(err).not.toMatch(/^ +at /m)
  })

  it.each([
    ['setup', '--webhook-ulr', 'Did you mean --webhook-url? '],
    ['doctor', '--sned=ada@example.com', 'Did you mean --send? '],
    ['simulate', '--access-token', 'Did you mean --access-token-lifetime? '],
    ['doctor', '--pr', 'Did you mean --profile? '],
    ['doctor', '--jsn', 'Did you mean --json? '],
    ['simulate', '--hosts', 'Did you mean --host? '],
    ['probe', '--yelp', 'Did you mean --help? '],
    ['probe', '--listing', 'Did you mean --listen? '],
    ['probe', '--lasting', ''],
    ['doctor', '--nonsense', ''],
    ['doctor', '-x', ''],
  ])('suggests the closest flag and the help for %s %s', async (name, flag, suggestion) => {
    const { err } = await shell.run([name, flag])

    const option = flag.split('=', 1)[0]
    expect(err).toBe(
      `passport-elasticpath-otp: Unknown option '${option}'.\n  ${suggestion}See: npx passport-elasticpath-otp ${name} --help\n`,
    )
  })

  it('prints the error as JSON with --json', async () => {
    const { code, out } = await shell.run(['doctor', '--json'])

    expect(code).toBe(2)
    expect(JSON.parse(out)).toEqual({
      ok: false,
      error: {
        message: 'EPCC_CLIENT_ID is not set.',
        fix: expect.stringContaining('Application Keys') as string,
      },
    })
  })

  it('throws what is a fault of the program, and not of its user', async () => {
    const fault = new TypeError('a fault')
    const env = Object.defineProperty({}, 'EPCC_BASE_URL', {
      get: () => {
        throw fault
      },
    })

    await expect(shell.run(['doctor'], { env })).rejects.toBe(fault)
  })

  it('says what is wrong with a .env that cannot be read', async () => {
    const { code, err } = await shell.run(['doctor'], { file: '' })
    expect(err).toContain('EPCC_CLIENT_ID is not set')
    expect(code).toBe(2)
  })
})
