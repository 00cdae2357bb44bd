import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'

/** Returns the value that the given share of all values is below. */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

export const median = (values) => quantile(values, 0.5)

/** Serves an app on a free port of the loopback address. */
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

/** Starts a module of this folder in its own process. `ask` sends it a question and resolves with the answer. */
export async function startProcess(name, args = [], env = {}, execPath = process.execPath) {
  const child = fork(fileURLToPath(new URL(name, import.meta.url)), args, {
    execPath,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production', NODE_NO_WARNINGS: '1', ...env },
  })
  const waiting = new Map()
  const exited = once(child, 'exit')
  child.on('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${name} exited with ${code}`))
  })
  child.on('message', ({ id, answer, error }) => {
    if (error === undefined) waiting.get(id)?.resolve(answer)
    else waiting.get(id)?.reject(new Error(`${name} ${args[0] ?? ''}: ${error}`))
    waiting.delete(id)
  })
  let serial = 0
  const answerTo = (id) => new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
  await answerTo(serial)
  return {
    ask(question, value) {
      const answer = answerTo(++serial)
      child.send({ id: serial, question, value })
      return answer
    },
    async stop() {
      child.disconnect()
      await exited
    },
  }
}

/** Answers the questions of {@link startProcess}. */
export function answerWith(answers) {
  process.on('message', async ({ id, question, value }) => {
    try {
      process.send({ id, answer: (await answers[question](value)) ?? null })
    } catch (error) {
      process.send({ id, error: String(error) })
    }
  })
  process.on('disconnect', () => process.exit())
  process.send({ id: 0 })
}

/** Starts a peer's app in its own process, with a pool of connections to it. */
export async function startApp(peer, store, env, execPath) {
  const app = await startProcess('app.mjs', [peer, JSON.stringify(store)], env, execPath)
  const pool = new Pool(await app.ask('url'))
  return {
    peer,
    ask: app.ask,
    /** Sends a sign-in request. Resolves with the status and the time in milliseconds. */
    async signIn(credentials) {
      const startedAt = performance.now()
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: '/login',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(credentials),
      })
      await body.dump()
      return { status: statusCode, time: performance.now() - startedAt }
    },
    async stop() {
      await pool.destroy()
      await app.stop()
    },
  }
}

/**
 * Signs in with each of the credentials, `parallel` at a time, and measures the cost. Rejects if a sign-in fails.
 */
export async function measure(app, credentials, parallel) {
  const left = [...credentials]
  const times = []
  await app.ask('usage')
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (let next = left.pop(); next; next = left.pop()) {
        const { status, time } = await app.signIn(next)
        if (status !== 200) throw new Error(`${app.peer} returned ${status} for a right code, not 200`)
        times.push(time)
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  const { cpu, memory, connections } = await app.ask('usage')
  return {
    cpu: cpu / credentials.length,
    rate: credentials.length / seconds,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    memory,
    connections,
  }
}
