import { randomUUID } from 'node:crypto'
import { checkNames, checkNumber, LONGEST_TIMEOUT } from './checks'
import type { IntegrationSeed } from './options'
import { Table } from './table'

/** The name of the event that Elastic Path sends when a code is requested. */
export const CODE_EVENT = 'one-time-password-token-request.created'

/** An integration of the store. */
export interface Integration {
  /** The integration's id. */
  readonly id: string
  /** The integration's name. */
  readonly name: string
  /** The integration's description. */
  readonly description: string
  /** Whether events are delivered. */
  readonly enabled: boolean
  /** The integration's type. The simulator delivers to webhooks only. */
  readonly integrationType: 'webhook' | 'aws_sqs' | 'stomp'
  /** The names of the events to deliver. */
  readonly observes: readonly string[]
  /** The webhook's URL and secret key, in the API's format. */
  readonly configuration: Readonly<Record<string, unknown>>
  /** When it was created: ISO 8601, by the simulator's clock. */
  readonly createdAt: string
  /** When it was last changed: ISO 8601, by the simulator's clock. */
  readonly updatedAt: string
  /** The maximum number of deliveries of an event. */
  readonly attempts: number
  /** Milliseconds between a failed delivery and the next. */
  readonly retryDelay: number
  /** Milliseconds after which a delivery without a response fails. */
  readonly timeout: number
}

/** The result of one delivery of an event to a webhook. */
export interface Delivery {
  /** The id of the log entry. */
  readonly id: string
  /** The event's id, the same in every delivery of the event. */
  readonly eventId: string
  /** The event's name. */
  readonly event: string
  /** The integration that the event was delivered to. */
  readonly integrationId: string
  /** The id of the job. A job is all deliveries of one event to one integration. */
  readonly jobId: string
  /** The number of the delivery, from 1. */
  readonly attempt: number
  /** Whether the webhook returned a 2xx status in time. */
  readonly succeeded: boolean
  /** The status of the response. Undefined if there was no response. */
  readonly status: number | undefined
  /** The beginning of the response body. */
  readonly body: string
  /** Why the delivery failed. Empty if it succeeded. */
  readonly errorDetail: string
}

/** One delivery job: all deliveries of one event to one integration. */
export interface Job {
  id: string
  integrationId: string
}

/** The delivery settings of integrations that were created by the API. */
export const DELIVERY = { attempts: 5, retryDelay: 500, timeout: 10_000 }

const MOST_INTEGRATIONS = 1000
const SEED_NAMES: Record<keyof IntegrationSeed, true> = {
  id: true,
  name: true,
  description: true,
  enabled: true,
  observes: true,
  url: true,
  secretKey: true,
  attempts: true,
  retryDelay: true,
  timeout: true,
}

export function newIntegrations(): Table<Integration> {
  return new Table(MOST_INTEGRATIONS)
}

/**
 * @param now ISO 8601
 * @throws TypeError if an option is unknown, the URL is not HTTP, or the secret is not a valid header value; RangeError if
 *   a number is out of range
 */
export function integrationOf(seed: IntegrationSeed, now: string): Integration {
  checkNames('an integration', seed, SEED_NAMES)
  if (!isHttpUrl(seed.url)) throw new TypeError('The url of a webhook must be an http: or https: URL')
  if (!isSecret(seed.secretKey)) throw new TypeError('The secretKey of a webhook must be printable ASCII')
  const { attempts = DELIVERY.attempts, retryDelay = DELIVERY.retryDelay, timeout = DELIVERY.timeout } = seed
  checkNumber('attempts', attempts, 1, 100)
  checkNumber('retryDelay', retryDelay, 0, LONGEST_TIMEOUT)
  checkNumber('timeout', timeout, 1, LONGEST_TIMEOUT)
  return {
    id: seed.id ?? randomUUID(),
    name: seed.name ?? 'Integration',
    description: seed.description ?? '',
    enabled: seed.enabled ?? true,
    integrationType: 'webhook',
    observes: seed.observes ?? [CODE_EVENT],
    configuration: { url: seed.url, secret_key: seed.secretKey },
    createdAt: now,
    updatedAt: now,
    attempts,
    retryDelay,
    timeout,
  }
}

/** Whether a secret can be sent in a header. */
export function isSecret(secret: unknown): boolean {
  return secret === undefined || (typeof secret === 'string' && /^[\x20-\x7e]*$/.test(secret))
}

/** Whether requests can be sent to a URL. */
export function isHttpUrl(url: unknown): boolean {
  if (typeof url !== 'string' || !URL.canParse(url)) return false
  const { protocol, username, password } = new URL(url)
  return ['http:', 'https:'].includes(protocol) && isDecodable(username) && isDecodable(password)
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
