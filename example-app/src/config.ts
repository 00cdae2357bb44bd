import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { z } from 'zod'

/** The environment, checked. `.env.example` explains each variable. */
export type Config = ReturnType<typeof readConfig>
export type StoreConfig = NonNullable<Config['store']>

/** Everything that is wrong with the environment, not just the first thing. */
export class ConfigError extends Error {
  constructor(readonly mistakes: string[]) {
    super(`The configuration is not right yet:\n- ${mistakes.join('\n- ')}`)
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
  const error = `must have ${length} characters or more; try: openssl rand -hex 32`
  return z.string().min(length, error)
}
const list = z.string().transform((text) => text.split(',').map((entry) => entry.trim()))

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']
const ANYBODY = 'must say which proxies to trust, such as 1 or 10.0.0.0/8: "true" trusts everybody'

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
  MAIL_FROM: z.string().regex(/\S@\S/, 'must hold an address').default('Northquay <shop@example.com>'),
  SIGN_INS_PER_ADDRESS: number('must be a number from 1 to 100000', 1, 100_000).default(60),
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).optional(),
  EPCC_CLIENT_ID: z.string().optional(),
  EPCC_CLIENT_SECRET: z.string().optional(),
  EPCC_BASE_URL: url(/^https?$/, 'https://euwest.api.elasticpath.com').optional(),
  EPCC_PASSWORD_PROFILE_ID: z.uuid('must be the UUID of a password profile').optional(),
  EPCC_AUTHENTICATION_REALM_ID: z.uuid('must be the UUID of an authentication realm').optional(),
  EPCC_WEBHOOK_SECRET: secret(16)
    .regex(/^[\x21-\x7e]+$/, 'must be of ASCII, without spaces')
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
  const { data, error } = Environment.safeParse(set)
  const mistakes = error?.issues.map(({ path, message }) => `${String(path[0])} ${message}`) ?? []
  mistakes.push(...contradictions(set))
  if (!data || mistakes.length) throw new ConfigError(mistakes)

  const { EPCC_CLIENT_ID: clientId, EPCC_WEBHOOK_SECRET: webhookSecret } = data
  // Absent: the app runs on a simulator of its own.
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
    // The demo's mailbox is open to whoever can reach it.
    host: data.HOST ?? (store ? undefined : '127.0.0.1'),
    port: data.PORT,
    publicUrl: data.PUBLIC_URL === undefined ? undefined : new URL(data.PUBLIC_URL),
    trustProxy: data.TRUST_PROXY,
    // The first one signs; the others, older, still count. A new one at every start signs everybody out.
    sessionSecrets: data.SESSION_SECRET ?? [randomBytes(32).toString('hex')],
    redisUrl: data.REDIS_URL,
    smtpUrl: data.SMTP_URL,
    mailFrom: data.MAIL_FROM,
    signInsPerAddress: data.SIGN_INS_PER_ADDRESS,
    logLevel: data.LOG_LEVEL ?? (store ? 'info' : 'warn'),
    store: store || undefined,
  }
}

/** What is right on its own, and wrong together. */
function contradictions(env: Record<string, string | undefined>): string[] {
  const onStore = env['EPCC_CLIENT_ID'] !== undefined
  const shared = env['REDIS_URL'] !== undefined
  const publicUrl = urlOf(env['PUBLIC_URL'])
  const behindTls = publicUrl?.protocol === 'https:'
  const needed: [name: string, when: boolean, why: string][] = [
    ['SMTP_URL', onStore, 'the codes of a real store leave by mail'],
    ['MAIL_FROM', onStore, 'shoppers see whom the mail is from, and mail servers check it'],
    ['EPCC_WEBHOOK_SECRET', onStore, 'it proves that a webhook comes from your store'],
    ['PUBLIC_URL', onStore, 'the link in the mail begins with it'],
    [
      'SESSION_SECRET',
      onStore || shared,
      'a new one at every start, and in every process, signs shoppers out',
    ],
    ['TRUST_PROXY', behindTls, 'PUBLIC_URL is https, so a proxy ends TLS; say how many there are, such as 1'],
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
      onStore && isInTheOpen(publicUrl),
      'must be https on a real store: codes and cookies would travel in the open',
    ],
    [
      'EPCC_BASE_URL',
      isInTheOpen(urlOf(env['EPCC_BASE_URL'])),
      'must be https: codes and tokens would travel in the open',
    ],
  ]
  const strays = onStore ? [] : Object.keys(env).filter((name) => name.startsWith('EPCC_'))
  return [
    ...missing.map(([name, , why]) => `${name} is missing: ${why}`),
    ...wrong.filter(([, when]) => when).map(([name, , why]) => `${name} ${why}`),
    ...strays.map(
      (name) => `${name} is set, and EPCC_CLIENT_ID is not: set both, or neither for the simulator`,
    ),
  ]
}

function urlOf(text = ''): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function isInTheOpen(url: URL | undefined): boolean {
  return url?.protocol === 'http:' && !/^(localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(url.hostname)
}
