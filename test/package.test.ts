import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ROOT = resolve(__dirname, '..')
const TSC = require.resolve('typescript/bin/tsc')

const NAMES = [
  'ACCOUNT_TOKEN_HEADER',
  'ElasticPathError',
  'PasswordlessOtpStrategy',
  'Strategy',
  'otpWebhook',
]
const TYPES = [
  'AccountSelector',
  'AccountSummary',
  'AccountToken',
  'DeliveryCode',
  'DiagnosticMessage',
  'ElasticPathErrorCode',
  'FailureCode',
  'FailureInfo',
  'HeldToken',
  'KeepFreshOptions',
  'OtpDelivery',
  'OtpLimiter',
  'OtpWebhookOptions',
  'PasswordlessOtpStrategyOptions',
  'PasswordlessOtpUser',
  'SignInInfo',
  'VerifyDone',
  'VerifyFunction',
  'VerifyFunctionWithRequest',
  'VerifyResult',
]

jest.setTimeout(120_000)

let shop: string
let packed: string[]

beforeAll(async () => {
  shop = await mkdtemp(join(tmpdir(), 'otp-package-'))
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', shop], { cwd: ROOT })
  // What the build prints comes first.
  const [tarball] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [
    { filename: string; files: { path: string }[] },
  ]
  packed = tarball.files.map(({ path }) => path)
  await writeFile(join(shop, 'package.json'), '{ "name": "shop", "private": true }')
  const others = ['express', 'passport', '@types/express', '@types/passport', '@types/node'].map(installed)
  await run(
    'npm',
    [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      `./${tarball.filename}`,
      ...(await Promise.all(others)),
    ],
    { cwd: shop },
  )
})

afterAll(() => rm(shop, { recursive: true, force: true }))

/** A dependency in the version that is installed here already, so that npm has it in its cache. */
async function installed(name: string): Promise<string> {
  const { version } = JSON.parse(
    await readFile(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'),
  ) as { version: string }
  return `${name}@${version}`
}

async function node(file: string, code: string): Promise<unknown> {
  await writeFile(join(shop, file), code)
  const { stdout } = await run(process.execPath, [file], { cwd: shop })
  return JSON.parse(stdout)
}

async function tsc(file: string, code: string, ...options: string[]): Promise<string> {
  await writeFile(join(shop, file), code)
  const args = [TSC, '--noEmit', '--strict', '--target', 'es2022', '--types', 'node', ...options, file]
  try {
    await run(process.execPath, args, { cwd: shop })
    return ''
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout)
  }
}

