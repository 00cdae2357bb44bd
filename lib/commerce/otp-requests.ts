import type { Context } from '../context'
import { ElasticPathError } from '../errors'
import type { CommerceClient } from './client'
import { misconfigured } from './exchange'
import type { StoreSettings } from './store-settings'

interface StoreIds {
  realmId: string
  profileId: string
}

// What may depend on the username. Elastic Path documents no response to an unknown username
// (docs/elastic-path-facts.md#19), and a proxy may refuse a username too.
const MAY_DEPEND_ON_USERNAME = [400, 404, 422] as const

/** A request that was refused by a response that may depend on the username. */
export interface Refused {
  ids: StoreIds
  error: ElasticPathError
}

/**
 * Asks Elastic Path to create a code and to send its event.
 *
 * @returns What was refused, if that may depend on the username.
 * @throws ElasticPathError for outages, and for what cannot depend on the username.
 */
export async function requestCode(
  client: CommerceClient,
  store: StoreSettings,
  context: Context,
  username: string,
): Promise<Refused | undefined> {
  const ids = await idsOf(store, context)
  const error = await send(client, context, username, ids)
  return error && { ids, error }
}

/**
 * Asks again after a refusal if the realm or the profile was replaced. It takes longer than a success, so no response may
 * wait for it.
 *
 * @returns The error of the last response, for diagnostics only: it must not reach the browser.
 */
export async function requestAgain(
  client: CommerceClient,
  store: StoreSettings,
  context: Context,
  username: string,
  { ids, error: refusal }: Refused,
): Promise<ElasticPathError | undefined> {
  try {
    await store.recheck(context)
    const current = await idsOf(store, context)
    if (current.realmId === ids.realmId && current.profileId === ids.profileId) return refusal
    return await send(client, context, username, current)
  } catch (error) {
    if (error instanceof ElasticPathError) return error
    throw error
  }
}

async function idsOf(store: StoreSettings, context: Context): Promise<StoreIds> {
  return { realmId: await store.realmId(context), profileId: await store.passwordProfileId(context) }
}

/** @returns what Elastic Path refused, if that may depend on the username. */
async function send(
  client: CommerceClient,
  context: Context,
  username: string,
  { realmId, profileId }: StoreIds,
): Promise<ElasticPathError | undefined> {
  const outcome = await client.call(context, {
    method: 'POST',
    path:
      `/v2/authentication-realms/${encodeURIComponent(realmId)}` +
      `/password-profiles/${encodeURIComponent(profileId)}/one-time-password-token-request`,
    body: {
      data: { type: 'one_time_password_token_request', username, purpose: 'passwordless_authentication' },
    },
    // A second code may invalidate the first, which may have been emailed already.
    repeatable: false,
    anyWords: MAY_DEPEND_ON_USERNAME,
    // 202 without a body, or 201 with JSON that is not used. A proxy's page is neither.
    parse: (json, text) => text === '' || json !== undefined || undefined,
  })
  if ('result' in outcome) return undefined
  const { refusal } = outcome
  const error = misconfigured(
    refusal,
    'POST …/one-time-password-token-request',
    'Check that authenticationRealmId and passwordProfileId belong together, and that the profile has ' +
      'enable_one_time_password_token set to true.',
  )
  const mayDependOnUsername: readonly number[] = MAY_DEPEND_ON_USERNAME
  if (refusal.ofRealm || mayDependOnUsername.includes(refusal.status)) return error
  throw error
}
