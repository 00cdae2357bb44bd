import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { ConfigError, readConfig } from '../src/config'

const STORE = {
  EPCC_CLIENT_ID: 'client',
  EPCC_WEBHOOK_SECRET: 'w'.repeat(16),
  SMTP_URL: 'smtp://localhost:25',
  MAIL_FROM: 'Shop <shop@shop.example.com>',
  PUBLIC_URL: 'https://shop.example.com',
  TRUST_PROXY: '1',
  SESSION_SECRET: 's'.repeat(32),
}

const EXAMPLE = readFileSync(join(__dirname, '../.env.example'), 'utf8')

function mistakesOf(env: Record<string, string | undefined>): string[] {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes
    throw error
  }
  return []
}

describe('the configuration', () => {
  it('is empty for the demo, which listens on this machine only', () => {
    const { store, host, port, logLevel } = readConfig({})
    expect({ store, host, port, logLevel }).toEqual({
      store: undefined,
      host: '127.0.0.1',
      port: 3000,
      logLevel: 'warn',
    })
  })

  it('is that of a real store with seven variables', () => {
    expect(readConfig(STORE)).toMatchObject({
      trustProxy: 1,
      logLevel: 'info',
      store: { clientId: 'client', baseUrl: new URL('https://useast.api.elasticpath.com') },
    })
    expect(readConfig(STORE).host).toBeUndefined()
  })

  it('reports all mistakes at once', () => {
    const mistakes = mistakesOf({
      PORT: 'http',
      PUBLIC_URL: 'shop.example.com',
      TRUST_PROXY: 'true',
      SESSION_SECRET: 'short',
      REDIS_URL: 'localhost',
      SMTP_URL: 'mail',
      MAIL_FROM: 'nobody',
      SUPPORT_CONTACT: 'x'.repeat(201),
      SIGN_INS_PER_ADDRESS: '0',
      LOG_LEVEL: 'loud',
      EPCC_CLIENT_ID: 'client',
      EPCC_BASE_URL: 'ftp://x',
      EPCC_PASSWORD_PROFILE_ID: 'mine',
    })
    expect(mistakes.map((mistake) => mistake.split(' ')[0])).toEqual([
      'PORT',
      'PUBLIC_URL',
      'TRUST_PROXY',
      'SESSION_SECRET',
      'REDIS_URL',
      'SMTP_URL',
      'MAIL_FROM',
      'SUPPORT_CONTACT',
      'SIGN_INS_PER_ADDRESS',
      'LOG_LEVEL',
      'EPCC_BASE_URL',
      'EPCC_PASSWORD_PROFILE_ID',
      'EPCC_WEBHOOK_SECRET',
    ])
  })

  it.each([
    ['a real store without email', { ...STORE, SMTP_URL: '' }, /^SMTP_URL is empty, which counts as unset/],
    [
      'a real store without a webhook secret',
      { ...STORE, EPCC_WEBHOOK_SECRET: ' ' },
      /^EPCC_WEBHOOK_SECRET is empty, which counts as unset/,
    ],
    ['a real store without a sender', { ...STORE, MAIL_FROM: undefined }, /^MAIL_FROM is missing: /],
    [
      'a sender without an address',
      { ...STORE, MAIL_FROM: '@' },
      /^MAIL_FROM must contain an email address$/,
    ],
    [
      'a webhook secret that cannot be sent in a header',
      { ...STORE, EPCC_WEBHOOK_SECRET: 'ü'.repeat(16) },
      /^EPCC_WEBHOOK_SECRET must be ASCII/,
    ],
    [
      'a real store without https',
      { ...STORE, PUBLIC_URL: 'http://shop.example.com' },
      /^PUBLIC_URL must be https/,
    ],
    [
      'a shop under a path',
      { ...STORE, PUBLIC_URL: 'https://example.com/shop' },
      /^PUBLIC_URL must have no path$/,
    ],
    [
      'Elastic Path without https',
      { ...STORE, EPCC_BASE_URL: 'http://api.example.com' },
      /^EPCC_BASE_URL must be https/,
    ],
    ['https without a proxy', { ...STORE, TRUST_PROXY: '' }, /^TRUST_PROXY is empty/],
    ['https with no proxy', { ...STORE, TRUST_PROXY: '0' }, /^TRUST_PROXY must not be 0/],
    [
      'https in capitals without a proxy',
      { ...STORE, PUBLIC_URL: 'HTTPS://shop.example.com', TRUST_PROXY: '' },
      /^TRUST_PROXY is empty/,
    ],
    ['trust in all proxies', { ...STORE, TRUST_PROXY: 'true' }, /^TRUST_PROXY must name the proxies/],
    ['trust in no proxy by a word', { ...STORE, TRUST_PROXY: 'false' }, /^TRUST_PROXY must name the proxies/],
    ['an invalid network', { ...STORE, TRUST_PROXY: '10.0.0.0/99' }, /^TRUST_PROXY must name the proxies/],
    [
      'shared sessions without a shared secret',
      { REDIS_URL: 'redis://localhost' },
      /^SESSION_SECRET is missing/,
    ],
  ])('refuses %s', (_what, env, mistake) => {
    expect(mistakesOf(env)).toEqual([expect.stringMatching(mistake)])
  })

  it.each([
    { EPCC_BASE_URL: 'https://euwest.api.elasticpath.com' },
    { EPCC_CLIENT_ID: 'client' },
    { ...STORE, EPCC_CLIENT_ID: '' },
  ])('names what a real store lacks, and the command that sets it up: %j', (env) => {
    const read = () => readConfig(env)
    expect(read).toThrow(/EPCC_(CLIENT_ID|WEBHOOK_SECRET) is (missing|empty, which counts as unset): /)
    expect(read).toThrow(/run `npx passport-elasticpath-otp setup`/)
  })

  it('does not mention that command for other mistakes', () => {
    expect(() => readConfig({ PORT: 'http' })).toThrow(
      /^(?![^]*setup)These settings are missing or invalid:\n- PORT must be/,
    )
  })

  it('trusts proxies by number, address, network or name', () => {
    const trusted = (text: string) => readConfig({ TRUST_PROXY: text }).trustProxy
    expect(trusted('2')).toBe(2)
    expect(trusted('loopback, 10.0.0.0/8,::1')).toEqual(['loopback', '10.0.0.0/8', '::1'])
  })

  it('of a real store misses every required variable if it is a copy of .env.example', () => {
    const copy = { ...parseEnv(EXAMPLE), EPCC_CLIENT_ID: 'client' }
    expect(mistakesOf(copy).map((mistake) => mistake.split(' ')[0])).toEqual([
      'EPCC_WEBHOOK_SECRET',
      'SMTP_URL',
      'MAIL_FROM',
      'PUBLIC_URL',
      'SESSION_SECRET',
    ])
  })

  it('is documented in .env.example', () => {
    const source = readFileSync(join(__dirname, '../src/config.ts'), 'utf8')
    const documented = [...EXAMPLE.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name)
    const read = [...source.matchAll(/^ {2}([A-Z_]+): /gm)].map(([, name]) => name)
    expect(documented.sort()).toEqual(read.sort())
  })
})
