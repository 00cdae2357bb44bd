import { once } from 'node:events'
import { request as httpRequest, type ClientRequest, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import passport from 'passport'
import request from 'supertest'
import { Agent, request as ask } from 'undici'
import { PasswordlessOtpStrategy, type ElasticPathError, type PasswordlessOtpUser } from '../lib'
import { ElasticPathSimulator } from '../lib/testing'
import { holdDate, nextMessage, passSeconds, until } from './support/journey'

const USERNAME = 'ada@example.com'
let simulator: ElasticPathSimulator
let strategy: PasswordlessOtpStrategy
let server: Server
const closing: Server[] = []

beforeEach(async () => {
  simulator = await ElasticPathSimulator.start({ members: [{ username: USERNAME }] })
  strategy = new PasswordlessOtpStrategy({ clientId: simulator.clientId, baseUrl: simulator.url })
  const onError: ErrorRequestHandler = (error: ElasticPathError, _req, res, _next) => {
    res.status(error.status).json({ code: error.code })
  }
  const app = express()
    .use(express.json())
    .post('/login', passport.authenticate(strategy, { session: false }) as RequestHandler, (req, res) =>
      res.json((req.user as PasswordlessOtpUser).username),
    )
    .use(onError)
  server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(async () => {
  for (const each of [server, ...closing.splice(0)]) {
    each.closeAllConnections()
    each.close()
  }
  await strategy.close()
  await simulator.stop()
})

function signIn(username = USERNAME): request.Test {
  const body = { username, otp: simulator.issueCode(username) }
  return request(server).post('/login').send(body)
}

/** A sign-in by a browser that can be closed before its answer comes. */
function openBrowser(): ClientRequest {
  const body = JSON.stringify({ username: USERNAME, otp: simulator.issueCode(USERNAME) })
  const browser = httpRequest({
    port: (server.address() as AddressInfo).port,
    method: 'POST',
    path: '/login',
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  })
  browser.on('error', () => undefined)
  browser.end(body)
  return browser
}

test('a sign-in whose browser went away stops waiting for Elastic Path', async () => {
  simulator.fault('exchange', 'hang')
  const told = nextMessage()
  const browser = openBrowser()
  server.once('request', () => browser.destroy())

  expect(await told).toMatchObject({ operation: 'sign-in', outcome: 'error', code: 'request_aborted' })
})

test('what hung for a shopper who has left is not what the next one waits for', async () => {
  simulator.fault('access_token', 'hang')
  const told = nextMessage()
  const browser = openBrowser()
  await until(() => simulator.count('access_token') > 0)
  browser.destroy()
  await told

  await signIn().expect(200)
  expect(simulator.count('access_token')).toBe(2)
})

test('parallel sign-ins end on their own responses where the app hands Passport the strategy itself', async () => {
  const members = Array.from({ length: 8 }, (_, index) =>
    simulator.addMember({ username: `m${index}@example.com` }),
  )
  await Promise.all(members.map(({ username }) => signIn(username).expect(200, JSON.stringify(username))))
})

test('connections that Elastic Path closed while they lay idle do not fail a sign-in', async () => {
  const members = Array.from({ length: 8 }, (_, index) =>
    simulator.addMember({ username: `m${index}@example.com` }),
  )
  await Promise.all(members.map(({ username }) => signIn(username).expect(200)))
  simulator.dropConnections()
  await Promise.all(members.map(({ username }) => signIn(username).expect(200)))
})

test('a connection that breaks at every try is an error, after two at most', async () => {
  await signIn().expect(200)
  simulator.clearRequests()
  simulator.fault('exchange', 'reset', { times: Infinity })
  await signIn().expect(502, { code: 'unreachable' })
  expect(simulator.count('exchange')).toBeLessThanOrEqual(2)
})

test('a code that is refused after its connection broke is not called wrong: it may be spent', async () => {
  await signIn().expect(200)
  await new Promise((resolve) => setImmediate(resolve))
  simulator.clearRequests()
  simulator.fault('exchange', 'reset', { afterEffect: true })
  await signIn().expect(502, { code: 'unreachable' })
  expect(simulator.count('exchange')).toBe(2)
})

test('an answer that broke off is not asked for again', async () => {
  await signIn().expect(200)
  simulator.clearRequests()
  simulator.fault('exchange', 'truncated', { times: Infinity })
  await signIn().expect(502, { code: 'bad_answer' })
  expect(simulator.count('exchange')).toBe(1)
})

test('an access token is renewed before it ends', async () => {
  await signIn().expect(200)
  holdDate()
  passSeconds(3_595)
  await signIn().expect(200)
  expect(simulator.count('access_token')).toBe(2)
})

test('an access token is kept while it is good', async () => {
  await signIn().expect(200)
  holdDate()
  passSeconds(3_000)
  await signIn().expect(200)
  expect(simulator.count('access_token')).toBe(1)
})

test('a closed strategy says so, whatever it is asked, and however ready it was', async () => {
  await strategy.ready()
  await strategy.close()
  await signIn().expect(500, { code: 'strategy_closed' })
  await expect(strategy.ready()).rejects.toMatchObject({ code: 'strategy_closed' })
  await expect(strategy.createOtpRequest(USERNAME)).rejects.toMatchObject({ code: 'strategy_closed' })
})

test('closing ends the connections', async () => {
  const open = new Set<Socket>()
  const { server: store } = simulator as unknown as { server: Server }
  store.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  await signIn().expect(200)
  expect(open.size).toBeGreaterThan(0)

  await strategy.close()
  await until(() => open.size === 0)
})

test("closing leaves a dispatcher of the app's own alone", async () => {
  const dispatcher = new Agent()
  const own = new PasswordlessOtpStrategy({
    clientId: simulator.clientId,
    baseUrl: simulator.url,
    dispatcher,
  })
  await own.ready()
  await own.close()
  await expect(own.ready()).rejects.toMatchObject({
    code: 'strategy_closed',
    message: expect.stringContaining('make a new one') as string,
  })

  const { statusCode, body } = await ask(simulator.url, { dispatcher })
  await body.dump()
  expect(statusCode).toBe(404)
  await dispatcher.close()
})

test('closing waits for a sign-in to its end, with all the calls that it still has to make', async () => {
  simulator.fault('account_settings', { delay: 50 })
  const signedIn = signIn().then(({ status }) => status)
  await until(() => simulator.count('account_settings') > 0)
  const closed = strategy.close()
  expect(strategy.close()).toBe(closed)
  const late = { username: USERNAME, otp: 'late' }
  await request(server).post('/login').send(late).expect(500, { code: 'strategy_closed' })
  await closed
  expect(simulator.count('exchange')).toBe(1)
  expect(await signedIn).toBe(200)
})

describe("a custom callback of the app's that throws", () => {
  async function startThrowing(callback: (error: unknown, user: unknown) => void): Promise<string> {
    const app = express()
      .use(express.json())
      .post('/login', (req, res, next) => {
        const authenticate = passport.authenticate(strategy, callback) as RequestHandler
        authenticate(req, res, next)
      })
      .use(((error: Error, _req, res, _next) => {
        res.status(418).send(error.message)
      }) as ErrorRequestHandler)
    const throwing = app.listen(0, '127.0.0.1')
    closing.push(throwing)
    await once(throwing, 'listening')
    return `http://127.0.0.1:${(throwing.address() as AddressInfo).port}`
  }

  test.each([
    ['a right code', () => simulator.issueCode(USERNAME)],
    ['a wrong code', () => 'wrong1'],
  ])('is called once for %s, and what it throws reaches the error handler', async (_what, otp) => {
    const callback = jest.fn(() => {
      throw new Error('the page is missing')
    })
    const url = await startThrowing(callback)
    await request(url)
      .post('/login')
      .send({ username: USERNAME, otp: otp() })
      .expect(418, 'the page is missing')
    expect(callback).toHaveBeenCalledTimes(1)
  })

  test('at an outage does not end the process', async () => {
    const url = await startThrowing((error) => {
      throw error as Error
    })
    simulator.fault('exchange', { status: 503 })
    await request(url)
      .post('/login')
      .send({ username: USERNAME, otp: 'any' })
      .expect(418, /answered 503/)
  })
})
