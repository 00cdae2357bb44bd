/* eslint-disable @typescript-eslint/no-extraneous-class, @typescript-eslint/no-unsafe-class-instance-assignment --
   Nest takes classes without members */
import 'reflect-metadata'
import formbody from '@fastify/formbody'
import { Authenticator } from '@fastify/passport'
import secureSession from '@fastify/secure-session'
import { Controller, HttpCode, Module, Post, Req, UnauthorizedException, UseGuards } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { AuthGuard, PassportStrategy } from '@nestjs/passport'
import type { NestExpressApplication } from '@nestjs/platform-express'
import express, { type Request, type Response } from 'express'
import session from 'express-session'
import { fastify } from 'fastify'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import { KoaPassport } from 'koa-passport'
import { createSession } from 'koa-session'
import passport from 'passport'
import supertest from 'supertest'
import {
  ElasticPathError,
  otpWebhook,
  PasswordlessOtpStrategy,
  type FailureInfo,
  type OtpDelivery,
  type PasswordlessOtpUser,
} from '../../lib'
import { ElasticPathSimulator } from '../../lib/testing'
import { ADA, atEnd, bodyOf, createStrategy, listen, SECRET_KEY } from '../support/shop'

interface Setup {
  simulator: ElasticPathSimulator
  deliver: (delivery: OtpDelivery) => void
}

/** Koa with koa-session and koa-passport, as docs/frameworks.md says. */
async function startKoa({ simulator, deliver }: Setup): Promise<string> {
  const strategy = createStrategy(simulator)
  const webhook = otpWebhook({ strategy, secretKey: SECRET_KEY, deliver })
  const koaPassport = new KoaPassport()
  koaPassport.use(strategy)
  koaPassport.serializeUser(strategy.serializeUser)
  koaPassport.deserializeUser((stored, done) => strategy.deserializeUser(stored, done))
  const userOf = (ctx: Koa.Context) => ctx.state['user'] as PasswordlessOtpUser
  const bodyIn = (ctx: Koa.Context) => ctx.request.body as Record<string, string>
  const routes: Record<string, Koa.Middleware> = {
    'POST /login/code': async (ctx) => {
      await strategy.createOtpRequest(bodyIn(ctx)['username'] ?? '', { session: ctx['session'] as object })
      ctx.status = 202
    },
    'POST /login': async (ctx, next) => {
      const authenticate = koaPassport.authenticate(
        strategy.name,
        async (error: Error | null, user: PasswordlessOtpUser | false, info: unknown, status: unknown) => {
          if (error) throw error
          ctx.status = user ? 200 : Number(status)
          ctx.body = user || info
          if (user) await ctx.login(user)
        },
      ) as Koa.Middleware
      await authenticate(ctx, next)
    },
    'POST /accounts/switch': async (ctx) => {
      await ctx.login(await strategy.selectAccount(userOf(ctx), bodyIn(ctx)['account_id'] ?? ''))
      ctx.status = 204
    },
    'POST /logout': async (ctx) => {
      await ctx.logout()
      ctx.status = 204
    },
    'GET /me': (ctx) => {
      ctx.body = { user: userOf(ctx) }
    },
  }
  const app = new Koa()
  app.keys = ['a secret for sessions']
  // The application's own handler prints errors. Its status is the error's.
  app.silent = true
  app.use(async (ctx, next) => {
    if (ctx.path !== '/webhooks/otp') {
      await next()
      return
    }
    ctx.respond = false
    webhook(ctx.req as Request, ctx.res as Response, () => undefined)
  })
  app.use(createSession(app))
  app.use(bodyParser())
  app.use(koaPassport.initialize())
  app.use(koaPassport.session())
  app.use(async (ctx, next) => {
    await routes[`${ctx.method} ${ctx.path}`]?.(ctx, next)
  })
  return listen(app as unknown as express.Express)
}

async function startFastify({ simulator, deliver }: Setup): Promise<string> {
  const strategy = createStrategy(simulator)
  const webhook = otpWebhook({ strategy, secretKey: SECRET_KEY, deliver })
  const app = fastify()
  atEnd(() => app.close())
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
  app.post('/webhooks/otp', (request, reply) => {
    reply.hijack()
    webhook(
      Object.assign(request.raw, { body: request.body }) as Request,
      reply.raw as Response,
      () => undefined,
    )
  })
  app.post<{ Body: { username: string } }>('/login/code', async (request, reply) => {
    await strategy.createOtpRequest(request.body.username, { session: request.session })
    return reply.code(202).send()
  })
  app.post('/login', { preValidation: authenticator.authenticate(strategy.name) }, (request) => request.user)
  app.post<{ Body: { account_id: string } }>('/accounts/switch', async (request, reply) => {
    await request.logIn(
      await strategy.selectAccount(request.user as PasswordlessOtpUser, request.body.account_id),
    )
    return reply.code(204).send()
  })
  app.post('/logout', async (request, reply) => {
    await request.logOut()
    return reply.code(204).send()
  })
  app.get('/me', (request) => ({ user: request.user }))
  return app.listen({ port: 0, host: '127.0.0.1' })
}

