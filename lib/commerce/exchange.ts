import type { Context } from '../context'
import { ElasticPathError } from '../errors'
import { parseJson } from '../json'
import { AnswerReader, readDate, type Answer } from './answer-reader'
import { readRefusal, type Refusal } from './refusal'
import { printable, type HttpRequest, type Sent, type Transport } from './transport'

/** Parses the JSON of a successful response. Returns undefined if any part of it is not as documented. */
export type Parse<T> = (
  json: unknown,
  /** The whole body, for responses that may be empty. */
  text: string,
  /** The time by Elastic Path's clock, in milliseconds since the epoch. */
  now: () => number,
) => T | undefined

interface Named {
  method: string
  path: string
}

const createReader = (context: Context, name: () => string): AnswerReader => new AnswerReader(context, name)

/** Sends a request and reads the whole response. If the store is over its rate limit, waits and sends it again. */
export function exchange(
  transport: Transport,
  context: Context,
  request: HttpRequest,
): Promise<Sent<Answer>> {
  return withinRateLimit(context, () => transport.send(request, context, createReader), rateLimited)
}

/**
 * Sends a request. While the response is 429, waits as `Retry-After` says and sends it again.
 *
 * @param giveUp - Called with the last 429 if the next wait would exceed the time of the context.
 */
export function withinRateLimit<T extends { status: number; retryAfter: string | undefined }>(
  context: Context,
  send: () => Promise<Sent<T>>,
  giveUp: (seconds: number, last: Sent<T>) => Sent<T>,
): Promise<Sent<T>> {
  // `then` and not `await`, because each async function adds about 0.5 % to the CPU time of a sign-in on Node 24.
  return send().then((sent) => (sent.answer.status === 429 ? waitOut(sent) : sent))

  async function waitOut(limited: Sent<T>): Promise<Sent<T>> {
    let sent = limited
    for (let retries = 0; sent.answer.status === 429; retries++) {
      const seconds = readRetryAfter(sent.answer.retryAfter)
      // Limits are per second. If Retry-After is shorter than the exponential back-off, back off.
      const milliseconds = Math.max((seconds ?? 1) * 1000, 100 * 2 ** retries)
      if (context.elapsed + milliseconds >= context.timeout)
        return giveUp(Math.ceil(milliseconds / 1000), sent)
      sent.receiver.discard()
      await context.wait(milliseconds)
      const next = await send()
      sent = { ...next, sentBefore: sent.sentBefore || next.sentBefore }
    }
    return sent
  }
}

function rateLimited(seconds: number): never {
  throw new ElasticPathError('rate_limited', 'The store is over its rate limit at Elastic Path.', {
    upstreamStatus: 429,
    retryAfter: seconds,
  })
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

/** The result of a 2xx response. */
export function parse<T>(answer: Answer, call: Named & { parse: Parse<T> }): T {
  const result = call.parse(parseJson(answer.text), answer.text, () => readDate(answer.date) ?? Date.now())
  if (result !== undefined) return result
  throw new ElasticPathError(
    'bad_answer',
    `Elastic Path's response to ${nameOf(call)} does not have the documented shape.`,
    { upstreamStatus: answer.status },
  )
}

/**
 * Reads the refusal in a response that is not successful.
 *
 * @param sent - The headers and the body of the request.
 * @throws ElasticPathError `upstream_error` or `bad_answer` if the response is not a refusal. Then it is a fault of
 * Elastic Path or of a proxy.
 */
export function refusalOf(
  answer: Answer,
  call: Named & { anyWords?: readonly number[] | undefined },
  sent?: unknown,
): Refusal {
  const { status } = answer
  const refusal = readRefusal(status, answer.text, sent, call.anyWords?.includes(status))
  if (refusal) return refusal
  const hint = status >= 300 && status < 400 ? ' Redirects are not followed. Check baseUrl.' : ''
  throw new ElasticPathError(
    status >= 500 ? 'upstream_error' : 'bad_answer',
    `Elastic Path returned ${status} to ${nameOf(call)}.${hint}`,
    { upstreamStatus: status },
  )
}

/** The error for a refusal that is caused by the setup of the app or of the store. */
export function misconfigured(refusal: Refusal, call: string, advice: string): ElasticPathError {
  const words = refusal.summary === '' ? '' : ` (${refusal.summary})`
  return new ElasticPathError(
    'request_refused',
    `Elastic Path returned ${refusal.status}${words} to ${call}. ${advice}`,
    { upstreamStatus: refusal.status },
  )
}

export function nameOf({ method, path }: Named): string {
  return `${method} ${printable(path)}`
}

/** `Retry-After` is a number of seconds or a date (RFC 9110, 10.2.3). */
function readRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  if (/^\d+$/.test(header)) return Math.min(Number(header), 2 ** 31)
  const date = readDate(header)
  return date === undefined ? undefined : Math.max(0, (date - Date.now()) / 1000)
}
