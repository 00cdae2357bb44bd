// Whether the time of an answer tells if a username exists: requestOtp against a store that takes longer for the
// usernames it knows. The difference is made by the simulator, since nobody documents the real one (fact 19).
import express from 'express'
import { PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import { median, serve } from './support.mjs'

const REQUESTS = 40
const simulator = await ElasticPathSimulator.start()
const strategy = new PasswordlessOtpStrategy({ clientId: simulator.clientId, baseUrl: simulator.url })
await strategy.ready()
const app = express()
  .use(express.json())
  .post('/code', strategy.requestOtp(), (_req, res) => res.sendStatus(202))
const shop = await serve(app)

let serial = 0
async function answerTime(exists, extra) {
  const username = `shopper${++serial}@example.com`
  if (exists) {
    simulator.addMember({ username })
    if (extra) simulator.fault('otp_request', { delay: extra })
  }
  const startedAt = performance.now()
  const response = await fetch(`${shop.url}/code`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username }),
  })
  await response.text()
  if (response.status !== 202) throw new Error(`status ${response.status}`)
  return performance.now() - startedAt
}

console.log(`requestOtp, ${REQUESTS} known and ${REQUESTS} unknown usernames in turn: median answer in ms`)
console.log('| the store takes longer by | known | unknown | difference |')
console.log('| --- | --- | --- | --- |')
for (const extra of [0, 20, 80, 150]) {
  const known = []
  const unknown = []
  for (let i = 0; i < REQUESTS; i++) {
    known.push(await answerTime(true, extra))
    unknown.push(await answerTime(false, extra))
  }
  const [a, b] = [median(known), median(unknown)]
  console.log(`| ${extra} ms | ${a.toFixed(1)} | ${b.toFixed(1)} | ${(a - b).toFixed(1)} |`)
}

await shop.close()
await strategy.close()
await simulator.stop()
