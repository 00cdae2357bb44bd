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
  private inProgress = 0
  private closing: Promise<void> | undefined
  private onIdle: (() => void) | undefined

  constructor(settings: Settings) {
    this.transport = new Transport(settings)
    this.accessToken = new AccessToken(this.transport, settings)
    this.client = new CommerceClient(this.transport, this.accessToken)
    this.store = new StoreSettings(this.client, settings)
  }

  /**
   * Begins work that `close` waits for. After `close`, it is refused.
   *
   * @returns A function to call once, when the work has ended.
   * @throws ElasticPathError `strategy_closed`.
   */
  begin(): () => void {
    if (this.closing) throw closedError()
    this.inProgress++
    return this.leave
  }

  /** Lets `close` wait for a part of work that is in progress. It may outlive the request that began it. */
  part<T>(work: Promise<T>): Promise<T> {
    this.inProgress++
    work.then(this.leave, this.leave)
    return work
  }

  /** Refuses new work, waits for the work in progress and closes the connections. */
  close(): Promise<void> {
    this.closing ??= this.finished().then(() => this.transport.close())
    return this.closing
  }

  private readonly leave = (): void => {
    if (--this.inProgress === 0) this.onIdle?.()
  }

  private async finished(): Promise<void> {
    if (this.inProgress > 0) await new Promise<void>((resolve) => (this.onIdle = resolve))
  }
}
