import { ElasticPathError } from '../errors'
import type { Settings } from '../options'
import { AccessToken } from './access-token'
import { CommerceClient } from './client'
import { StoreSettings } from './store-settings'
import { Transport } from './transport'

/** A store at Elastic Path, as one strategy speaks to it. */
export class Commerce {
  readonly client: CommerceClient
  readonly settings: StoreSettings
  private readonly transport: Transport
  private readonly underWay = new Set<Promise<unknown>>()
  private closing: Promise<void> | undefined

  constructor(options: Settings) {
    this.transport = new Transport(options.baseUrl, options.dispatcher, options.timeout)
    this.client = new CommerceClient(this.transport, new AccessToken(this.transport, options))
    this.settings = new StoreSettings(this.client, options)
  }

  /** Does work that may speak to the store more than once, and that closing waits for. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.closing) throw new ElasticPathError('strategy_closed', 'The strategy was closed: make a new one')
    const underWay = work()
    this.underWay.add(underWay)
    try {
      return await underWay
    } finally {
      this.underWay.delete(underWay)
    }
  }

  /** Takes up nothing any more, and ends the connections when what is under way is through. */
  close(): Promise<void> {
    this.closing ??= Promise.allSettled(this.underWay).then(() => this.transport.close())
    return this.closing
  }
}
