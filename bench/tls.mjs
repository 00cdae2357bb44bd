import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { selfSigned } from './certificate.mjs'
import { compared } from './peers.mjs'
import { startApp, startProcess } from './support.mjs'

/**
 * Measures sign-ins over TLS: the first sign-in of a process, with and without a call of `ready` before it, and a
 * sign-in after all connections were idle. Returns milliseconds and the number of new connections.
 */
export async function overTls({ samples, pauses, pause }) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  const { key, cert } = selfSigned()
  const certificates = join(folder, 'bench.pem')
  await writeFile(certificates, cert)
  const store = await startProcess('simulator.mjs')
  const address = await store.ask('address')
  const front = await startProcess('tls-front.mjs', [address.url, key, cert])
  const url = await front.ask('url')
  const start = (peer) => startApp(peer, { ...address, url }, { NODE_EXTRA_CA_CERTS: certificates })

  async function signIn(app) {
    const [credentials] = await store.ask('credentials', { count: 1 })
    const before = await front.ask('connections')
    const { status, time } = await app.signIn(credentials)
    if (status !== 200) throw new Error(`${app.peer} returned ${status} over TLS, not 200`)
    return { time, connections: (await front.ask('connections')) - before }
  }

  const measured = Object.fromEntries(compared.map((peer) => [peer, { cold: [], ready: [], paused: [] }]))
  for (let sample = 0; sample < samples; sample++) {
    for (const peer of compared) {
      for (const kind of ['cold', 'ready']) {
        const app = await start(peer)
        if (kind === 'ready') await app.ask('ready')
        measured[peer][kind].push(await signIn(app))
        await app.stop()
      }
    }
  }

  const apps = await Promise.all(compared.map(start))
  for (const app of apps) for (let i = 0; i < 200; i++) await signIn(app)
  for (let sample = 0; sample < pauses; sample++) {
    await sleep(pause)
    for (const app of apps) measured[app.peer].paused.push(await signIn(app))
  }
  for (const process of [...apps, front, store]) await process.stop()
  await rm(folder, { recursive: true })
  return { pause, peers: measured }
}
