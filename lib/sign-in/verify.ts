import type { Request } from 'express'
import type { Context } from '../context'
import { isThenable } from '../errors'
import { at } from '../json'
import type { Settings } from '../options'
import type { PasswordlessOtpUser } from '../user'

/**
 * Ends a verify function: `done(err)` is an error, `done(null, false, info)` refuses the user, and
 * `done(null, user, info)` accepts the app's own user. At a sign-in, `info` replaces the `SignInInfo` on `req.authInfo`.
 */
export type VerifyDone = (error: unknown, user?: Express.User | false | null, info?: object | string) => void

/** What a verify function without `done` returns: the app's user, or a promise of it. A falsy value refuses the user. */
export type VerifyResult = Express.User | false | null | undefined | void

/**
 * Turns the signed-in user into the app's own, or refuses it. It is called at the sign-in, at every switch of the account
 * and at every renewal by `keepFresh`. An error goes to `next(err)` unchanged. Its time counts towards `timeout`. Keep the
 * user's own fields on the user that it returns.
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

/** A {@link VerifyFunction} that receives the request first, with the option `passReqToCallback`. */
export type VerifyFunctionWithRequest = (
  req: Request,
  user: PasswordlessOtpUser,
  done: VerifyDone,
) => VerifyResult | Promise<VerifyResult>

export type AnyVerify = (...args: unknown[]) => unknown

/** What verify decided. A falsy user is refused. */
export interface Verdict {
  user: unknown
  info?: object | string | undefined
}

/**
 * Calls the app's verify function. Its parameters tell how it decides:
 * - it declares `done`: by `done`, a throw or a rejection, never by what it returns or resolves to;
 * - it declares no `done`: by what it returns or resolves to;
 * - its parameters are unknown (length 0, or rest parameters): by `done`, or by a promise of a user, false or null.
 */
export function askVerify(
  verify: AnyVerify,
  { passReqToCallback }: Settings,
  req: Request,
  user: PasswordlessOtpUser,
  context: Context,
): Promise<Verdict> {
  const args = passReqToCallback ? [req, user] : [user]
  const isUnknown = verify.length === 0 || hasRestParameters(verify)
  const takesDone = verify.length > args.length

  return context.callApp(
    'verify',
    () =>
      new Promise<Verdict>((resolve, reject) => {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the app's error is passed on as it is
        const fail = (error: unknown): void => reject(error)
        const returned = verify(...args, (error: unknown, decided?: unknown, info?: object | string) => {
          if (error) fail(error)
          else resolve({ user: decided, info })
        })
        if (!isThenable(returned)) {
          if (!isUnknown && !takesDone) resolve({ user: returned })
        } else if (takesDone) {
          returned.then(undefined, fail)
        } else {
          returned.then((resolved) => {
            if (!isUnknown) resolve({ user: resolved })
            else if (resolved === false || resolved === null) resolve({ user: false })
            else if (at(resolved, 'accountMemberId') === user.accountMemberId) resolve({ user: resolved })
            // Nest's mixin calls done and returns a promise of undefined.
            else if (resolved !== undefined) fail(new TypeError(UNCLEAR))
          }, fail)
        }
      }),
  )
}

const UNCLEAR =
  'verify returned a promise of something that is not a user. Declare its parameters so that it is clear how it ' +
  'decides: `(user) => …` returns the user, `(user, done) => …` calls done.'

// A function does not count its rest parameters, so its length cannot tell whether it takes `done`.
function hasRestParameters(verify: AnyVerify): boolean {
  const parameters = /^(?:async\s*)?(?:function\s*)?[\w$]*\s*\(([^)]*)\)/.exec(
    Function.prototype.toString.call(verify),
  )
  return parameters?.[1]?.includes('...') ?? false
}
