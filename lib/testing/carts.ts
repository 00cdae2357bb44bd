import { randomUUID } from 'node:crypto'
import { isWhole, type Catalog } from './catalog'
import { checkNames, checkUnused } from './checks'
import type { CartSeed, StoreSettings } from './options'
import { Table } from './table'

/** An item of a cart. */
export interface CartItem {
  /** The item's id. */
  readonly id: string
  /** The product. Undefined for a custom item. */
  readonly productId: string | undefined
  /** The stock keeping unit. */
  readonly sku: string
  /** The item's name. */
  readonly name: string
  /** The item's description. */
  readonly description: string
  /** The quantity, 1 or more. */
  readonly quantity: number
  /** The price of one unit, in minor units of the currency, such as cents. */
  readonly price: number
  /** When it was added: ISO 8601, by the simulator's clock. */
  readonly createdAt: string
  /** When it was last changed: ISO 8601, by the simulator's clock. */
  readonly updatedAt: string
}

/** A cart. Anybody who knows its id can read and change it. */
export interface Cart {
  /** The cart's id. */
  readonly id: string
  /** The cart's name. */
  readonly name: string
  /** The cart's description. */
  readonly description: string
  /** The email address of a guest. */
  readonly contactEmail: string | undefined
  /** Whether it is a quote. */
  readonly isQuote: boolean
  /** The custom attributes that were set on it. */
  readonly customAttributes: Readonly<Record<string, unknown>>
  /** The ids of the accounts that it is associated with. */
  readonly accounts: readonly string[]
  /** The items, in the order in which they were added. */
  readonly items: readonly CartItem[]
  /** When it was created: ISO 8601, by the simulator's clock. */
  readonly createdAt: string
  /** When it was last written to: ISO 8601, by the simulator's clock. */
  readonly updatedAt: string
  /** When it expires: ISO 8601, by the simulator's clock. Each write extends it. */
  readonly expiresAt: string
}

interface Clock {
  now(): number
  readonly settings: StoreSettings
}

const MOST_CARTS = 10_000
const DAY = 86_400_000
const SEED_NAMES: Record<keyof CartSeed, true> = {
  id: true,
  name: true,
  description: true,
  contactEmail: true,
  isQuote: true,
  accounts: true,
  items: true,
}
const ITEM_NAMES: Record<keyof NonNullable<CartSeed['items']>[number], true> = { sku: true, quantity: true }

/** The store's carts. An expired cart does not exist. */
export class Carts {
  private readonly carts = new Table<Cart>(MOST_CARTS)

  constructor(
    private readonly catalog: Catalog,
    private readonly clock: Clock,
  ) {}

  get all(): readonly Cart[] {
    return this.carts.all.filter((cart) => this.isAlive(cart))
  }

  get(id: string): Cart | undefined {
    const cart = this.carts.get(id)
    return cart && this.isAlive(cart) ? cart : undefined
  }

  /** Returns the cart with an id. Creates an empty one if there is none, as Elastic Path does for every read. */
  open(id: string): Cart {
    return this.get(id) ?? this.create(id)
  }

  create(id: string = randomUUID()): Cart {
    const now = new Date(this.clock.now()).toISOString()
    return this.save({
      id,
      name: 'Cart',
      description: '',
      contactEmail: undefined,
      isQuote: false,
      customAttributes: {},
      accounts: [],
      items: [],
      createdAt: now,
      updatedAt: now,
      expiresAt: now,
    })
  }

  /** @throws TypeError if an option or SKU is unknown, a quantity is invalid, or the id is in use */
  add(seed: CartSeed): Cart {
    checkNames('a cart', seed, SEED_NAMES)
    const { id = randomUUID(), name = 'Cart', description = '', contactEmail, isQuote = false } = seed
    checkUnused('cart', id, this.get(id))
    const items = [...quantitiesOf(seed)].map(([sku, quantity]): CartItem => {
      const product = this.catalog.withSku(sku)
      if (!product) throw new TypeError(`No product has the SKU ${sku}`)
      const now = new Date(this.clock.now()).toISOString()
      const { id: productId, name, description, price } = product
      const item = { productId, sku, name, description, price, quantity, createdAt: now, updatedAt: now }
      return { id: randomUUID(), ...item }
    })
    const accounts = [...new Set(seed.accounts ?? [])]
    return this.save({ ...this.create(id), name, description, contactEmail, isQuote, accounts, items })
  }

  /** Stores a changed cart and extends its expiry. */
  save(cart: Cart): Cart {
    const now = this.clock.now()
    const expires = now + this.clock.settings.cartExpiryDays * DAY
    const updatedAt = new Date(now).toISOString()
    return this.carts.set(cart.id, { ...cart, updatedAt, expiresAt: new Date(expires).toISOString() })
  }

  /** Replaces the accounts of a cart. This does not extend its expiry. */
  associate(cart: Cart, accounts: readonly string[]): Cart {
    return this.carts.set(cart.id, { ...cart, accounts })
  }

  delete(id: string): void {
    this.carts.delete(id)
  }

  ofAccount(accountId: string): readonly Cart[] {
    return this.all.filter(({ accounts }) => accounts.includes(accountId))
  }

  snapshot(): () => void {
    return this.carts.snapshot()
  }

  private isAlive({ expiresAt }: Cart): boolean {
    return Date.parse(expiresAt) > this.clock.now()
  }
}

/** The quantity of each SKU. As in Elastic Path, a product that is added twice is one item. */
function quantitiesOf({ items = [] }: CartSeed): ReadonlyMap<string, number> {
  const quantities = new Map<string, number>()
  for (const item of items) {
    checkNames('an item', item, ITEM_NAMES)
    const { sku, quantity = 1 } = item
    if (!isWhole(quantity) || quantity === 0)
      throw new TypeError(`The quantity of ${sku} must be a whole number, 1 or more, not ${String(quantity)}`)
    quantities.set(sku, (quantities.get(sku) ?? 0) + quantity)
  }
  return quantities
}
