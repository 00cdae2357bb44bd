import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Agent, request as send, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { isLocalName } from '../../lib/cli/simulate/site'
import { PasswordlessOtpStrategy } from '../../lib'
import { Shell } from './support'
import { FakeShop } from './webhook'

const ADA = 'ada@example.com'

let shell: Shell
let running: Promise<{ code: number; out: string; err: string }> | undefined

beforeEach(() => {
  shell = new Shell()
  running = undefined
})

afterEach(async () => {
  jest.restoreAllMocks()
  shell.stop()
  await running
  shell.close()
})

/** Starts `simulate` on a free port, and resolves with its base URL once it is ready. */
async function start(...argv: string[]): Promise<string> {
  running = shell.run(['simulate', '--port', '0', ...argv])
  const [, url = ''] = await shell.stdout.shows(
    /(?:EPCC_BASE_URL=|"baseUrl":")(http:[^\s"]+)[\s\S]*\n(?:Ready|$)/,
  )
  return url
}

const events = () =>
  shell.stdout.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

async function accessToken(url: string): Promise<Response> {
  const form = new URLSearchParams({ grant_type: 'implicit', client_id: 'simulator-client-id' })
  return fetch(`${url}/oauth/access_token`, { method: 'POST', body: form })
}

/** Requests a code as the strategy does. */
async function requestCode(url: string, username = ADA): Promise<void> {
  const options = { clientId: 'simulator-client-id', baseUrl: url, uniformResponseTime: 0 }
  const strategy = new PasswordlessOtpStrategy(options)
  try {
    await strategy.createOtpRequest(username)
  } finally {
    await strategy.close()
  }
}

interface Page {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** A request with headers that `fetch` does not allow to set. */
async function open(url: string, headers: Record<string, string> = {}, form?: string): Promise<Page> {
  const type = form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
  const call = send(url, {
    method: form === undefined ? 'GET' : 'POST',
    headers: { ...type, ...headers },
    agent: false,
  })
  call.end(form)
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode ?? 0, headers: response.headers, text }
}

