import { Router } from 'express'
import type { PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import type { Storage } from '../storage/storage'

interface OperationOptions {
  strategy: PasswordlessOtpStrategy
  storage: Storage
  closing: () => boolean
}

/** Probes: whether the process is alive, and whether it should get requests. */
export function operationRoutes({ strategy, storage, closing }: OperationOptions): Router {
  return Router()
    .get('/healthz', (_req, res) => {
      res.json({ status: 'ok' })
    })
    .get('/readyz', async (req, res) => {
      const commerce = await strategy.ready().then(
        () => true,
        (error: unknown) => (req.log.warn({ err: error }, 'Elastic Path is not ready'), false),
      )
      const checks = { commerce, storage: storage.available(), open: !closing() }
      const ready = Object.values(checks).every(Boolean)
      res.status(ready ? 200 : 503).json({ ready, checks })
    })
}
