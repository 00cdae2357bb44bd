import { createHmac } from 'node:crypto'
import { Router, type Request, type RequestHandler, type Response } from 'express'
import type { PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { z } from 'zod'
import { remember, withBasket, type Basket } from '../basket/current'
import { reasonOf } from '../basket/notices'
import { inTime, isRefusal, isUnknown, type Fetch } from '../elastic-path/call'
import { emptyCart, readItems, type CartContent } from '../elastic-path/carts'
import {
  checkOut,
  findOrder,
  listOrders,
  MOST_ORDERS,
  payByInvoice,
  readOrder,
  type Order,
} from '../elastic-path/orders'
import { field, parameter } from '../http/input'
import { sameAccount } from '../http/stale-tabs'
import type { Storage } from '../storage/storage'

interface OrderOptions {
  strategy: PasswordlessOtpStrategy
  storage: Pick<Storage, 'claim' | 'settle' | 'noteOnce' | 'forgetNotes'>
  secret: string
}

/** Seconds in which nobody else makes the same order: longer than Elastic Path takes to make one. */
const CLAIM_LIFETIME = 60

const countries = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })

const line = z.string().trim().min(1).max(100)
const Delivery = z.object({
  email: z
    .string()
    .trim()
    .regex(/^\S+@\S+$/)
    .max(254),
  first_name: line,
  last_name: line,
  line_1: line,
  city: line,
  region: line,
  postcode: line,
  country: z
    .string()
    .trim()
    .toUpperCase()
    .refine((code) => /^[A-Z]{2}$/.test(code) && countries.of(code) !== undefined),
})
type Delivery = z.infer<typeof Delivery>

