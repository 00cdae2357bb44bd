import type { Request, RequestHandler } from 'express'
import type { Departure } from '../commerce/operation'
import { readUsername } from '../credentials'
import type { Settings } from '../options'

// Answers leave on a grid of time, so that what Elastic Path takes for a username that exists, or for one that does
// not, does not show in ours. Nobody notices a quarter of a second when a mail is on its way.
const GRID = 250

export function requestOtp(
  settings: Settings,
  askForCode: (username: string | undefined, departure: Departure | undefined) => Promise<void>,
): RequestHandler {
  async function ask(req: Request): Promise<void> {
    const startedAt = performance.now()
    const username = readUsername(req.body, settings)
    await askForCode(username, req.res)
    if (username !== undefined) req.otpRequest = { username }
    const elapsed = performance.now() - startedAt
    await new Promise((resolve) => setTimeout(resolve, GRID - (elapsed % GRID)))
  }
  return (req, _res, next) => {
    ask(req).then(() => next(), next)
  }
}
