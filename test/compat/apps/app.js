const express = require('express')
const expressSession = require('express-session')
const passport = require('passport')
const { otpWebhook } = require('passport-elasticpath-otp')

const SECRET_KEY = 'the secret key of the integration'

/** The README's shop, with additional pages that show its state to the tests. */
function createApp(strategy, { deliver = () => undefined, sessions = rememberedSessions() } = {}) {
  passport.use(strategy)
  passport.serializeUser(strategy.serializeUser)
  passport.deserializeUser(strategy.deserializeUser)

  const app = express()
  app.set('env', 'test') // Express then prints no errors
  app.post('/webhooks/otp', otpWebhook({ strategy, secretKey: SECRET_KEY, deliver }))

  app.use(express.urlencoded({ extended: false }))
  app.use(sessions)
  app.use(passport.session())
  app.use(strategy.keepFresh())

  app.post('/login/code', strategy.requestOtp(), (req, res) => res.redirect('/login/verify'))
  app.post(
    '/login',
    passport.authenticate('passwordless-otp', {
      successRedirect: '/',
      failureRedirect: '/login/verify',
      failureMessage: true,
    }),
  )
  app.post('/accounts/switch', strategy.switchAccount(), (req, res) => res.redirect('/'))
  app.post('/logout', (req, res, next) => req.logout((error) => (error ? next(error) : res.redirect('/'))))

  // Shows the reason of a failure.
  app.post('/api/login', (req, res, next) => {
    passport.authenticate('passwordless-otp', (error, user, info, status) => {
      if (error) next(error)
      else if (!user) res.status(status).json(info)
      else req.login(user, { keepSessionInfo: true }, (failed) => (failed ? next(failed) : res.json(info)))
    })(req, res, next)
  })
  app.post('/basket', (req, res) => {
    req.session.basket = 'a rope'
    res.sendStatus(204)
  })
  // Makes the account token so old that the next page renews it.
  app.post('/age', (req, res) => {
    const { account } = req.session.passport.user
    account.received -= account.lifetime * 970
    res.sendStatus(204)
  })
  app.get('/', (req, res) => {
    const { account } = req.user ?? {}
    res.json({ account: account?.name ?? null, expires: account?.expires, basket: req.session.basket })
  })
  return app
}

function rememberedSessions() {
  return expressSession({ secret: 'a secret for sessions', resave: false, saveUninitialized: false })
}

module.exports = { SECRET_KEY, createApp }
