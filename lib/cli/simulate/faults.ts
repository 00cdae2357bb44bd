import type { Call, Fault } from '../../testing'
import { UsageError } from '../errors'

/** A fault, as `--fault exchange=503*3` gives it. */
export interface FaultSpec {
  readonly call: Call | 'any'
  readonly fault: Fault
  readonly times: number
}

export const CALLS = [
  'access_token',
  'exchange',
  'renewal',
  'otp_request',
  'account_settings',
  'password_profiles',
  'accounts',
  'any',
] as const satisfies readonly (Call | 'any')[]

const FAULTS = [
  'hang',
  'reset',
  'close',
  'request_timeout',
  'truncated',
  'oversized',
  'slow',
  'html',
  'malformed',
  'half_valid',
  'refused_bearer',
] as const satisfies readonly Fault[]

export const FAULT_SYNTAX = 'CALL=FAULT*TIMES'

/**
 * Reads a fault: the call, what goes wrong, and how often.
 *
 * @throws UsageError if it is not one.
 */
export function readFault(text: string): FaultSpec {
  const [, name, what, times = '1'] = /^([a-z_]+)=([\w:-]+?)(?:\*(\d{1,6}|always))?$/.exec(text) ?? []
  const call = CALLS.find((known) => known === name)
  if (call === undefined || what === undefined) {
    throw new UsageError(
      `--fault must be ${FAULT_SYNTAX}, such as exchange=503*3, not "${text}".`,
      `The calls are ${CALLS.join(', ')}.`,
    )
  }
  const count = times === 'always' ? Infinity : Number(times)
  if (count < 1) throw new UsageError(`--fault must apply to one request or more, not to ${times}.`)
  return { call, fault: readKind(what), times: count }
}

function readKind(what: string): Fault {
  const known = FAULTS.find((fault) => fault === what)
  if (known !== undefined) return known
  if (what === 'rate_limited') return { rateLimited: undefined }
  if (/^[45]\d\d$/.test(what)) return { status: Number(what) }
  const [, kind, number] = /^(delay|rate_limited):(\d{1,6})$/.exec(what) ?? []
  if (kind === 'delay') return { delay: Number(number) }
  if (kind === 'rate_limited') return { rateLimited: Number(number) }
  throw new UsageError(
    `There is no fault "${what}".`,
    `Use a status from 400 to 599, delay:MILLISECONDS, rate_limited:SECONDS, or one of ${FAULTS.join(', ')}.`,
  )
}
