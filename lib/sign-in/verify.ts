import type { Request } from 'express'
import { isThenable, type Operation } from './commerce/operation'
import type { PasswordlessOtpUser } from './user'

/**
 * Ends a verify function: `done(err)` is an error, `done(null, false, info)` fails the sign-in, and
 * `done(null, user, info)` signs the app's own user in. `info` replaces the SignInInfo on `req.authInfo`.
 */
export type VerifyDone = (error: unknown, user?: Express.User | false | null, info?: object | string) => void

/**
 * What a verify function answers with where it does not call `done`: the app's user, or a promise of it. A falsy one
 * fails the sign-in.
 */
export type VerifyResult = Express.User | false | null | undefined | void

/**
 * Turns the signed-in user into the app's own, or refuses it. What it throws or rejects with goes to `next(err)` as it
 * is; its time counts as part of the option `timeout`. To go on using the handlers and the serializers, keep the
 * user's own fields.
 *
 * @example
 * ```ts
 * new PasswordlessOtpStrategy({ clientId }, async (user) => ({ ...user, role: await roleOf(user.accountMemberId) }))
 * ```
 */
export type VerifyFunction = (
  user: PasswordlessOtpUser,
  done: VerifyDone,
) => VerifyResult | Promise<VerifyResult>

/** A {@link VerifyFunction} that gets the request first: with the option `passReqToCallback`. */
export type VerifyFunctionWithRequest = (
  req: Request,
  user: PasswordlessOtpUser,
  done: VerifyDone,
) => VerifyResult | Promise<VerifyResult>

export type AnyVerify = (...args: unknown[]) => unknown

export interface Verdict {
  user: unknown
  info?: object | string | undefined
}

/** Asks the app's verify function, in whichever of its forms it answers. The first answer counts. */
export function askVerify(verify: AnyVerify, args: unknown[], operation: Operation): Promise<Verdict> {
  const takesDone = verify.length > args.length
  const verdict = new Promise<Verdict>((resolve, reject) => {
    function done(error: unknown, user?: unknown, info?: object | string): void {
      // What an app passes to done goes on to next() as it is, an Error or not.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      if (error) reject(error)
      else resolve({ user, info })
    }
    const answer = verify(...args, done)
    if (isThenable(answer)) {
      // One that takes `done` may call it after its promise of nothing. One that does not has answered with nothing.
      Promise.resolve(answer).then((user) => {
        if (user !== undefined || !takesDone) resolve({ user })
      }, reject)
    } else if (verify.length > 0 && !takesDone) {
      resolve({ user: answer })
    }
    // What else a function that takes `done` returns, a timer or a query, is not a user.
  })
  return operation.raceApp('verify', verdict)
}
