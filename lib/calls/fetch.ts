import { withinRateLimit } from '../commerce/exchange'
import { readRefusal } from '../commerce/refusal'
import { printable, type HttpRequest, type Repeat } from '../commerce/transport'
import type { Context } from '../context'
import { ElasticPathError } from '../errors'
import type { Services } from '../services'
import { ACCOUNT_TOKEN_HEADER, remainingLife } from '../token'
import { requireUser } from '../user'
import { bufferSmall, readRequest, type CallBody, type CallRequest } from './request'
import { ResponseStream } from './response'
import { findTarget, type Target } from './target'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
const IDEMPOTENT = new Set([...SAFE, 'PUT', 'DELETE'])
// Elastic Path's refusals are far smaller.
const MAX_REFUSAL = 64 * 1024

/** The app's access token. */
export function accessToken(services: Services): Promise<string> {
  return services.run({}, async (context) => services.commerce.accessToken.get(context))
}

/** A `fetch` that sends the app's access token. */
export function createFetch(services: Services): typeof fetch {
  return (input, init) => call(services, input, init, () => undefined)
}

/** A `fetch` that sends the app's access token and the token of the user's account. */
export function createFetchAs(services: Services, user: unknown): typeof fetch {
  return (input, init) => call(services, input, init, () => accountTokenOf(user, services.settings.name))
}

/**
 * @throws ElasticPathError `not_signed_in` (401), `account_required` (403) or `account_token_expired` (401).
 */
function accountTokenOf(user: unknown, strategy: string): string {
  const { account } = requireUser(user, strategy)
  if (!account) {
    throw new ElasticPathError(
      'account_required',
      'The user has no account. Let the shopper choose one first.',
    )
  }
  if (remainingLife(account) > 0) return account.token
  throw new ElasticPathError(
    'account_token_expired',
    'The account token expired. The shopper has to sign in again.',
  )
}

async function call(
  services: Services,
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  accountToken: () => string | undefined,
): Promise<Response> {
  const request = readRequest(input, init)
  const target = findTarget(request.url, services.commerce.transport)
  const outgoing = new OutgoingCall(services, request, target, accountToken())
  const { signal } = request
  signal?.throwIfAborted()
  try {
    return await services.run(
      {
        name: 'call',
        details: () => ({
          method: request.method,
          path: printable(target.path),
          ...(outgoing.status === undefined ? {} : { upstreamStatus: outgoing.status }),
        }),
      },
      async (context) => {
        const end = (): void => context.end()
        signal?.addEventListener('abort', end)
        try {
          return await outgoing.send(context)
        } finally {
          signal?.removeEventListener('abort', end)
        }
      },
    )
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    if (outgoing.body?.failure) throw outgoing.body.failure.error
    throw error
  }
}

/** One call: its request, which may be sent several times. */
class OutgoingCall {
  /** The status of the last response. */
  status: number | undefined
  body: CallBody | undefined

  constructor(
    private readonly services: Services,
    private readonly request: CallRequest,
    private readonly target: Target,
    private readonly accountToken: string | undefined,
  ) {}

  /** Sends the request. If the access token is refused, sends it again with a new one. */
  async send(context: Context): Promise<Response> {
    const { accessToken } = this.services.commerce
    const { body } = this.request
    // A stream of the app, so the time is the app's.
    if (body instanceof ReadableStream)
      this.body = await context.callApp('request body', () => bufferSmall(body))
    else this.body = body

    const bearer = await accessToken.get(context)
    const response = await this.sendWith(bearer, context)
    if (response.status !== 401 || !(await this.isOfAccessToken(response, context))) return response
    accessToken.refuse(bearer)
    if (this.body?.streams) return response
    let replacement: string
    try {
      replacement = await accessToken.get(context)
    } catch (error) {
      discard(response)
      throw error
    }
    if (replacement === bearer) return response
    discard(response)
    return this.sendWith(replacement, context)
  }

  private async sendWith(bearer: string, context: Context): Promise<Response> {
    const { method, signal } = this.request
    const { href } = this.target
    const attempt = () =>
      this.services.commerce.transport.send(
        this.httpRequest(bearer),
        context,
        (ofAttempt, name) => new ResponseStream(ofAttempt, name, { method, href, signal }),
      )
    const { answer } =
      IDEMPOTENT.has(method) && !this.body?.streams
        ? await withinRateLimit(context, attempt, (_seconds, last) => last)
        : await attempt()
    this.status = answer.status
    return answer.response
  }

  private httpRequest(bearer: string): HttpRequest {
    const { method, headers } = this.request
    const body = this.body?.open()
    const own = Object.fromEntries(headers)
    own['accept'] ??= '*/*'
    own['accept-encoding'] ??= 'gzip, deflate, br'
    if (body?.type !== undefined) own['content-type'] ??= body.type
    if (body?.length !== undefined) own['content-length'] = String(body.length)
    own['authorization'] = `Bearer ${bearer}`
    if (this.accountToken !== undefined) own[ACCOUNT_TOKEN_HEADER.toLowerCase()] = this.accountToken
    return {
      method,
      path: this.target.path + this.target.query,
      headers: own,
      ...(body ? { body: body.data } : {}),
      repeat: this.repeat(body?.data),
    }
  }

  /** Only text and bytes can be sent twice as they are. */
  private repeat(data: unknown): Repeat {
    if (data !== undefined && typeof data !== 'string' && !Buffer.isBuffer(data)) return 'never'
    return SAFE.has(this.request.method) ? 'always' : 'if unread'
  }

  /** Whether a 401 is about the access token, and not about the account token. */
  private async isOfAccessToken(response: Response, context: Context): Promise<boolean> {
    if (!this.request.headers.has(ACCOUNT_TOKEN_HEADER) && this.accountToken === undefined) return true
    try {
      const text = await context.upstream(readStart(response.clone()))
      return readRefusal(401, text, '')?.ofAccessToken === true
    } catch (error) {
      discard(response)
      throw error
    }
  }
}

/** The text of a response, if it is small; otherwise the start of it. */
async function readStart({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = (body as ReadableStream<Uint8Array> | null)?.getReader()
  while (reader && size <= MAX_REFUSAL) {
    const next = await reader.read()
    if (next.done) break
    chunks.push(next.value)
    size += next.value.length
  }
  // Not awaited: the cancellation of a copy waits for the original to be canceled, too.
  reader?.cancel().catch(() => undefined)
  return Buffer.concat(chunks).toString('utf8')
}

/** Frees the connection of a response whose body is not needed. */
function discard(response: Response): void {
  response.body?.cancel().catch(() => undefined)
}
