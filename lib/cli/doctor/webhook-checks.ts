import { COMMAND } from '../flags'
import { isLoopback } from '../settings'
import { CODE_EVENT, type DeliveryLog, type Integration } from '../store'
import {
  check,
  CREDENTIALS,
  INTEGRATION,
  ok,
  problem,
  skipped,
  warning,
  type Check,
  type Finding,
  type Visit,
} from './check'
import { SETUP } from './store-checks'
import { postEvent } from './webhook-request'

const DAY = 86_400_000

/** The name of the integration that `setup` makes. */
export const INTEGRATION_NAME = COMMAND

/** Checks of what brings the codes from Elastic Path to the shop. */
export const WEBHOOK_CHECKS: readonly Check[] = [
  check('webhook_integration', CREDENTIALS, integration),
  check('webhook_url', INTEGRATION, url),
  check('webhook_secret', INTEGRATION, secret),
  check('deliveries', INTEGRATION, deliveries),
]

/** The webhook that the shop uses: the one that `setup` made, or any other that observes the event. */
function chooseIntegration(all: readonly Integration[]): Integration | undefined {
  const webhooks = all.filter(({ type }) => type === 'webhook')
  const own = webhooks.filter(({ name }) => name === INTEGRATION_NAME)
  const delivering = webhooks.filter(({ observes }) => observes.includes(CODE_EVENT))
  return own[0] ?? delivering.find(({ enabled }) => enabled) ?? delivering[0]
}

async function integration(visit: Visit): Promise<Finding> {
  const all = await visit.store.integrations()
  const chosen = chooseIntegration(all)
  const delivering = all.filter(({ enabled, observes }) => enabled && observes.includes(CODE_EVENT))
  if (!chosen) {
    const [queue] = delivering
    if (!queue) return problem('No integration delivers codes, so nobody receives one.', `Run: ${SETUP}`)
    return warning(
      `Codes go to the ${queue.type} integration "${queue.name}", and to no webhook.`,
      `If the shop reads them from there, do nothing. Otherwise run: ${SETUP}`,
    )
  }
  visit.integration = chosen
  const { name, enabled, observes } = chosen
  if (!enabled) return problem(`The webhook integration "${name}" is disabled.`, `Run: ${SETUP}`)
  if (!observes.includes(CODE_EVENT)) {
    return problem(`The webhook integration "${name}" does not observe ${CODE_EVENT}.`, `Run: ${SETUP}`)
  }
  const others = delivering.filter((other) => other !== chosen)
  if (others.length > 0) {
    const names = others.map((other) => `"${other.name}"`).join(', ')
    return warning(
      `Each code is delivered ${others.length + 1} times: by "${name}" and by ${names}.`,
      'Disable the integrations that you do not use, in Commerce Manager under System > Integrations.',
    )
  }
  return ok(`The webhook integration "${name}" delivers codes.`)
}

async function url({ io, settings }: Visit, chosen: Integration): Promise<Finding> {
  const fix = `Run: ${SETUP} --webhook-url https://…/webhooks/otp`
  const address = addressOf(chosen)
  if (!address) return problem('The webhook integration has no URL.', fix)
  const where = address.origin + address.pathname
  if (isLoopback(address.hostname) && !isLoopback(settings.baseUrl.hostname)) {
    return problem(
      `The webhook's URL ${where} is on this machine, where Elastic Path cannot reach it.`,
      `Start a tunnel. ${fix}`,
    )
  }
  if (!isPrivate(address)) {
    return problem(`The webhook's URL ${where} is not https, so codes travel unencrypted.`, fix)
  }
  const answer = await postEvent(io, address)
  if ('failure' in answer) {
    return warning(
      `${where} cannot be reached from this machine (${answer.failure}).`,
      'Is the shop running? Elastic Path has to reach it.',
    )
  }
  const { status } = answer
  if (status === 401 || status === 403)
    return ok(`${where} refuses a request without the secret (${status}).`)
  if (status < 300) {
    return problem(
      `${where} accepts a request without the secret (${status}). Anybody can send mail in the shop's name.`,
      'Mount otpWebhook({ secretKey, deliver }) there, before any other handler.',
    )
  }
  if (status < 400) return problem(`${where} redirects (${status}). Elastic Path needs the final URL.`, fix)
  if (status >= 500)
    return problem(
      `${where} fails (${status}). This is a failure of the shop or its proxy.`,
      "See the shop's log.",
    )
  return problem(`${where} returns ${status} instead of 401. There is no otpWebhook at this path.`, fix)
}

