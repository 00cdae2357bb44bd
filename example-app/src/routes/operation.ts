import { Router } from 'express'
import type { PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import type { Storage } from '../storage'

interface OperationOptions {
  strategy: PasswordlessOtpStrategy
  storage: Storage
  closing: () => boolean
}

/** For whoever runs the shop: is the process alive, and should it get requests? */
export function operationRoutes({ strategy, storage, closing }: OperationOptions): Router {
  return Router()
    .get('/healthz', (_req, res) => {
      res.json({ status: 'ok' })
    })
    .get('/readyz', async (req, res) => {
      const [commerce, stored] = await Promise.allSettled([strategy.ready(), storage.ready()])
      for (const check of [commerce, stored])
        if (check.status === 'rejected') req.log.warn({ err: check.reason }, 'Not ready')
      const checks = { commerce: commerce.status, storage: stored.status, closing: closing() }
      const ready = !closing() && commerce.status === 'fulfilled' && stored.status === 'fulfilled'
      res.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not ready', checks })
    })
}
