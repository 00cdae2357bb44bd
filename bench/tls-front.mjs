// Terminates TLS in front of the simulator, in its own process. Like most load balancers, it keeps idle connections for a
// minute without the header Keep-Alive. A server of Node sends that header, and clients adapt to it.
import http from 'node:http'
import https from 'node:https'
import { answerWith, serve } from './support.mjs'

const [upstream, key, cert] = process.argv.slice(2)
const agent = new http.Agent({ keepAlive: true })
const server = https.createServer({ key, cert }, (req, res) => {
  const onward = http.request(
    upstream + req.url,
    { method: req.method, headers: req.headers, agent },
    (answer) => {
      const headers = { ...answer.headers, connection: req.headers.connection ?? 'keep-alive' }
      delete headers['keep-alive']
      res.writeHead(answer.statusCode, headers)
      answer.pipe(res)
    },
  )
  onward.on('error', () => res.destroy())
  req.pipe(onward)
})
server.keepAliveTimeout = 60_000
let connections = 0
server.on('secureConnection', () => connections++)
const { url } = await serve(server)
answerWith({ url: () => url.replace('http:', 'https:'), connections: () => connections })
