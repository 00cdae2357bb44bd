import type { SimulatorOptions } from '../../lib/testing'
import { PROFILE, shell, shop, startStore, useStore } from './store'
import type { Situation } from './support'

export { EVENT, OTHER_PROFILE, PROFILE, shell, shop, simulator } from './store'

export const SECRET = 'the-secret-of-the-webhook'
export const ADA = 'ada@example.com'

export const useDoctor = () => useStore(SECRET)

/** A store where everything is right, but for what the options change. */
export async function open(options: SimulatorOptions = {}): Promise<Record<string, string>> {
  const settings = await startStore({
    passwordProfiles: [{ id: PROFILE, name: 'Shoppers', usernameFormat: 'email' }],
    integrations: [
      { name: 'passport-elasticpath-otp', url: shop.url, secretKey: SECRET, retryDelay: 1, attempts: 1 },
    ],
    members: [{ username: ADA }],
    ...options,
  })
  return { ...settings, EPCC_WEBHOOK_SECRET: SECRET }
}

interface Report {
  ok: boolean
  checks: { id: string; status: string; message: string; fix?: string }[]
}

export async function examine(
  situation: Situation,
  ...argv: string[]
): Promise<{ code: number; report: Report; out: string }> {
  const { code, out } = await shell.run(['doctor', '--json', ...argv], situation)
  return { code, report: JSON.parse(out) as Report, out }
}

export const IDS = [
  'base_url',
  'clock',
  'implicit_token',
  'client_credentials_token',
  'realm',
  'profiles',
  'username_format',
  'webhook_integration',
  'webhook_url',
  'webhook_secret',
  'deliveries',
  'account_token_lifetime',
  'node_version',
]
