import { pause } from '../pause'
import type { DeliveryLog } from '../store'
import { ok, problem, skipped, warning, type Check, type Finding, type Visit } from './check'

const PATIENCE = 60_000
const INTERVAL = 2000

/** A check that requests a code for somebody, and follows its delivery in the store's log. */
export function sendCheck(username: string): Check {
  return { id: 'code_delivery', needs: 'profile', run: (visit) => send(visit, username) }
}

async function send(visit: Visit, username: string): Promise<Finding> {
  const { store, integration, profile, io } = visit
  const before = integration ? await idsOf(visit, integration.id) : undefined
  const started = io.clock.now()
  const { status } = await store.requestCode(visit.realmId ?? '', profile?.id ?? '', username)
  if (status === 400 || status === 404) {
    return problem(
      `Elastic Path returns ${status} to the request for a code: it may not know this username.`,
      'Check the username after --send.',
    )
  }
  if (status !== 201 && status !== 202) {
    return problem(
      `Elastic Path returns ${status} to the request for a code.`,
      'Correct what the checks above report, and run this again.',
    )
  }
  if (!integration || !before) {
    return skipped(
      'Elastic Path accepted the request for a code. Its delivery cannot be followed without the integration.',
    )
  }
  for (;;) {
    const fresh = (await store.deliveries(integration.id)).filter(({ id }) => !before.has(id))
    const waited = io.clock.now() - started
    const last = fresh.find(({ succeeded }) => succeeded) ?? (waited >= PATIENCE ? fresh[0] : undefined)
    if (last) return delivered(last, waited)
    if (waited >= PATIENCE) {
      return warning(
        'Elastic Path accepted the request, but logged no delivery within a minute.',
        'Check that a member has this username, with the same upper and lower case. Deliveries can also be late.',
      )
    }
    await pause(io, INTERVAL)
  }
}

function delivered({ succeeded, status }: DeliveryLog, waited: number): Finding {
  if (succeeded)
    return ok(
      `The code was delivered to the webhook within ${Math.ceil(waited / 1000)} seconds. The mail should arrive.`,
    )
  return problem(
    `The webhook did not accept the code (${status ?? 'no answer'}).`,
    "See the shop's log at this time, and the checks of the webhook above.",
  )
}

async function idsOf({ store }: Visit, integrationId: string): Promise<Set<string>> {
  return new Set((await store.deliveries(integrationId)).map(({ id }) => id))
}
