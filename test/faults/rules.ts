import type { Call, Fault } from '../../lib/testing'

/** The calls to Elastic Path that the strategy makes. */
export const CALLS = [
  'access_token',
  'account_settings',
  'password_profiles',
  'exchange',
  'renewal',
  'otp_request',
] as const satisfies readonly Call[]
export type Struck = (typeof CALLS)[number]

/** These are made once for all who wait for them; the others for one shopper each. */
export const isShared = (call: Struck): boolean =>
  call === 'access_token' || call === 'account_settings' || call === 'password_profiles'

/** A code is spent by the one, and made by the other. All other calls may be made twice without harm. */
export const hasEffect = (call: Struck): boolean => call === 'exchange' || call === 'otp_request'

/** By what a shop's shoppers come to Elastic Path, and which calls that makes. */
const DISCOVERY = ['access_token', 'account_settings', 'password_profiles'] as const
const DOORS = {
  'sign-in': [...DISCOVERY, 'exchange'],
  'sign-in with a wrong code': [...DISCOVERY, 'exchange'],
  'sign-in to an account of a later page': [...DISCOVERY, 'exchange', 'renewal'],
  requestOtp: [...DISCOVERY, 'otp_request'],
  createOtpRequest: [...DISCOVERY, 'otp_request'],
  switchAccount: ['access_token', 'renewal'],
  keepFresh: ['access_token', 'renewal'],
  listAccounts: ['access_token', 'renewal'],
  renewAccount: ['access_token', 'renewal'],
  ready: DISCOVERY,
} as const satisfies Record<string, readonly Struck[]>
export type Door = keyof typeof DOORS
export const ALL_DOORS = Object.keys(DOORS) as Door[]

export const makes = (door: Door, call: Struck): boolean => (DOORS[door] as readonly Struck[]).includes(call)

/** What a fault comes down to, whoever meets it. */
type Meaning =
  | 'none'
  | 'no answer in time'
  | 'no connection'
  | 'nonsense'
  | 'an outage'
  | 'over the limit'
  | 'a refused bearer'
  | { refusal: number }
  | 'a refused username or code'

/** What each meaning is answered with: the table "Who decides what" of the design. */
const ANSWERS = {
  'no answer in time': '504 timeout',
  'no connection': '502 unreachable',
  nonsense: '502 bad_answer',
  'an outage': '502 upstream_error',
  'over the limit': '503 rate_limited',
  'a refused bearer': '500 access_token_refused',
} as const
const WRONG_CODE = '401 invalid_credentials'
export const WORKS = 'works'
export const OLD_TOKEN = 'works, with the old token'

export interface NamedFault {
  /** As the page has it. */
  name: string
  fault: Fault | ((secret: string) => Fault)
  /** What it comes down to where it strikes always, and where it strikes once. */
  always: Meaning
  once?: Meaning
  /** The strategy's `timeout`, in ms, where it matters. */
  timeout?: number
  /** The connection that it breaks has not been used before. */
  cold?: true
}

const HTML = '<!doctype html><title>Please sign in to the network</title>'
const page = (status: number): Fault => ({ status, body: HTML, headers: { 'content-type': 'text/html' } })
const complaint = (field: string): Fault => ({
  status: 422,
  body: {
    errors: [
      {
        status: '422',
        title: 'Unprocessable Entity',
        detail: `Validation failed: field '${field}' on the 'cannot_be_empty' tag.`,
      },
    ],
  },
})
const quote = (status: number) => (secret: string) => ({
  status,
  body: { errors: [{ status: String(status), title: secret, detail: `Not known: ${secret}` }] },
})

const SHORT = 1900
const STATUSES = [400, 401, 403, 404, 409, 418, 422, 500, 503]

function meaningOf(status: number, inWords: boolean): Meaning {
  if (status >= 500) return 'an outage'
  // These blame the shopper or the bearer: not without saying so (facts 5 and 8).
  if (status === 400 || status === 401) return inWords ? { refusal: status } : 'nonsense'
  // What Commerce does not know to say.
  return status === 418 ? 'nonsense' : { refusal: status }
}