async function secret({ io, settings }: Visit, chosen: Integration): Promise<Finding> {
  const { secretKey, name } = chosen
  const { webhookSecret } = settings
  if (webhookSecret === undefined) {
    return problem(
      'EPCC_WEBHOOK_SECRET is not set, so the shop cannot tell whether a delivery comes from Elastic Path.',
      `Run: ${SETUP}`,
    )
  }
  if (secretKey !== undefined && secretKey !== webhookSecret) {
    return problem(
      `EPCC_WEBHOOK_SECRET is not the secret key of the integration "${name}". The shop refuses every delivery.`,
      `Run: ${SETUP}`,
    )
  }
  // A secret goes only where Elastic Path sends it too, and never unencrypted.
  const address = addressOf(chosen)
  if (!address || !isPrivate(address)) {
    return skipped('The secret was not tried, because the URL is not https.')
  }
  const answer = await postEvent(io, address, webhookSecret)
  if ('failure' in answer)
    return skipped('The secret was not tried, because the webhook cannot be reached from this machine.')
  if (answer.status === 401 || answer.status === 403) {
    return problem(
      'The shop refuses EPCC_WEBHOOK_SECRET. It runs with another value.',
      'Start the shop with the same EPCC_WEBHOOK_SECRET as here.',
    )
  }
  if (answer.status < 300) return ok('The shop accepts EPCC_WEBHOOK_SECRET.')
  return warning(
    `The shop returns ${answer.status} to an event that is not a code. otpWebhook returns 204.`,
    'Check that otpWebhook is mounted there.',
  )
}

async function deliveries({ store, io }: Visit, { id }: Integration): Promise<Finding> {
  const now = io.clock.now()
  const recent = (await store.deliveries(id)).filter(
    ({ created }) => created === undefined || now - created < DAY,
  )
  const failed = recent.filter(({ succeeded }) => !succeeded)
  if (recent.length === 0) return ok('No recent delivery is logged.')
  if (failed.length === 0)
    return ok(
      recent.length === 1
        ? 'The recent delivery succeeded.'
        : `All ${recent.length} recent deliveries succeeded.`,
    )
  const message = `${failed.length} of ${recent.length} recent deliveries failed: ${statusesOf(failed)}.`
  const statuses = new Set(failed.map(({ status }) => status))
  const fix =
    HINTS.find(([status]) => statuses.has(status))?.[1] ?? "See the shop's log at the time of the failures."
  return failed.length === recent.length ? problem(message, fix) : warning(message, fix)
}

const HINTS: readonly (readonly [number | undefined, string])[] = [
  [401, `The shop has another EPCC_WEBHOOK_SECRET than the integration. Run: ${SETUP}`],
  [
    404,
    `The shop has no otpWebhook at the integration's URL. Run: ${SETUP} --webhook-url https://…/webhooks/otp`,
  ],
  [500, 'Sending the mail failed or took longer than nine seconds. The log of deliver() says why.'],
  [undefined, 'Elastic Path got no answer. Is the shop running, and can it be reached from outside?'],
]

function addressOf({ url }: Integration): URL | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url) : undefined
}

/** Whether nobody on the network can read what is sent there. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || isLoopback(hostname)
}

function statusesOf(logs: readonly DeliveryLog[]): string {
  const counts = new Map<string, number>()
  for (const { status } of logs) {
    const name = status === undefined ? 'no answer' : String(status)
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ')
}
