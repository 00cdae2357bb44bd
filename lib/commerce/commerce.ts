import type { Settings } from '../options'
import { AccessToken } from './access-token'
import { CommerceClient } from './client'
import { closedError } from './connections'
import { StoreSettings } from './store-settings'
import { Transport } from './transport'

/** A store at Elastic Path, for one strategy. */
export class Commerce {
  readonly transport: Transport
  readonly accessToken: AccessToken
  readonly client: CommerceClient
  readonly store: StoreSettings
  private readonly inProgress = new Set<Promise<unknown>>()
  private closing: Promise<void> | undefined

  constructor(settings: Settings) {
    this.transport = new Transport(settings)
    this.accessToken = new AccessToken(this.transport, settings)
    this.client = new CommerceClient(this.transport, this.accessToken)
    this.store = new StoreSettings(this.client, settings)
  }

  /** Does work that `close` waits for. After `close`, it is refused. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.closing) throw closedError()
    return this.part(work)
  }

  /** Does a part of work that is in progress, also after `close`. It may outlive the request that began it. */
  async part<T>(work: () => Promise<T>): Promise<T> {
    const promise = work()
    this.inProgress.add(promise)
    try {
      return await promise
    } finally {
      this.inProgress.delete(promise)
    }
  }

  /** Refuses new work, waits for the work in progress and closes the connections. */
  close(): Promise<void> {
    this.closing ??= this.finished().then(() => this.transport.close())
    return this.closing
  }

  private async finished(): Promise<void> {
    while (this.inProgress.size > 0) await Promise.allSettled(this.inProgress)
  }
}
