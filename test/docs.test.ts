import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import express from 'express'
import { Passport } from 'passport'
import supertest from 'supertest'
import { otpWebhook, PasswordlessOtpStrategy, type PasswordlessOtpStrategyOptions } from '../lib'
import { ElasticPathSimulator, type SimulatorOptions } from '../lib/testing'
import { ADA, openJourney, SECRET_KEY } from './support/journey'

const ROOT = join(__dirname, '..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const WRONG = 'docs/when-something-goes-wrong.md'
const REVIEW = 'docs/security-review.md'
const page = read(WRONG)
/** Without where its lines end, and without the marks of a quotation. */
const flowing = (text: string) => text.replace(/\n> ?/g, '\n').replace(/\s+/g, ' ')

/** The members of a union of words, or the keys of a record, as the source lists them. */
function wordsOf(path: string, from: string): string[] {
  const source = read(path)
  const start = source.indexOf(from)
  if (start < 0) throw new Error(`${path} has no ${from}`)
  const [declaration = ''] = source.slice(start).split(/\n(?:\n|})/)
  return [...declaration.matchAll(/'([a-z_]+)'/g)].map(([, word = '']) => word)
}

describe('the page for when something goes wrong', () => {
  // Programs are started in some of them, on machines that have other things to do.
  jest.setTimeout(30_000)
  const codes = [
    ...wordsOf('lib/errors.ts', 'export type ElasticPathErrorCode'),
    ...wordsOf('lib/failures.ts', 'export type FailureCode'),
    ...wordsOf('lib/diagnostics.ts', 'export type DeliveryCode'),
    ...wordsOf('lib/diagnostics.ts', '  code?: FailureCode').filter((word) => word.includes('_')),
  ]

  test('is held against all codes of the package', () => {
    expect(new Set(codes).size).toBe(21 + 2 + 5 + 2)
  })

  test.each([...new Set(codes)])('explains %s', (code) => {
    expect(page).toContain(`\`${code}\``)
  })

  /** What a promise rejects with, or a function throws. */
  async function complaintOf(work: () => unknown): Promise<string> {
    try {
      await work()
    } catch (error) {
      return (error as Error).message
    }
    throw new Error('Nothing went wrong')
  }

  function strategyOf(
    simulator: ElasticPathSimulator,
    options: Partial<PasswordlessOtpStrategyOptions> = {},
  ): PasswordlessOtpStrategy {
    const strategy = new PasswordlessOtpStrategy({
      clientId: simulator.clientId,
      baseUrl: simulator.url,
      ...options,
    })
    open.push(() => strategy.close())
    return strategy
  }
  const open: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close()
  })

  type Setup = [what: string, options: Partial<PasswordlessOtpStrategyOptions>, store?: SimulatorOptions]
  const setups: Setup[] = [
    ['a client that is not known', { clientId: 'another' }],
    ['a store that is not there', { baseUrl: 'http://127.0.0.1:1' }],
    ['a realm that is not there', { authenticationRealmId: '11111111-1111-4111-8111-111111111111' }],
    ['a profile that is not there', { passwordProfileId: '11111111-1111-4111-8111-111111111111' }],
    ['two profiles', {}, { passwordProfiles: [{ name: 'A' }, { name: 'B' }] }],
    ['no profile', {}, { passwordProfiles: [{ name: 'A', oneTimePasswords: false }] }],
    [
      'a named profile without codes',
      { passwordProfileId: '22222222-2222-4222-8222-222222222222' },
      { passwordProfiles: [{ id: '22222222-2222-4222-8222-222222222222', oneTimePasswords: false }] },
    ],
  ]
  test.each(setups)('quotes what %s brings about', async (_what, options, store = {}) => {
    const simulator = await ElasticPathSimulator.start(store)
    open.push(() => simulator.stop())
    const message = await complaintOf(() => strategyOf(simulator, options).ready())
    expectOnPage(message)
  })

  test.each([
    ['an outage', { status: 503 }],
    ['a redirect', { redirect: 'http://127.0.0.1:9/' }],
    ['a store over its limit', { rateLimited: 60 }],
    ['a store that hangs', 'hang'],
  ] as const)('quotes what %s brings about', async (_what, fault) => {
    const simulator = await ElasticPathSimulator.start()
    open.push(() => simulator.stop())
    simulator.fault('any', fault, { times: Infinity })
    expectOnPage(await complaintOf(() => strategyOf(simulator, { timeout: 300 }).ready()))
  })

  test('quotes what a bad option and a closed strategy bring about', async () => {
    const simulator = await ElasticPathSimulator.start()
    open.push(() => simulator.stop())
    const misspelt = { clientID: 'x' } as unknown as PasswordlessOtpStrategyOptions
    const closed = strategyOf(simulator)
    await closed.close()
    for (const work of [
      () => new PasswordlessOtpStrategy({ clientId: undefined as unknown as string }),
      () => new PasswordlessOtpStrategy(misspelt),
      () => new PasswordlessOtpStrategy({ clientId: 'x', baseUrl: 'http://shop.example' }),
      () => otpWebhook({ secretKey: '', deliver: () => undefined }),
      () => closed.ready(),
      () => closed.listAccounts(undefined as never),
      () => closed.listAccounts({} as never),
    ]) {
      expectOnPage(await complaintOf(work))
    }
  })

  test('quotes what a shopper and a switch are told', async () => {
    const { simulator, browser, signIn } = await openJourney({ store: { members: [{ username: ADA }] } })
    const said = async (path: string, body: object, agent = browser()) => {
      const { body: answer } = (await agent.post(path).send(body)) as { body: { message?: string } }
      return answer.message ?? ''
    }
    expectOnPage(await said('/code', {}))
    expectOnPage(await said('/switch', { account_id: 'x' }))
    const { agent } = await signIn()
    expectOnPage(await said('/switch', {}, agent))
    expectOnPage(await said('/switch', { account_id: 'of-somebody-else' }, agent))
    simulator.revokeAccountTokens()
    expectOnPage(await said('/switch', { account_id: 'x' }, agent))
  })

  test.each([
    ['lib/commerce/client.ts', 'Elastic Path refuses an access token that it has just issued.'],
    ['lib/commerce/operation.ts', 'The browser closed its connection before the answer was ready'],
    [
      'lib/commerce/transport.ts',
      'Its certificate is not trusted: a proxy in between needs a dispatcher with its CA.',
    ],
    ['lib/handlers/session-user.ts', 'The shopper signed out while the account was switched'],
  ])('quotes what %s says: %s', (path, sentence) => {
    expect(read(path)).toContain(sentence)
    expectOnPage(sentence)
  })

  test('quotes the sentences of failures', () => {
    const sentences = [...read('lib/failures.ts').matchAll(/^ {2}[a-z_]+: '(.+)',$/gm)]
    expect(sentences).toHaveLength(5)
    for (const [, sentence = ''] of sentences) expectOnPage(sentence)
  })

  test('quotes what a broken limiter and slow functions of the app bring about', async () => {
    const broken = { consume: () => Promise.reject(new Error('away')), delete: () => Promise.resolve() }
    const never = () => new Promise<undefined>(() => undefined)
    for (const strategy of [{ limiter: broken }, { selectAccount: never, timeout: 200 }]) {
      const { simulator, browser } = await openJourney({ strategy })
      const answer = await browser()
        .post('/login')
        .send({ username: ADA, otp: simulator.issueCode(ADA) })
        .expect(500)
      expectOnPage((answer.body as { message: string }).message)
    }
    const { strategy } = await openJourney({
      strategy: {
        requestLimiter: {
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the shape that limiters reject with
          consume: () => Promise.reject({ msBeforeNext: 1000 }),
          delete: () => Promise.resolve(),
        },
      },
    })
    expectOnPage(await complaintOf(() => strategy.createOtpRequest(ADA)))
  })

  test('quotes what Passport says where it is not set up', async () => {
    const { simulator, strategy } = await openJourney()
    const complaint = async (
      build: (passport: InstanceType<typeof Passport>) => express.RequestHandler[],
    ) => {
      const passport = new Passport()
      passport.use(strategy)
      const app = express().use(express.json(), ...build(passport))
      app.use(((error: Error, _req, res, _next) => {
        res.status(500).send(error.message)
      }) as express.ErrorRequestHandler)
      const answer = await supertest(app)
        .post('/')
        .send({ username: ADA, otp: simulator.issueCode(ADA) })
        .expect(500)
      return answer.text
    }
    const handler = (made: unknown) => made as express.RequestHandler
    const emptySession: express.RequestHandler = (req, _res, next) => {
      Object.assign(req, { session: {} })
      next()
    }
    expectOnPage(await complaint((passport) => [handler(passport.authenticate('nobody'))]))
    expectOnPage(await complaint((passport) => [handler(passport.authenticate(strategy.name))]))
    expectOnPage(
      await complaint((passport) => {
        passport.serializeUser(strategy.serializeUser)
        return [emptySession, handler(passport.session()), handler(passport.authenticate(strategy.name))]
      }),
    )
    const regenerating: express.RequestHandler = (req, _res, next) => {
      Object.assign(req, { session: { regenerate: (done: () => void) => done() } })
      next()
    }
    expectOnPage(
      await complaint((passport) => [
        regenerating,
        handler(passport.session()),
        handler(passport.authenticate(strategy.name)),
      ]),
    )
    const signedIn: express.RequestHandler = (req, _res, next) => {
      Object.assign(req, { session: { passport: { user: 'somebody' } } })
      next()
    }
    expectOnPage(await complaint((passport) => [signedIn, handler(passport.session())]))
  })

  /** What the page quotes: sentences in backticks, outside of its listings. */
  const quotes = [
    ...flowing(page.replace(/^```[\s\S]*?^```$/gm, '')).matchAll(/(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)/g),
  ]
    .map(([, , quote = '']) => quote.trim())
    .filter((quote) => quote.length > 15 && quote.includes(' '))

  /** Ids in it differ from run to run, and so does the time that a test allows; a quotation may be its beginning. */
  function expectOnPage(message: string): void {
    const stable = message
      .replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, '…')
      .replace(/\b[23]00 ms\b/, '10000 ms')
      .replace('"nobody"', '"…"')
    if (!quotes.some((quote) => stable.includes(quote))) throw new Error(`${WRONG} lacks: ${stable}`)
  }

  /** The commands of the page that begin with a word, in order. */
  const commands = (program: string) =>
    [...page.matchAll(/```sh\n([\s\S]*?)\n```/g)]
      .map(([, text = '']) => text)
      .filter((text) => text.startsWith(program))
  const shell = async (command: string | undefined, env: Record<string, string>) => {
    const { stdout } = await promisify(execFile)('sh', ['-c', command ?? 'false'], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'] ?? '', ...env },
    })
    return stdout.trim()
  }

  test('has commands that run: whether the store is ready', async () => {
    const simulator = await ElasticPathSimulator.start()
    open.push(() => simulator.stop())
    const env = { EPCC_CLIENT_ID: simulator.clientId, EPCC_BASE_URL: simulator.url }
    expect(await shell(commands('node')[0], env)).toBe('ready')
    expect(await shell(commands('node')[0], { ...env, EPCC_CLIENT_ID: 'another' })).toMatch(
      /^client_refused /,
    )
    expect(await shell(commands('curl')[1], env)).toBe('200')
  })

  test('has commands that run: whether the webhook is there', async () => {
    let mails = 0
    const { url } = await openJourney({ deliver: () => mails++ })
    const env = { WEBHOOK_URL: `${url}/webhooks/otp`, EPCC_WEBHOOK_SECRET: SECRET_KEY }
    expect(await shell(commands('curl')[0], env)).toBe('204')
    expect(await shell(commands('curl')[0], { ...env, EPCC_WEBHOOK_SECRET: 'wrong' })).toBe('401')
    expect(mails).toBe(0)
  })

  test('has commands that run: the key by which a limiter counts a shopper', async () => {
    const keys: string[] = []
    const count = (key: string) => Promise.resolve(keys.push(key))
    const { browser } = await openJourney({ strategy: { limiter: { consume: count, delete: count } } })
    await browser().post('/login').send({ username: ADA, otp: 'wrong1' }).expect(401)
    expect(await shell(commands('node -p')[0], {})).toBe(keys[0])
  })
})

