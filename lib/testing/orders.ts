import { randomUUID } from 'node:crypto'
import type { CartItem } from './carts'
import { Table } from './table'

/** An order that was created from a cart. */
export interface Order {
  /** The order's id. */
  readonly id: string
  /** The id of the cart that it was created from. */
  readonly cartId: string
  /** The id of the account. Undefined for a guest's order. */
  readonly accountId: string | undefined
  /** The id of the account member. Undefined for a guest's order. */
  readonly memberId: string | undefined
  /** The name and email address of the person who placed the order. */
  readonly contact: {
    /** The name of the contact. */
    readonly name: string
    /** The email address of the contact. */
    readonly email: string
  }
  /** The order number of the request, if any. */
  readonly orderNumber: string | undefined
  /** The external reference of the request, if any. */
  readonly externalRef: string | undefined
  /** The billing address of the request, if any. */
  readonly billingAddress: Readonly<Record<string, unknown>> | undefined
  /** The shipping address of the request, if any. */
  readonly shippingAddress: Readonly<Record<string, unknown>> | undefined
  /** The items of the cart when it was checked out. */
  readonly items: readonly CartItem[]
  /** The state of the payment. */
  readonly payment: 'unpaid' | 'authorized' | 'paid'
  /** The order's status: `incomplete` until a payment is authorized or made. */
  readonly status: 'incomplete' | 'processing' | 'complete'
  /** When it was created: ISO 8601, by the simulator's clock. */
  readonly createdAt: string
  /** When it was last changed: ISO 8601, by the simulator's clock. */
  readonly updatedAt: string
}

const MOST_ORDERS = 10_000

/** The orders, oldest first. */
export class Orders {
  private readonly orders = new Table<Order>(MOST_ORDERS)

  get all(): readonly Order[] {
    return this.orders.all
  }

  get(id: string): Order | undefined {
    return this.orders.get(id)
  }

  add(order: Omit<Order, 'id' | 'payment' | 'status' | 'updatedAt'>): Order {
    const id = randomUUID()
    const updatedAt = order.createdAt
    return this.orders.set(id, { ...order, id, payment: 'unpaid', status: 'incomplete', updatedAt })
  }

  save(order: Order): Order {
    return this.orders.set(order.id, order)
  }

  snapshot(): () => void {
    return this.orders.snapshot()
  }
}

export function totalOf(items: readonly CartItem[]): number {
  return items.reduce((sum, { price, quantity }) => sum + price * quantity, 0)
}
