import { randomUUID } from 'node:crypto'
import { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import { pino, type Logger } from 'pino'
import { readConfig } from '../../src/config'
import { DEMO_SHOPPERS } from '../../src/demo'
import { openShop } from '../../src/start'

export const ADA = 'ada@example.com'
export const GRACE = 'grace@example.com'
/** Belongs to no company. */
export const NEMO = 'nemo@example.com'

export interface TestShop {
  url: string
  store: ElasticPathSimulator
  close(): Promise<void>
}

/** The demo shop on a free port, with limits by address that tests do not reach. */
export async function openDemo(env: Record<string, string> = {}): Promise<TestShop> {
  const shop = await openShop(readConfig({ PORT: '0', SIGN_INS_PER_ADDRESS: '100000', ...env }), SILENT)
  if (!shop.simulator) throw new Error('The demo has a simulator')
  shop.simulator.addMember({ username: NEMO, accounts: 0 })
  return { url: `http://localhost:${shop.port}`, store: shop.simulator, close: () => shop.close() }
}

export const WEBHOOK_SECRET = 'a-webhook-secret-of-tests'
const SILENT = pino({ level: 'silent' })

/** The environment of a shop on a real store; the store is a simulator that the test owns. */
export function storeEnv(
  store: ElasticPathSimulator,
  env: Record<string, string> = {},
): Record<string, string> {
  return {
    PORT: '0',
    PUBLIC_URL: 'http://localhost:3000',
    SESSION_SECRET: 'a-session-secret-that-is-long-enough',
    SIGN_INS_PER_ADDRESS: '100000',
    SMTP_URL: 'smtp://127.0.0.1:9',
    MAIL_FROM: 'Northquay <shop@example.com>',
    EPCC_CLIENT_ID: store.clientId,
    EPCC_BASE_URL: store.url,
    EPCC_WEBHOOK_SECRET: WEBHOOK_SECRET,
    ...env,
  }
}

export function startStore(): Promise<ElasticPathSimulator> {
  return ElasticPathSimulator.start({ members: DEMO_SHOPPERS })
}

/** A shop on a store of the test's, which delivers its codes there. It listens at a free port, whatever its public URL. */
export async function openOn(
  store: ElasticPathSimulator,
  env: Record<string, string> = {},
  log: Logger = SILENT,
): Promise<TestShop> {
  const shop = await openShop(readConfig(storeEnv(store, env)), log)
  const url = `http://localhost:${shop.port}`
  store.deliverTo({ url: `${url}/webhooks/otp`, secretKey: WEBHOOK_SECRET, retryDelay: 20 })
  return { url, store, close: () => shop.close() }
}

/** The event of a code, as Commerce delivers it. */
export function codeEvent(email: string) {
  return {
    id: randomUUID(),
    triggered_by: 'one-time-password-token-request.created',
    attempt: 1,
    payload: {
      one_time_password_token: 'abc123',
      password_profile_id: randomUUID(),
      purpose: 'passwordless_authentication',
      created_at: new Date().toISOString(),
      user_authentication_info: { email, id: randomUUID(), name: 'Somebody' },
      user_authentication_password_profile_info: { username: email },
    },
  }
}

const now = Date.now.bind(Date)
let ahead = 0

/** Moves the clock of this process, and with it those of the shop and of the store. */
export function moveClock(seconds: number): void {
  ahead += seconds * 1000
  Date.now = () => now() + ahead
}

/** Waits until there is something; the test's own timeout ends it. */
export async function eventually<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
