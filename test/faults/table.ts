import type { Fault } from '../../lib/testing'

/** A method or handler that the user of the package calls or mounts. */
export type Door =
  'sign-in' | 'requestOtp' | 'listAccounts' | 'switchAccount' | 'keepFresh' | 'ready' | 'fetchAs'

export type StruckCall =
  'access_token' | 'account_settings' | 'password_profiles' | 'otp_request' | 'exchange' | 'renewal'

/** What the user gets: `works`, or a status and a code. `reported`: only diagnostics have the error, `request_refused`. */
export type Result = 'works' | 'works, reported' | `${number} ${string}`

/** A behavior of Elastic Path, as the row of a table. */
interface Row {
  faults: readonly Fault[]
  details?: string
  /** Whether the connection has not been used before. */
  newConnection?: true
}

const HTML = '<!doctype html><title>Sign in to the network</title>'
const page = (status: number): Fault => ({ status, body: HTML, headers: { 'content-type': 'text/html' } })
const empty = (status: number): Fault => ({ status, body: '' })
const complaint = (field: string): Fault => {
  const detail = `Validation failed: field '${field}' on the 'cannot_be_empty' tag.`
  return { status: 422, body: { errors: [{ status: '422', title: 'Unprocessable Entity', detail }] } }
}
/** An error that contains what was sent. */
const quote = (status: number): Fault => {
  const sent = 'ada@example.com the-client-secret'
  return { status, body: { errors: [{ status: String(status), title: sent, detail: sent }] } }
}

export const ROWS = {
  'responds late or compressed': {
    details: 'in time, or with gzip, deflate or Brotli that nobody asked for',
    faults: [{ delay: 40 }, { compressed: 'gzip' }, { compressed: 'deflate' }, { compressed: 'br' }],
  },
  'does not respond in time': {
    details: 'never, or after the option `timeout`',
    faults: ['hang', { delay: 60_000 }],
  },
  'responds byte by byte': { details: 'a byte every 100 ms', faults: ['slow'] },
  'closes an idle connection': { details: 'with FIN or RST', faults: ['close', 'reset'] },
  'closes a new connection': { details: 'with FIN or RST', newConnection: true, faults: ['close', 'reset'] },
  'returns 408': { details: 'and closes an idle connection', faults: ['request_timeout'] },
  'sends a bad response': {
    details:
      'cut off, larger than 1 MiB, not JSON, a redirect, an HTML page with 200, 401 or 403, an empty 401, or 418',
    faults: [
      'truncated',
      'oversized',
      'malformed',
      { redirect: '/elsewhere' },
      page(200),
      page(401),
      page(403),
      empty(401),
      { status: 418 },
    ],
  },
  'returns invalid data': {
    details: 'JSON with a wrong value in it, or an empty 200',
    faults: ['half_valid', empty(200)],
  },
  'returns 500, 502 or 503': {
    details: "also without a body, as a proxy's page, or with an error that quotes the request",
    faults: [{ status: 500 }, empty(500), 'html', { status: 503 }, empty(503), quote(503)],
  },
  'refuses the access token': { details: '401 with its error for that', faults: ['refused_bearer'] },
  'returns 429': { details: 'without `Retry-After`', faults: [{ rateLimited: undefined }] },
  'returns 429, wait 0 s': { details: '`Retry-After: 0`', faults: [{ rateLimited: 0 }] },
  'returns 429, wait 1 h': { details: '`Retry-After: 3600`', faults: [{ rateLimited: 3600 }] },
  'returns 400': { faults: [{ status: 400 }] },
  'returns 400 without an error': {
    details: 'or an HTML page with 404 or 422',
    faults: [empty(400), page(400), page(404), page(422)],
  },
  'returns 401': { faults: [{ status: 401 }] },
  'returns 403 or 409': {
    details: 'also without a body, or with an error that quotes the request',
    faults: [{ status: 403 }, empty(403), quote(403), { status: 409 }, empty(409)],
  },
  'returns 404': { details: 'also without a body', faults: [{ status: 404 }, empty(404)] },
  'returns 422': {
    details: 'also without a body, or with an error for the password profile',
    faults: [{ status: 422 }, empty(422), complaint('PasswordProfileID')],
  },
  'returns 422 for the input': {
    details: 'an error for the username or the code',
    faults: [complaint('Username'), complaint('OneTimePasswordToken')],
  },
  'does not find the realm': {
    details: '401 with the error "the authorization realm for the token could not be found"',
    faults: [{ realmNotFound: 401 }],
  },
} satisfies Record<string, Row>

