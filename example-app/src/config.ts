import { randomBytes } from 'node:crypto'
import { levels } from 'pino'
import { z } from 'zod'

/** What the environment says, checked. `.env.example` explains each variable. */
export interface Config {
  /** The address to listen at; every one where undefined. */
  host?: string
  port: number
  /** The address that shoppers type. Without one, `http://localhost:` and the port. */
  publicUrl?: URL
  trustProxy: number | string[]
  /** The first signs cookies; the others, older ones, are still accepted. */
  sessionSecrets: string[]
  redisUrl?: string
  smtpUrl?: string
  mailFrom: string
  signInsPerAddress: number
  logLevel: string
  /** Absent: the app runs on a simulator of its own. */
  store?: StoreConfig
}

export interface StoreConfig {
  clientId: string
  clientSecret?: string
  baseUrl: URL
  passwordProfileId?: string
  authenticationRealmId?: string
  webhookSecret: string
}

/** Everything that is wrong with the environment, not just the first thing. */
export class ConfigError extends Error {
  constructor(readonly mistakes: string[]) {
    super(
      `The configuration has ${mistakes.length} mistake${mistakes.length === 1 ? '' : 's'}:\n- ${mistakes.join('\n- ')}`,
    )
    this.name = 'ConfigError'
  }
}

const whole = (what: string, least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, what)
    .transform(Number)
    .refine((n) => n >= least && n <= most, what)
const url = (protocol: RegExp, example: string) => z.url({ protocol, error: `must be a URL like ${example}` })
const list = (value: string) => value.split(',').map((entry) => entry.trim())

const Environment = z.object({
  HOST: z.string().optional(),
  PORT: whole('must be a port, 0 to 65535', 0, 65_535).default(3000),
  PUBLIC_URL: url(/^https?$/, 'https://shop.example.com')
    .transform((text) => new URL(text))
    .optional(),
  TRUST_PROXY: z
    .string()
    .refine(
      (text) => text !== 'true',
      'must say which proxies to trust, such as 1 or 10.0.0.0/8: "true" trusts everybody',
    )
    .transform((text) => (/^\d+$/.test(text) ? Number(text) : list(text)))
    .default(0),
  SESSION_SECRET: z
    .string()
    .transform(list)
    .refine(
      (secrets) => secrets.every((secret) => secret.length >= 32),
      'must have 32 characters or more; try: openssl rand -hex 32',
    )
    .optional(),
  REDIS_URL: url(/^rediss?$/, 'redis://localhost:6379').optional(),
  SMTP_URL: url(/^smtps?$/, 'smtps://user:password@mail.example.com').optional(),
  MAIL_FROM: z
    .string()
    .regex(/@/, 'must hold an address, such as Northquay <shop@example.com>')
    .default('Northquay <shop@example.com>'),
  SIGN_INS_PER_ADDRESS: whole('must be a number from 1 to 100000', 1, 100_000).default(60),
  LOG_LEVEL: z
    .enum(
      [...Object.values(levels.labels), 'silent'],
      'must be one of trace, debug, info, warn, error, fatal, silent',
    )
    .optional(),
  EPCC_CLIENT_ID: z.string().optional(),
  EPCC_CLIENT_SECRET: z.string().optional(),
  EPCC_BASE_URL: url(/^https?$/, 'https://euwest.api.elasticpath.com').default(
    'https://useast.api.elasticpath.com',
  ),
  EPCC_PASSWORD_PROFILE_ID: z.uuid('must be the UUID of a password profile').optional(),
  EPCC_AUTHENTICATION_REALM_ID: z.uuid('must be the UUID of an authentication realm').optional(),
  EPCC_WEBHOOK_SECRET: z
    .string()
    .min(16, 'must have 16 characters or more; try: openssl rand -hex 32')
    .optional(),
})

type Env = Record<string, string | undefined>

export function readConfig(env: Env): Config {
  // `NAME=` in a file means that the variable is not set.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()))
  const parsed = Environment.safeParse(set)
  const mistakes = [
    ...(parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`),
    ...contradictions(set),
  ]
  if (!parsed.success || mistakes.length) throw new ConfigError(mistakes)

  const { data } = parsed
  // The demo's mailbox is open to whoever can reach it.
  const host = data.HOST ?? (data.EPCC_CLIENT_ID ? undefined : '127.0.0.1')
  return {
    ...(host && { host }),
    port: data.PORT,
    ...(data.PUBLIC_URL && { publicUrl: data.PUBLIC_URL }),
    trustProxy: data.TRUST_PROXY,
    // Good for one process that may sign everybody out when it starts again; `contradictions` asks for one elsewhere.
    sessionSecrets: data.SESSION_SECRET ?? [randomBytes(32).toString('hex')],
    ...(data.REDIS_URL && { redisUrl: data.REDIS_URL }),
    ...(data.SMTP_URL && { smtpUrl: data.SMTP_URL }),
    mailFrom: data.MAIL_FROM,
    signInsPerAddress: data.SIGN_INS_PER_ADDRESS,
    logLevel: data.LOG_LEVEL ?? (data.EPCC_CLIENT_ID ? 'info' : 'warn'),
    ...(data.EPCC_CLIENT_ID &&
      data.EPCC_WEBHOOK_SECRET && {
        store: {
          clientId: data.EPCC_CLIENT_ID,
          ...(data.EPCC_CLIENT_SECRET && { clientSecret: data.EPCC_CLIENT_SECRET }),
          baseUrl: new URL(data.EPCC_BASE_URL),
          ...(data.EPCC_PASSWORD_PROFILE_ID && { passwordProfileId: data.EPCC_PASSWORD_PROFILE_ID }),
          ...(data.EPCC_AUTHENTICATION_REALM_ID && {
            authenticationRealmId: data.EPCC_AUTHENTICATION_REALM_ID,
          }),
          webhookSecret: data.EPCC_WEBHOOK_SECRET,
        },
      }),
  }
}

/** What is right on its own, and wrong together. */
function contradictions(env: Env): string[] {
  const onStore = env['EPCC_CLIENT_ID'] !== undefined
  const needs = (when: boolean, variable: string, why: string) =>
    when && env[variable] === undefined ? [`${variable} is missing: ${why}`] : []
  const strays = onStore ? [] : Object.keys(env).filter((name) => name.startsWith('EPCC_'))
  return [
    ...needs(onStore, 'SMTP_URL', 'codes of a real store leave by mail'),
    ...needs(onStore, 'EPCC_WEBHOOK_SECRET', 'it proves that a webhook comes from your store'),
    ...needs(onStore, 'PUBLIC_URL', 'the link in the mail begins with it'),
    ...needs(onStore, 'SESSION_SECRET', 'without it a restart signs everybody out'),
    ...needs(
      !onStore && env['REDIS_URL'] !== undefined,
      'SESSION_SECRET',
      'processes that share sessions share it',
    ),
    ...needs(
      /^https:/i.test(env['PUBLIC_URL'] ?? ''),
      'TRUST_PROXY',
      'PUBLIC_URL is https, so a proxy ends TLS: say which, such as 1',
    ),
    ...strays.map(
      (name) => `${name} is set, but EPCC_CLIENT_ID is not: set both, or neither for the simulator`,
    ),
  ]
}
