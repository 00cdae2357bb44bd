/**
 * A simulator of an Elastic Path Commerce store, for development and tests.
 *
 * @module passport-elasticpath-otp/testing
 */
export { ElasticPathSimulator } from './simulator'
export type { Cart, CartItem } from './carts'
export type { Product } from './catalog'
export type { CodeEvent, CodePurpose } from './codes'
export type { RouteAnswer, RouteHandle, RouteHandler, RouteOptions, RouteRequest } from './custom-routes'
export type { SimulatorEvents } from './events'
export type { Fault, FaultHandle, FaultOptions } from './faults'
export type { Hold, HoldOptions } from './holds'
export type { Delivery, Integration } from './integrations'
export type { Account, AccountList, Member } from './members'
export type { Call, Grant, HttpMethod, RecordedRequest, RouteName } from './messages'
export type {
  AccountSeed,
  CartSeed,
  Dialect,
  IntegrationSeed,
  MemberSeed,
  OtpRequestDelay,
  PasswordProfileSeed,
  ProductSeed,
  SimulatorOptions,
  StoreSettings,
  WebhookTarget,
} from './options'
export type { Order } from './orders'
export type { RuleOptions } from './rules'
export type { PasswordProfile } from './store'
