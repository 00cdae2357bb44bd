import type { StoreError } from '../elastic-path/call'

/** An item that the store does not put into the basket. */
export interface Refused {
  name: string
  reason: string
}

/** What the basket page says once about the last change. */
export interface BasketNotice {
  refused?: Refused[] | undefined
  /** Names of items of which nobody knows whether they were changed. */
  unknown?: string[] | undefined
  text?: string | undefined
}

/** Why Elastic Path refuses an item, in the shopper's words. */
export function reasonOf({ upstream: { status, title = '' } }: StoreError): string {
  if (/insufficient stock/i.test(title)) return 'not enough stock'
  return status === 404 ? 'no longer available' : 'the store gave no reason'
}
