import type { Product } from './catalog'
import type { Answer, ApiRequest } from './messages'
import { paged } from './paging'
import type { Store } from './store'

/** `GET /catalog/products`. Filters and sorting are ignored. */
export function products(store: Store, request: ApiRequest): Answer {
  return paged(store, request, store.catalog.all, (product) => resource(store, product))
}

/** `GET /catalog/products/:id`. */
export function product(store: Store, { params }: ApiRequest): Answer {
  const found = store.catalog.get(params['id'] ?? '')
  return found ? { status: 200, body: { data: resource(store, found) } } : store.refusal(404)
}

function resource(store: Store, { id, sku, name, description, price, stock }: Product) {
  const { catalog, startedAt } = store
  return {
    id,
    type: 'product',
    attributes: {
      name,
      description,
      sku,
      slug: sku,
      status: 'live',
      commodity_type: 'physical',
      manage_stock: stock !== undefined,
      price: { [catalog.currency]: { amount: price, includes_tax: false } },
      created_at: startedAt,
      updated_at: startedAt,
      published_at: startedAt,
    },
    relationships: {},
    meta: {
      catalog_id: catalog.id,
      catalog_source: 'pim',
      display_price: { without_tax: catalog.money(price) },
    },
  }
}
