import type { Express, RequestHandler, Response } from 'express'
import { Passport } from 'passport'
import type { PasswordlessOtpStrategy, PasswordlessOtpUser } from '../../lib'
import { ADA, bodyOf, pageOf, type Agent, type Shop } from '../support/shop'
import type { Door } from './table'

/** A shopper in front of a shop, who signed in before if the door needs that. */
export interface Visitor {
  shop: Shop
  agent: Agent
  user: PasswordlessOtpUser | undefined
}

/** Comes by a door. Returns what the user of the package gets; errors are also in `shop.errors`. */
export function visit(door: Door, visitor: Visitor): Promise<string> {
  const { shop, agent } = visitor
  const { strategy } = shop
  switch (door) {
    case 'sign-in':
      return send(visitor, '/counted/login', { username: ADA, otp: shop.simulator.issueCode(ADA) })
    case 'requestOtp':
      return send(visitor, '/counted/code', { username: ADA })
    case 'switchAccount':
      return changeSession(visitor, '/counted/switch', { account_id: otherAccount(visitor).id })
    case 'keepFresh':
      return changeSession(visitor, '/counted/fresh', {})
    case 'listAccounts':
      return settle(shop, strategy.listAccounts(userOf(visitor)))
    case 'ready':
      return settle(shop, strategy.ready())
    case 'fetchAs':
      return settle(shop, strategy.fetchAs(agent && userOf(visitor))('/v2/accounts'))
  }
}

export const needsUser = (door: Door): boolean =>
  ['listAccounts', 'switchAccount', 'keepFresh', 'fetchAs'].includes(door)

/** The diagnostics of a door. */
export const OPERATION = {
  'sign-in': 'sign-in',
  requestOtp: 'code-request',
  switchAccount: 'switch',
  keepFresh: 'renewal',
  fetchAs: 'call',
  listAccounts: undefined,
  ready: undefined,
} as const satisfies Record<Door, string | undefined>

/** Mounts the strategy's handlers, and calls `onEnd` with the listeners that are left whenever one of them ends. */
export function mount(
  app: Express,
  strategy: PasswordlessOtpStrategy,
  onEnd: (listeners: number) => void,
): void {
  const counted = (handler: (end: (error?: unknown) => void) => RequestHandler): RequestHandler => {
    return (req, res, next) => {
      const before = res.listenerCount('close')
      const end = (error?: unknown): void => {
        onEnd(res.listenerCount('close') - before)
        next(error)
      }
      void handler(end)(req, res, end)
    }
  }
  const passport = new Passport()
  passport.use(strategy)
  const login = counted((end) => (req, res, next) => {
    const finish = (error: unknown, user: unknown, info: unknown, status: unknown): void => {
      res.locals['failure'] = user ? undefined : { status, info }
      end(error)
    }
    ;(passport.authenticate(strategy.name, finish) as RequestHandler)(req, res, next)
  })
  app.post('/counted/login', login, (_req, res) => answer(res))
  app.post(
    '/counted/code',
    counted(() => strategy.requestOtp()),
    (_req, res) => answer(res),
  )
  app.post(
    '/counted/switch',
    counted(() => strategy.switchAccount()),
    (_req, res) => answer(res),
  )
  app.post(
    '/counted/fresh',
    counted(() => strategy.keepFresh({ within: 1e9 })),
    (_req, res) => answer(res),
  )
}

function answer(res: Response): void {
  const { failure } = res.locals as { failure?: { status: number; info: object } }
  res.status(failure?.status ?? 200).json(failure?.info ?? {})
}

async function send({ agent }: Visitor, path: string, body: object): Promise<string> {
  const response = await agent.post(path).send(body)
  return response.status === 200 ? 'works' : `${response.status} ${bodyOf<{ code: string }>(response).code}`
}

/** A session keeps its user, unless the handler works. */
async function changeSession(visitor: Visitor, path: string, body: object): Promise<string> {
  const before = (await pageOf(visitor.agent)).stored
  const outcome = await send(visitor, path, body)
  const after = (await pageOf(visitor.agent)).stored
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
