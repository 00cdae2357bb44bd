import { once } from 'node:events'
import { request as send, type IncomingMessage } from 'node:http'
import { Server, type Socket } from 'node:net'
import { ElasticPathSimulator } from '../../lib/testing'
import { settingsOf, Shell } from './support'

const MEMBER = 'test.member@example.com'
const OTHER = 'other.member@example.com'
const SECRET = 'the-secret-of-the-webhook'
const RIGHT = { 'x-moltin-secret-key': SECRET }
const CODE_EVENT = 'one-time-password-token-request.created'
const LARGEST = 100 * 1024

let shell: Shell
let simulator: ElasticPathSimulator
let ended: ReturnType<Shell['run']>

beforeEach(async () => {
  shell = new Shell()
  simulator = await ElasticPathSimulator.start({ members: [{ username: MEMBER }] })
})

afterEach(async () => {
  shell.stop()
  await ended
  await simulator.stop()
  shell.close()
})

function run(...argv: string[]) {
  const env = { ...settingsOf(simulator), EPCC_WEBHOOK_SECRET: SECRET }
  ended = shell.run(argv, { env })
  return ended
}

/** Starts a probe, and resolves with the URL of its webhook. */
async function listen(): Promise<string> {
  void run('probe', '--username', MEMBER, '--listen', '0', '--yes', '--json')
  const [url] = await shell.stderr.shows(/http:\/\/127\.0\.0\.1:\d+/)
  return url
}

/** Sends the whole body before it reads the answer, as most clients do. `fetch` reads it earlier. */
async function post(
  url: string,
  headers: Record<string, string>,
  body: unknown,
): Promise<number | undefined> {
  const call = send(url, { method: 'POST', headers })
  call.end(typeof body === 'string' ? body : JSON.stringify(body))
  const [[response]] = (await Promise.all([once(call, 'response'), once(call, 'finish')])) as [
    [IncomingMessage],
    unknown,
  ]
  response.resume()
  return response.statusCode
}

const event = (code: unknown, username: unknown, more: object = {}) => ({
  triggered_by: CODE_EVENT,
  payload: { one_time_password_token: code, user_authentication_password_profile_info: { username } },
  ...more,
})

/** JSON of another event, of a number of bytes. */
const sized = (bytes: number) => '{"triggered_by":"order.created"}'.padEnd(bytes)

describe('the webhook of probe', () => {
  it.each<[string, Record<string, string>, unknown, number]>([
    ['no secret', {}, event('abc123', MEMBER), 401],
    ['a wrong secret', { 'x-moltin-secret-key': 'guess' }, event('abc123', MEMBER), 401],
    ['a wrong secret and 8 MiB', { 'x-moltin-secret-key': 'guess' }, sized(8 * 1024 * 1024), 401],
    ['a code', RIGHT, event('abc123', MEMBER), 204],
    ['another event', RIGHT, { triggered_by: 'order.created' }, 204],
    ['what is not JSON', RIGHT, 'code=abc123', 400],
    ['nothing', RIGHT, '', 400],
    ['an event without a code', RIGHT, event(undefined, MEMBER), 400],
    ['an event with an empty code', RIGHT, event('', MEMBER), 400],
    ['an event without a username', RIGHT, event('abc123', undefined), 400],
    ['100 KiB', RIGHT, sized(LARGEST), 204],
    ['a byte more than 100 KiB', RIGHT, sized(LARGEST + 1), 413],
    ['8 MiB', RIGHT, sized(8 * 1024 * 1024), 413],
  ])('responds to %s', async (_, headers, body, status) => {
    expect(await post(await listen(), headers, body)).toBe(status)
  })
})

describe('the codes of probe', () => {
  it.each<[string, (id: string, attempt: number) => object]>([
    ['an id', (id, attempt) => ({ id, attempt })],
    ['no id', () => ({})],
  ])("are the member's own, and each is used once if its event has %s", async (_, envelope) => {
    let url = ''
    const posted: Promise<unknown>[] = []
    simulator.on('code', ({ otp, eventId }) => {
      const own = (attempt: number) => event(otp, MEMBER.toUpperCase(), envelope(eventId, attempt))
      const foreign = post(url, RIGHT, event('wrong1', OTHER))
      posted.push(foreign.then(() => post(url, RIGHT, own(1))).then(() => post(url, RIGHT, own(2))))
    })

    url = await listen()
    const { out } = await ended
    await Promise.allSettled(posted)

    expect(out).toContain('No. The second exchange got 400.')
    expect(out).toContain('Yes. The older code got 400, the newer one was accepted.')
    expect(shell.clock.sleeping).toBe(0)
  })

  it('are received on this machine only, and until the probe ends', async () => {
    const url = await listen()
    expect(await post(url, {}, '')).toBe(401)
    await expect(fetch(`http://[::1]:${new URL(url).port}`)).rejects.toThrow('fetch failed')

    shell.stop()
    await ended

    await expect(fetch(url)).rejects.toThrow('fetch failed')
  })

  it('arrive after a request that was cut off', async () => {
    const url = await listen()
    const call = send(url, { method: 'POST', headers: { ...RIGHT, 'content-length': 100 } })
    call.on('error', () => undefined).write('{')
    await once(call, 'socket').then(([socket]) => once(socket as Socket, 'connect'))
    call.destroy()

    expect(await post(url, RIGHT, event('abc123', MEMBER))).toBe(204)
  })
})

describe('a port that cannot be opened', () => {
  it.each([
    [
      'probe',
      ['--username', MEMBER, '--yes', '--listen', '80'],
      'EACCES',
      'Port 80 cannot be opened (EACCES).',
    ],
    [
      'probe',
      ['--username', MEMBER, '--yes', '--listen', '80'],
      'EADDRINUSE',
      'Port 80 is in use (EADDRINUSE).',
    ],
    ['simulate', ['--port', '80'], 'EACCES', 'Port 80 cannot be opened (EACCES).'],
    ['simulate', ['--port', '80'], 'EADDRINUSE', 'Port 80 is in use (EADDRINUSE).'],
  ])('%s %j says that the system returned %s', async (name, argv, code, message) => {
    const listening = jest.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server) {
      process.nextTick(() => this.emit('error', Object.assign(new Error('listen'), { code })))
      return this
    })

    const result = await run(name, ...argv).finally(() => listening.mockRestore())

    expect(result.code).toBe(1)
    expect(result.err).toContain(message)
    expect(simulator.requests).toEqual([])
  })
})
