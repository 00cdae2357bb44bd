// The app of one peer, in its own process, so that its CPU time and memory can be measured separately.
import { subscribe } from 'node:diagnostics_channel'
import express from 'express'
import { peers } from './peers.mjs'
import { answerWith, serve } from './support.mjs'

let open = 0
let most = 0
subscribe('net.client.socket', ({ socket }) => {
  most = Math.max(most, ++open)
  socket.once('close', () => open--)
})

const [name, store] = process.argv.slice(2)
const { ready, signIn } = await peers[name](JSON.parse(store))
const app = express()
app.use(express.json())
app.post('/login', signIn, (_req, res) => res.sendStatus(200))
app.use((_error, _req, res, _next) => res.sendStatus(502))
const { url } = await serve(app)

let since = process.cpuUsage()
answerWith({
  url: () => url,
  ready,
  /**
   * The CPU time in microseconds and the maximum number of simultaneous connections to the store, both since the last
   * call; and the memory in MB.
   */
  usage() {
    const { user, system } = process.cpuUsage(since)
    const connections = most
    most = open
    since = process.cpuUsage()
    return { cpu: user + system, memory: process.memoryUsage.rss() / 2 ** 20, connections }
  },
})
