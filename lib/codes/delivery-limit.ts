import type { Context } from '../context'
export class DeliveryLimit {
  credit(_username: string, _context: Context): Promise<void> {
    return Promise.resolve()
  }
}
