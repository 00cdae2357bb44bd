import { Router, type Request, type RequestHandler, type Response } from 'express'
import type { PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { basketSize, ensureCart, isOpened, remember, withBasket, type Basket } from '../basket/current'
import { addAll, type Outcome } from '../basket/merge'
import { reasonOf, type BasketNotice } from '../basket/notices'
import { endOffer, findSaved, savedBaskets } from '../basket/saved'
import { isRefusal, isUnknown } from '../elastic-path/call'
import {
  addItem,
  describeCart,
  readItems,
  removeItem,
  setQuantity,
  type CartContent,
} from '../elastic-path/carts'
import { field } from '../http/input'
import { sameAccount } from '../http/stale-tabs'
import { hasSession, refreshSession } from '../sessions/session'
import type { Storage } from '../storage/storage'

interface BasketOptions {
  strategy: PasswordlessOtpStrategy
  storage: Pick<Storage, 'noteOnce' | 'forgetNotes'>
  /** Hides the ids of carts in pages. */
  secret: string
}

const EMPTY: CartContent = { items: [], count: 0, total: '' }
const MOST = 999

/** The basket of guests and of accounts: an Elastic Path cart. */
export function basketRoutes({ secret, ...parts }: BasketOptions): Router {
  return Router()
    .get(['/', '/account'], openAfterSignIn)
    .get('/basket', async (req, res) => {
      const page = await withBasket(req, parts, async (basket) => {
        const content = await contentOf(basket)
        const member = req.user?.accountMemberId ?? ''
        // The basket is shown without the offers rather than not at all.
        const saved = await savedBaskets(basket, member, secret).catch(() => [])
        await remember(req, basket, content.count)
        return { content, saved }
      })
      res.render('basket', { ...page, notice: takeNotice(req) })
    })
    .post('/basket', sameAccount, async (req, res, next) => {
      const sku = field(req, 'sku')
      if (!sku || sku.length > 100) {
        next({ status: 400 })
        return
      }
      await withBasket(req, parts, async (basket) => {
        try {
          const { count } = await addItem(basket.fetch, await ensureCart(req, basket), { sku }, 1)
          await remember(req, basket, count)
          const added = encodeURIComponent(sku)
          res.redirect(303, `/?added=${added}#${added}`)
        } catch (error) {
          if (isRefusal(error) && error.upstream.status === 404)
            next({ status: 404, code: 'product_not_found' })
          else await showProblem(error, field(req, 'name')?.slice(0, 100) ?? sku, req, res)
        }
      })
    })
    .post('/basket/items', sameAccount, async (req, res, next) => {
      const item = field(req, 'item')
      const quantity = field(req, 'remove') === undefined ? Number(field(req, 'quantity') ?? NaN) : 0
      if (!item || !Number.isInteger(quantity) || quantity < 0 || quantity > MOST) {
        next({ status: 400 })
        return
      }
      await withBasket(req, parts, async (basket) => {
        const { fetch, cartId } = basket
        const line = (await contentOf(basket)).items.find(({ id }) => id === item)
        // Another tab has removed it.
        if (cartId === undefined || !line) {
          res.redirect(303, '/basket')
          return
        }
        try {
          if (quantity === 0) await removeItem(fetch, cartId, item)
          else await setQuantity(fetch, cartId, item, quantity)
          res.redirect(303, '/basket')
        } catch (error) {
          await showProblem(error, line.name, req, res)
        }
      })
    })
    .post('/basket/saved', sameAccount, async (req, res, next) => {
      const reference = field(req, 'saved')
      const action = field(req, 'action')
      if (!req.user?.account || !reference || (action !== 'add' && action !== 'switch')) {
        next({ status: 400 })
        return
      }
      const member = req.user.accountMemberId
      await withBasket(req, parts, async (basket) => {
        const saved = findSaved(basket, reference, secret)
        // Added already, or taken away by a colleague.
        const notice = saved && (await (action === 'add' ? add(basket, saved.id) : use(basket, saved.id)))
        if (notice) setNotice(req, notice)
        res.redirect(303, '/basket')
      })

      async function add(basket: Basket, savedId: string): Promise<BasketNotice> {
        const outcome = await addAll(basket.fetch, parts.storage, savedId, await ensureCart(req, basket))
        // If this fails, the basket is offered again, and adding it again adds nothing.
        await endOffer(basket, savedId, outcome).catch((error: unknown) =>
          req.log.warn({ err: error }, 'Saved basket'),
        )
        await remember(
          req,
          basket,
          (await contentOf(basket).catch(() => undefined))?.count ?? basketSize(req),
        )
        return noticeOf(outcome)
      }

      async function use(basket: Basket, savedId: string): Promise<undefined> {
        await describeCart(basket.fetch, savedId, member)
        await remember(req, { ...basket, cartId: savedId }, (await readItems(basket.fetch, savedId)).count)
      }
    })

  /** Takes the basket into the account on the first page after a sign-in, which does not depend on it. */
  function openAfterSignIn(...[req, _res, next]: Parameters<RequestHandler>): void {
    if (isOpened(req)) next()
    else
      withBasket(req, parts, async (basket) => remember(req, basket, (await contentOf(basket)).count))
        .catch(async (error: unknown) => {
          req.log.warn({ err: error }, 'The basket could not be opened')
          await postpone(req)
        })
        .then(() => next(), next)
  }
}

/** The basket page tries again. Other pages do not wait for it any more. */
async function postpone(req: Request): Promise<void> {
  if (!(await refreshSession(req))) return
  const account = req.session.passport?.user?.account?.id
  if (account !== undefined) req.session.accountCart = { account, id: undefined, items: 0 }
}

async function contentOf({ fetch, cartId }: Basket): Promise<CartContent> {
  return cartId === undefined ? EMPTY : readItems(fetch, cartId)
}

/** Back to the basket, which shows what is known. */
async function showProblem(error: unknown, name: string, req: Request, res: Response): Promise<void> {
  if (!isRefusal(error) && !isUnknown(error)) throw error
  req.log.warn({ err: error }, 'The basket could not be changed')
  await refreshSession(req)
  setNotice(req, isRefusal(error) ? { refused: [{ name, reason: reasonOf(error) }] } : { unknown: [name] })
  res.redirect(303, '/basket')
}

function noticeOf({ refused, unknown }: Outcome): BasketNotice {
  return refused.length + unknown.length === 0
    ? { text: 'The saved basket’s items are in your basket.' }
    : { refused, unknown }
}

function setNotice(req: Request, notice: BasketNotice): void {
  if (hasSession(req)) req.session.basketNotice = notice
}

function takeNotice(req: Request): BasketNotice | undefined {
  if (!hasSession(req)) return undefined
  const { basketNotice } = req.session
  delete req.session.basketNotice
  return basketNotice
}
