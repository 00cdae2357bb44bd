import express, { type Request } from 'express'
import session from 'express-session'
import passport from 'passport'
import * as all from 'passport-elasticpath-otp'
import {
  ACCOUNT_TOKEN_HEADER,
  ElasticPathError,
  PasswordlessOtpStrategy,
  Strategy,
  otpWebhook,
  type AccountSelector,
  type AccountSummary,
  type AccountToken,
  type DeliveryCode,
  type DiagnosticMessage,
  type ElasticPathErrorCode,
  type FailureCode,
  type FailureInfo,
  type HeldToken,
  type KeepFreshOptions,
  type OtpDelivery,
  type OtpLimiter,
  type OtpWebhookOptions,
  type PasswordlessOtpStrategyOptions,
  type PasswordlessOtpUser,
  type SignInInfo,
  type VerifyDone,
  type VerifyFunction,
  type VerifyFunctionWithRequest,
  type VerifyResult,
  type WarningCode,
} from 'passport-elasticpath-otp'
import { ElasticPathSimulator, type SimulatorOptions } from 'passport-elasticpath-otp/testing'

declare global {
  namespace Express {
    interface User extends PasswordlessOtpUser {}
  }
}

// The README's sample, without casts.
const options: PasswordlessOtpStrategyOptions = {
  clientId: 'id',
  baseUrl: new URL('https://shop.example.com'),
}
const strategy = new PasswordlessOtpStrategy(options)
passport.use(strategy)
passport.serializeUser(strategy.serializeUser)
passport.deserializeUser(strategy.deserializeUser)

const app = express()
const deliver = ({ email, otp, expires }: OtpDelivery): string => email + otp + expires
app.post('/webhooks/otp', otpWebhook({ strategy, secretKey: 'key', deliver }))
app.use(session({ secret: 'secret', resave: false, saveUninitialized: false }))
app.use(passport.session())
app.use(strategy.keepFresh({ within: 60 }))
app.post('/login/code', strategy.requestOtp(), (req, res) => {
  const username: string | undefined = req.otpRequest?.username
  res.send(username)
})
app.post(
  '/login',
  passport.authenticate(strategy.name, { successRedirect: '/', failureRedirect: '/login/verify' }),
)
app.post('/accounts/switch', strategy.switchAccount(), (req, res) => res.redirect('/'))
export const asAccount = (req: Request): Promise<globalThis.Response> =>
  strategy.fetchAs(req.user)('/v2/carts')
export const header: string = ACCOUNT_TOKEN_HEADER

// Each form of verify.
export const ways = [
  new Strategy({ clientId: 'id', selectAccount: 'sole' }, (user) => Promise.resolve(user)),
  new Strategy({ clientId: 'id' }, (user, done) => done(null, user)),
  new Strategy({ clientId: 'id', passReqToCallback: true }, (req, user, done) =>
    done(null, req.ip ? user : false),
  ),
  new Strategy({ clientId: 'id', selectAccount: (accounts: AccountSummary[]) => accounts.at(-1)?.id }),
]
// @ts-expect-error -- a misspelt option
export const misspelt = new Strategy({ clientID: 'id' })
// @ts-expect-error -- an invalid value
export const nonsense = new Strategy({ clientId: 'id', selectAccount: 'last' })

export async function elsewhere(user: PasswordlessOtpUser): Promise<number | undefined> {
  try {
    const { accounts, total } = await strategy.listAccounts(user, { limit: 50 })
    const other = await strategy.selectAccount({ ...user, role: 'buyer' }, accounts[0]?.id ?? '')
    return other.role.length + total
  } catch (error) {
    if (error instanceof ElasticPathError && error.code === 'account_not_found') return error.retryAfter
    throw error
  }
}

const store: SimulatorOptions = { members: [{ username: 'ada@example.com', accounts: 2 }] }
export async function simulated(): Promise<string> {
  await using simulator = await ElasticPathSimulator.start(store)
  simulator.fault('exchange', { status: 503 })
  return simulator.issueCode('ada@example.com')
}

// The types list all exported names. An additional name would be an additional key here.
type Names =
  | 'ACCOUNT_TOKEN_HEADER'
  | 'ElasticPathError'
  | 'PasswordlessOtpStrategy'
  | 'Strategy'
  | 'otpWebhook'
  | 'default'
type Others = Exclude<keyof typeof all, Names>
export const noOthers: Others extends never ? true : false = true

/** All public types. None of them is `any`. */
type Known<T> = 0 extends 1 & T ? never : T
export type Types = [
  Known<AccountSelector>,
  Known<AccountToken>,
  Known<DeliveryCode>,
  Known<DiagnosticMessage>,
  Known<ElasticPathErrorCode>,
  Known<FailureCode>,
  Known<FailureInfo>,
  Known<HeldToken>,
  Known<KeepFreshOptions>,
  Known<OtpLimiter>,
  Known<OtpWebhookOptions>,
  Known<SignInInfo>,
  Known<VerifyDone>,
  Known<VerifyFunction>,
  Known<VerifyFunctionWithRequest>,
  Known<VerifyResult>,
  Known<WarningCode>,
]
