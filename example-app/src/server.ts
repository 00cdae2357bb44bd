import { existsSync } from 'node:fs'
import { ConfigError, readConfig } from './config'
import { DEMO_SHOPPERS } from './demo'
import { openShop, type Shop } from './start'

let shop: Shop | undefined
let stopping = false

// First of all: as process 1 of a container, Node ignores signals without a handler, also while Redis is away.
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // Nothing is in flight before the shop is open. A second signal ends the process at once.
    if (!shop || stopping) process.exit(stopping ? 1 : 0)
    stopping = true
    void shop.close()
  })
}

async function main() {
  if (existsSync('.env')) process.loadEnvFile('.env')
  shop = await openShop(readConfig(process.env))
  const hint = shop.simulator
    ? `demo store: sign in as ${DEMO_SHOPPERS.map(({ email }) => email).join(' or ')}`
    : 'your store'
  // Standard output has only the log, in JSON.
  console.error(`Shop is open: ${shop.url.origin}  (${hint})`)
}

main().catch((error: unknown) => {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE' || code === 'EACCES') {
    console.error('The port is in use, or reserved by the system. Set PORT to another one.')
  } else {
    console.error(error instanceof ConfigError ? error.message : error)
  }
  // What is still open, such as the simulator's port, must not keep the process alive.
  process.exit(1)
})
