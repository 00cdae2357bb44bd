import { validateHeaderValue } from 'node:http'
import { checkNames, checkNumber, checkOneOf } from './checks'
import { checkRuleOptions, type RuleOptions } from './rules'

/**
 * What goes wrong with a request.
 *
 * - `hang`: the request is never answered
 * - `reset`: the connection is reset (RST)
 * - `close`: the connection is closed (FIN) without an answer
 * - `request_timeout`: 408, and the connection is closed, as load balancers do
 * - `truncated`: the true answer, cut off in the middle by the end of the connection
 * - `oversized`: a body of 64 MiB with the status of the true answer
 * - `slow`: the true answer, a byte every 100 ms
 * - `html`: a proxy's error page, 502
 * - `malformed`: the status of the true answer, with invalid JSON
 * - `half_valid`: the true answer, with one invalid value in it
 * - `refused_bearer`: 401 as for an expired access token
 * - `{ status }`: another answer
 * - `{ delay }`: the true answer, late
 * - `{ redirect }`: 307 to another URL
 * - `{ rateLimited }`: 429
 * - `{ compressed }`: the true answer, compressed although the client did not ask for it
 * - `{ realmNotFound }`: an error with the detail `the authorization realm for the token could not be found`
 */
export type Fault =
  | 'hang'
  | 'reset'
  | 'close'
  | 'request_timeout'
  | 'truncated'
  | 'oversized'
  | 'slow'
  | 'html'
  | 'malformed'
  | 'half_valid'
  | 'refused_bearer'
  | {
      /** The status of the answer. */
      status: number
      /** A string is sent as it is, anything else as JSON. From status 400 on, an error of Elastic Path by default. */
      body?: unknown
      /** The headers of the answer. */
      headers?: Record<string, string>
    }
  | {
      /** Milliseconds before the true answer, unless the client leaves before. */
      delay: number
    }
  | {
      /** The URL in `Location`. */
      redirect: string
    }
  | {
      /** Seconds in `Retry-After`. No header if undefined. */
      rateLimited: number | undefined
    }
  | {
      /** The content encoding. */
      compressed: 'gzip' | 'deflate' | 'br'
    }
  | {
      /** The status of the answer. */
      realmNotFound: number
    }

/** Which requests a fault applies to, and when. */
export interface FaultOptions extends RuleOptions {
  /**
   * Whether the request has its effect although the answer is lost: a code is used up, an item is added. With false,
   * nothing happens, except for a `delay` that the client waits for.
   *
   * @default false
   */
  afterEffect?: boolean
}

/** A handle of a fault. */
export interface FaultHandle {
  /** The number of requests that it applied to. */
  readonly hits: number
  /** Removes the fault. */
  remove(): void
}

const WORDS: readonly unknown[] = [
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
]

/** @throws TypeError for an unknown fault or option, RangeError for an impossible number */
export function checkFault(fault: Fault, options: FaultOptions): void {
  checkRuleOptions('a fault', options)
  if (typeof fault === 'string') {
    checkOneOf('A fault', fault, WORDS)
    return
  }
  checkNames('a fault', fault, KINDS)
  if ('status' in fault) {
    checkNumber('status', fault.status, 200, 599)
    for (const [name, value] of Object.entries(fault.headers ?? {})) validateHeaderValue(name, value)
  } else if ('delay' in fault) checkNumber('delay', fault.delay, 0, Number.MAX_SAFE_INTEGER)
  else if ('compressed' in fault) checkOneOf('compressed', fault.compressed, ['gzip', 'deflate', 'br'])
  else if ('realmNotFound' in fault) checkNumber('realmNotFound', fault.realmNotFound, 400, 599)
  else if (!('redirect' in fault) && !('rateLimited' in fault))
    throw new TypeError('A fault must not be empty')
}

const KINDS = {
  status: true,
  body: true,
  headers: true,
  delay: true,
  redirect: true,
  rateLimited: true,
  compressed: true,
  realmNotFound: true,
}
