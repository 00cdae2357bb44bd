// Measures the memory, sockets, timers and listeners of an idle process.
import { existsSync, readdirSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')
const FILES = '/proc/self/fd'
const MB = 2 ** 20

/** Process warnings, such as those about too many listeners, and uncaught errors. None are expected. */
const troubles = []
for (const event of ['warning', 'unhandledRejection', 'uncaughtException']) {
  process.on(event, (thrown) => {
    const trouble = `${event}: ${thrown?.name ?? typeof thrown}, ${thrown?.stack ?? ''}`
    if (troubles.length < 20) troubles.push(trouble)
    console.error(trouble)
  })
}

export async function measure() {
  for (let i = 0; i < 3; i++) {
    collectGarbage()
    await setImmediate()
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  const resources = process.getActiveResourcesInfo()
  const active = (type) => resources.filter((name) => name === type).length
  return {
    heap: heapUsed / MB,
    external: external / MB,
    rss: rss / MB,
    sockets: active('TCPSocketWrap'),
    timers: active('Timeout'),
    files: existsSync(FILES) ? readdirSync(FILES).length : 0,
    listeners: process.eventNames().reduce((count, event) => count + process.listenerCount(event), 0),
    troubles,
  }
}