export type RowName = keyof typeof ROWS

/**
 * What the user gets if it happens each time; what if it happens once; how many requests of the call are sent if it happens
 * each time, which is the most.
 */
export type Cells = readonly [always: Result, once: Result, requests: number]
type Rows = Partial<Record<RowName, Cells>>

/** What the user gets at every call, unless the call has a row of its own. */
// prettier-ignore
export const EVERY_CALL = {
  'responds late or compressed':  ['works',              'works',              1],
  'does not respond in time':     ['504 timeout',        '504 timeout',        1],
  'responds byte by byte':        ['504 timeout',        '504 timeout',        1],
  'closes an idle connection':    ['502 unreachable',    'works',              2],
  'closes a new connection':      ['502 unreachable',    'works',              2],
  'returns 408':                  ['502 bad_answer',     'works',              2],
  'sends a bad response':         ['502 bad_answer',     '502 bad_answer',     1],
  'returns invalid data':         ['502 bad_answer',     '502 bad_answer',     1],
  'returns 500, 502 or 503':      ['502 upstream_error', '502 upstream_error', 1],
  'returns 429':                  ['503 rate_limited',   'works',              6],
  'returns 429, wait 0 s':        ['503 rate_limited',   'works',              7],
  'returns 429, wait 1 h':        ['503 rate_limited',   '503 rate_limited',   1],
  'returns 400 without an error': ['502 bad_answer',     '502 bad_answer',     1],
} as const satisfies Rows

type OwnRows = Rows & Record<Exclude<RowName, keyof typeof EVERY_CALL>, Cells>

// prettier-ignore
const SETTINGS: OwnRows = {
  'refuses the access token':     ['500 access_token_refused', 'works',               2],
  'returns 400':                  ['500 request_refused',      '500 request_refused', 1],
  'returns 401':                  ['500 access_token_refused', 'works',               2],
  'returns 403 or 409':           ['500 request_refused',      '500 request_refused', 1],
  'returns 404':                  ['500 request_refused',      '500 request_refused', 1],
  'returns 422':                  ['500 request_refused',      '500 request_refused', 1],
  'returns 422 for the input':    ['500 request_refused',      '500 request_refused', 1],
  'does not find the realm':      ['500 request_refused',      '500 request_refused', 1],
}

interface CallTable {
  about: string
  doors: readonly Door[]
  own: OwnRows
  /** What the user gets if it happens once and Elastic Path has used up the code, unless that is the same. */
  codeUsed?: Partial<Record<RowName, Result>>
}

/**
 * The one exception: `keepFresh` has no errors. If a row says anything but `works`, the page continues with the token that
 * the shopper has, and the error is in diagnostics.
 */
