// A shop without a session, and a store with a given response time for each username, in their own process.
import http from 'node:http'
import express from 'express'
import { Passport } from 'passport'
import { PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import { answerWith, serve } from './support.mjs'

const [delays, count] = process.argv.slice(2).map((argument) => JSON.parse(argument))
const simulator = await ElasticPathSimulator.start()
for (let i = 0; i < count; i++) {
  for (const batch of ['warm', 'fit', 'test']) {
    simulator.addMember({ username: `known-${batch}-${i}@example.com` })
  }
}
const store = await serve(http.createServer(delayed))
const strategy = new PasswordlessOtpStrategy({ clientId: simulator.clientId, baseUrl: store.url })
const passport = new Passport()
passport.use(strategy)
await strategy.ready()

const app = express()
  .use(express.json())
  .post('/code', strategy.requestOtp(), (_req, res) => res.sendStatus(202))
  .post('/login', passport.authenticate(strategy.name, { session: false }), (_req, res) =>
    res.sendStatus(200),
  )
const shop = await serve(app)
answerWith({ url: () => shop.url })

/** Forwards a request to the simulator, and returns the response after the time for its username. */
async function delayed(req, res) {
  const body = Buffer.concat(await req.toArray())
  const [, kind] = /"username":"(known|unknown)-/.exec(body.toString()) ?? []
  const headers = Object.fromEntries(
    ['authorization', 'content-type'].flatMap((name) =>
      req.headers[name] ? [[name, req.headers[name]]] : [],
    ),
  )
  const due = performance.now() + (delays[kind] ?? 0)
  const answer = await fetch(simulator.url + req.url, {
    method: req.method,
    headers,
    ...(body.length > 0 && { body }),
  })
  const answerBody = Buffer.from(await answer.arrayBuffer())
  setTimeout(() => {
    res.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
    res.end(answerBody)
  }, due - performance.now())
}
