import { randomUUID } from 'node:crypto'
import { checkNames, checkUnused } from './checks'
import type { ProductSeed } from './options'
import { Table } from './table'

/** A product of the catalog. */
export interface Product {
  /** The product's id. */
  readonly id: string
  /** The stock keeping unit. */
  readonly sku: string
  /** The product's name. */
  readonly name: string
  /** The product's description. */
  readonly description: string
  /** The price in minor units of the currency, such as cents. */
  readonly price: number
  /** The number of units in stock. Undefined if the stock is not tracked. */
  readonly stock: number | undefined
}

const DEFAULT_PRODUCTS: readonly ProductSeed[] = [
  { name: 'Desk lamp', description: 'Dims to three levels.', price: 4900, stock: 25 },
  { name: 'Notebook', description: 'A5, 120 dotted pages.', price: 1250, stock: 200 },
  { name: 'Mug', description: 'Stoneware, 300 ml.', price: 1600, stock: 3 },
  { name: 'Poster', description: 'Printed to order.', price: 2400 },
]
const MOST_PRODUCTS = 10_000
const SEED_NAMES: Record<keyof ProductSeed, true> = {
  id: true,
  name: true,
  sku: true,
  description: true,
  price: true,
  stock: true,
}

// Cached, because a formatter is slow to create.
const formats = new Map<string, Intl.NumberFormat>()

/** @throws RangeError if the currency is not an ISO 4217 code */
function formatOf(currency: string): Intl.NumberFormat {
  const format = formats.get(currency) ?? new Intl.NumberFormat('en-US', { style: 'currency', currency })
  formats.set(currency, format)
  return format
}

/** The catalog's products, with their prices and stock. */
export class Catalog {
  readonly id = randomUUID()
  private readonly products = new Table<Product>(MOST_PRODUCTS)
  private readonly format: Intl.NumberFormat
  private readonly minorUnits: number

  /** @throws RangeError if the currency is not an ISO 4217 code */
  constructor(
    readonly currency: string,
    seeds: readonly ProductSeed[] = DEFAULT_PRODUCTS,
  ) {
    this.format = formatOf(currency)
    this.minorUnits = 10 ** (this.format.resolvedOptions().maximumFractionDigits ?? 2)
    for (const seed of seeds) this.add(seed)
  }

  get all(): readonly Product[] {
    return this.products.all
  }

  /** Returns the product with an id. Undefined if there is none, and for a custom item, which has no product's id. */
  get(id: string | undefined): Product | undefined {
    return id === undefined ? undefined : this.products.get(id)
  }

  withSku(sku: string | undefined): Product | undefined {
    return this.products.all.find((product) => product.sku === sku)
  }

  /** @throws TypeError if an option is unknown, the price or stock is invalid, or the id or SKU is in use */
  add(seed: ProductSeed): Product {
    checkNames('a product', seed, SEED_NAMES)
    const { id = randomUUID(), name, description = '', price, stock } = seed
    const sku = seed.sku ?? name.toLowerCase().replaceAll(/\W+/g, '-')
    if (!isWhole(price))
      throw new TypeError(`The price of ${name} must be a whole number of minor units, 0 or more`)
    checkUnused('product', id, this.get(id))
    if (this.withSku(sku)) throw new TypeError(`The SKU ${sku} is already in use`)
    checkStock(stock)
    return this.products.set(id, { id, sku, name, description, price, stock })
  }

  /** @throws TypeError if the product is unknown or the number is invalid */
  setStock(productId: string, stock: number | undefined): void {
    const product = this.products.get(productId)
    if (!product) throw new TypeError(`No product has the id ${productId}`)
    checkStock(stock)
    this.products.set(productId, { ...product, stock })
  }

  /** Formats an amount in minor units as the API shows prices. */
  money(amount: number) {
    return { amount, currency: this.currency, formatted: this.format.format(amount / this.minorUnits) }
  }

  snapshot(): () => void {
    return this.products.snapshot()
  }
}

function checkStock(stock: number | undefined): void {
  if (stock !== undefined && !isWhole(stock))
    throw new TypeError(`The stock must be a whole number, 0 or more, not ${String(stock)}`)
}

export function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
