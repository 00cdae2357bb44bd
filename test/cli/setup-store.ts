import type { SimulatorOptions } from '../../lib/testing'
import { PROFILE, shell, shop, simulator, startStore, useStore } from './store'
import type { Situation } from './support'

export { EVENT, OTHER_PROFILE, PROFILE, shell, shop, simulator } from './store'

export const NAME = 'passport-elasticpath-otp'
export const OLD_SECRET = 'the-old-secret-of-the-webhook'

export const useSetup = () => useStore(OLD_SECRET)

/** A new store: codes are off, and there is no webhook. */
export const open = (options: SimulatorOptions = {}) =>
  startStore({
    passwordProfiles: [{ id: PROFILE, name: 'Shoppers', usernameFormat: 'email', oneTimePasswords: false }],
    ...options,
  })

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
