import { randomUUID } from 'node:crypto'
import { ElasticPathSimulator, type MemberSeed } from 'passport-elasticpath-otp/testing'
import { readConfig } from '../../src/config'
import { DEMO_PRODUCTS, DEMO_SHOPPERS } from '../../src/demo'
import { openShop, type Overrides } from '../../src/start'
import { createMemoryStorage } from '../../src/storage/memory'
import type { Storage } from '../../src/storage/storage'
import './clock'
import { TestLog } from './log'

export const ADA = 'ada@example.com'
export const GRACE = 'grace@example.com'
/** Belongs to no company. */
export const NEMO = 'nemo@example.com'

export interface TestShop {
  url: string
  store: ElasticPathSimulator
  storage: Storage
  log: TestLog
  /** Resolves when every code that was requested is in the mailbox page, or sent. */
  delivered(): Promise<void>
  close(): Promise<void>
}

type Env = Record<string, string>

/** The demo shop on a free port, with limits by IP address that tests do not reach. */
export async function openDemo(env: Env = {}, overrides: Overrides = {}): Promise<TestShop> {
  const { log, storage } = { log: new TestLog(), storage: createMemoryStorage() }
  const config = readConfig({ PORT: '0', SIGN_INS_PER_ADDRESS: '100000', ...env })
  const shop = await openShop(config, log.logger, { storage, uniformResponseTime: 0, ...overrides })
  if (!shop.simulator) throw new Error('The demo has a simulator')
  shop.simulator.addMember({ username: NEMO, accounts: 0 })
  return testShop(shop, shop.simulator, storage, log)
}

export const WEBHOOK_SECRET = 'a-webhook-secret-of-tests'

/** The environment of a shop on a real store. The store is a simulator that the test owns. */
export function storeEnv(store: ElasticPathSimulator, env: Env = {}): Env {
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

export function startStore(
  members: readonly MemberSeed[] = DEMO_SHOPPERS,
  accountTokenLifetime?: number,
): Promise<ElasticPathSimulator> {
  return ElasticPathSimulator.start({
    members,
    products: DEMO_PRODUCTS,
    currency: 'GBP',
    ...(accountTokenLifetime !== undefined && { accountTokenLifetime }),
  })
}

/** A shop on a store of the test's. Closing it stops the store. */
export async function openOn(store: ElasticPathSimulator, env: Env = {}): Promise<TestShop> {
  const { log, storage } = { log: new TestLog(), storage: createMemoryStorage() }
  const shop = await openShop(readConfig(storeEnv(store, env)), log.logger, {
    storage,
    uniformResponseTime: 0,
  })
  const opened = testShop(shop, store, storage, log)
  store.deliverTo({ url: `${opened.url}/webhooks/otp`, secretKey: WEBHOOK_SECRET, retryDelay: 1 })
  return opened
}

function testShop(
  shop: Awaited<ReturnType<typeof openShop>>,
  store: ElasticPathSimulator,
  storage: Storage,
  log: TestLog,
): TestShop {
  const sent = () => log.answered('/webhooks/otp').filter(({ res }) => res?.statusCode === 204).length
  return {
    url: `http://localhost:${shop.port}`,
    store,
    storage,
    log,
    delivered: () => log.until(() => sent() >= store.mailbox.length),
    async close() {
      await shop.close()
      await store.stop()
    },
  }
}

/** Runs a test on a shop of its own. */
export async function withShop(opened: Promise<TestShop>, test: (shop: TestShop) => Promise<void>) {
  const shop = await opened
  try {
    await test(shop)
  } finally {
    await shop.close()
  }
}

/** The event of a code, as Elastic Path delivers it. */
export function codeEvent(
  { passwordProfileId, realmId }: Pick<ElasticPathSimulator, 'passwordProfileId' | 'realmId'>,
  email: string,
  { username = email, name = 'Somebody' } = {},
) {
  return {
    id: randomUUID(),
    triggered_by: 'one-time-password-token-request.created',
    attempt: 1,
    payload: {
      one_time_password_token: 'abc123',
      authentication_realm_id: realmId,
      password_profile_id: passwordProfileId,
      purpose: 'passwordless_authentication',
      created_at: new Date().toISOString(),
      user_authentication_info: { email, id: randomUUID(), name },
      user_authentication_password_profile_info: { username, password_profile_id: passwordProfileId },
    },
  }
}

let members = 0
/** A member that no other test uses. */
export function newMember(shop: TestShop, accounts: MemberSeed['accounts'] = 1): string {
  const username = `member-${++members}@example.com`
  shop.store.addMember({ username, accounts })
  return username
}
