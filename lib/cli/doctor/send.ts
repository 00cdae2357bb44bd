import { pause } from '../pause'
import type { DeliveryLog, Integration, Store } from '../store'
import {
  check,
  ok,
  problem,
  PROFILE,
  skipped,
  warning,
  type Check,
  type Finding,
  type ShopProfile,
  type Visit,
} from './check'

const PATIENCE = 60_000
const INTERVAL = 2000

/** A check that requests a code for somebody, and follows its delivery in the store's log. */
export function sendCheck(username: string): Check {
  return check('code_delivery', PROFILE, (visit, profile) => send(visit, profile, username))
}

async function send(
  { store, integration, io }: Visit,
  { realmId, id }: ShopProfile,
  username: string,
): Promise<Finding> {
  const before = new Set(integration && (await idsOf(store, integration)))
  const started = io.clock.now()
  const { status } = await store.requestCode(realmId, id, username)
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
  if (!integration) {
    return skipped(
      'Elastic Path accepted the request for a code. Its delivery cannot be followed without the integration.',
    )
  }
  for (;;) {
    const fresh = (await store.deliveries(integration.id)).filter((delivery) => !before.has(delivery.id))
    const waited = io.clock.now() - started
    const success = fresh.find(({ succeeded }) => succeeded)
    if (success || waited >= PATIENCE) return outcome(success ?? fresh[0], waited)
    await pause(io, INTERVAL)
  }
}

function outcome(delivery: DeliveryLog | undefined, waited: number): Finding {
  if (!delivery)
    return warning(
      'Elastic Path accepted the request, but logged no delivery within a minute.',
      'Check that a member has this username, with the same upper and lower case. Deliveries can also be late.',
    )
  if (delivery.succeeded)
    return ok(
      `The code was delivered to the webhook within ${Math.ceil(waited / 1000)} s. The mail should arrive.`,
    )
  return problem(
    `The webhook did not accept the code (${delivery.status ?? 'no answer'}).`,
    "See the shop's log at this time, and the checks of the webhook above.",
  )
}

async function idsOf(store: Store, { id }: Integration): Promise<string[]> {
  return (await store.deliveries(id)).map((delivery) => delivery.id)
}
