import { randomUUID } from 'node:crypto'
import { dataOf, field, invalid, isObject } from './fields'
import { DELIVERY, isHttpUrl, isSecret, type Delivery, type Integration } from './integrations'
import type { Answer, ApiRequest } from './messages'
import { listing, paged, pageOf } from './paging'
import type { Store } from './store'

// All of these endpoints require an access token with the grant `client_credentials`.

/** `GET /v2/integrations`. */
export function integrations(store: Store, request: ApiRequest): Answer {
  return paged(store, request, store.integrations.all, (one) => resource(request, one))
}

/** `GET /v2/integrations/:id`. */
export function integration(store: Store, request: ApiRequest): Answer {
  const found = integrationOf(store, request)
  return found ? answerWith(request, found) : notFound(store)
}

/** `POST /v2/integrations`. */
export function createIntegration(store: Store, request: ApiRequest): Answer {
  const now = store.isoNow()
  const blank: Integration = {
    id: randomUUID(),
    name: '',
    description: '',
    enabled: false,
    integrationType: 'webhook',
    observes: [],
    configuration: {},
    createdAt: now,
    updatedAt: now,
    ...DELIVERY,
  }
  return write(store, request, blank)
}

/** `PUT /v2/integrations/:id`. Missing fields keep their values. */
export function updateIntegration(store: Store, request: ApiRequest): Answer {
  const found = integrationOf(store, request)
  return found ? write(store, request, found) : notFound(store)
}

/** `DELETE /v2/integrations/:id`. */
export function deleteIntegration(store: Store, request: ApiRequest): Answer {
  const found = integrationOf(store, request)
  if (!found) return notFound(store)
  store.integrations.delete(found.id)
  return { status: 200 }
}

/** `GET /v2/integrations/:id/jobs`. */
export function integrationJobs(store: Store, request: ApiRequest): Answer {
  const found = integrationOf(store, request)
  if (!found) return notFound(store)
  const jobs = store.jobs.all.filter(({ integrationId }) => integrationId === found.id)
  return { status: 200, body: { data: jobs.map(({ id }) => ({ id, type: 'integration-job' })) } }
}

/** `GET /v2/integrations/:id/jobs/:job/logs`, `/v2/integrations/:id/logs` and `/v2/integrations/logs`. */
export function integrationLogs(store: Store, request: ApiRequest): Answer {
  const { id, job } = request.params
  if (id !== undefined && !store.integrations.get(id)) return notFound(store)
  if (job !== undefined && store.jobs.get(job)?.integrationId !== id) return notFound(store)
  const logs = store.deliveries.all.filter(
    (log) => (id === undefined || log.integrationId === id) && (job === undefined || log.jobId === job),
  )
  const page = pageOf(store, request.query)
  if (page.refusal) return page.refusal
  const data = logs.slice(page.offset, page.offset + page.limit).map(logResource)
  const { meta } = listing(request, page, data, logs.length)
  // In other lists, the page is in `meta.page`. In this list, it is `meta`.
  return { status: 200, body: { data, meta: meta.page, results: meta.results } }
}

function write(store: Store, request: ApiRequest, before: Integration): Answer {
  const read = dataOf(store, request.body)
  if (read.refusal) return read.refusal
  const { data } = read
  const observes = data['observes'] ?? before.observes
  const configuration = data['configuration'] ?? before.configuration
  const integrationType = data['integration_type'] ?? before.integrationType
  const name = field(data, 'name') ?? before.name
  const complaints: [string, string][] = []
  if (data['type'] !== 'integration') complaints.push(['Type', 'oneof'])
  if (name === '') complaints.push(['Name', 'required'])
  if (!isIntegrationType(integrationType)) complaints.push(['IntegrationType', 'oneof'])
  if (!isTexts(observes)) complaints.push(['Observes', 'dive'])
  if (!isObject(configuration)) complaints.push(['Configuration', 'required'])
  else if (integrationType === 'webhook' && !isHttpUrl(configuration['url'])) complaints.push(['URL', 'url'])
  else if (!isSecret(configuration['secret_key'])) complaints.push(['SecretKey', 'printascii'])
  if (
    complaints.length > 0 ||
    !isTexts(observes) ||
    !isIntegrationType(integrationType) ||
    !isObject(configuration)
  )
    return invalid(store, complaints)
  const { description, enabled } = data
  return answerWith(
    request,
    store.integrations.set(before.id, {
      ...before,
      name,
      description: typeof description === 'string' ? description : before.description,
      enabled: typeof enabled === 'boolean' ? enabled : before.enabled,
      integrationType,
      observes,
      configuration,
      updatedAt: store.isoNow(),
    }),
  )
}

function integrationOf(store: Store, { params }: ApiRequest): Integration | undefined {
  return store.integrations.get(params['id'] ?? '')
}

function notFound(store: Store): Answer {
  return store.refusal(404, 'The resource could not be found')
}

function isIntegrationType(value: unknown): value is Integration['integrationType'] {
  return value === 'webhook' || value === 'aws_sqs' || value === 'stomp'
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function answerWith(request: ApiRequest, one: Integration): Answer {
  return { status: 200, body: { data: resource(request, one) } }
}

function resource({ origin }: ApiRequest, one: Integration) {
  return {
    id: one.id,
    type: 'integration',
    name: one.name,
    description: one.description,
    enabled: one.enabled,
    integration_type: one.integrationType,
    observes: one.observes,
    configuration: one.configuration,
    links: { self: `${origin}/v2/integrations/${one.id}` },
    meta: { timestamps: { created_at: one.createdAt, updated_at: one.updatedAt } },
  }
}

function logResource(log: Delivery) {
  return {
    id: log.id,
    type: 'integration',
    succeeded: log.succeeded,
    attempt: log.attempt,
    body: log.body,
    status_code: log.status ?? 0,
    error_detail: log.errorDetail,
    relationships: {
      integration: { data: { id: log.integrationId, type: 'integration' } },
      job: { data: { id: log.jobId, type: 'integration-job' } },
    },
  }
}