export const FAULTS: readonly NamedFault[] = [
  { name: 'never answers', fault: 'hang', always: 'no answer in time', timeout: SHORT },
  { name: 'answers a byte at a time', fault: 'slow', always: 'no answer in time', timeout: SHORT },
  { name: 'answers too late', fault: { delay: 60_000 }, always: 'no answer in time', timeout: SHORT },
  { name: 'answers late, but in time', fault: { delay: 40 }, always: 'none' },
  { name: 'resets an idle connection', fault: 'reset', always: 'no connection', once: 'none' },
  { name: 'resets a new connection', fault: 'reset', always: 'no connection', once: 'none', cold: true },
  { name: 'breaks off in its answer', fault: 'truncated', always: 'nonsense' },
  { name: 'answers with 64 MiB', fault: 'oversized', always: 'nonsense' },
  { name: "answers with a proxy's 502 page", fault: 'html', always: 'an outage' },
  { name: "answers with a proxy's 200 page", fault: page(200), always: 'nonsense' },
  { name: "answers with a proxy's 401 page", fault: page(401), always: 'nonsense' },
  { name: "answers with a proxy's 403 page", fault: page(403), always: 'nonsense' },
  { name: 'answers with JSON that is none', fault: 'malformed', always: 'nonsense' },
  { name: 'answers with JSON that is half right', fault: 'half_valid', always: 'nonsense' },
  { name: 'redirects', fault: { redirect: '/elsewhere' }, always: 'nonsense' },
  { name: 'refuses the bearer', fault: 'refused_bearer', always: 'a refused bearer', once: 'none' },
  {
    name: '429, "wait 0 s"',
    fault: { rateLimited: 0 },
    always: 'over the limit',
    once: 'none',
    timeout: 3000,
  },
  { name: '429, "wait an hour"', fault: { rateLimited: 3600 }, always: 'over the limit' },
  { name: '429', fault: { rateLimited: undefined }, always: 'over the limit', once: 'none', timeout: 1900 },
  ...STATUSES.flatMap((status): NamedFault[] => [
    { name: `${status} in Elastic Path's words`, fault: { status }, always: meaningOf(status, true) },
    { name: `${status} without a word`, fault: { status, body: '' }, always: meaningOf(status, false) },
  ]),
  { name: '200 without a word', fault: { status: 200, body: '' }, always: 'nonsense' },
  { name: '422 on the username', fault: complaint('Username'), always: 'a refused username or code' },
  {
    name: '422 on the code',
    fault: complaint('OneTimePasswordToken'),
    always: 'a refused username or code',
  },
  { name: '422 on the profile', fault: complaint('PasswordProfileID'), always: { refusal: 422 } },
  { name: '403 that quotes what was sent', fault: quote(403), always: { refusal: 403 } },
  { name: '503 that quotes what was sent', fault: quote(503), always: 'an outage' },
]

export interface Cell {
  fault: NamedFault
  call: Struck
  times: number
  /** Whether Elastic Path had acted when the fault struck. */
  afterEffect: boolean
  /** Where a fault strikes one request of one shopper: by which door that one came. */
  door?: Door
}

/** What whoever comes by a door has to get where the fault strikes. */
export function answerOf(cell: Cell, door: Door): string {
  const answer = withoutPatience(cell, door)
  // A renewal that fails costs nobody anything.
  return door === 'keepFresh' && answer !== WORKS ? OLD_TOKEN : answer
}

/** What whoever comes by a door gets where nothing strikes. */
export function healthyAnswer(door: Door): string {
  return door === 'sign-in with a wrong code' ? WRONG_CODE : WORKS
}

function withoutPatience(cell: Cell, door: Door): string {
  const { call, fault, times, afterEffect } = cell
  const meaning = exceptionFor(cell, door) ?? (times === 1 ? fault.once : undefined) ?? fault.always
  if (meaning === 'none') {
    // The code was spent by the first sending, and the second one is refused. Where the connection broke, nobody can
    // say that the code was wrong; where Elastic Path answered, it has said that it had not acted.
    const spent = times === 1 && afterEffect && call === 'exchange' && isSentAgain(fault)
    if (spent) return fault.fault === 'reset' ? ANSWERS['no connection'] : WRONG_CODE
    return healthyAnswer(door)
  }
  if (meaning === 'a refused username or code') return refusedShopper(call, fault)
  if (typeof meaning === 'object') return refused(call, meaning.refusal)
  return ANSWERS[meaning]
}