/** Ordering, and the account's orders. */
export function orderRoutes({ secret, strategy, storage }: OrderOptions): Router {
  const parts = { strategy, storage }
  return Router()
    .get('/order', asAccount, async (req, res) => {
      await withBasket(req, parts, async (basket) => {
        const content = await contentOf(basket)
        await remember(req, basket, content.count)
        if (content.count === 0) res.redirect('/basket')
        else showForm(req, res, basket, content, {})
      })
    })
    .post('/order', asAccount, sameAccount, async (req, res) => {
      await withBasket(req, parts, async (basket) => {
        const content = await contentOf(basket)
        const reference = field(req, 'order')
        const typed = Delivery.safeParse(req.body)
        if (content.count === 0) res.redirect(303, '/orders')
        else if (reference !== referenceOf(basket, content)) {
          res.status(409)
          showForm(req, res, basket, content, { changed: true })
        } else if (!typed.success) {
          res.status(400)
          showForm(req, res, basket, content, {
            invalid: typed.error.issues.map(({ path }) => String(path[0])),
          })
        } else await placeOrder(req, res, basket, content, reference, typed.data)
      })
    })
    .get('/orders', asAccount, async (req, res) => {
      const account = req.user?.account?.id ?? ''
      const orders = await inOwnTime(req, (fetch) => listOrders(fetch, account))
      const unconfirmed = parameter(req, 'unconfirmed') !== undefined
      res.render('orders', { orders, isFull: orders.length === MOST_ORDERS, unconfirmed })
    })
    .get('/orders/:id', asAccount, async (req, res) => {
      const { id = '' } = req.params as Record<string, string | undefined>
      const order = await inOwnTime(req, (fetch) => readOrder(fetch, id)).catch((error: unknown) =>
        isRefusal(error) ? undefined : Promise.reject(error as Error),
      )
      if (!order) throw Object.assign(new Error('No such order'), { status: 404 })
      res.render('order', { order })
    })

  function showForm(
    req: Request,
    res: Response,
    basket: Basket,
    content: CartContent,
    problem: Problem,
  ): void {
    const { username = '' } = req.user ?? {}
    const typed = req.method === 'POST' ? (req.body as Record<string, unknown>) : {}
    const email = username.includes('@') ? username : ''
    res.render('checkout', {
      content,
      reference: referenceOf(basket, content),
      typed: { email, ...typed },
      problem,
    })
  }

  /** Calls Elastic Path as the account, with the time of a page, however much of it other calls have used. */
  function inOwnTime<T>(req: Request, work: (fetch: Fetch) => Promise<T>): Promise<T> {
    return inTime(strategy.fetchAs(req.user), work)
  }

  /** Makes one order of this content of the basket, also if the form is sent twice. */
  async function placeOrder(
    req: Request,
    res: Response,
    basket: Basket,
    content: CartContent,
    reference: string,
    delivery: Delivery,
  ): Promise<void> {
    const claim = `order ${reference}`
    const state = await storage.claim(claim, CLAIM_LIFETIME)
    let order = state === 'sent' ? await findOrder(basket.fetch, reference) : undefined
    if (state === 'claimed') {
      try {
        order = await makeOrder(req, basket, reference, delivery)
      } catch (error) {
        await storage.settle(claim, false)
        if (!isRefusal(error)) throw error
        res.status(409)
        showForm(req, res, basket, content, { refused: reasonOf(error) })
        return
      }
    }
    if (!order) {
      // The claim is kept: Elastic Path may still be making the order.
      res.redirect(303, '/orders?unconfirmed')
      return
    }
    await storage.settle(claim, true)
    await finish(req, basket, order)
    res.redirect(303, `/orders/${encodeURIComponent(order.id)}`)
  }

  /**
   * Makes the order, unless it is made already: Elastic Path may have made it although its answer was lost.
   *
   * @returns Undefined if nobody knows whether it was made.
   * @throws If nothing was ordered.
   */
  async function makeOrder(
    req: Request,
    basket: Basket,
    reference: string,
    delivery: Delivery,
  ): Promise<Order | undefined> {
    const made = await findOrder(basket.fetch, reference)
    if (made) return made
    try {
      return await checkOut(basket.fetch, checkoutOf(basket, reference, delivery))
    } catch (error) {
      if (!isUnknown(error)) throw error
      req.log.error({ err: error }, 'An order was not confirmed')
      return inOwnTime(req, (fetch) => findOrder(fetch, reference)).catch(() => undefined)
    }
  }

  /** Pays and empties the basket. The order is made, so that a failure of either does not fail the request. */
  async function finish(req: Request, basket: Basket, order: Order): Promise<void> {
    const { cartId } = basket
    const warn = (what: string) => (error: unknown) => req.log.warn({ err: error, order: order.id }, what)
    await inOwnTime(req, async (fetch) => {
      if (!order.isPaid) await payByInvoice(fetch, order.id).catch(warn('The order is not paid'))
      if (cartId !== undefined) await emptyCart(fetch, cartId).catch(warn('The basket was not emptied'))
    })
    await remember(req, basket, 0)
  }

  /** Stands for this content of this cart. */
  function referenceOf({ cartId = '' }: Basket, { items }: CartContent): string {
    const content = items.map(({ id, quantity, price }) => [id, quantity, price])
    return createHmac('sha256', secret)
      .update(JSON.stringify(['order', cartId, content]))
      .digest('hex')
      .slice(0, 32)
  }
}

interface Problem {
  /** The basket is another one than on the form. */
  changed?: boolean
  /** Fields that are missing or invalid. */
  invalid?: string[]
  /** Why the store does not accept the order. */
  refused?: string
}

function checkoutOf({ cartId = '', account }: Basket, reference: string, { email, ...address }: Delivery) {
  return {
    cartId,
    contact: { name: `${address.first_name} ${address.last_name}`, email },
    address: { ...address, company_name: account?.name ?? '' },
    orderNumber: `NQ-${reference.slice(0, 8).toUpperCase()}`,
    reference,
  }
}

async function contentOf({ fetch, cartId }: Basket): Promise<CartContent> {
  return cartId === undefined ? { items: [], count: 0, total: '' } : readItems(fetch, cartId)
}

/** Only for members who act for a company. Others sign in or choose first, and come back. */
const asAccount: RequestHandler = (req, res, next) => {
  if (req.user?.account) {
    next()
    return
  }
  const returnTo = req.method === 'GET' ? req.originalUrl : '/basket'
  if (req.user) req.session.returnTo = returnTo
  res.redirect(303, req.user ? '/accounts' : `/login?returnTo=${encodeURIComponent(returnTo)}`)
}