// prettier-ignore
export const TABLE: Record<StruckCall, CallTable> = {
  access_token: {
    about: "The app's access token. Calls that need it at the same time share one request.",
    doors: ['sign-in', 'requestOtp', 'listAccounts', 'switchAccount', 'keepFresh', 'ready', 'fetchAs'],
    own: {
      'refuses the access token':     ['500 client_refused', '500 client_refused', 1],
      'returns 400':                  ['500 client_refused', '500 client_refused', 1],
      'returns 401':                  ['500 client_refused', '500 client_refused', 1],
      'returns 403 or 409':           ['500 client_refused', '500 client_refused', 1],
      'returns 404':                  ['500 client_refused', '500 client_refused', 1],
      'returns 422':                  ['500 client_refused', '500 client_refused', 1],
      'returns 422 for the input':    ['500 client_refused', '500 client_refused', 1],
      'does not find the realm':      ['500 client_refused', '500 client_refused', 1],
    },
  },
  account_settings: {
    about: 'The settings that name the realm. They are read once, unless `authenticationRealmId` is set.',
    doors: ['sign-in', 'requestOtp', 'ready'],
    own: SETTINGS,
  },
  password_profiles: {
    about: 'The password profiles of the realm. They are read once, unless `passwordProfileId` is set.',
    doors: ['sign-in', 'requestOtp', 'ready'],
    own: SETTINGS,
  },
  otp_request: {
    about: 'The request for a code. "Reported" means that only diagnostics have the error, `request_refused`.',
    doors: ['requestOtp'],
    own: {
      'responds byte by byte':        ['works',                    'works',               1],
      'closes a new connection':      ['502 unreachable',          '502 unreachable',     1],
      'returns invalid data':         ['works',                    'works',               1],
      'refuses the access token':     ['500 access_token_refused', 'works',               2],
      'returns 400':                  ['works, reported',          'works, reported',     1],
      'returns 400 without an error': ['works, reported',          'works, reported',     1],
      'returns 401':                  ['500 access_token_refused', 'works',               2],
      'returns 403 or 409':           ['500 request_refused',      '500 request_refused', 1],
      'returns 404':                  ['works, reported',          'works, reported',     1],
      'returns 422':                  ['works, reported',          'works, reported',     1],
      'returns 422 for the input':    ['works, reported',          'works, reported',     1],
      'does not find the realm':      ['works, reported',          'works, reported',     1],
    },
  },
  exchange: {
    about: 'The exchange of a code for account tokens.',
    doors: ['sign-in'],
    own: {
      'closes a new connection':      ['502 unreachable',          '502 unreachable',         1],
      'refuses the access token':     ['500 access_token_refused', 'works',                   2],
      'returns 400':                  ['401 invalid_credentials',  '401 invalid_credentials', 1],
      'returns 401':                  ['401 invalid_credentials',  '401 invalid_credentials', 1],
      'returns 403 or 409':           ['500 request_refused',      '500 request_refused',     1],
      'returns 404':                  ['500 request_refused',      '500 request_refused',     1],
      'returns 422':                  ['500 request_refused',      '500 request_refused',     1],
      'returns 422 for the input':    ['401 invalid_credentials',  '401 invalid_credentials', 1],
      'does not find the realm':      ['401 invalid_credentials',  '401 invalid_credentials', 1],
    },
    codeUsed: {
      'closes an idle connection':     '502 unreachable',
      'returns 408':                   '401 invalid_credentials',
      'refuses the access token':      '401 invalid_credentials',
      'returns 429':                   '401 invalid_credentials',
      'returns 429, wait 0 s':         '401 invalid_credentials',
    },
  },
  renewal: {
    about: 'The renewal of account tokens.',
    doors: ['listAccounts', 'switchAccount', 'keepFresh'],
    own: {
      'refuses the access token':     ['500 access_token_refused',  'works',                     2],
      'returns 400':                  ['401 account_token_refused', '401 account_token_refused', 1],
      'returns 401':                  ['401 account_token_refused', '401 account_token_refused', 1],
      'returns 403 or 409':           ['500 request_refused',       '500 request_refused',       1],
      'returns 404':                  ['500 request_refused',       '500 request_refused',       1],
      'returns 422':                  ['500 request_refused',       '500 request_refused',       1],
      'returns 422 for the input':    ['500 request_refused',       '500 request_refused',       1],
      'does not find the realm':      ['401 account_token_refused', '401 account_token_refused', 1],
    },
  },
}
