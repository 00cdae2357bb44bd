import type { Request } from 'express'
import defaultPassport from 'passport'

/** The app's own serializers: what `passport.serializeUser` and `passport.deserializeUser` registered. */
export interface SessionSerializer {
  serialize(user: unknown, req: Request): Promise<unknown>
  deserialize(stored: unknown, req: Request): Promise<unknown>
}

type Done = (error: unknown, result?: unknown) => void

/** The part of a Passport instance that runs serializers; its types declare only the part that registers them. */
interface Runner {
  serializeUser(user: unknown, req: Request, done: Done): void
  deserializeUser(stored: unknown, req: Request, done: Done): void
  _sm?: unknown
}

interface PassportHost {
  /** Set by `passport.initialize()`. */
  _passport?: { instance?: Runner }
  /** Set by `passport.initialize()` and by `passport.session()`. */
  _sessionManager?: unknown
}

/** The serializers of the Passport instance that handles a request; undefined if the instance is not known. */
export function passportOf(req: Request): SessionSerializer | undefined {
  const host = req as unknown as PassportHost
  const standard = defaultPassport as unknown as Runner
  const instance = host._passport?.instance ?? (host._sessionManager === standard._sm ? standard : undefined)
  if (!instance || host._sessionManager === undefined) return undefined
  return {
    serialize: (user, req) => call((done) => instance.serializeUser(user, req, done)),
    deserialize: (stored, req) => call((done) => instance.deserializeUser(stored, req, done)),
  }
}

function call(run: (done: Done) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    run((error, result) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the app's error is passed on as it is
      if (error) reject(error)
      else resolve(result)
    })
  })
}
