import { PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import * as undici6 from 'undici-6'
import * as undici7 from 'undici-7'
import * as undici8 from 'undici-8'

// Dispatchers of all supported versions of undici are accepted.
const PROXY = 'http://127.0.0.1:1'
const dispatchers = [
  new undici6.Agent(),
  new undici6.MockAgent(),
  new undici6.ProxyAgent(PROXY),
  new undici7.Agent(),
  new undici7.MockAgent(),
  new undici7.ProxyAgent(PROXY),
  new undici8.Agent(),
  new undici8.MockAgent(),
  new undici8.ProxyAgent(PROXY),
]
for (const dispatcher of dispatchers) new PasswordlessOtpStrategy({ clientId: 'id', dispatcher })
// @ts-expect-error -- other objects are not
new PasswordlessOtpStrategy({ clientId: 'id', dispatcher: new URL(PROXY) })
