/* eslint-disable @typescript-eslint/no-extraneous-class, @typescript-eslint/unbound-method,
   @typescript-eslint/no-unsafe-class-instance-assignment -- Nest takes classes without members, and bare methods */
import 'reflect-metadata'
import { Authenticator } from '@fastify/passport'
import formbody from '@fastify/formbody'
import secureSession from '@fastify/secure-session'
import {
  Controller,
  Get,
  HttpCode,
  Module,
  Post,
  Req,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { AuthGuard, PassportStrategy } from '@nestjs/passport'
import { fastify, type FastifyInstance } from 'fastify'
import type { Request, Response } from 'express'
import session from 'express-session'
import passport from 'passport'
import supertest from 'supertest'
import { ElasticPathError, PasswordlessOtpStrategy, type FailureInfo, type PasswordlessOtpUser } from '../lib'
import { ElasticPathSimulator } from '../lib/testing'

const ADA = 'ada@example.com'
let simulator: ElasticPathSimulator
const open: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  simulator = await ElasticPathSimulator.start({ members: [{ username: ADA, accounts: 3 }] })
  open.push(() => simulator.stop())
})

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

describe('under Fastify', () => {
  async function startFastify(): Promise<{
    app: FastifyInstance
    browser: ReturnType<typeof supertest.agent>
  }> {
    const strategy = new PasswordlessOtpStrategy({
      clientId: simulator.clientId,
      baseUrl: simulator.url,
      timeout: 2000,
    })
    open.push(() => strategy.close())
    const app = fastify()
    open.push(() => app.close())
    const authenticator = new Authenticator()
    // Its Strategy type is Fastify's own; what it calls is Passport's.
    authenticator.use(strategy.name, strategy as never)
    authenticator.registerUserSerializer((user: PasswordlessOtpUser) => Promise.resolve(user))
    authenticator.registerUserDeserializer(
      (stored) => new Promise((resolve) => strategy.deserializeUser(stored, (_error, user) => resolve(user))),
    )
    await app.register(formbody)
    await app.register(secureSession, { key: Buffer.alloc(32, 7), cookie: { path: '/' } })
    await app.register(authenticator.initialize())
    await app.register(authenticator.secureSession())
    app.post(
      '/login',
      { preValidation: authenticator.authenticate(strategy.name) },
      (request) => request.user,
    )
    app.get('/me', (request) => ({ user: request.user ?? null }))
    app.post<{ Body: { username: string } }>('/code', async (request, reply) => {
      await strategy.createOtpRequest(request.body.username)
      return reply.code(202).send()
    })
    app.post<{ Body: { account_id: string } }>('/switch', async (request) => {
      const user = await strategy.selectAccount(request.user as PasswordlessOtpUser, request.body.account_id)
      await request.logIn(user)
      return user
    })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    return { app, browser: supertest.agent(url) }
  }

  test('a shopper asks for a code, signs in by a form, and stays signed in', async () => {
    const { browser } = await startFastify()
    const arrives = simulator.nextCode(ADA)
    await browser.post('/code').type('form').send({ username: ADA }).expect(202)
    const { otp } = await arrives
    await browser.post('/login').type('form').send({ username: ADA, otp }).expect(200)
    const { body } = (await browser.get('/me').expect(200)) as { body: { user: PasswordlessOtpUser } }
    expect(body.user).toMatchObject({ username: ADA, account: { id: expect.any(String) as string } })
  })

  test('a shopper switches accounts by the promise method', async () => {
    const { browser } = await startFastify()
    const strategy = new PasswordlessOtpStrategy({ clientId: simulator.clientId, baseUrl: simulator.url })
    open.push(() => strategy.close())
    const reply = await browser.post('/login').send({ username: ADA, otp: simulator.issueCode(ADA) })
    const { accounts } = await strategy.listAccounts(reply.body as PasswordlessOtpUser)
    const last = accounts.at(-1)
    await browser.post('/switch').send({ account_id: last?.id }).expect(200)
    const { body } = (await browser.get('/me')) as { body: { user: PasswordlessOtpUser } }
    expect(body.user.account).toMatchObject(last ?? {})
  })

  test('a wrong code is 401, no code is 400, and an outage is 502', async () => {
    const { browser } = await startFastify()
    await browser.post('/login').send({ username: ADA, otp: 'wrong1' }).expect(401)
    await browser.post('/login').send({ username: ADA }).expect(400)
    simulator.fault('exchange', { status: 503 })
    await browser
      .post('/login')
      .send({ username: ADA, otp: simulator.issueCode(ADA) })
      .expect(502)
  })
})

