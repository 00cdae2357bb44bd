import { createHmac } from 'node:crypto'
import {
  disassociateCart,
  readItems,
  removeItem,
  type CartItem,
  type CartSummary,
} from '../elastic-path/carts'
import type { Basket } from './current'
import type { Outcome } from './merge'

/** A cart of the account that the basket page offers. */
export interface SavedBasket {
  /** Stands for the cart's id, which is in no page. */
  reference: string
  /** Whether this member used it. */
  isOwn: boolean
  count: number
  items: CartItem[]
}

/** Offers on a page. */
const MOST_OFFERS = 3
/** Carts that are read for them. */
const MOST_READ = 20
const AT_ONCE = 5

/** The account's other carts that have items: the member's own first, then the last written to. */
export async function savedBaskets(
  { fetch, others }: Basket,
  member: string,
  secret: string,
): Promise<SavedBasket[]> {
  const found: SavedBasket[] = []
  const isOwn = ({ description }: CartSummary) => description === member
  const carts = [...others.filter(isOwn), ...others.filter((cart) => !isOwn(cart))]
  for (
    let from = 0;
    from < Math.min(carts.length, MOST_READ) && found.length < MOST_OFFERS;
    from += AT_ONCE
  ) {
    const contents = await Promise.all(
      carts.slice(from, from + AT_ONCE).map(async (cart) => ({
        ...(await readItems(fetch, cart.id)),
        reference: referenceOf(cart.id, secret),
        isOwn: isOwn(cart),
      })),
    )
    found.push(...contents.filter(({ count }) => count > 0))
  }
  return found.slice(0, MOST_OFFERS)
}

/** The cart that a form names, if the account's list still has it. */
export function findSaved({ others }: Basket, reference: string, secret: string): CartSummary | undefined {
  return others.find(({ id }) => referenceOf(id, secret) === reference)
}

/** Ends the offer of a cart whose items were added. What was not added stays in it, and is offered again. */
export async function endOffer(
  { fetch, account }: Basket,
  cartId: string,
  { added, refused, unknown }: Outcome,
): Promise<void> {
  if (account && refused.length + unknown.length === 0) await disassociateCart(fetch, cartId, account.id)
  else for (const itemId of added) await removeItem(fetch, cartId, itemId)
}

function referenceOf(cartId: string, secret: string): string {
  return createHmac('sha256', secret).update(`cart ${cartId}`).digest('hex').slice(0, 32)
}