describe('the package', () => {
  test('require gives the public names, and no others', async () => {
    const names = await node(
      'shop.cjs',
      `console.log(JSON.stringify(Object.keys(require('passport-elasticpath-otp')).sort()))`,
    )

    expect(names).toEqual(NAMES)
  })

  test('import gives the same names', async () => {
    const names = await node(
      'shop.mjs',
      `import { ${NAMES.join(', ')} } from 'passport-elasticpath-otp'
       const names = { ${NAMES.join(', ')} }
       console.log(JSON.stringify(Object.keys(names).filter((name) => names[name] !== undefined)))`,
    )

    expect(names).toEqual(NAMES)
  })

  test('require and import give the same class, under both of its names', async () => {
    const same = await node(
      'same.mjs',
      `import { createRequire } from 'node:module'
       import { PasswordlessOtpStrategy, Strategy } from 'passport-elasticpath-otp'
       const required = createRequire(import.meta.url)('passport-elasticpath-otp')
       console.log(Strategy === PasswordlessOtpStrategy && required.Strategy === Strategy)`,
    )

    expect(same).toBe(true)
  })

  test('brings the simulator by require and by import', async () => {
    const code = `simulator.ElasticPathSimulator.start().then(async (store) => {
      await store.stop()
      console.log(JSON.stringify(Object.keys(simulator).filter((name) => /^[A-Z]/.test(name))))
    })`

    const required = await node(
      'testing.cjs',
      `const simulator = require('passport-elasticpath-otp/testing'); ${code}`,
    )
    const imported = await node(
      'testing.mjs',
      `import * as simulator from 'passport-elasticpath-otp/testing'; ${code}`,
    )

    expect(required).toEqual(['ElasticPathSimulator'])
    expect(imported).toEqual(required)
  })

  test('keeps what is not public to itself', async () => {
    const code = await node(
      'inner.cjs',
      `try { require('passport-elasticpath-otp/dist/strategy.js') } catch (error) { console.log(JSON.stringify(error.code)) }`,
    )

    expect(code).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })

  describe.each([
    ['an ES module, module node16', 'names.mts', ['--module', 'node16']],
    ['a CommonJS module, module node16', 'names.cts', ['--module', 'node16']],
    ['a bundler', 'names.ts', ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ])('in TypeScript for %s', (_name, file, options) => {
    test('has the same names and all the types, with its declarations checked', async () => {
      const code = `
        import { ${NAMES.join(', ')} } from 'passport-elasticpath-otp'
        import type { ${TYPES.join(', ')} } from 'passport-elasticpath-otp'
        import { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
        import * as all from 'passport-elasticpath-otp'
        export const names: Exclude<keyof typeof all, 'default'>[] = ${JSON.stringify(NAMES)}
        export const rest: Exclude<keyof typeof all, ${[...NAMES, 'default'].map((name) => `'${name}'`).join(' | ')}>[] = []
        export type Types = [${TYPES.join(', ')}]
        export const values = [${NAMES.join(', ')}, ElasticPathSimulator]
        export const never: (typeof rest)[number] extends never ? true : false = true`

      expect(await tsc(file, code, ...options)).toBe('')
    })

    test('knows how a shop uses it, and refuses a misspelt option', async () => {
      const code = `
        import express from 'express'
        import passport from 'passport'
        import { Strategy, otpWebhook, type PasswordlessOtpUser } from 'passport-elasticpath-otp'
        const strategy = new Strategy({ clientId: 'id', selectAccount: 'sole' }, (user) => Promise.resolve(user))
        passport.use(strategy)
        passport.serializeUser<PasswordlessOtpUser>(strategy.serializeUser)
        passport.deserializeUser<PasswordlessOtpUser>(strategy.deserializeUser)
        const app = express()
        app.use(strategy.keepFresh({ within: 60 }))
        app.post('/code', strategy.requestOtp(), (req, res) => { res.send(req.otpRequest?.username) })
        app.post('/switch', strategy.switchAccount())
        app.post('/hook', otpWebhook({ secretKey: 'key', deliver: ({ email, otp }) => email + otp }))
        // @ts-expect-error
        new Strategy({ clientID: 'id' })`

      expect(await tsc(`shop-${file}`, code, '--esModuleInterop', '--skipLibCheck', ...options)).toBe('')
    })
  })

  test('ships the build, and neither sources nor tests', () => {
    expect(packed).toEqual(expect.arrayContaining(['package.json', 'LICENSE', 'dist/index.js']))
    expect(packed.filter((path) => !/^dist\/.*\.(js|d\.ts)$|^[^/]+$/.test(path))).toEqual([])
  })

  test('declares each entry point in one file, with what it says of every name', async () => {
    const declarations = packed.filter((path) => path.endsWith('.d.ts'))
    const read = (path: string) => readFile(join(shop, 'node_modules/passport-elasticpath-otp', path), 'utf8')
    const texts = await Promise.all(declarations.map(read))

    expect(declarations.sort()).toEqual(['dist/index.d.ts', 'dist/testing/index.d.ts'])
    for (const text of texts) expect(text).not.toMatch(/from '\.|\(facts? \d/)
    for (const name of TYPES) {
      expect(texts[0]).toMatch(new RegExp(`\\*/\\n(interface|type) ${name}\\b`))
    }
  })

  test('needs nothing at run time but what it declares', async () => {
    const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>
    }
    const files = (
      await readdir(join(shop, 'node_modules/passport-elasticpath-otp/dist'), { recursive: true })
    )
      .filter((file) => file.endsWith('.js'))
      .map((file) => readFile(join(shop, 'node_modules/passport-elasticpath-otp/dist', file), 'utf8'))
    const required = (await Promise.all(files)).flatMap((text) =>
      [...text.matchAll(/require\("([^."][^"]*)"\)/g)].map(([, name = '']) => name),
    )

    const foreign = new Set(required.filter((name) => !name.startsWith('node:')))

    expect([...foreign].sort()).toEqual(Object.keys(dependencies).sort())
  })
})
