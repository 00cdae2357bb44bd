import { isSet, type EnvFile } from './env-file'
import { UsageError } from './errors'
import type { Flags } from './flags'
import type { Io } from './io'

/** The flags of the commands that call a store. */
export const STORE_FLAGS = {
  'client-id': {
    type: 'string',
    value: 'ID',
    help: 'The client id of an application key. Or EPCC_CLIENT_ID.',
  },
  'base-url': {
    type: 'string',
    value: 'URL',
    help: "The API of the store's region. Or EPCC_BASE_URL.\nDefault: https://useast.api.elasticpath.com",
  },
  profile: { type: 'string', value: 'ID', help: 'The password profile. Or EPCC_PASSWORD_PROFILE_ID.' },
  header: {
    type: 'string',
    value: "'NAME: VALUE'",
    multiple: true,
    help: 'A header for every request, such as X-REQUEST-STORE-ID. Repeatable.',
  },
} as const satisfies Flags

/** What the commands know of the store, from flags, the environment and `.env`, in this order. */
export interface Settings {
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
  readonly baseUrl: URL
  /** Whether it was set. Otherwise it is the default region. */
  readonly hasBaseUrl: boolean
  readonly passwordProfileId: string | undefined
  readonly authenticationRealmId: string | undefined
  readonly webhookSecret: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

interface StoreFlags {
  readonly 'client-id'?: string | undefined
  readonly 'base-url'?: string | undefined
  readonly profile?: string | undefined
  readonly header?: string[] | undefined
}

export const DEFAULT_BASE_URL = 'https://useast.api.elasticpath.com'

/** Where a client id is found. */
export const APPLICATION_KEYS =
  'Create an application key in Commerce Manager under System > Application Keys.'

/** @throws UsageError for invalid values. */
export function readSettings(flags: StoreFlags, io: Io, file: EnvFile): Settings {
  const inFile = file.values
  const variable = (name: string) => [io.env[name], inFile[name]].find(isSet)
  const baseUrl = flags['base-url'] ?? variable('EPCC_BASE_URL')
  return {
    clientId: flags['client-id'] ?? variable('EPCC_CLIENT_ID'),
    clientSecret: variable('EPCC_CLIENT_SECRET'),
    baseUrl: readBaseUrl(
      flags['base-url'] === undefined ? 'EPCC_BASE_URL' : '--base-url',
      baseUrl ?? DEFAULT_BASE_URL,
    ),
    hasBaseUrl: baseUrl !== undefined,
    passwordProfileId: flags.profile ?? variable('EPCC_PASSWORD_PROFILE_ID'),
    authenticationRealmId: variable('EPCC_AUTHENTICATION_REALM_ID'),
    webhookSecret: variable('EPCC_WEBHOOK_SECRET'),
    headers: Object.fromEntries((flags.header ?? []).map(readHeader)),
  }
}

/** @throws UsageError without a client id. */
export function requireClientId({ clientId }: Settings): string {
  if (clientId !== undefined) return clientId
  throw new UsageError(
    'EPCC_CLIENT_ID is not set.',
    `${APPLICATION_KEYS} Put its client id into .env: EPCC_CLIENT_ID=…`,
  )
}

export function readBaseUrl(name: string, value: string): URL {
  if (!URL.canParse(value))
    throw new UsageError(`${name} must be a URL such as ${DEFAULT_BASE_URL}, not "${value}".`)
  const url = new URL(value)
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(`${name} must not contain a username or a password.`)
  }
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url
  throw new UsageError(
    `${name} must begin with https://, because it carries tokens and codes.`,
    'Plain http:// works for this machine only (localhost, 127.0.0.1).',
  )
}

export function isLoopback(hostname: string): boolean {
  return /^(localhost|\[::1\]|127(\.\d{1,3}){3}|.+\.localhost)$/.test(hostname)
}

function readHeader(header: string): [string, string] {
  const [name = '', ...rest] = header.split(':')
  const value = rest.join(':').trim()
  if (!/^[\w-]+$/.test(name) || !/^[\x20-\x7e]+$/.test(value)) {
    throw new UsageError("--header must look like 'X-REQUEST-STORE-ID: 0a1b'.")
  }
  if (/^(authorization|host|content-.*|ep-account-.*)$/i.test(name)) {
    throw new UsageError(`--header cannot set ${name}: the command sets it itself.`)
  }
  return [name, value]
}
