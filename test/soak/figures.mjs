// What a process holds, once it is at rest.
import { EventEmitter } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')
const FILES = '/proc/self/fd'
const MB = 2 ** 20

/** Warnings, among them those of too many listeners, and errors that nobody caught. None is expected. */
const troubles = []
for (const event of ['warning', 'unhandledRejection', 'uncaughtException']) {
  process.on(event, (thrown) => {
    if (troubles.length < 20)
      troubles.push(`${event}: ${thrown?.name ?? typeof thrown}, ${thrown?.stack ?? ''}`)
  })
}

/** @param roots objects that live long: what can be reached from them is counted */
export async function measure(roots = []) {
  for (let i = 0; i < 3; i++) {
    collectGarbage()
    await setImmediate()
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  const resources = process.getActiveResourcesInfo()
  const active = (type) => resources.filter((name) => name === type).length
  const reached = reach(roots)
  return {
    heap: heapUsed / MB,
    external: external / MB,
    rss: rss / MB,
    sockets: active('TCPSocketWrap'),
    timers: active('Timeout'),
    files: existsSync(FILES) ? readdirSync(FILES).length : 0,
    listeners: listenersOf(process) + reached.listeners,
    entries: reached.entries,
    troubles,
  }
}

const MOST_OBJECTS = 2_000_000

/**
 * The listeners of all emitters, and the entries of all collections, that hang on some objects. A place in an array that
 * holds nothing does not count: undici keeps up to 256 of them on each connection, and clears them at once.
 */
function reach(roots) {
  const seen = new Set(roots)
  let listeners = 0
  let entries = 0
  // A Set hands out what is added to it while it is gone through.
  for (const object of seen) {
    if (seen.size > MOST_OBJECTS) break
    if (object instanceof EventEmitter) listeners += listenersOf(object)
    if (object instanceof Map || object instanceof Set || Array.isArray(object)) {
      entries += object.size ?? object.filter((item) => item !== null && item !== undefined).length
      for (const entry of object instanceof Map ? object.entries() : object) visit(entry)
    } else {
      for (const { value } of Object.values(Object.getOwnPropertyDescriptors(object))) visit(value)
      for (const symbol of Object.getOwnPropertySymbols(object)) {
        visit(Object.getOwnPropertyDescriptor(object, symbol).value)
      }
    }
  }
  return { listeners, entries }

  function visit(value) {
    if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) seen.add(value)
  }
}

function listenersOf(emitter) {
  return emitter.eventNames().reduce((count, event) => count + emitter.listenerCount(event), 0)
}
