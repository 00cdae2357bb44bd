import { CliError, Interrupted, systemCode } from './errors'
import type { Io } from './io'
import { at, objects, oneLine, parse, text, type JsonObject } from './json'
import { pause } from './pause'
import type { Settings } from './settings'

const TIMEOUT = 10_000
const LARGEST_ANSWER = 4 * 1024 * 1024
const LONGEST_WAIT = 10_000

export interface Answer {
  readonly status: number
  readonly body: unknown
  /** The value of the header `Date`, in epoch milliseconds. */
  readonly date: number | undefined
  /** Milliseconds from the request to the end of its answer. */
  readonly duration: number
}

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly data?: JsonObject
  readonly form?: Readonly<Record<string, string>>
  readonly token?: string | undefined
}

/** How requests are paced. */
export interface Manners {
  /** Runs before each request; `probe` counts and waits there. */
  readonly pace?: () => Promise<void>
  /** Whether a request that is refused with 429 is sent once more. True by default. */
  readonly retries?: boolean
}

/**
 * Sends requests to Elastic Path: one at a time, with a time limit and a limit of size, and without following redirects.
 * Errors say whose fault it is and what to do, and contain no secret.
 */
export class Transport {
  private readonly secrets = new Set<string>()
  private last: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly settings: Settings,
    private readonly io: Io,
    private readonly manners: Manners,
  ) {
    this.hide(settings.clientSecret)
    this.hide(settings.webhookSecret)
  }

  /** Replaces a text in all later errors. */
  hide(secret: string | undefined): void {
    if (secret !== undefined && secret.length > 2) this.secrets.add(secret)
  }

  /** The text without what is hidden. */
  redact(message: string): string {
    return [...this.secrets].reduce((clean, secret) => clean.replaceAll(secret, '•••'), message)
  }

  /** Sends a request after those before it have ended. */
  send(request: Request): Promise<Answer> {
    const answer = this.last.then(() => this.transmit(request))
    this.last = answer.catch(() => undefined)
    return answer
  }

  /** Throws an error for an answer with another status, or with a body that is no JSON. */
  expect(request: Request, answer: Answer, ...statuses: readonly number[]): void {
    if (!statuses.includes(answer.status) || answer.body === undefined) throw this.unexpected(request, answer)
  }

  unexpected({ method, path }: Request, { status, body }: Answer): CliError {
    const call = `${method} ${path.split('?', 1)[0] ?? path}`
    if (status < 400) {
      return new CliError(
        `The answer to ${call} is not what Elastic Path's API describes.`,
        'Check that EPCC_BASE_URL is the API of Elastic Path, and that no proxy answers instead.',
      )
    }
    const [error] = objects(at(body, 'errors'))
    const words = [text(at(error, 'title')), text(at(error, 'detail'))].filter((word) => word !== undefined)
    const said = words.length === 0 ? '' : `: ${this.redact(oneLine(words.join(', '))).replace(/\.$/, '')}`
    return new CliError(
      `Elastic Path returned ${status} to ${call}${said}.`,
      FIXES[status] ?? (status < 500 ? REFUSED : FAILED),
    )
  }

  private async transmit(request: Request): Promise<Answer> {
    const first = await this.once(request)
    if (first.status !== 429 || this.manners.retries === false) return first
    await pause(this.io, Math.min(first.retryAfter ?? 1000, LONGEST_WAIT))
    return this.once(request)
  }

  private async once({ method, path, data, form, token }: Request) {
    await this.manners.pace?.()
    const { baseUrl, headers } = this.settings
    const url = new URL(baseUrl.pathname.replace(/\/$/, '') + path, baseUrl)
    const started = this.io.clock.now()
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), TIMEOUT)
    try {
      const response = await this.io.fetch(url, {
        method,
        redirect: 'manual',
        headers: {
          ...headers,
          accept: 'application/json',
          ...(data && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        ...(data && { body: JSON.stringify({ data }) }),
        ...(form && { body: new URLSearchParams(form) }),
        signal: AbortSignal.any([late.signal, this.io.signal]),
      })
      if (response.status >= 300 && response.status < 400) throw redirected(baseUrl, response)
      const body = await readBody(response)
      const retryAfter = Number(response.headers.get('retry-after') ?? NaN) * 1000
      return {
        status: response.status,
        body: parse(body) ?? (body === '' ? {} : undefined),
        date: moment(response.headers.get('date')),
        duration: this.io.clock.now() - started,
        retryAfter: Number.isFinite(retryAfter) ? retryAfter : undefined,
      }
    } catch (error) {
      if (this.io.signal.aborted) throw new Interrupted()
      if (error instanceof CliError) throw error
      throw late.signal.aborted ? silent(baseUrl) : unreachable(baseUrl, error)
    } finally {
      clearTimeout(timer)
    }
  }
}

const FIXES: Readonly<Record<number, string>> = {
  401: 'The access token was refused. Run the command again; if it stays, check the application key.',
  403: 'The application key may not do that. Set EPCC_CLIENT_SECRET of a key with write access.',
  404: 'Check that EPCC_BASE_URL is the region of this store, and the ids in the settings.',
  429: 'Too many requests for this store. Wait a minute and run the command again.',
}
const REFUSED = 'The store refuses this. Check the settings and the flags of this command.'
const FAILED = 'This is a failure of Elastic Path. Try again later, and see its status page.'

/** Epoch milliseconds; undefined if it is no date. */
export function moment(value: unknown): number | undefined {
  const milliseconds = typeof value === 'string' ? Date.parse(value) : NaN
  return Number.isNaN(milliseconds) ? undefined : milliseconds
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  // Node's types of a response's body do not say what its chunks are.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > LARGEST_ANSWER) {
      throw new CliError(
        'The answer is larger than 4 MiB.',
        'Check that EPCC_BASE_URL is the API of Elastic Path.',
      )
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function redirected({ origin }: URL, response: Response): CliError {
  const location = response.headers.get('location')
  const target =
    location !== null && URL.canParse(location, origin) ? new URL(location, origin).origin : 'nowhere'
  return new CliError(
    `${origin} redirects to ${target}. Redirects are not followed, because they would take the tokens along.`,
    'Set EPCC_BASE_URL to the API itself.',
  )
}

function silent({ origin }: URL): CliError {
  return new CliError(
    `${origin} did not answer within ${TIMEOUT / 1000} seconds.`,
    'Check the network, a proxy or a firewall.',
  )
}

function unreachable({ origin, hostname }: URL, error: unknown): CliError {
  const code = systemCode(at(error, 'cause')) || systemCode(error)
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new CliError(`There is no host ${hostname} (${code}).`, 'Check EPCC_BASE_URL and the network.')
  }
  if (code === 'ECONNREFUSED') {
    return new CliError(`${origin} refused the connection.`, 'Check EPCC_BASE_URL. Is the server running?')
  }
  if (/CERT|SSL|TLS/.test(code)) {
    return new CliError(
      `The certificate of ${origin} is not trusted (${code}).`,
      'If a proxy of yours replaces certificates, set NODE_EXTRA_CA_CERTS to its CA.',
    )
  }
  return new CliError(
    `The connection to ${origin} broke${code === '' ? '' : ` (${code})`}.`,
    'Check the network and try again.',
  )
}
