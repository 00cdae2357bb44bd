const assert = require('node:assert/strict')
const Koa = require('koa')
const bodyParser = require('koa-bodyparser')
const { createSession } = require('koa-session')
const { KoaPassport } = require('koa-passport')
const { PasswordlessOtpStrategy } = require('passport-elasticpath-otp')
const { ElasticPathSimulator } = require('passport-elasticpath-otp/testing')
const { serve } = require('./browser')

const ADA = 'ada@example.com'

/** A shop on Koa: the promise methods ask for codes, and koa-passport signs in. */
function createApp(strategy) {
  const passport = new KoaPassport()
  passport.use(strategy)
  passport.serializeUser(strategy.serializeUser)
  passport.deserializeUser(strategy.deserializeUser)

  const routes = {
    'POST /login/code': async (ctx) => {
      await strategy.createOtpRequest(ctx.request.body.username, { session: ctx.session })
      ctx.redirect('/login/verify')
    },
    'POST /login': passport.authenticate('passwordless-otp', {
      successRedirect: '/',
      failureRedirect: '/login/verify',
    }),
    'GET /': (ctx) => {
      ctx.body = { account: ctx.state.user?.account?.name ?? null }
    },
    'GET /cart': async (ctx) => {
      const response = await strategy.fetchAs(ctx.state.user)('/v2/accounts')
      ctx.body = { status: response.status }
    },
  }

  const app = new Koa()
  app.keys = ['a secret for sessions']
  app.use(createSession(app))
  app.use(bodyParser())
  app.use(passport.initialize())
  app.use(passport.session())
  app.use((ctx, next) => routes[`${ctx.method} ${ctx.path}`]?.(ctx, next))
  return app
}

async function journey() {
  const simulator = await ElasticPathSimulator.start({
    members: [{ username: ADA, accounts: [{ name: 'Boats' }] }],
  })
  const strategy = new PasswordlessOtpStrategy({
    clientId: simulator.clientId,
    baseUrl: simulator.url,
    uniformResponseTime: 0,
  })
  const shop = await serve(createApp(strategy))
  const ada = shop.browser()
  const account = async () => JSON.parse((await ada.get('/')).text).account

  assert.equal(
    (await ada.post('/login/code', { username: ADA })).location,
    '/login/verify',
    'asks for a code',
  )
  assert.equal(simulator.count('otp_request'), 1)
  const otp = simulator.issueCode(ADA)

  assert.equal((await ada.post('/login', { username: ADA, otp: 'wrong1' })).location, '/login/verify')
  assert.equal(simulator.count('exchange'), 1, 'a wrong code costs one exchange')
  assert.equal(await account(), null)

  assert.equal((await ada.post('/login', { username: ADA, otp })).location, '/', 'the right code')
  assert.equal(await account(), 'Boats', 'signed in')
  assert.equal(JSON.parse((await ada.get('/cart')).text).status, 200, 'calls Elastic Path as the account')

  await shop.close()
  await strategy.close()
  await simulator.stop()
}

process.exitCode = 1
void journey().then(() => {
  process.exitCode = 0
})