/** Nest with a guard for the sign-in, and the Express handlers for the rest. */
async function startNest({ simulator, deliver }: Setup): Promise<string> {
  class OtpStrategy extends PassportStrategy(PasswordlessOtpStrategy) {
    constructor() {
      super({ clientId: simulator.clientId, baseUrl: simulator.url, uniformResponseTime: 0 })
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
  }
  const AppModule = class {}
  // What the syntax of decorators does.
  const { prototype } = LoginController
  const login = Object.getOwnPropertyDescriptor(prototype, 'login') ?? {}
  for (const decorate of [Post('login'), HttpCode(200), UseGuards(OtpGuard)])
    decorate(prototype, 'login', login)
  Req()(prototype, 'login', 0)
  Controller()(LoginController)
  Module({ controllers: [LoginController], providers: [OtpStrategy] })(AppModule)

  const app = await NestFactory.create<NestExpressApplication>(AppModule, {
    logger: false,
    bodyParser: false,
  })
  atEnd(() => app.close())
  const strategy = app.get(OtpStrategy)
  atEnd(() => strategy.close())
  passport.serializeUser(strategy.serializeUser)
  passport.deserializeUser(strategy.deserializeUser)
  const routes = express.Router()
  routes.post('/webhooks/otp', otpWebhook({ strategy, secretKey: SECRET_KEY, deliver }))
  routes.use(express.urlencoded({ extended: false }))
  routes.use(session({ secret: 'a secret', resave: false, saveUninitialized: false }))
  routes.use(passport.session() as express.RequestHandler)
  routes.post('/login/code', strategy.requestOtp(), (_req, res) => res.sendStatus(202))
  routes.post('/accounts/switch', strategy.switchAccount(), (_req, res) => res.sendStatus(204))
  routes.post('/logout', (req, res, next) =>
    req.logout((error) => (error ? next(error) : res.sendStatus(204))),
  )
  routes.get('/me', (req, res) => void res.json({ user: req.user }))
  app.use(routes)
  app.useGlobalFilters({
    catch(error: unknown, host: { switchToHttp(): { getResponse(): Response } }) {
      const response = host.switchToHttp().getResponse()
      if (error instanceof ElasticPathError) response.status(error.status).json({ code: error.code })
      else if (error instanceof UnauthorizedException) response.status(401).json(error.getResponse())
      else response.sendStatus(500)
    },
  })
  await app.listen(0, '127.0.0.1')
  return app.getUrl()
}

describe.each([
  ['Koa', startKoa, 400],
  ['Fastify', startFastify, 400],
  // Its guard refuses everything with 401.
  ['NestJS', startNest, 401],
])('%s', (_name, start, missing) => {
  async function open() {
    const accounts = [{ name: 'Boats' }, { name: 'Ropes', id: 'ropes' }]
    const simulator = await ElasticPathSimulator.start({ members: [{ username: ADA, accounts }] })
    atEnd(() => simulator.stop())
    const delivered: OtpDelivery[] = []
    const url = await start({ simulator, deliver: (delivery) => void delivered.push(delivery) })
    simulator.deliverTo({ url: `${url}/webhooks/otp`, secretKey: SECRET_KEY })
    const browser = supertest.agent(url)
    const post = (path: string, fields: object, agent = browser) => agent.post(path).type('form').send(fields)
    const accountOf = async () =>
      bodyOf<{ user?: PasswordlessOtpUser | null }>(await browser.get('/me').expect(200)).user?.account?.name
    return { simulator, delivered, url, post, accountOf }
  }

  test('runs the whole journey: code, webhook, sign-in, switch, sign-out', async () => {
    const { simulator, delivered, url, post, accountOf } = await open()
    const arrived = simulator.nextDelivery()
    await post('/login/code', { username: ADA }).expect(202)
    expect(await arrived).toMatchObject({ status: 204 })
    // Strangers use up the shared attempts. The ticket of this browser has its own.
    const stranger = supertest.agent(url)
    for (let i = 0; i < 11; i++) await post('/login', { username: ADA, otp: 'wrong1' }, stranger)
    expect(simulator.count('exchange')).toBe(10)
    await post('/login', { username: ADA, otp: delivered[0]?.otp }).expect(200)
    expect(await accountOf()).toBe('Boats')
    await post('/accounts/switch', { account_id: 'ropes' }).expect(204)
    expect(await accountOf()).toBe('Ropes')
    await post('/logout', {}).expect(204)
    expect(await accountOf()).toBeUndefined()
  })

  test('refuses a wrong code and a missing one, and reports an outage', async () => {
    const { simulator, post, accountOf } = await open()
    await post('/login', { username: ADA, otp: 'wrong1' }).expect(401)
    await post('/login', { username: ADA }).expect(missing)
    simulator.fault('exchange', { status: 503 })
    await post('/login', { username: ADA, otp: simulator.issueCode(ADA) }).expect(502)
    expect(await accountOf()).toBeUndefined()
  })
})
