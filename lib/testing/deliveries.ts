import { randomUUID } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { field } from './fields'
import { integrationOf, type Delivery, type Integration } from './integrations'
import type { WebhookTarget } from './options'
import type { Store } from './store'

/** An event that integrations can observe. */
export interface StoreEvent {
  id: string
  name: string
  payload: unknown
}

interface Job {
  id: string
  event: StoreEvent
  integration: Integration
}

/** How a delivery ended. The status is 0 if there was no response. */
interface Outcome {
  status: number
  body: string
  timedOut: boolean
}

const LARGEST_BODY = 1000

/** Delivers events to webhooks, as Elastic Path's integrations do, and records jobs and deliveries. */
export class Deliveries {
  private readonly pending = new Map<() => void, string>()
  private webhookId: string | undefined

  /** @param onEnd called with each delivery when it ends */
  constructor(
    private readonly store: Store,
    private readonly onEnd: (delivery: Delivery) => void,
  ) {}

  /** Replaces the webhook of the option `webhook` and of `deliverTo`. Integrations created by the API stay. */
  deliverTo(target: WebhookTarget | undefined): void {
    const { integrations } = this.store
    const added = target && integrationOf({ name: 'One-time passwords', ...target }, this.store.isoNow())
    if (this.webhookId !== undefined) {
      this.stop(this.webhookId)
      integrations.delete(this.webhookId)
    }
    this.webhookId = added && integrations.set(added.id, added).id
  }

  /** Delivers an event to every enabled integration that observes it. */
  publish(event: StoreEvent): void {
    for (const integration of this.store.integrations.all) {
      const { enabled, observes, integrationType } = integration
      if (!enabled || !observes.includes(event.name) || integrationType !== 'webhook') continue
      const job = { id: randomUUID(), event, integration }
      this.store.jobs.set(job.id, { id: job.id, integrationId: integration.id })
      const { deliveryDelay } = this.store.settings
      if (deliveryDelay > 0) this.later(deliveryDelay, job, 1)
      else this.attempt(job, 1)
    }
  }

  /** Cancels the deliveries to one integration, or all deliveries. */
  stop(integrationId?: string): void {
    for (const [cancel, id] of this.pending) {
      if (integrationId === undefined || id === integrationId) cancel()
    }
  }

  private later(delay: number, job: Job, attempt: number): void {
    const timer = setTimeout(() => {
      this.pending.delete(cancel)
      if (this.store.integrations.get(job.integration.id)) this.attempt(job, attempt)
    }, delay)
    const cancel = () => {
      clearTimeout(timer)
      this.pending.delete(cancel)
    }
    this.pending.set(cancel, job.integration.id)
  }

  private attempt(job: Job, attempt: number): void {
    this.post(job, attempt, (outcome) => {
      const { status, body } = outcome
      const succeeded = status >= 200 && status < 300
      const { event, integration } = job
      const delivery: Delivery = {
        id: randomUUID(),
        eventId: event.id,
        event: event.name,
        integrationId: integration.id,
        jobId: job.id,
        attempt,
        succeeded,
        status: status === 0 ? undefined : status,
        body,
        errorDetail: succeeded ? '' : reasonOf(outcome),
      }
      this.store.deliveries.set(delivery.id, delivery)
      if (!succeeded && attempt < integration.attempts) this.later(integration.retryDelay, job, attempt + 1)
      this.onEnd(delivery)
    })
  }

  private post(job: Job, attempt: number, done: (outcome: Outcome) => void): void {
    const { configuration, timeout, id } = job.integration
    const url = new URL(String(configuration['url']))
    const secret = field(configuration, 'secret_key')
    const headers = {
      'content-type': 'application/json',
      ...(secret !== undefined && { 'x-moltin-secret-key': secret }),
    }
    const { request } = url.protocol === 'https:' ? https : http
    // With `agent: false`, no connection stays open after a delivery.
    const call = request(url, { method: 'POST', headers, agent: false })
    const outcome: Outcome = { status: 0, body: '', timedOut: false }
    const timer = setTimeout(() => {
      outcome.timedOut = true
      call.destroy()
    }, timeout)
    const cancel = () => {
      this.pending.delete(cancel)
      clearTimeout(timer)
      call.destroy()
    }
    call.on('response', (response) => {
      outcome.status = response.statusCode ?? 0
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (outcome.body = (outcome.body + chunk).slice(0, LARGEST_BODY)))
    })
    // A failed call emits 'close' too.
    call.on('error', () => undefined)
    call.on('close', () => {
      clearTimeout(timer)
      if (this.pending.delete(cancel)) done(outcome)
    })
    this.pending.set(cancel, id)
    call.end(JSON.stringify(this.envelope(job, attempt)))
  }

  private envelope({ event, integration }: Job, attempt: number) {
    const { id, name, description, integrationType, configuration } = integration
    return {
      id: event.id,
      triggered_by: event.name,
      attempt,
      store_id: this.store.storeId,
      org_id: this.store.organizationId,
      integration: { id, integration_type: integrationType, name, description },
      payload: event.payload,
      configuration,
    }
  }
}

/** Only the first of these texts is Elastic Path's. The others are not documented. */
function reasonOf({ status, timedOut }: Outcome): string {
  if (status !== 0) return 'Received a status code outside of 2xx range - treating webhook as a fail'
  return timedOut ? 'The webhook did not respond in time' : 'The connection to the webhook failed'
}
