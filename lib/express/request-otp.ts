import type { RequestHandler } from 'express'
import type { Departure } from '../commerce/operation'
import { readUsername } from '../credentials'
import type { Settings } from '../options'
import { handlerOf } from './handler'

// Answers leave on a grid of time, so that what Elastic Path takes for a username that exists, or for one that does
// not, does not show in ours. Nobody notices a quarter of a second when a mail is on its way.
const GRID = 250

export function requestOtp(
  settings: Settings,
  askForCode: (read: () => string | undefined, departure: Departure | undefined) => Promise<string>,
): RequestHandler {
  return handlerOf(async (req) => {
    const startedAt = performance.now()
    const username = await askForCode(() => readUsername(req.body, settings), req.res)
    req.otpRequest = { username }
    const elapsed = performance.now() - startedAt
    await new Promise((resolve) => setTimeout(resolve, GRID - (elapsed % GRID)))
  })
}
