import type { AccountToken } from 'passport-elasticpath-otp'
import { z } from 'zod'
import { call, type Fetch } from './call'

const text = z.string().nullish().catch(undefined)
const Account = z.object({ data: z.object({ name: text, legal_name: text, registration_id: text }) })

/** Reads what the account page shows. */
export async function readAccount(fetch: Fetch, { id, name }: AccountToken) {
  const { data } = await call(fetch, `/v2/accounts/${encodeURIComponent(id)}`, Account)
  return { name: data.name ?? name, legalName: data.legal_name ?? name, registrationId: data.registration_id }
}