describe('simulate', () => {
  it('prints the settings of the shop, and each code with its username', async () => {
    const url = await start()

    await requestCode(url)

    await shell.stdout.shows(/^code ada@example\.com [a-z0-9]{6}$/m)
    expect(shell.stdout.text).toContain('EPCC_CLIENT_ID=simulator-client-id\n')
    expect(shell.stdout.text).toContain('EPCC_CLIENT_SECRET=simulator-client-secret\n')
    expect(shell.stdout.text).toContain('ada@example.com (1), grace@example.com (250)')
    expect(new URL(url).hostname).toBe('127.0.0.1')
  })

  it('prints events as lines of JSON with --json', async () => {
    const shop = await FakeShop.open('hush-hush-hush-hush')
    const url = await start('--json', '--webhook-url', shop.url, '--webhook-secret', 'hush-hush-hush-hush')

    await requestCode(url)
    await shell.stdout.shows(/"event":"delivery"/)
    shell.stop()

    expect((await running)?.code).toBe(0)
    await shop.close()
    const code: unknown = expect.stringMatching(/^[a-z0-9]{6}$/)
    expect(events()).toEqual(
      expect.arrayContaining([
        {
          event: 'ready',
          baseUrl: url,
          clientId: 'simulator-client-id',
          clientSecret: 'simulator-client-secret',
          members: [
            { username: ADA, accounts: 1 },
            { username: 'grace@example.com', accounts: 250 },
          ],
        },
        { event: 'code', username: ADA, code, expires: expect.stringMatching(/Z$/) as string },
        { event: 'request', call: 'access_token', method: 'POST', path: '/oauth/access_token', status: 200 },
        { event: 'delivery', attempt: 1, succeeded: true, status: 204 },
      ]),
    )
    expect(events()[0]).toMatchObject({ event: 'ready' })
    expect(events().at(-1)).toEqual({ event: 'stopped' })
  })

  it('ends at once with 0 when it is stopped, also with a request that hangs', async () => {
    const url = await start('--json', '--fault', 'access_token=hang')
    const hanging = accessToken(url).then(
      () => 'answered',
      () => 'cut off',
    )
    await shell.stdout.shows(/"event":"ready"/)

    shell.stop()

    expect(await running).toMatchObject({ code: 0 })
    expect(await hanging).toBe('cut off')
  })

  it('has the members, the client and the lifetimes of its flags', async () => {
    const url = await start(
      '--json',
      ...[
        '--member',
        'one@example.com',
        '--member',
        'many@example.com:250',
        '--member',
        'none@example.com:0',
      ],
      ...[
        '--client-id',
        'simulator-client-id',
        '--client-secret',
        'chosen',
        '--access-token-lifetime',
        '999999999',
      ],
      ...['--account-token-lifetime', '1', '--code-lifetime', '5'],
    )
    jest.spyOn(Date, 'now').mockReturnValue(Date.parse('2030-01-01T00:00:00Z'))
    await requestCode(url, 'one@example.com')

    expect(events()[0]).toMatchObject({
      clientSecret: 'chosen',
      members: [
        { username: 'one@example.com', accounts: 1 },
        { username: 'many@example.com', accounts: 250 },
        { username: 'none@example.com', accounts: 0 },
      ],
    })
    const token = (await (await accessToken(url)).json()) as { access_token: string }
    expect(token).toMatchObject({ expires_in: 999_999_999 })
    const authorization = `Bearer ${token.access_token}`
    const settings = await fetch(`${url}/v2/settings/account-authentication`, { headers: { authorization } })
    expect(await settings.text()).toContain('"account_management_authentication_token_timeout_secs":1')
    await shell.stdout.shows(/"expires":"2030-01-01T00:00:05.000Z"/)
  })

  it('prints five members at most', async () => {
    const members = ['1:10000', '2', '3', '4', '5', '6'].flatMap((member) => ['--member', member])
    await start(...members)

    expect(shell.stdout.text).toContain(' 1 (10000), 2 (1), 3 (1), 4 (1), 5 (1), …\n')
  })

  it.each([500, 'no answer'])('prints a delivery that fails with %s', async (status) => {
    const shop = await FakeShop.open('hush-hush-hush-hush')
    const webhook = { url: shop.url, secretKey: 'hush-hush-hush-hush', attempts: 1 }
    writeFileSync(join(shell.cwd, 'seed.json'), JSON.stringify({ webhook }))
    if (typeof status === 'number') shop.status = () => status
    else await shop.close()

    await requestCode(await start('--seed', 'seed.json'))

    await shell.stdout.shows(new RegExp(`^webhook attempt 1 failed: ${status}$`, 'm'))
    await shop.close()
  })

  it('reads a seed, and adds the members of its flags', async () => {
    const seed = {
      members: [{ username: 'seeded', accounts: [{ name: 'Boats' }] }],
      passwordProfiles: [{ name: 'P' }],
    }
    writeFileSync(join(shell.cwd, 'seed.json'), JSON.stringify(seed))

    await start('--json', '--seed', 'seed.json', '--member', 'added')

    expect(events()[0]).toMatchObject({ members: [{ username: 'seeded' }, { username: 'added' }] })
  })

  it.each([
    ['access_token=503*2', [503, 503, 200]],
    ['access_token=rate_limited:1', [429, 200]],
    ['access_token=404*always', [404, 404, 404]],
    ['access_token=html', [502, 200]],
    ['access_token=request_timeout', [408, 200]],
    ['access_token=503*10', [...Array<number>(10).fill(503), 200]],
    ['access_token=delay:1', [200]],
    ['access_token=rate_limited', [429, 200]],
  ])('applies --fault %s', async (fault, statuses) => {
    const url = await start('--fault', fault)

    const answers: number[] = []
    for (const _ of statuses) answers.push((await accessToken(url)).status)

    expect(answers).toEqual(statuses)
  })

  it('says what to do when the port is in use', async () => {
    const { port } = new URL(await start())

    const other = new Shell()
    const { code, err } = await other.run(['simulate', '--port', port])
    other.close()

    expect(code).toBe(1)
    expect(err).toContain(`Port ${port} is in use`)
    expect(err).toContain('--port')
  })

  it.each([
    [['--port', 'x'], '--port must be a whole number from 0 to 65535, not "x".\n'],
    [['--port', '1e3'], '--port must be a whole number from 0 to 65535, not "1e3".\n'],
    [['--port', '65536'], '--port must be a whole number from 0 to 65535, not "65536".\n'],
    [['--host', '192.0.2.1'], 'this machine does not have the address 192.0.2.1'],
    [['--member', 'ada:10001'], 'with 0 to 10000 accounts, not "ada:10001".\n'],
    [['--member', 'ada:100000'], 'with 0 to 10000 accounts, not "ada:100000".\n'],
    [['--member', ':5'], '--member must look like'],
    [['--member', ''], '--member must look like'],
    [['--member', ADA, '--member', ADA], ADA],
    [['--fault', 'exchange'], '--fault must be CALL=FAULT*TIMES'],
    [['--fault', 'sign_in=503'], 'The calls are access_token'],
    [['--fault', '=exchange=503'], '--fault must be CALL=FAULT*TIMES'],
    [['--fault', 'exchange=503*x'], '--fault must be CALL=FAULT*TIMES'],
    ...['200', '600', '5030', 'delay', 'delay:x', 'rate_limited:x', 'rate_limited:1:2', 'hangs'].map(
      (fault): [string[], string] => [['--fault', `exchange=${fault}`], `There is no fault "${fault}".\n`],
    ),
    [['--fault', 'exchange=503*0'], 'one request or more'],
    [['--seed', 'missing.json'], 'the file missing.json cannot be read'],
    [['--seed', '.env'], '.env must contain an object'],
    [['--webhook-url', 'ftp://x'], 'http'],
    [['--code-lifetime', '0'], '--code-lifetime must be a whole number from 1 to 999999999, not "0".\n'],
  ])('exits with 2 for %j', async (argv, message) => {
    const { code, err } = await shell.run(['simulate', '--port', '0', ...argv], { file: '[]' })

    expect(code).toBe(2)
    expect(err).toContain(message)
    expect(err).not.toMatch(/^ +at /m)
  })
})

