import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, readConfig } from '../src/config'

const STORE = {
  EPCC_CLIENT_ID: 'client',
  EPCC_WEBHOOK_SECRET: 'w'.repeat(16),
  SMTP_URL: 'smtp://localhost:25',
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

  it('is a real store with five variables more', () => {
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
    ['https without a proxy', { ...STORE, TRUST_PROXY: '' }, /^TRUST_PROXY is missing/],
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

  it('is described in .env.example, all of it and as it is', () => {
    const example = readFileSync(join(__dirname, '../.env.example'), 'utf8')
    const source = readFileSync(join(__dirname, '../src/config.ts'), 'utf8')
    const documented = [...example.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name)
    const read = [...source.matchAll(/^ {2}([A-Z_]+): /gm)].map(([, name]) => name)
    expect(documented.sort()).toEqual(read.sort())
  })
})