function isSentAgain({ once }: NamedFault): boolean {
  return once === 'none'
}

/** A refusal is the shopper's where it is of the credentials or the token in hand, and the setup's otherwise. */
function refused(call: Struck, status: number): string {
  const ofPerson = status === 400 || status === 401
  if (call === 'access_token') return '500 client_refused'
  if (call === 'exchange' && ofPerson) return WRONG_CODE
  if (call === 'renewal' && ofPerson) return '401 account_token_refused'
  // Fact 19: nobody learns whether a username exists. 404 is the username too, as the realm and the profile are there.
  if (call === 'otp_request' && (status === 400 || status === 404)) return WORKS
  return '500 request_refused'
}

function refusedShopper(call: Struck, { name }: NamedFault): string {
  if (call === 'exchange') return WRONG_CODE
  if (call === 'otp_request' && name === '422 on the username') return WORKS
  return refused(call, 422)
}

function exceptionFor({ call, fault, times }: Cell, door: Door): Meaning | undefined {
  // The token's own call needs no bearer, so that a bearer refused there is the client refused.
  if (fault.fault === 'refused_bearer' && call === 'access_token') return { refusal: 401 }
  if (refusesOnlyBearer(call, fault)) return times === 1 ? 'none' : 'a refused bearer'
  // A code goes out once on a connection that has not lain idle: Elastic Path may have acted.
  if (fault.cold && times === 1 && hasEffect(call)) return 'no connection'
  // Its answer may have no body (fact 18): nothing of it is read, and the one that comes slowly has two bytes.
  const saysNothing =
    fault.fault === 'slow' || fault.fault === 'half_valid' || fault.name === '200 without a word'
  if (call === 'otp_request' && saysNothing) return 'none'
  // Commerce says no in words that are whole, with a thing beside them that nobody reads.
  if (call === 'exchange' && fault.fault === 'half_valid' && door === 'sign-in with a wrong code')
    return 'none'
  return undefined
}

/** Where no code and no account token goes along, a 401 in whatever words can only be about the bearer. */
function refusesOnlyBearer(call: Struck, { name }: NamedFault): boolean {
  return name === "401 in Elastic Path's words" && !['access_token', 'exchange', 'renewal'].includes(call)
}

/** How often one code, or one username's request for a code, may go out where the fault strikes. */
export function sendings({ fault, times, call }: Cell): { least: number; most: number } {
  if (fault.fault === 'refused_bearer' || refusesOnlyBearer(call, fault)) return { least: 2, most: 2 }
  if (fault.fault === 'reset') {
    if (fault.cold) return { least: 1, most: 1 }
    // A connection that was broken by another shopper's request is new for the next one.
    return times === 1 ? { least: 2, most: 2 } : { least: 1, most: 2 }
  }
  // 429 says that it did not act. Waits of 100, 200, 400 and 800 ms fit into the time.
  if (fault.name.startsWith('429') && fault.once === 'none') {
    return times === 1 ? { least: 2, most: 2 } : { least: 1, most: 5 }
  }
  return { least: 1, most: hasEffect(call) ? 1 : 2 }
}

export function cells(): Cell[] {
  const all: Cell[] = []
  for (const fault of FAULTS) {
    for (const call of CALLS) {
      // A first connection is the matter of calls that go out once.
      if (fault.cold && !hasEffect(call)) continue
      for (const afterEffect of hasEffect(call) ? [false, true] : [false]) {
        all.push({ fault, call, times: Infinity, afterEffect })
        if (isShared(call)) all.push({ fault, call, times: 1, afterEffect })
        else
          for (const door of ALL_DOORS) {
            if (makes(door, call) && isFocus(door, call))
              all.push({ fault, call, times: 1, afterEffect, door })
          }
      }
    }
  }
  return all
}

/** The doors that a fault strikes one request of; a wrong code and the promise beside a handler meet it with the others. */
function isFocus(door: Door, call: Struck): boolean {
  if (call === 'exchange') return door === 'sign-in'
  if (call === 'otp_request') return door === 'requestOtp'
  return true
}
