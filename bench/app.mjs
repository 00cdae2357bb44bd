// One peer's app, in a process of its own, so that what it costs can be told from what the others cost.
import express from 'express'
import { peers } from './peers.mjs'
import { answerWith, serve } from './support.mjs'

const [name, store] = process.argv.slice(2)
const signIn = await peers[name](JSON.parse(store))
const app = express()
app.use(express.json())
app.post('/login', signIn, (_req, res) => res.sendStatus(200))
app.use((_error, _req, res, _next) => res.sendStatus(502))
const { url } = await serve(app)

let since = process.cpuUsage()
answerWith({
  url: () => url,
  /** Microseconds of CPU since the last time, and the memory of the process in MB. */
  usage() {
    const { user, system } = process.cpuUsage(since)
    since = process.cpuUsage()
    return { cpu: user + system, memory: process.memoryUsage.rss() / 2 ** 20 }
  },
})
