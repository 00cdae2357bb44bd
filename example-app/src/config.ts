import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { z } from 'zod'

/** The environment, validated. `.env.example` explains each variable. */
export type Config = ReturnType<typeof readConfig>

const SETUP =
  'To set up your store and write its settings to .env, run `npx passport-elasticpath-otp setup`.\n' +
  'To use the simulated store, unset every EPCC_ variable.'

/** All mistakes in the environment, not just the first one. */
export class ConfigError extends Error {
  constructor(readonly mistakes: string[]) {
    const hint = mistakes.some((mistake) => mistake.startsWith('EPCC_')) ? `\n\n${SETUP}` : ''
    super(`These settings are missing or invalid:\n- ${mistakes.join('\n- ')}${hint}`)
    this.name = 'ConfigError'
  }
}

const number = (what: string, least: number, most: number) =>
  z
    .string()
    .transform(Number)
    .refine((n) => Number.isInteger(n) && n >= least && n <= most, what)
const url = (protocol: RegExp, example: string) => z.url({ protocol, error: `must be a URL like ${example}` })
const secret = (length: number) => {
  const error = `must have at least ${length} characters; create one with: openssl rand -hex 32`
  return z.string().min(length, error)
}
const list = z.string().transform((text) => text.split(',').map((entry) => entry.trim()))

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']
const ANYBODY = 'must name the proxies to trust, such as 1 or 10.0.0.0/8'

const Environment = z.object({
  HOST: z.string().optional(),
  PORT: number('must be a port, 0 to 65535', 0, 65_535).default(3000),
  PUBLIC_URL: url(/^https?$/, 'https://shop.example.com')
    .refine((text) => !URL.canParse(text) || new URL(text).pathname === '/', 'must have no path')
    .optional(),
  TRUST_PROXY: z
    .string()
    .refine((text) => /^\d{1,2}$/.test(text) || text.split(',').every(isProxy), ANYBODY)
    .transform((text) => (/^\d+$/.test(text) ? Number(text) : text.split(',').map((entry) => entry.trim())))
    .default(0),
  SESSION_SECRET: list.pipe(z.array(secret(32))).optional(),
  REDIS_URL: url(/^rediss?$/, 'redis://localhost:6379').optional(),
  SMTP_URL: url(/^smtps?$/, 'smtps://user:password@mail.example.com').optional(),
  MAIL_FROM: z
    .string()
    .regex(/\S@\S/, 'must contain an email address')
    .default('Northquay <shop@example.com>'),
  SUPPORT_CONTACT: z.string().max(200, 'must have at most 200 characters').optional(),
  SIGN_INS_PER_ADDRESS: number('must be a number from 1 to 100000', 1, 100_000).default(60),
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).optional(),
  EPCC_CLIENT_ID: z.string().optional(),
  EPCC_CLIENT_SECRET: z.string().optional(),
  EPCC_BASE_URL: url(/^https?$/, 'https://euwest.api.elasticpath.com').optional(),
  EPCC_PASSWORD_PROFILE_ID: z.uuid('must be the UUID of a password profile').optional(),
  EPCC_AUTHENTICATION_REALM_ID: z.uuid('must be the UUID of an authentication realm').optional(),
  EPCC_WEBHOOK_SECRET: secret(16)
    .regex(/^[\x21-\x7e]+$/, 'must be ASCII without spaces')
    .optional(),
})

function isProxy(entry: string): boolean {
  const [address = '', bits, ...more] = entry.trim().split('/')
  if (['loopback', 'linklocal', 'uniquelocal'].includes(entry.trim())) return true
  const version = isIP(address)
  const most = version === 4 ? 32 : 128
  return (
    version > 0 &&
    more.length === 0 &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  )
}

