import { validateHeaderValue } from 'node:http'
import {
  checkHeaders,
  checkNames,
  checkNumber,
  checkOneOf,
  checkWholeNumber,
  LONGEST_TIMEOUT,
} from './checks'
import { checkRuleOptions, type RuleOptions } from './rules'

/**
 * A failure to simulate. "The regular response" is the one that the endpoint sends without the fault.
 *
 * - `hang`: never responds
 * - `reset`: resets the connection (RST)
 * - `close`: closes the connection (FIN) without a response
 * - `request_timeout`: returns 408 and closes the connection, as load balancers do
 * - `truncated`: closes the connection in the middle of the regular response
 * - `oversized`: returns the status of the regular response with a body of 64 MiB
 * - `slow`: sends the regular response, one byte every 100 ms
 * - `html`: returns 502 with an HTML page, as proxies do
 * - `malformed`: returns the status of the regular response with invalid JSON
 * - `half_valid`: sends the regular response with one invalid value
 * - `refused_bearer`: returns 401, as Elastic Path does if the access token expired
 * - `{ status }`: returns the given response
 * - `{ delay }`: sends the regular response after a delay
 * - `{ redirect }`: returns 307, a redirect to another URL
 * - `{ rateLimited }`: returns 429
 * - `{ compressed }`: compresses the regular response, although the client did not ask for it
 * - `{ realmNotFound }`: returns an error with the detail `the authorization realm for the token could not be found`
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
      /**
       * The body. A string is sent unchanged, any other value as JSON. By default, an error in Elastic Path's format
       * if the status is 400 or more, otherwise no body.
       */
      body?: unknown
      /** Additional response headers. */
      headers?: Record<string, string>
    }
  | {
      /**
       * The delay in milliseconds, at most 2,147,483,647. If the client disconnects earlier, the request has no effect.
       */
      delay: number
    }
  | {
      /** The URL for the header `Location`. */
      redirect: string
    }
  | {
      /** Seconds for the header `Retry-After`. The header is left out if this is undefined. */
      rateLimited: number | undefined
    }
  | {
      /** The content encoding of the response. */
      compressed: 'gzip' | 'deflate' | 'br'
    }
  | {
      /** The status of the answer. */
      realmNotFound: number
    }

/** Options of a fault. */
export interface FaultOptions extends RuleOptions {
  /**
   * Whether the request has its effect although the client does not get the response. For example, a code is used up
   * or an item is added. If false, only a request with a `delay` has an effect, and only if the client waits for it.
   *
   * @default false
   */
  afterEffect?: boolean
}

/** A handle that counts the requests of a fault and removes it. */
export interface FaultHandle {
  /** The number of requests that failed because of the fault. */
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

/** @throws TypeError if the fault or an option is unknown; RangeError if a number is out of range */
export function checkFault(fault: Fault, options: FaultOptions): void {
  checkRuleOptions('a fault', options)
  if (typeof fault === 'string') {
    checkOneOf('A fault', fault, WORDS)
    return
  }
  checkKind(fault)
  if ('status' in fault) {
    checkWholeNumber('status', fault.status, 200, 599)
    checkHeaders(fault.headers)
  } else if ('delay' in fault) checkNumber('delay', fault.delay, 0, LONGEST_TIMEOUT)
  else if ('compressed' in fault) checkOneOf('compressed', fault.compressed, ['gzip', 'deflate', 'br'])
  else if ('realmNotFound' in fault) checkWholeNumber('realmNotFound', fault.realmNotFound, 400, 599)
  else if ('rateLimited' in fault && fault.rateLimited !== undefined)
    checkNumber('rateLimited', fault.rateLimited, 0, Number.MAX_SAFE_INTEGER)
  else if ('redirect' in fault) validateHeaderValue('redirect', fault.redirect)
}

/**
 * Checks that a fault is of exactly one kind. Otherwise, one of them would be ignored.
 *
 * @throws TypeError if it is not, or if a property is unknown or belongs to another kind
 */
function checkKind(fault: object): void {
  checkNames('a fault', fault, { ...KINDS, ...OF_STATUS })
  const names = Object.keys(fault)
  const kinds = names.filter((name) => Object.hasOwn(KINDS, name))
  if (kinds.length !== 1)
    throw new TypeError(`A fault must have exactly one of these properties: ${Object.keys(KINDS).join(', ')}`)
  if (names.length > 1 && kinds[0] !== 'status')
    throw new TypeError('Only a fault with a status can have a body and headers')
}

const OF_STATUS = { body: true, headers: true }
const KINDS = {
  status: true,
  delay: true,
  redirect: true,
  rateLimited: true,
  compressed: true,
  realmNotFound: true,
}
