import type { RequestHandler } from 'express'
import type { Logger } from 'pino'
import { pinoHttp } from 'pino-http'

/** Logs method, path, status and duration. Queries, headers and bodies are left out, because they can hold secrets. */
export function logRequests(logger: Logger): RequestHandler {
  return pinoHttp({
    logger,
    autoLogging: {
      ignore: ({ url }) => url === '/healthz' || url === '/readyz' || url.startsWith('/assets/'),
    },
    serializers: {
      req: ({ id, method, url }: { id: unknown; method: string; url: string }) => ({
        id,
        method,
        path: url.split('?')[0],
      }),
      res: ({ statusCode }: { statusCode: number }) => ({ statusCode }),
    },
  })
}
