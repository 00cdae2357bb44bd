import type { DiagnosticMessage, PasswordlessOtpUser } from '../../lib'
import { ADA, bodyOf, pageOf, type Agent, type Shop } from '../support/shop'
import type { Door } from './table'

/** A shopper in front of a shop, who signed in before if the door needs that. */
export interface Visitor {
  shop: Shop
  agent: Agent
  user: PasswordlessOtpUser | undefined
}

/** Calls a door. Returns the result that the user of the package gets. Errors are also in `shop.errors`. */
export function visit(door: Door, visitor: Visitor): Promise<string> {
  const { shop, agent } = visitor
  const { strategy } = shop
  switch (door) {
    case 'sign-in':
      return outcomeOf(shop.submit({}, agent))
    case 'requestOtp':
      return outcomeOf(agent.post('/code').send({ username: ADA }))
    case 'switchAccount':
      return changeSession(agent, agent.post('/switch').send({ account_id: otherAccount(visitor).id }))
    case 'keepFresh':
      return changeSession(agent, agent.get('/fresh'))
    case 'listAccounts':
      return settle(shop, strategy.listAccounts(userOf(visitor)))
    case 'ready':
      return settle(shop, strategy.ready())
    case 'fetchAs':
      return settle(shop, strategy.fetchAs(userOf(visitor))('/v2/accounts'))
  }
}

export const needsUser = (door: Door): boolean =>
  ['listAccounts', 'switchAccount', 'keepFresh', 'fetchAs'].includes(door)

/** The diagnostics of a door. */
export const OPERATION: Partial<Record<Door, DiagnosticMessage['operation']>> = {
  'sign-in': 'sign-in',
  requestOtp: 'code-request',
  switchAccount: 'switch',
  keepFresh: 'renewal',
  fetchAs: 'call',
}

async function outcomeOf(sent: PromiseLike<{ status: number; body: unknown }>): Promise<string> {
  const response = await sent
  return response.status < 300 ? 'works' : `${response.status} ${bodyOf<{ code: string }>(response).code}`
}

/** A session keeps its user, unless the handler succeeds. */
async function changeSession(agent: Agent, request: ReturnType<Agent['get']>): Promise<string> {
  const before = (await pageOf(agent)).stored
  const outcome = await outcomeOf(request)
  const after = (await pageOf(agent)).stored
  if (outcome === 'works' && before?.account?.token === after?.account?.token) return 'old token'
  if (outcome !== 'works') expect(after).toEqual(before)
  return outcome
}

async function settle(shop: Shop, work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'works'
  } catch (error) {
    shop.errors.push(error)
    const { status, code } = error as { status: number; code: string }
    return `${status} ${code}`
  }
}

function userOf({ user }: Visitor): PasswordlessOtpUser {
  if (user) return user
  throw new Error('Nobody is signed in')
}

function otherAccount(visitor: Visitor): { id: string } {
  const { accounts } = visitor.shop.simulator.setAccounts(ADA, 2)
  const other = accounts.page(0, 2).find(({ id }) => id !== userOf(visitor).account?.id)
  if (other) return other
  throw new Error('There is only one account')
}
