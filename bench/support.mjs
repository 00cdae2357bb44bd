import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

/** Serves an app on a free port of this machine. */
export async function serve(app) {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Starts a module of this folder in a process of its own, and asks it questions. */
export async function startProcess(name, ...args) {
  const child = fork(fileURLToPath(new URL(name, import.meta.url)), args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  await once(child, 'message')
  const waiting = new Map()
  child.on('message', ({ id, answer }) => {
    waiting.get(id)?.(answer)
    waiting.delete(id)
  })
  let serial = 0
  return {
    ask: (ask, value) =>
      new Promise((resolve) => {
        waiting.set(++serial, resolve)
        child.send({ id: serial, ask, value })
      }),
    async stop() {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

/** Answers the questions of {@link startProcess}. */
export function answerWith(answers) {
  process.on('message', ({ id, ask, value }) => process.send({ id, answer: answers[ask](value) ?? null }))
  process.on('disconnect', () => process.exit())
  process.send({ ready: true })
}
