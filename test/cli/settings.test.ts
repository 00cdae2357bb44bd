import { open, shell, simulator, useDoctor } from './doctor-store'
import { leadTo } from './support'

useDoctor()

const REFUSED: [message: string, flag: string, values: string[]][] = [
  ['must be a URL', '--base-url', ['useast']],
  [
    'must not contain a username or a password',
    '--base-url',
    ['https://me@api.example', 'https://:pw@api.example'],
  ],
  [
    'must begin with https://',
    '--base-url',
    [
      'http://api.example',
      'ftp://localhost',
      'http://localhost.example',
      'http://localhosts',
      'http://mylocalhost',
    ],
  ],
  [
    'must look like',
    '--header',
    ['X-Store', 'X-Store:', 'X-Store: ', ': 1', 'X Store: 1', ' X-Store: 1', 'X-Store: 1ü', 'X-Store: ü1'],
  ],
  ...['Authorization', 'HOST', 'Content-Type', 'EP-Account-Management-Authentication-Token'].map(
    (name): (typeof REFUSED)[number] => [`cannot set ${name}`, '--header', [`${name}: x`]],
  ),
]

test.each(
  REFUSED.flatMap(([message, flag, values]) => values.map((value) => [flag, value, message] as const)),
)('%s "%s" is refused', async (flag, value, message) => {
  const { code, err } = await shell.run(['doctor', flag, value])

  expect(code).toBe(2)
  expect(err).toContain(`${flag} ${message}`)
})

test('a variable is named if it is invalid', async () => {
  const { err } = await shell.run(['doctor'], { env: { EPCC_BASE_URL: 'useast' } })

  expect(err).toContain('EPCC_BASE_URL must be a URL')
})

test('a variable with nothing but spaces is not set', async () => {
  const { err } = await shell.run(['doctor'], { env: { EPCC_CLIENT_ID: ' ' }, file: 'EPCC_CLIENT_ID=" "' })

  expect(err).toContain('EPCC_CLIENT_ID is not set.')
})

test.each(['localhost', '[::1]', '127.10.200.255', 'shop.localhost'])('%s is this machine', async (host) => {
  const { EPCC_BASE_URL: _url, ...env } = await open()

  const { out } = await shell.run(['doctor', '--base-url', `http://${host}`], {
    env,
    fetch: leadTo({ [host]: simulator.url }),
  })

  expect(out).toContain(`✓ http://${host} answers (on this machine, a simulator).\n`)
})

test.each([
  ['X-Host:1', '1'],
  ['Hosts: \t two  words ', 'two  words'],
  ['X-Authorization: a:b', 'a:b'],
])('the header "%s" is sent with each request', async (header, value) => {
  await shell.run(['doctor', '--header', header], { env: await open() })

  const [name = ''] = header.toLowerCase().split(':')
  expect(simulator.requests.map(({ headers }) => headers[name])).toEqual(simulator.requests.map(() => value))
})
