import { readFileSync } from 'node:fs'
import { join } from 'node:path'
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

function mistakesOf(env: Record<string, string>): string[] {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes
    throw error
  }
  return []
}

describe('the configuration', () => {
  it('needs nothing: the demo, on this machine only', () => {
    const { store, host, port, logLevel } = readConfig({})
    expect({ store, host, port, logLevel }).toEqual({
      store: undefined,
      host: '127.0.0.1',
      port: 3000,
      logLevel: 'warn',
    })
  })

  it('is a real store with six variables more', () => {
    expect(readConfig(STORE)).toMatchObject({
      trustProxy: 1,
      logLevel: 'info',
      store: { clientId: 'client', baseUrl: new URL('https://useast.api.elasticpath.com') },
    })
    expect(readConfig(STORE).host).toBeUndefined()
  })

  it('names every mistake at once', () => {
    const mistakes = mistakesOf({
      PORT: 'http',
      PUBLIC_URL: 'shop.example.com',
      TRUST_PROXY: 'true',
      SESSION_SECRET: 'short',
      REDIS_URL: 'localhost',
      SMTP_URL: 'mail',
      MAIL_FROM: 'nobody',
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
      'SIGN_INS_PER_ADDRESS',
      'LOG_LEVEL',
      'EPCC_BASE_URL',
      'EPCC_PASSWORD_PROFILE_ID',
      'EPCC_WEBHOOK_SECRET',
    ])
  })

  it.each([
    ['a store without mail', { ...STORE, SMTP_URL: '' }, /^SMTP_URL is missing/],
    [
      'a store without a webhook secret',
      { ...STORE, EPCC_WEBHOOK_SECRET: ' ' },
      /^EPCC_WEBHOOK_SECRET is missing/,
    ],
    ['a store without a sender', { ...STORE, MAIL_FROM: '' }, /^MAIL_FROM is missing/],
    ['a sender that is no address', { ...STORE, MAIL_FROM: '@' }, /^MAIL_FROM must hold an address$/],
    [
      'a webhook secret that no header carries',
      { ...STORE, EPCC_WEBHOOK_SECRET: 'ü'.repeat(16) },
      /^EPCC_WEBHOOK_SECRET must be of ASCII/,
    ],
    [
      'a real store in the open',
      { ...STORE, PUBLIC_URL: 'http://shop.example.com' },
      /^PUBLIC_URL must be https/,
    ],
    [
      'a shop below a path',
      { ...STORE, PUBLIC_URL: 'https://example.com/shop' },
      /^PUBLIC_URL must have no path$/,
    ],
    [
      'Commerce in the open',
      { ...STORE, EPCC_BASE_URL: 'http://api.example.com' },
      /^EPCC_BASE_URL must be https/,
    ],
    ['https without a proxy', { ...STORE, TRUST_PROXY: '' }, /^TRUST_PROXY is missing/],
    ['https with no proxy', { ...STORE, TRUST_PROXY: '0' }, /^TRUST_PROXY must not be 0/],
    [
      'https in capitals without a proxy',
      { ...STORE, PUBLIC_URL: 'HTTPS://shop.example.com', TRUST_PROXY: '' },
      /^TRUST_PROXY is missing/,
    ],
    ['trust in everybody', { ...STORE, TRUST_PROXY: 'true' }, /^TRUST_PROXY must say which proxies/],
    [
      'trust in nobody in particular',
      { ...STORE, TRUST_PROXY: 'false' },
      /^TRUST_PROXY must say which proxies/,
    ],
    [
      'a network that is none',
      { ...STORE, TRUST_PROXY: '10.0.0.0/99' },
      /^TRUST_PROXY must say which proxies/,
    ],
    [
      'shared sessions without a shared secret',
      { REDIS_URL: 'redis://localhost' },
      /^SESSION_SECRET is missing/,
    ],
    [
      'a store that is half there',
      { EPCC_BASE_URL: 'https://euwest.api.elasticpath.com' },
      /^EPCC_BASE_URL is set, and/,
    ],
  ])('refuses %s', (_what, env, mistake) => {
    expect(mistakesOf(env)).toEqual([expect.stringMatching(mistake)])
  })

  it('trusts proxies by number, address, network or name', () => {
    const trusted = (text: string) => readConfig({ TRUST_PROXY: text }).trustProxy
    expect(trusted('2')).toBe(2)
    expect(trusted('loopback, 10.0.0.0/8,::1')).toEqual(['loopback', '10.0.0.0/8', '::1'])
  })

  it('is described in .env.example, all of it and as it is', () => {
    const example = readFileSync(join(__dirname, '../.env.example'), 'utf8')
    const source = readFileSync(join(__dirname, '../src/config.ts'), 'utf8')
    const documented = [...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name)
    const read = [...source.matchAll(/^ {2}([A-Z_]+): /gm)].map(([, name]) => name)
    expect(documented.sort()).toEqual(read.sort())
  })
})
