import express from 'express'
import session, { MemoryStore } from 'express-session'
import fc from 'fast-check'
import { Passport } from 'passport'
import type { Pool } from 'undici'
import { PasswordlessOtpStrategy, type PasswordlessOtpUser } from '../../lib'
import { ACCESS_TOKEN, ADA, entry, FakeCommerce, json, PROFILE, tokenList } from './commerce'
import { holds, serve } from './support'

/**
 * Answers at once. Between the question and the answer of a slower one, a session can end unseen, and express-session
 * has no lock for it.
 */
class PromptStore extends MemoryStore {
  private readonly kept = new Map<string, string>()

  override get = (id: string, done: (error: unknown, found?: session.SessionData | null) => void): void => {
    const found = this.kept.get(id)
    done(null, found === undefined ? null : (JSON.parse(found) as session.SessionData))
  }

  override set = (id: string, kept: session.SessionData, done?: (error?: unknown) => void): void => {
    this.kept.set(id, JSON.stringify(kept))
    done?.()
  }

  override destroy = (id: string, done?: (error?: unknown) => void): void => {
    this.kept.delete(id)
    done?.()
  }

  override touch = (_id: string, _kept: session.SessionData, done?: () => void): void => done?.()
}

let delay: () => Promise<unknown> = () => Promise.resolve()
let minted = 0
let pool: Pool

/** A token of its own each time, with half an hour to live, so that each page of the shop wants to renew it. */
function fresh(id: string) {
  return {
    ...entry(id),
    token: `token-${id}-${minted++}`,
    expires: new Date(Date.now() + 1_800_000).toISOString(),
  }
}

beforeAll(async () => {
  const commerce = new FakeCommerce(async ({ path, body }) => {
    if (path === '/oauth/access_token') return json(200, ACCESS_TOKEN)
    if (!body.includes('"passwordless"')) await delay()
    return json(201, tokenList([fresh('first'), fresh('second')]))
  })
  const strategy = new PasswordlessOtpStrategy({
    clientId: 'a-client',
    passwordProfileId: PROFILE,
    dispatcher: commerce,
  })
  const passport = new Passport()
  passport.use(strategy)
  passport.serializeUser(strategy.serializeUser)
  passport.deserializeUser(strategy.deserializeUser)
  const app = express()
  app.use(express.json())
  app.use(session({ secret: 'a test', resave: false, saveUninitialized: false, store: new PromptStore() }))
  app.use(passport.session() as express.RequestHandler)
  const tell: express.RequestHandler = (req, res) => {
    res.json({ account: (req.user as PasswordlessOtpUser | undefined)?.account?.id ?? null })
  }
  app.post('/login', passport.authenticate(strategy.name) as express.RequestHandler, tell)
  app.post('/switch', strategy.switchAccount(), tell)
  app.post('/logout', (req, res, next) => {
    req.logout((error) => {
      if (error) next(error)
      else res.sendStatus(204)
    })
  })
  // No lasting memory of a renewal between cases: each session has tokens of its own.
  app.get('/page', strategy.keepFresh(), tell)
  app.get('/me', tell)
  app.use(((error: { status?: number }, _req, res, _next) => {
    res.status(error.status ?? 500).json({})
  }) satisfies express.ErrorRequestHandler)
  pool = await serve(app)
})

async function send(method: 'GET' | 'POST', path: string, cookie: string, fields?: object) {
  const { statusCode, headers, body } = await pool.request({
    method,
    path,
    headers: { 'content-type': 'application/json', ...(cookie === '' ? {} : { cookie }) },
    ...(fields ? { body: JSON.stringify(fields) } : {}),
  })
  const text = await body.text()
  const { account } = (text === '' || statusCode === 204 ? {} : JSON.parse(text)) as {
    account?: string | null
  }
  return { status: statusCode, account, cookie: String(headers['set-cookie']).split(';')[0] ?? '' }
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.constant('page' as const) },
  { weight: 2, arbitrary: fc.constant('switch' as const) },
  { weight: 1, arbitrary: fc.constant('logout' as const) },
)

test('whatever requests of one session cross each other, a sign-out lasts, and no renewal undoes a switch', async () => {
  const crossing = fc.tuple(fc.array(step, { minLength: 2, maxLength: 6 }), fc.scheduler())
  await holds(crossing, 800, async ([steps, scheduler]) => {
    delay = () => scheduler.schedule(Promise.resolve(), 'Commerce answers')
    const { cookie } = await send('POST', '/login', '', { username: ADA, otp: 'abd1g5' })
    const statuses: string[] = []
    const requests = steps.map(async (what) => {
      await scheduler.schedule(Promise.resolve(), `${what} is sent`)
      const reply =
        what === 'page'
          ? await send('GET', '/page', cookie)
          : await send('POST', `/${what}`, cookie, { account_id: 'second' })
      statuses.push(`${what} ${reply.status}`)
      // What cannot be done any more is refused, and nothing breaks.
      expect(reply.status).toBeLessThan(402)
    })
    await scheduler.waitFor(Promise.all(requests))
    const { account } = await send('GET', '/me', cookie)
    if (steps.includes('logout')) expect([statuses, account]).toEqual([statuses, null])
    else expect([statuses, account]).toEqual([statuses, steps.includes('switch') ? 'second' : 'first'])
  })
})
