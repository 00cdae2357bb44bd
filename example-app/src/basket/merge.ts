import { createHash } from 'node:crypto'
import { isRefusal, isUnknown, type Fetch } from '../elastic-path/call'
import { addItem, readItems, setQuantity, type CartContent, type CartItem } from '../elastic-path/carts'
import type { Storage } from '../storage/storage'
import { reasonOf, type Refused } from './notices'

export interface Outcome {
  /** Items that the store does not put into the basket, with the reason. */
  refused: Refused[]
  /** Names of items of which nobody knows whether they were added. */
  unknown: string[]
  /** Ids of the source's items that are in the basket now. */
  added: string[]
}

interface Step {
  productId: string
  name: string
  /** The same items of the source have the same key. */
  key: string
  sourceItems: string[]
  quantity: number
}

/**
 * Adds the items of one cart to another. Elastic Path's own merge adds each time that it is called, so that a lost answer
 * and a second attempt would double everything. Here the quantity that each item had and shall have is noted first, in
 * the storage that all processes share. Each item is then set to its target, which can be repeated: by a second press, in
 * another tab or on another device.
 */
export async function addAll(
  fetch: Fetch,
  storage: Pick<Storage, 'noteOnce' | 'forgetNotes'>,
  sourceId: string,
  targetId: string,
): Promise<Outcome> {
  const source = await readItems(fetch, sourceId)
  let target = await readItems(fetch, targetId)
  const outcome: Outcome = { refused: [], unknown: [], added: [] }
  for (const { name, productId } of source.items) {
    if (productId === undefined) outcome.refused.push({ name, reason: 'it can’t be moved' })
  }
  const steps = stepsOf(source.items)
  const record = keyOf(sourceId, targetId)
  const wanted = Object.fromEntries(
    steps.map(({ key, productId, quantity }) => {
      const from = quantityOf(target, productId)
      return [key, `${from} ${from + quantity}`]
    }),
  )
  const noted = steps.length > 0 ? await storage.noteOnce(record, wanted) : {}
  const forgotten: string[] = []
  let lost = false
  for (const step of steps) {
    const [from = NaN, to = NaN] = (noted[step.key] ?? '').split(' ').map(Number)
    const now = quantityOf(target, step.productId)
    try {
      // Neither what it was nor what it shall be: somebody has changed it since.
      if (lost || (now !== from && now !== to)) throw new ChangedMeanwhile()
      if (now !== to) target = await setTo(fetch, targetId, target, step.productId, to)
      outcome.added.push(...step.sourceItems)
    } catch (error) {
      if (isRefusal(error)) {
        outcome.refused.push({ name: step.name, reason: reasonOf(error) })
        forgotten.push(step.key)
      } else if (isUnknown(error) || error instanceof ChangedMeanwhile) {
        lost ||= !(error instanceof ChangedMeanwhile)
        outcome.unknown.push(step.name)
      } else throw error
    }
  }
  if (lost) await resolveUnknown(fetch, targetId, steps, noted, outcome)
  if (forgotten.length > 0) await storage.forgetNotes(record, forgotten)
  return outcome
}

class ChangedMeanwhile extends Error {}

/** Elastic Path may have done what it did not confirm. */
async function resolveUnknown(
  fetch: Fetch,
  targetId: string,
  steps: Step[],
  noted: Record<string, string>,
  outcome: Outcome,
): Promise<void> {
  const target = await readItems(fetch, targetId).catch(() => undefined)
  if (!target) return
  for (const { name, key, productId, sourceItems } of steps) {
    const to = Number(noted[key]?.split(' ')[1])
    if (!outcome.unknown.includes(name) || quantityOf(target, productId) !== to) continue
    outcome.unknown.splice(outcome.unknown.indexOf(name), 1)
    outcome.added.push(...sourceItems)
  }
}

/** Sets the quantity of a product in a cart. */
async function setTo(
  fetch: Fetch,
  cartId: string,
  content: CartContent,
  productId: string,
  to: number,
): Promise<CartContent> {
  let current = content
  if (!lineOf(current, productId)) current = await addItem(fetch, cartId, { id: productId }, to)
  const line = lineOf(current, productId)
  const surplus = quantityOf(current, productId) - to
  // Another tab may have added it at the same moment.
  return line && surplus !== 0 ? setQuantity(fetch, cartId, line.id, line.quantity - surplus) : current
}

function stepsOf(items: CartItem[]): Step[] {
  const steps = new Map<string, Step>()
  for (const { id, productId, name, quantity } of items) {
    if (productId === undefined) continue
    const step = steps.get(productId) ?? { productId, name, key: productId, sourceItems: [], quantity: 0 }
    steps.set(productId, {
      ...step,
      key: `${step.key} ${quantity}x${id}`,
      sourceItems: [...step.sourceItems, id],
      quantity: step.quantity + quantity,
    })
  }
  return [...steps.values()]
}

const lineOf = ({ items }: CartContent, productId: string) =>
  items.find((item) => item.productId === productId)

function quantityOf({ items }: CartContent, productId: string): number {
  return items.reduce((sum, item) => (item.productId === productId ? sum + item.quantity : sum), 0)
}

/** The ids of carts are secrets, so the storage gets a hash of them. */
function keyOf(...ids: string[]): string {
  return createHash('sha256').update(ids.join(' ')).digest('hex')
}
