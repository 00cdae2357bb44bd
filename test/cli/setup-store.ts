import { ElasticPathSimulator, type SimulatorOptions } from '../../lib/testing'
import { settingsOf, Shell, type Situation } from './support'
import { FakeShop } from './webhook'

export const EVENT = 'one-time-password-token-request.created'
export const NAME = 'passport-elasticpath-otp'
export const OLD_SECRET = 'the-old-secret-of-the-webhook'
export const PROFILE = '11111111-1111-4111-8111-111111111111'
export const OTHER_PROFILE = '22222222-2222-4222-8222-222222222222'

/** What each test of `setup` works with. */
export let shell: Shell
export let shop: FakeShop
export let simulator: ElasticPathSimulator

/** Gives each test a command line and a shop, and ends them and the store after it. */
export function useSetup(): void {
  beforeEach(async () => {
    shell = new Shell()
    shop = await FakeShop.open(OLD_SECRET)
  })

  afterEach(async () => {
    await simulator.stop()
    await shop.close()
    shell.close()
  })
}

/** A new store: codes are off, and there is no webhook. */
export async function open(options: SimulatorOptions = {}): Promise<Record<string, string>> {
  simulator = await ElasticPathSimulator.start({
    passwordProfiles: [{ id: PROFILE, name: 'Shoppers', usernameFormat: 'email', oneTimePasswords: false }],
    ...options,
  })
  return settingsOf(simulator)
}

export const setup = (situation: Situation, ...argv: string[]) => shell.run(['setup', ...argv], situation)
export const unattended = (env: Record<string, string | undefined>, ...argv: string[]) =>
  setup({ env }, '--yes', '--webhook-url', shop.url, ...argv)

export const writes = () =>
  simulator.requests.filter(({ method, call }) => method !== 'GET' && call !== 'access_token')
export const integration = () => simulator.integrations.find(({ name }) => name === NAME)

type Answers = Record<string, string | string[] | undefined>

/** Answers questions by a part of their text. A list has the answers to a question that is asked again. */
export function answering(answers: Answers) {
  const asked: string[] = []
  const answer = (question: string) => {
    asked.push(question)
    const key = Object.keys(answers).find((part) => question.includes(part))
    if (key === undefined) throw new Error(`Nobody expected the question: ${question}`)
    const reply = answers[key]
    return Array.isArray(reply) ? reply.shift() : reply
  }
  return { asked, answer }
}

/** Runs setup on a terminal, with these answers to its questions. */
export const attended = (env: Record<string, string>, answers: Answers) =>
  setup({ env, ...answering(answers) }, '--webhook-url', shop.url)