export function readConfig(env: Record<string, string | undefined>) {
  // `NAME=` in a file means that the variable is not set.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()))
  const empty = new Set(Object.keys(env).filter((name) => set[name] === undefined && env[name] !== undefined))
  const { data, error } = Environment.safeParse(set)
  const mistakes = error?.issues.map(({ path, message }) => `${String(path[0])} ${message}`) ?? []
  mistakes.push(...contradictions(set, empty))
  if (!data || mistakes.length) throw new ConfigError(mistakes)

  const { EPCC_CLIENT_ID: clientId, EPCC_WEBHOOK_SECRET: webhookSecret } = data
  // Without these two, the app runs on a simulator of its own.
  const store = clientId !== undefined &&
    webhookSecret !== undefined && {
      clientId,
      clientSecret: data.EPCC_CLIENT_SECRET,
      baseUrl: new URL(data.EPCC_BASE_URL ?? 'https://useast.api.elasticpath.com'),
      passwordProfileId: data.EPCC_PASSWORD_PROFILE_ID,
      authenticationRealmId: data.EPCC_AUTHENTICATION_REALM_ID,
      webhookSecret,
    }
  return {
    // The demo's mailbox is open to everybody who can reach it.
    host: data.HOST ?? (store ? undefined : '127.0.0.1'),
    port: data.PORT,
    publicUrl: data.PUBLIC_URL === undefined ? undefined : new URL(data.PUBLIC_URL),
    trustProxy: data.TRUST_PROXY,
    // The first one signs; the others are accepted too. A new one at every start signs everybody out.
    sessionSecrets: data.SESSION_SECRET ?? [randomBytes(32).toString('hex')],
    redisUrl: data.REDIS_URL,
    smtpUrl: data.SMTP_URL,
    mailFrom: data.MAIL_FROM,
    supportContact: data.SUPPORT_CONTACT?.trim(),
    signInsPerAddress: data.SIGN_INS_PER_ADDRESS,
    logLevel: data.LOG_LEVEL ?? (store ? 'info' : 'warn'),
    store: store || undefined,
  }
}

/**
 * Settings that are valid by themselves, and not together.
 *
 * @param env - The variables that are set.
 * @param empty - Those that are there without a value.
 */
function contradictions(env: Record<string, string | undefined>, empty: ReadonlySet<string>): string[] {
  const onStore = Object.keys(env).some((name) => name.startsWith('EPCC_'))
  const shared = env['REDIS_URL'] !== undefined
  const publicUrl = urlOf(env['PUBLIC_URL'])
  const behindTls = publicUrl?.protocol === 'https:'
  const needed: [name: string, when: boolean, why: string][] = [
    ['EPCC_CLIENT_ID', onStore, 'the other EPCC_ variables need it'],
    ['EPCC_WEBHOOK_SECRET', onStore, 'it proves that a webhook comes from your store'],
    ['SMTP_URL', onStore, 'a real store’s codes are sent by email'],
    ['MAIL_FROM', onStore, 'it is the sender that shoppers see and mail servers check'],
    ['PUBLIC_URL', onStore, 'the link in the email starts with it'],
    [
      'SESSION_SECRET',
      onStore || shared,
      'without it, shoppers are signed out at every start and by every other process',
    ],
    [
      'TRUST_PROXY',
      behindTls,
      'PUBLIC_URL is https, so a proxy ends TLS. Set the number of proxies, such as 1',
    ],
  ]
  const missing = needed.filter(([name, when]) => when && env[name] === undefined)
  const wrong: [name: string, when: boolean, why: string][] = [
    [
      'TRUST_PROXY',
      behindTls && env['TRUST_PROXY'] === '0',
      'must not be 0: PUBLIC_URL is https, so a proxy ends TLS',
    ],
    [
      'PUBLIC_URL',
      onStore && isUnencrypted(publicUrl),
      'must be https on a real store, because codes and cookies need encryption',
    ],
    [
      'EPCC_BASE_URL',
      isUnencrypted(urlOf(env['EPCC_BASE_URL'])),
      'must be https, because codes and tokens need encryption',
    ],
  ]
  return [
    ...missing.map(
      ([name, , why]) => `${name} is ${empty.has(name) ? 'empty, which counts as unset' : 'missing'}: ${why}`,
    ),
    ...wrong.filter(([, when]) => when).map(([name, , why]) => `${name} ${why}`),
  ]
}

function urlOf(text = ''): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function isUnencrypted(url: URL | undefined): boolean {
  return url?.protocol === 'http:' && !/^(localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(url.hostname)
}
