import type { Request } from 'express'
import type { AccountToken, PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { inTime, isRefusal, type Fetch } from '../elastic-path/call'
import {
  associateCart,
  createCart,
  describeCart,
  listCarts,
  readItems,
  type CartSummary,
} from '../elastic-path/carts'
import { refreshSession, saveSession } from '../sessions/session'
import type { Storage } from '../storage/storage'
import { addAll } from './merge'

/** The basket of a session: an Elastic Path cart. Its id is in the session and in no page. */
export interface Basket {
  /** Calls Elastic Path as the account, or as the shop for a guest. */
  fetch: Fetch
  /** Undefined for a guest. */
  account: AccountToken | undefined
  /** Undefined until the first item. */
  cartId: string | undefined
  /** The account's other carts: saved ones, colleagues', and any that somebody else put there. */
  others: CartSummary[]
}

interface Parts {
  strategy: PasswordlessOtpStrategy
  storage: Pick<Storage, 'noteOnce' | 'forgetNotes'>
}

/** Opens the basket of the session. What `work` does with it has to end in time. */
export function withBasket<T>(req: Request, parts: Parts, work: (basket: Basket) => Promise<T>): Promise<T> {
  const { user } = req
  const account = user?.account
  if (!account) {
    const cartId = guestCart(req)?.id
    return inTime(parts.strategy.fetch, (fetch) => work({ fetch, account: undefined, cartId, others: [] }))
  }
  return inTime(parts.strategy.fetchAs(user), async (fetch) =>
    work(await openAccountBasket(req, parts, fetch, account, user.accountMemberId)),
  )
}

/** The guest's cart, unless a sign-in has decided which account it goes to. */
function guestCart({ session }: Request) {
  return session.guestCart?.goesTo === undefined ? session.guestCart : undefined
}

/** How many items the session's basket had when it was last read. */
export function basketSize(req: Request): number {
  if (!(req as Partial<Request>).session) return 0
  const { accountCart } = req.session
  const account = req.user?.account?.id
  const cart = account !== undefined && accountCart?.account === account ? accountCart : guestCart(req)
  return cart?.items ?? 0
}

/** Whether the basket of the session's account is known. */
export function isOpened({ user, session }: Request): boolean {
  return !user?.account || session.accountCart?.account === user.account.id
}

/**
 * The account's basket is, in this order: the cart that this session uses already, the one that was filled before the
 * sign-in, and the one that this member used last. A cart is the account's only if its list has it: whoever knows a
 * cart's id can read it. Carts are never merged here, because nobody asked for it.
 */
async function openAccountBasket(
  req: Request,
  { storage }: Parts,
  fetch: Fetch,
  account: AccountToken,
  member: string,
): Promise<Basket> {
  const guest = await bindGuestCart(req, account.id)
  const carts = await listCarts(fetch)
  const { accountCart } = req.session
  const used = accountCart?.account === account.id ? accountCart.id : undefined
  const cartId =
    (guest ? await follow(req, storage, fetch, account.id, member) : undefined) ??
    carts.find(({ id }) => id === used)?.id ??
    carts.find(({ description }) => description === member)?.id
  return { fetch, account, cartId, others: carts.filter(({ id }) => id !== cartId) }
}

/**
 * Decides that the guest's cart goes to this account and to no other. Saved before the first call: if its answer is lost,
 * the cart may be this account's already, and a switch of account must not take it along.
 *
 * @returns Whether there is a cart to take over.
 */
async function bindGuestCart(req: Request, account: string): Promise<boolean> {
  const { guestCart } = req.session
  if (guestCart && guestCart.goesTo === undefined) {
    req.session.guestCart = { ...guestCart, goesTo: account }
    await saveSession(req)
  }
  return guestCart !== undefined && (guestCart.goesTo ?? account) === account
}

/**
 * Makes the guest's cart the account's. Every step can be repeated.
 *
 * @returns Its id; undefined if it is empty.
 */
async function follow(
  req: Request,
  storage: Parts['storage'],
  fetch: Fetch,
  account: string,
  member: string,
): Promise<string | undefined> {
  const { guestCart } = req.session
  if (!guestCart || (await readItems(fetch, guestCart.id)).count === 0) return undefined
  try {
    await associateCart(fetch, guestCart.id, account)
  } catch (error) {
    // Elastic Path refuses carts with a contact's email address. Its items are kept in a cart without one.
    if (!isRefusal(error)) throw error
    guestCart.copy ??= await createCart(fetch, member)
    await saveSession(req)
    await addAll(fetch, storage, guestCart.id, guestCart.copy)
    return guestCart.copy
  }
  // By this, the member's next sign-in finds it.
  await describeCart(fetch, guestCart.id, member)
  return guestCart.id
}

/**
 * Keeps the basket's cart and its number of items in the session, unless the session has ended or acts for another
 * account by now.
 */
export async function remember(req: Request, { account, cartId }: Basket, items: number): Promise<void> {
  if (!(await refreshSession(req))) return
  const { session } = req
  if (session.passport?.user?.account?.id !== account?.id) return
  if (!account) {
    if (cartId !== undefined) session.guestCart = { id: cartId, items }
    return
  }
  session.accountCart = { account: account.id, id: cartId, items }
  if (session.guestCart?.goesTo === account.id) delete session.guestCart
}

/** The basket's cart, which is created for the first item. */
export async function ensureCart(req: Request, basket: Basket): Promise<string> {
  if (basket.cartId !== undefined) return basket.cartId
  const created = await createCart(basket.fetch, basket.account && req.user?.accountMemberId)
  if (basket.account) return (basket.cartId = created)
  // Another tab may have been first.
  const known = (await refreshSession(req)) ? guestCart(req) : undefined
  basket.cartId = known?.id ?? created
  await remember(req, basket, known?.items ?? 0)
  if ((req as Partial<Request>).session) await saveSession(req)
  return basket.cartId
}
