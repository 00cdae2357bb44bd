import type { Settings } from '../options'
import { AccessToken } from './access-token'
import { CommerceClient } from './client'
import { StoreSettings } from './store-settings'
import { Transport } from './transport'

/** A store at Elastic Path, as one strategy speaks to it. */
export interface Commerce {
  client: CommerceClient
  settings: StoreSettings
  close: () => Promise<void>
}

export function openCommerce(options: Settings): Commerce {
  const transport = new Transport(options.baseUrl, options.dispatcher, options.timeout)
  const client = new CommerceClient(transport, new AccessToken(transport, options))
  return {
    client,
    settings: new StoreSettings(client, options),
    close: () => transport.close(),
  }
}