const MEMBERS = '{"members": [{"username": "ada@example.com"}'

describe('a seed that is not JSON', () => {
  it.each([
    ['A=1', 'line 1, column 1'],
    ['{\n  "members": [],\n}', 'line 3, column 1'],
    ['{\n  members: []\n}', 'line 2, column 3'],
    [`${MEMBERS},\n  ada, {"username": "grace@example.com"}]}`, 'line 2, column 3'],
    [MEMBERS, 'line 1, column 45'],
    ['{"members": []} x', 'line 1, column 17'],
    ['', 'line 1, column 1'],
  ])('is refused with the position of the error: %j', async (file, position) => {
    const { code, err } = await shell.run(['simulate', '--seed', '.env'], { file })

    expect(code).toBe(2)
    expect(err).toContain(`--seed: .env is not valid JSON: there is an error at ${position}.\n`)
  })
})

describe('a seed', () => {
  const OBJECT = '--seed: .env must contain an object with the options of ElasticPathSimulator.'

  it.each([
    ['null', OBJECT],
    ['"members"', OBJECT],
    ['{"members": null}', OBJECT],
    ['{"members": ["ada"]}', OBJECT],
    ['{"members": [{"name": "Ada"}]}', OBJECT],
    ['{"passwordProfiles": {}}', OBJECT],
    ['{"port": 65536}', '--port must be a whole number from 0 to 65535, not "65536".'],
    ['{"membres": []}', 'Unknown option of the simulator: membres.'],
  ])('is refused if it contains %s', async (file, message) => {
    const { code, err } = await shell.run(['simulate', '--seed', '.env'], { file })

    expect(code).toBe(2)
    expect(err).toContain(message)
  })

  it.each([
    ['{"clientId": "simulator-client-id"}', 'grace@example.com'],
    ['{"members": []}', 'There are no members, so nobody can sign in.'],
  ])('%s leads to a page with %s', async (seed, text) => {
    writeFileSync(join(shell.cwd, 'seed.json'), seed)

    expect((await open(`${await start('--seed', 'seed.json')}/`)).text).toContain(text)
  })
})

