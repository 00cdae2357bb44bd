import { z } from 'zod'
import { call, inTime, type Fetch } from './call'

const Product = z
  .object({
    attributes: z.object({ sku: z.string().min(1), name: z.string(), description: z.string().nullish() }),
    meta: z.object({
      display_price: z.object({ without_tax: z.object({ formatted: z.string() }) }),
    }),
  })
  .transform(({ attributes: { sku, name, description }, meta }) => ({
    sku,
    name,
    detail: description ?? '',
    price: meta.display_price.without_tax.formatted,
  }))
const Page = z.object({ data: z.array(z.unknown()) })

export type Product = z.infer<typeof Product>

/** Milliseconds that what guests see is kept. */
const FRESH = 60_000

/**
 * Reads what the home page shows. What guests see is the same for all of them and kept for a minute. What an account
 * sees can have its own prices, so it is never shared.
 */
export function createProductReader(shop: Fetch) {
  let kept: { products: Product[]; until: number } | undefined
  return async (account?: Fetch): Promise<Product[]> => {
    if (account) return read(account)
    if (kept && kept.until > performance.now()) return kept.products
    const products = await inTime(shop, read)
    kept = { products, until: performance.now() + FRESH }
    return products
  }
}

async function read(fetch: Fetch): Promise<Product[]> {
  const { data } = await call(fetch, '/catalog/products?page[limit]=24', Page)
  // A product without a price cannot be bought.
  return data.flatMap((one) => Product.safeParse(one).data ?? [])
}
