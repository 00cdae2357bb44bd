// The shop that is measured, in its own process. It is controlled over HTTP, so that only the shop keeps it running.
import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import express from 'express'
import session from 'express-session'
import passport from 'passport'
import { otpWebhook, PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { measure } from './figures.mjs'

const [storeUrl, clientId, secretKey] = process.argv.slice(2)
const SHORT = 150
const MOST_SESSIONS = 5000
const MOST_MAIL = 1000

/** A session store that serializes sessions, as real ones do, and keeps only the newest. */
class BoundedStore extends session.Store {
  sessions = new Map()

  get(id, done) {
    const text = this.sessions.get(id)
    setImmediate(done, null, text && JSON.parse(text))
  }

  set(id, value, done) {
    this.sessions.delete(id)
    this.sessions.set(id, JSON.stringify(value))
    drop(this.sessions, MOST_SESSIONS)
    setImmediate(done ?? nothing, null)
  }

  destroy(id, done) {
    this.sessions.delete(id)
    setImmediate(done ?? nothing, null)
  }
}

function nothing() {}

function drop(map, most) {
  for (const key of map.keys()) {
    if (map.size <= most) return
    map.delete(key)
  }
}

// The package must finish every request exactly once.
const tally = { begun: 0, ended: 0, endedTwice: 0, strategies: 0 }

function begin() {
  tally.begun++
  let ended = false
  return () => {
    if (ended) tally.endedTwice++
    else tally.ended++
    const first = !ended
    ended = true
    return first
  }
}

function counted(handler) {
  return (req, res, next) => {
    const end = begin()
    handler(req, res, (error) => {
      if (end()) next(error)
    })
  }
}

const done = {}
subscribe('passport-elasticpath-otp', ({ operation, outcome, code }) => {
  const what = code === undefined ? `${operation} ${outcome}` : `${operation} ${code}`
  done[what] = (done[what] ?? 0) + 1
})

let limiterState = 'well'
const limiter = {
  async consume() {
    if (limiterState === 'broken') throw new Error('The limiter is not available')
    if (limiterState === 'empty') throw { consumedPoints: 11, msBeforeNext: 1000 }
    return { consumedPoints: 1, msBeforeNext: 1000 }
  },
  async reward() {},
}

function selectAccount(accounts, { body }) {
  if (body.how === 'selectAccount rejects') return Promise.reject(new Error('No choice today'))
  if (body.how === 'selectAccount errs') return Promise.resolve('no-such-account')
  return accounts[0]?.id
}

function verify({ body }, user, finish) {
  if (body.how === 'verify rejects') return Promise.reject(new Error('No users today'))
  if (body.how === 'verify throws') throw new Error('The database is not available')
  if (body.how === 'verify says no') finish(null, false)
  else if (body.how !== 'verify hangs') finish(null, { ...user, role: 'buyer' })
}

const connection = { clientId, baseUrl: storeUrl, uniformResponseTime: 0 }
const functions = { passReqToCallback: true, limiter, selectAccount }
const strategies = {
  plain: new PasswordlessOtpStrategy(connection),
  fussy: new PasswordlessOtpStrategy({ ...connection, ...functions }, verify),
  hasty: new PasswordlessOtpStrategy({ ...connection, ...functions, timeout: SHORT }, verify),
}

const app = express()
app.disable('x-powered-by')
app.disable('etag')
const mail = new Map()
const readers = new Map()
app.post('/webhooks/otp', otpWebhook({ secretKey, deliver }))

async function deliver({ username, otp, attempt }) {
  if (username.startsWith('bounce') && attempt === 1) throw new Error('The mail server is not available')
  const reader = readers.get(username)
  if (reader) reader.json({ otp })
  else mail.set(username, otp)
  drop(mail, MOST_MAIL)
}

app.use(express.json())
app.get('/mail', ({ query: { username } }, res) => {
  const otp = mail.get(username)
  if (otp) {
    mail.delete(username)
    res.json({ otp })
    return
  }
  readers.set(username, res)
  res.once('close', () => readers.delete(username))
})

app.post('/control/limiter', ({ body }, res) => {
  limiterState = body.state
  res.json({})
})
app.post('/control/measure', async (_req, res) => {
  for (let tries = 0; tries < 200 && tally.begun > tally.ended; tries++) await setTimeout(50)
  res.json({ ...(await measure()), ...tally, done })
})

const sessions = new BoundedStore()
app.use(session({ secret: 'a soak', store: sessions, resave: false, saveUninitialized: false }))
app.use(passport.session())
passport.serializeUser(strategies.plain.serializeUser)
passport.deserializeUser(strategies.plain.deserializeUser)

for (const [door, strategy] of Object.entries(strategies)) {
  app.post(`/${door}/code`, counted(strategy.requestOtp()), (_req, res) => res.status(202).json({}))
  app.post(`/${door}/login`, login(strategy))
  app.post(`/${door}/switch`, counted(strategy.switchAccount()), tellAccount)
  // So early that every token is renewed once.
  app.get(`/${door}/page`, counted(strategy.keepFresh({ within: 1e9 })), tellAccount)
}
// A new strategy, which detects the realm and the password profile. It is closed after its only sign-in.
app.post('/new/login', (req, res, next) => {
  const timeout = req.body.short ? SHORT : undefined
  const strategy = new PasswordlessOtpStrategy({ ...connection, timeout })
  tally.strategies++
  res.once('close', () => strategy.close().then(() => tally.strategies--))
  login(strategy)(req, res, next)
})
app.get('/me', tellAccount)
app.post('/logout', (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.json({})))
})
app.use((error, _req, res, _next) => {
  res.status(error.status ?? 500).json({ code: error.code ?? 'app_error' })
})

function login(strategy) {
  return (req, res, next) => {
    const end = begin()
    const answer = (error, user, info, status) => {
      if (!end()) return
      if (error) next(error)
      else if (!user) res.status(status ?? 401).json({ code: info?.code ?? 'refused_by_verify' })
      else {
        req.logIn(user, (failed) => {
          if (failed) next(failed)
          else res.json({ account: user.account.id, accounts: info.accounts.map(({ id }) => id) })
        })
      }
    }
    passport.authenticate(strategy, answer)(req, res, next)
  }
}

function tellAccount({ user }, res) {
  res.json({ account: user?.account.id ?? null })
}

const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
server.keepAliveTimeout = 65_000

// The shop closes after this response. Its process must exit by itself.
app.post('/control/close', (_req, res) => {
  res.set('Connection', 'close').json({})
  res.once('close', () => void closeUp())
})

async function closeUp() {
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  await Promise.all([closed, ...Object.values(strategies).map((strategy) => strategy.close())])
  const last = await measure()
  process.send(last)
}

process.once('disconnect', () => process.exit(1))
process.channel.unref()
process.send(`http://127.0.0.1:${server.address().port}`)
