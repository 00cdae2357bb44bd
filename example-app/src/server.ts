import { existsSync } from 'node:fs'
import { ConfigError, readConfig } from './config'
import { DEMO_SHOPPERS } from './demo'
import { openShop } from './start'

async function main() {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const shop = await openShop(readConfig(process.env))
  const hint = shop.simulator
    ? `demo store: sign in as ${DEMO_SHOPPERS.map(({ email }) => email).join(' or ')}`
    : 'your store'
  console.log(`Shop is open: ${shop.url.origin}  (${hint})`)

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // Once: a second one ends the process at once.
    process.once(signal, () => void shop.close())
  }
}

main().catch((error: unknown) => {
  const { code } = error as NodeJS.ErrnoException
  const taken = code === 'EADDRINUSE' || code === 'EACCES'
  if (taken)
    console.error(
      'The port cannot be had: something else listens there, or it is reserved. Set PORT to another.',
    )
  else console.error(error instanceof ConfigError ? error.message : error)
  // Nothing that is still open, such as the simulator's port, keeps a process that has no shop.
  process.exit(1)
})
