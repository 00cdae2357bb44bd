import express from 'express'
import { PasswordlessOtpStrategy } from 'passport-elasticpath-otp'
import { ElasticPathSimulator } from 'passport-elasticpath-otp/testing'
import { median, serve } from './support.mjs'

/**
 * Whether the time of an answer tells if a username exists: requestOtp against a store that takes so much longer for the
 * usernames it knows. The difference is made by the simulator, since nobody documents the real one (fact 19). The rows
 * are measured at the same time: all of it is waiting.
 */
export async function usernameTiming({ extras, requests }) {
  const rows = await Promise.all(extras.map(async (extra) => [extra, await answerTimes(extra, requests)]))
  return { requests, longer: Object.fromEntries(rows) }
}

async function answerTimes(extra, requests) {
  const simulator = await ElasticPathSimulator.start()
  const strategy = new PasswordlessOtpStrategy({ clientId: simulator.clientId, baseUrl: simulator.url })
  await strategy.ready()
  const app = express()
    .use(express.json())
    .post('/code', strategy.requestOtp(), (_req, res) => res.sendStatus(202))
  const shop = await serve(app)
  const answerTime = async (username) => {
    const startedAt = performance.now()
    const response = await fetch(`${shop.url}/code`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username }),
    })
    await response.text()
    if (response.status !== 202) throw new Error(`Asking for a code answered ${response.status}`)
    return performance.now() - startedAt
  }
  const known = []
  const unknown = []
  for (let i = 0; i < requests; i++) {
    simulator.addMember({ username: `known${i}@example.com` })
    if (extra > 0) simulator.fault('otp_request', { delay: extra })
    known.push(await answerTime(`known${i}@example.com`))
    unknown.push(await answerTime(`unknown${i}@example.com`))
  }
  await shop.close()
  await strategy.close()
  await simulator.stop()
  return { known: median(known), unknown: median(unknown) }
}