describe('the page of simulate', () => {
  it('shows members, codes, faults and requests, and runs under a strict policy', async () => {
    const url = await start('--fault', 'renewal=503*3')
    await requestCode(url)
    const [, code = ''] = await shell.stdout.shows(/^code \S+ (\S+)$/m)

    const { status, headers, text } = await open(`${url}/`)

    expect(status).toBe(200)
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers['cache-control']).toBe('no-store')
    // With no-referrer, browsers send `Origin: null` with the page's own forms, which are refused then.
    expect(headers['referrer-policy']).toBe('same-origin')
    expect(text).toContain(`data-copy="${code}"`)
    expect(text).toContain('250 accounts')
    expect(text).toContain('applied to 0 of 3 requests')
    expect(text).toContain('/oauth/access_token')
    expect(text).not.toMatch(/<script>|<style>|style="|onclick/)
    for (const path of ['/simulator/style.css', '/simulator/app.js']) {
      expect((await open(url + path)).status).toBe(200)
    }
  })

  it('shows how requests ended, and how often a fault applied', async () => {
    const url = await start(
      ...['--fault', 'access_token=404*1', '--fault', 'access_token=503*1', '--fault', 'access_token=reset'],
      ...['--fault', 'access_token=429*always'],
    )
    for (const _ of [1, 2, 3, 4, 5]) await accessToken(url).catch(() => undefined)

    const { text } = await open(`${url}/`)

    for (const status of ['refused">404', 'bad">503', 'bad">–', 'refused">429'])
      expect(text).toContain(`<b class="${status}</b> <span>POST</span>`)
    expect(text).toMatch(/access_token=429\*always<\/code> <span>applied to 2 requests</)
  })

  it('drops connections by a button', async () => {
    const url = await start()
    const agent = new Agent({ keepAlive: true })
    const call = send(url, { agent }).end()
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    const closed = once(response.socket, 'close')
    response.resume()

    await open(`${url}/simulator/actions`, {}, 'action=drop-connections')

    await closed
    agent.destroy()
  })

  it('does not list its own requests', async () => {
    const url = await start()
    await open(`${url}/`)
    await open(`${url}/simulator/app.js`)

    expect((await open(`${url}/`)).text).toContain('No request yet.')
  })

  it('escapes what it shows', async () => {
    const url = await start('--member', '<img src=x>&"\'@example.com')

    const { text } = await open(`${url}/`)

    expect(text).not.toContain('<img')
    expect(text).toContain('&#60;img src=x&#62;&#38;&#34;&#39;@example.com')
  })

  it('sets a fault by a button, and clears all by another', async () => {
    const url = await start()
    const press = (form: string) => open(`${url}/simulator/actions`, { origin: url }, form)

    const { status, headers } = await press('fault=access_token%3D503')
    expect([status, headers.location]).toEqual([303, '/'])
    expect((await open(`${url}/`)).text).toContain('applied to 0 of 1 request<')
    expect((await accessToken(url)).status).toBe(503)
    expect((await open(`${url}/`)).text).not.toContain('applied to')

    await press('fault=access_token%3D503')
    await press('action=clear-faults')
    expect((await accessToken(url)).status).toBe(200)
  })

  it('expires access tokens by a button', async () => {
    const url = await start()
    const { access_token: token } = (await (await accessToken(url)).json()) as { access_token: string }
    const settings = () =>
      fetch(`${url}/v2/settings/account-authentication`, { headers: { authorization: `Bearer ${token}` } })
    expect((await settings()).status).toBe(200)

    await open(`${url}/simulator/actions`, {}, 'action=expire-access-tokens')

    expect((await settings()).status).toBe(401)
  })

  it.each([
    ['a fault that no button sends', 'fault=any%3Dhang*always'],
    ['an unknown action', 'action=toString'],
    ['no form', ''],
  ])('does nothing for %s', async (_, form) => {
    const url = await start()

    expect((await open(`${url}/simulator/actions`, {}, form)).status).toBe(303)

    expect((await open(`${url}/`)).text).toContain('None.')
  })

  it("refuses another site's name and another site's forms", async () => {
    const url = await start()

    const rebound = await open(`${url}/`, { host: 'rebound.example.com' })
    const forged = await open(
      `${url}/simulator/actions`,
      { origin: 'https://evil.example' },
      'fault=exchange%3D503',
    )

    expect(rebound.status).toBe(403)
    expect(rebound.text).not.toContain(ADA)
    expect(forged.status).toBe(403)
    expect((await open(`${url}/`)).text).toContain('None.')
  })

  it.each([
    ['127.0.0.1:4010', true],
    ['localhost:4010', true],
    ['[::1]:4010', true],
    ['192.168.1.7', true],
    ['shop.localhost', true],
    ['elasticpath:4010', true],
    ['host.docker.internal:4010', true],
    ['evil.example', false],
    ['127.0.0.1.evil.example', false],
    ['localhost.evil.example:4010', false],
    ['', false],
  ])('the host "%s" is local: %s', (host, expected) => {
    expect(isLocalName(host)).toBe(expected)
  })
})
