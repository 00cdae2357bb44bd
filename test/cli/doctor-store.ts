import { ElasticPathSimulator, type SimulatorOptions } from '../../lib/testing'
import { settingsOf, Shell, type Situation } from './support'
import { FakeShop } from './webhook'

export const SECRET = 'the-secret-of-the-webhook'
export const EVENT = 'one-time-password-token-request.created'
export const ADA = 'ada@example.com'
export const PROFILE = '11111111-1111-4111-8111-111111111111'
export const OTHER_PROFILE = '22222222-2222-4222-8222-222222222222'

/** What each test of `doctor` works with. */
export let shell: Shell
export let shop: FakeShop
export let simulator: ElasticPathSimulator | undefined

/** Gives each test a command line and a shop, and ends them and the store after it. */
export function useDoctor(): void {
  beforeEach(async () => {
    shell = new Shell()
    shop = await FakeShop.open(SECRET)
  })

  afterEach(async () => {
    jest.useRealTimers()
    await simulator?.stop()
    await shop.close()
    shell.close()
  })
}

/** A store where everything is right, but for what the options change. */
export async function open(options: SimulatorOptions = {}): Promise<Record<string, string>> {
  simulator = await ElasticPathSimulator.start({
    passwordProfiles: [{ id: PROFILE, name: 'Shoppers', usernameFormat: 'email' }],
    integrations: [
      { name: 'passport-elasticpath-otp', url: shop.url, secretKey: SECRET, retryDelay: 1, attempts: 1 },
    ],
    members: [{ username: ADA }],
    ...options,
  })
  return { ...settingsOf(simulator), EPCC_WEBHOOK_SECRET: SECRET }
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
