/**
 * The strategy, the webhook, and their types. What Elastic Path Commerce itself does, and from where that is known, is
 * on the page [What Elastic Path really does](../elastic-path-facts.md).
 *
 * An Express request has `req.otpRequest`, `{ username }`, after {@link PasswordlessOtpStrategy.requestOtp}.
 *
 * @module passport-elasticpath-otp
 */
export { PasswordlessOtpStrategy, PasswordlessOtpStrategy as Strategy } from './strategy'
export { otpWebhook, type OtpDelivery, type OtpWebhookOptions } from './handlers/otp-webhook'
export { ElasticPathError, type ElasticPathErrorCode } from './errors'
export { ACCOUNT_TOKEN_HEADER } from './user'
export type { AccountSelector, OtpLimiter, PasswordlessOtpStrategyOptions } from './options'
export type { AccountSummary, AccountToken, HeldToken, PasswordlessOtpUser, SignInInfo } from './user'
export type { FailureCode, FailureInfo } from './failures'
export type { VerifyDone, VerifyFunction, VerifyFunctionWithRequest, VerifyResult } from './verify'
export type { KeepFreshOptions } from './handlers/keep-fresh'
export type { DeliveryCode, DiagnosticMessage } from './diagnostics'
