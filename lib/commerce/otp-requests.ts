import { misconfigured, type CommerceClient } from './client'
import type { Operation } from './operation'
import type { StoreSettings } from './store-settings'

/**
 * Asks Elastic Path to make a code and to send its event (facts 18 and 20). Whether the username exists makes no
 * difference to the outcome (fact 19): rejects only where the store or its setup is at fault.
 */
export async function requestCode(
  client: CommerceClient,
  settings: StoreSettings,
  operation: Operation,
  username: string,
): Promise<void> {
  const realmId = await settings.realmId(operation)
  const profileId = await settings.passwordProfileId(operation)
  const path =
    `/v2/authentication-realms/${encodeURIComponent(realmId)}` +
    `/password-profiles/${encodeURIComponent(profileId)}/one-time-password-token-request`
  const outcome = await client.call(operation, {
    method: 'POST',
    path,
    body: {
      data: { type: 'one_time_password_token_request', username, purpose: 'passwordless_authentication' },
    },
    // A second code may kill the first, which is in the mail already.
    repeatable: false,
    // 202 without a body, or 201 with one that says nothing of use; a page of something in between is neither.
    parse: (json, text) => text === '' || json !== undefined || undefined,
  })
  if ('result' in outcome) return
  const { refusal } = outcome
  const ofUsername = refusal.fields.length > 0 && refusal.fields.every((field) => /^username$/i.test(field))
  if (refusal.status === 400 || (refusal.status === 422 && ofUsername)) return
  if (refusal.status === 404) {
    // The username, or the realm and the profile in the path: the store's own list of profiles tells.
    await settings.check(operation)
    return
  }
  throw misconfigured(
    refusal,
    'POST …/one-time-password-token-request',
    'Check that authenticationRealmId and passwordProfileId belong together, and that the profile has ' +
      'enable_one_time_password_token set to true.',
  )
}
