import type { RequestHandler } from 'express'
import { outcomeOf, publish } from '../diagnostics'
import { ElasticPathError } from '../errors'
import type { Services } from '../services'
import { readUsername } from '../sign-in/credentials'
import { untilUniformTime } from '../uniform-time'
import { connectionOf, handler } from './handler'
import { saveSession, sessionOf } from './session'

export function requestOtp({ settings, codeRequests, run }: Services): RequestHandler {
  const { uniformResponseTime } = settings
  return handler(async (req) => {
    const startedAt = performance.now()
    const inTime = (): Promise<void> => untilUniformTime(startedAt, uniformResponseTime)
    try {
      await run({ name: 'code-request', connection: connectionOf(req) }, async (context) => {
        const username = readUsername(req.body, settings)
        if (username === undefined) {
          throw new ElasticPathError(
            'missing_credentials',
            req.body === undefined
              ? 'The request has no parsed body. Use express.urlencoded() or express.json() before requestOtp().'
              : 'A username is required to request a code.',
          )
        }
        const { done, joined, isNewTicket } = await codeRequests.start(username, sessionOf(req), context)
        if (isNewTicket) await saveSession(req, context)
        req.otpRequest = { username }
        const answered = context.upstream(done)
        // Without a fixed time, as in tests, the response waits for Elastic Path.
        if (uniformResponseTime === 0) return answered
        const isLate = await Promise.race([answered.then(() => false), inTime().then(() => true)])
        if (!isLate || joined) return
        done.catch((error: unknown) => {
          const { elapsed: duration } = context
          publish({ operation: 'code-request', ...outcomeOf(error), outcome: 'error', duration, calls: 0 })
        })
      })
    } finally {
      // An error must not come earlier than a success.
      await inTime()
    }
  })
}
