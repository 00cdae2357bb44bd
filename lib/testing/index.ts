/**
 * A store of Elastic Path Commerce on your own machine, to develop and test against.
 *
 * @module passport-elasticpath-otp/testing
 */
export { ElasticPathSimulator } from './simulator'
export type { CodeEvent, CodePurpose } from './codes'
export type { Fault, FaultHandle, FaultOptions } from './faults'
export type { Account, AccountList, Member } from './members'
export type { AccountSeed, Dialect, MemberSeed, PasswordProfileSeed, SimulatorOptions } from './options'
export type { Call, RecordedRequest } from './requests'
export type { WebhookTarget } from './webhook'