describe('under NestJS', () => {
  async function startNest(): Promise<ReturnType<typeof supertest.agent>> {
    class OtpStrategy extends PassportStrategy(PasswordlessOtpStrategy) {
      constructor() {
        super({ clientId: simulator.clientId, baseUrl: simulator.url, timeout: 2000 })
      }
      validate(user: PasswordlessOtpUser): PasswordlessOtpUser {
        return user
      }
    }
    class OtpGuard extends AuthGuard('passwordless-otp') {
      override async canActivate(
        context: Parameters<InstanceType<ReturnType<typeof AuthGuard>>['canActivate']>[0],
      ) {
        const result = (await super.canActivate(context)) as boolean
        await super.logIn(context.switchToHttp().getRequest())
        return result
      }
      override handleRequest<User>(error: unknown, user: User, info: FailureInfo | undefined): User {
        if (error) throw error as Error
        if (!user) throw new UnauthorizedException({ code: info?.code })
        return user
      }
    }
    class LoginController {
      login(req: Request): unknown {
        return req.user
      }
      me(req: Request): unknown {
        return { user: req.user ?? null }
      }
    }
    const AppModule = class {}
    // What the decorators' syntax would do, said by hand.
    const { prototype } = LoginController
    const method = (name: 'login' | 'me') => ({ value: prototype[name] })
    for (const decorate of [Post('login'), HttpCode(200), UseGuards(OtpGuard)])
      decorate(prototype, 'login', method('login'))
    Get('me')(prototype, 'me', method('me'))
    Req()(prototype, 'login', 0)
    Req()(prototype, 'me', 0)
    Controller()(LoginController)
    Module({ controllers: [LoginController], providers: [OtpStrategy] })(AppModule)

    const app = await NestFactory.create(AppModule, { logger: false })
    open.push(() => app.close())
    app.use(session({ secret: 'a secret for tests', resave: false, saveUninitialized: false }))
    const strategy = app.get(OtpStrategy)
    open.push(() => strategy.close())
    passport.serializeUser(strategy.serializeUser)
    passport.deserializeUser(strategy.deserializeUser)
    app.use(passport.session())
    app.useGlobalFilters({
      catch(error: unknown, host: { switchToHttp(): { getResponse(): Response } }) {
        const response = host.switchToHttp().getResponse()
        if (error instanceof ElasticPathError) response.status(error.status).json({ code: error.code })
        else if (error instanceof UnauthorizedException) response.status(401).json(error.getResponse())
        else response.sendStatus(500)
      },
    })
    await app.listen(0, '127.0.0.1')
    return supertest.agent(await app.getUrl())
  }

  test('a shopper signs in through the guard and stays signed in', async () => {
    const browser = await startNest()
    await browser
      .post('/login')
      .send({ username: ADA, otp: simulator.issueCode(ADA) })
      .expect(200)
    const { body } = (await browser.get('/me').expect(200)) as { body: { user: PasswordlessOtpUser } }
    expect(body.user).toMatchObject({ username: ADA, account: { id: expect.any(String) as string } })
  })

  test('the guard tells a wrong code from a missing one, and an outage from both', async () => {
    const browser = await startNest()
    await browser
      .post('/login')
      .send({ username: ADA, otp: 'wrong1' })
      .expect(401, { code: 'invalid_credentials' })
    await browser.post('/login').send({ username: ADA }).expect(401, { code: 'missing_credentials' })
    simulator.fault('exchange', { status: 503 })
    await browser
      .post('/login')
      .send({ username: ADA, otp: simulator.issueCode(ADA) })
      .expect(502, { code: 'upstream_error' })
  })
})
