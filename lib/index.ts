/**
 * The strategy, the webhook, and their types. What Elastic Path Commerce itself does is on the page
 * [What Elastic Path really does](../elastic-path-facts.md).
 *
 * {@link PasswordlessOtpStrategy.requestOtp} sets `req.otpRequest`, `{ username }`, on an Express request.
 *
 * @module passport-elasticpath-otp
 */
export { PasswordlessOtpStrategy, PasswordlessOtpStrategy as Strategy } from './strategy'
export { otpWebhook, type OtpDelivery, type OtpWebhookOptions } from './express/otp-webhook'
export { ElasticPathError, type ElasticPathErrorCode, type FailureCode, type FailureInfo } from './errors'
export { ACCOUNT_TOKEN_HEADER, type AccountSummary, type AccountToken, type HeldToken } from './token'
export type { AccountSelector, OtpLimiter, PasswordlessOtpStrategyOptions } from './options'
export type { PasswordlessOtpUser, SignInInfo } from './user'
export type { VerifyDone, VerifyFunction, VerifyFunctionWithRequest, VerifyResult } from './sign-in/verify'
export type { KeepFreshOptions } from './express/keep-fresh'
export type { DeliveryCode, DiagnosticMessage, WarningCode } from './diagnostics'
