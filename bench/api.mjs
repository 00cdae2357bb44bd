// An access token, and the same cart for every other request.
import http from 'node:http'
import { answerWith, serve } from './support.mjs'

const item = (id) => ({ id, type: 'cart_item', sku: `lamp-${id}`, quantity: 1, unit_price: { amount: 1999 } })
const cart = JSON.stringify({ data: Array.from({ length: 10 }, (_, id) => item(id)) })

const server = http.createServer((req, res) => {
  req.resume()
  const token = { access_token: 'bench', token_type: 'Bearer', expires_in: 3600, expires: nowPlus(3600) }
  res.setHeader('content-type', 'application/json')
  res.end(req.url.endsWith('/oauth/access_token') ? JSON.stringify(token) : cart)
})
server.keepAliveTimeout = 60_000

function nowPlus(seconds) {
  return Math.floor(Date.now() / 1000) + seconds
}

const { url } = await serve(server)
answerWith({ url: () => url })
