import { ElasticPathError } from '../errors'
import type { AccessToken } from './access-token'
import { parseJson } from './json'
import type { Operation } from './operation'
import { readRefusal, type Refusal } from './refusal'
import type { HttpAnswer, HttpRequest, Transport } from './transport'

export interface Call<T> {
  method: 'GET' | 'POST'
  path: string
  headers?: Record<string, string>
  body?: unknown
  /** Whether Elastic Path may get it twice without harm. */
  repeatable: boolean
  /** Whether it carries a code or an account token, so that a 401 may be about that and not about the access token. */
  carriesCredentials?: true
  /**
   * Turns a good answer's JSON into our shape; undefined where any part of it is not as it should be. The text is for
   * answers that may have no body.
   */
  parse: (json: unknown, text: string) => T | undefined
}

/** Calls to Elastic Path with an access token: what every one of them has in common. */
export class CommerceClient {
  constructor(
    private readonly transport: Transport,
    private readonly accessToken: AccessToken,
  ) {}

  /** Makes a call. Answers with its result, or with Elastic Path's refusal; all else is an ElasticPathError. */
  async call<T>(
    operation: Operation,
    call: Call<T>,
  ): Promise<{ result: T } | { refusal: Refusal; sentBefore: boolean }> {
    const body = call.body === undefined ? undefined : JSON.stringify(call.body)
    let renewed = false
    for (;;) {
      const bearer = await this.accessToken.get(operation)
      const headers: Record<string, string> = {
        ...call.headers,
        accept: 'application/json',
        authorization: `Bearer ${bearer}`,
      }
      if (body !== undefined) headers['content-type'] = 'application/json'
      const answer = await exchange(this.transport, operation, {
        method: call.method,
        path: call.path,
        headers,
        ...(body === undefined ? {} : { body }),
        repeatable: call.repeatable,
      })
      if (isSuccess(answer.status)) return { result: parse(answer, call) }
      const refusal = refusalOf(answer, call, body)
      const isOfAccessToken = refusal.ofAccessToken || (refusal.status === 401 && !call.carriesCredentials)
      if (!isOfAccessToken) return { refusal, sentBefore: answer.sentBefore }
      if (renewed) {
        throw new ElasticPathError(
          'access_token_refused',
          'Elastic Path refuses an access token that it has just issued. ' +
            'Check that clientId belongs to the store behind baseUrl, and to its region.',
          { upstreamStatus: answer.status },
        )
      }
      renewed = true
      this.accessToken.forget(bearer)
    }
  }

  /** Makes a call of which every refusal is a mistake in the setup. */
  async require<T>(operation: Operation, call: Call<T>, advice: string): Promise<T> {
    const outcome = await this.call(operation, call)
    if ('result' in outcome) return outcome.result
    throw misconfigured(outcome.refusal, nameOf(call), advice)
  }
}

/** An error for a refusal that only the shop's developer can do something about. */
export function misconfigured(refusal: Refusal, call: string, advice: string): ElasticPathError {
  const said = refusal.summary === '' ? '' : ` (${refusal.summary})`
  return new ElasticPathError(
    'request_refused',
    `Elastic Path answered ${refusal.status}${said} to ${call}. ${advice}`,
    {
      upstreamStatus: refusal.status,
    },
  )
}

/** Sends a request, waiting as told where the store is over its limit and the time allows it (fact 26). */
export async function exchange(
  transport: Transport,
  operation: Operation,
  request: HttpRequest,
): Promise<HttpAnswer> {
  for (let tries = 0; ; tries++) {
    const answer = await transport.send(request, operation)
    if (answer.status !== 429) return answer
    const seconds = readRetryAfter(answer.retryAfter)
    // Limits count by the second. Told to wait for nothing at all, wait longer from try to try.
    const milliseconds = Math.max((seconds ?? 1) * 1000, 100 * 2 ** tries)
    if (!(await operation.wait(milliseconds))) {
      throw new ElasticPathError('rate_limited', 'The store is over its rate limit at Elastic Path', {
        upstreamStatus: 429,
        retryAfter: Math.ceil(milliseconds / 1000),
      })
    }
  }
}

/** The result of a 2xx answer. */
export function parse<T>(answer: HttpAnswer, call: Pick<Call<T>, 'method' | 'path' | 'parse'>): T {
  const result = call.parse(parseJson(answer.text), answer.text)
  if (result !== undefined) return result
  throw new ElasticPathError(
    'bad_answer',
    `Elastic Path's answer to ${nameOf(call)} is not of the documented shape`,
    {
      upstreamStatus: answer.status,
    },
  )
}

/** The refusal in an answer that is no success; what is no refusal either is Elastic Path's fault, or a proxy's. */
export function refusalOf(answer: HttpAnswer, call: { method: string; path: string }, sent = ''): Refusal {
  const refusal = readRefusal(answer.status, answer.text, sent)
  if (refusal) return refusal
  const redirect = answer.status >= 300 && answer.status < 400
  throw new ElasticPathError(
    answer.status >= 500 ? 'upstream_error' : 'bad_answer',
    `Elastic Path answered ${answer.status} to ${nameOf(call)}${redirect ? ', and redirects are not followed: check baseUrl' : ''}`,
    { upstreamStatus: answer.status },
  )
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

function nameOf(call: { method: string; path: string }): string {
  return `${call.method} ${call.path.replace(/\?.*/, '')}`
}

/** Seconds or a date (RFC 9110, 10.2.3). */
function readRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header)
  // Node makes a date of almost anything with a number in it.
  const date = header.endsWith(' GMT') ? Date.parse(header) : NaN
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000)
}
