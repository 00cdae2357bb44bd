import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import type { DiagnosticMessage, PasswordlessOtpStrategyOptions } from 'passport-elasticpath-otp'
import { pino, type Logger } from 'pino'
import { createApp } from './app'
import { createStrategy } from './commerce'
import type { Config } from './config'
import { startDemoStore } from './demo'
import { createMailer } from './mail'
import { openStorage } from './storage/open'
import type { Storage } from './storage/storage'

export interface Shop {
  /** The address for shoppers. */
  url: URL
  port: number
  /** Set if there is no real store. */
  simulator?: ElasticPathSimulator
  close(): Promise<void>
}

/** For tests. */
export interface Overrides extends Partial<PasswordlessOtpStrategyOptions> {
  storage?: Storage
}

/** Milliseconds that requests in flight have when the shop closes. */
const DRAIN = 10_000

/** Starts the shop. Rejects if the port is not free; waits for Redis if there is one. */
export async function openShop(
  config: Config,
  log: Logger = createLogger(config.logLevel),
  { storage: given, ...strategyOptions }: Overrides = {},
): Promise<Shop> {
  const storage = given ?? (await openStorage(config.redisUrl, log))
  const server = createServer()
  server.listen(config.port, config.host)
  await once(server, 'listening').catch(async (error: unknown) => {
    await storage.close()
    throw error
  })
  try {
    return await serveShop(server, config, storage, log, strategyOptions)
  } catch (error) {
    // An open port would look like a shop that is alive.
    server.close()
    server.closeAllConnections()
    await storage.close()
    throw error
  }
}

async function serveShop(
  server: Server,
  config: Config,
  storage: Storage,
  log: Logger,
  strategyOptions: Overrides,
): Promise<Shop> {
  const { port } = server.address() as AddressInfo
  const local = new URL(`http://localhost:${port}`)
  const publicUrl = config.publicUrl ?? local

  const { store, simulator } = config.store
    ? { store: config.store }
    : await startDemoStore(new URL('/webhooks/otp', local))
  const { webhookSecret, ...options } = store
  const strategy = createStrategy({ ...options, ...strategyOptions }, storage)
  const mailer = createMailer({ smtpUrl: config.smtpUrl, from: config.mailFrom, publicUrl, storage, log })
  let closing = false
  // A connection that is busy when the shop closes ends after its response, not when the browser closes it.
  server.on('request', (_req, res) => {
    res.once('close', () => closing && setImmediate(() => server.closeIdleConnections()))
  })
  server.on(
    'request',
    createApp({
      config,
      publicUrl,
      webhookSecret,
      log,
      storage,
      mailer,
      strategy,
      closing: () => closing,
    }),
  )
  const logSignIns = (message: unknown) => {
    const { outcome, code, path } = message as DiagnosticMessage & { path?: string }
    // A browser that closes the connection is no error.
    const level = outcome === 'error' && code !== 'request_aborted' ? 'error' : 'info'
    const details = { ...(message as object), ...(path !== undefined && { path: withoutCart(path) }) }
    log[level](details, 'passport-elasticpath-otp')
  }
  diagnostics.subscribe('passport-elasticpath-otp', logSignIns)

  return {
    url: publicUrl,
    port,
    ...(simulator && { simulator }),
    async close() {
      if (closing) return
      closing = true
      const closed = once(server, 'close')
      server.close()
      const deadline = setTimeout(() => server.closeAllConnections(), DRAIN)
      await closed
      clearTimeout(deadline)
      diagnostics.unsubscribe('passport-elasticpath-otp', logSignIns)
      mailer.close()
      await Promise.all([strategy.close(), storage.close(), simulator?.stop()])
    },
  }
}

/** The path of a call, without the id of a cart: whoever knows it can read and change the cart. */
function withoutCart(path: string): string {
  return path.replace(/(\/carts\/)[^/]+/, '$1…')
}

/** Removes these fields from the log, should they ever be logged by mistake. */
function createLogger(level: string): Logger {
  const secrets = ['otp', 'token', 'username', 'email', 'authorization', 'cookie', 'password']
  return pino({ level, redact: secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]) })
}
