import { ElasticPathSimulator, type SimulatorOptions } from '../../lib/testing'
import { settingsOf, Shell } from './support'
import { FakeShop } from './webhook'

export const EVENT = 'one-time-password-token-request.created'
export const PROFILE = '11111111-1111-4111-8111-111111111111'
export const OTHER_PROFILE = '22222222-2222-4222-8222-222222222222'

/** What each test works with. There is a simulator from `startStore` on. */
export let shell: Shell
export let shop: FakeShop
export let simulator: ElasticPathSimulator

const running: ElasticPathSimulator[] = []

/** Gives each test a command line and a shop, and ends them and the store after it. */
export function useStore(webhookSecret: string): void {
  beforeEach(async () => {
    shell = new Shell()
    shop = await FakeShop.open(webhookSecret)
  })

  afterEach(async () => {
    jest.useRealTimers()
    await Promise.all(running.splice(0).map((one) => one.stop()))
    await shop.close()
    shell.close()
  })
}

/** Starts a store that stops after the test. Resolves with the settings that lead to it. */
export async function startStore(options: SimulatorOptions): Promise<Record<string, string>> {
  simulator = await ElasticPathSimulator.start(options)
  running.push(simulator)
  return settingsOf(simulator)
}