describe('the security review', () => {
  // Markdown would make something of underscores.
  const review = read(REVIEW).replaceAll('\\', '')
  const rows = review.split('\n').filter((line) => /^\| \d+\.\d+\.\d+ /.test(line))

  /** “Test names” belong to the file that was named last before them. */
  function citations(): [file: string, name: string][] {
    const found: [string, string][] = []
    for (const line of review.split('\n')) {
      let file = ''
      for (const [, path, name] of line.matchAll(/`([\w./-]+\.test\.ts)`|“([^”]+)”/g)) {
        if (path !== undefined) file = path
        else if (name !== undefined && file !== '') found.push([file, name])
      }
    }
    return found
  }

  test('cites tests that are there', () => {
    const cited = citations()
    expect(cited.length).toBeGreaterThan(60)
    const lost = cited.filter(([file, name]) => {
      const source = existsSync(join(ROOT, file)) ? read(file).replaceAll('\\', '') : ''
      return !["'", '"', '`'].some((mark) => source.includes(mark + name + mark))
    })
    expect(lost).toEqual([])
  })

  test('cites files that are there', () => {
    const paths = [...review.matchAll(/`((?:lib|test|example-app|bench)\/[\w./-]+)`/g)].map(
      ([, path = '']) => path,
    )
    expect(paths.length).toBeGreaterThan(60)
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test('says of each requirement whether it is met, once, and what for', () => {
    const ids = rows.map((row) => row.split('|')[1]?.trim())
    expect(new Set(ids).size).toBe(ids.length)
    const odd = rows.filter((row) => {
      const [, , level = '', short = '', status = '', how = ''] = row.split('|').map((cell) => cell.trim())
      const known = ['met', 'in part', 'not built', 'not our part', 'does not apply'].includes(status)
      return !known || !/^[123]$/.test(level) || short === '' || how === ''
    })
    expect(rows.length).toBeGreaterThan(80)
    expect(odd).toEqual([])
  })
})
