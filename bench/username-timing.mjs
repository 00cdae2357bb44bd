// Measures whether response times reveal if a username exists. Run: npm run bench -- --only usernameTiming
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { median, startProcess } from './support.mjs'

/** Elastic Path's response times in milliseconds, for usernames that do not exist and for usernames that do. */
const DELAYS = [
  { unknown: 120, known: 150 },
  { unknown: 600, known: 900 },
]
const REQUESTS = { '/code': 'a code request', '/login': 'a wrong code' }
// Requests start one by one, in random order, so that no request waits for another.
const APART = 15

/**
 * For each kind of request and delay, fits a threshold to the response times of one half of the requests. Then it uses
 * the threshold to classify the other half as known or unknown usernames. A random guess is right in 50 % of the cases.
 */
export async function usernameTiming({ responses }) {
  const rows = []
  for (const delays of DELAYS) {
    const shop = await startProcess('timing-shop.mjs', [JSON.stringify(delays), String(2 * responses)])
    const pool = new Pool(await shop.ask('url'))
    for (const [path, request] of Object.entries(REQUESTS)) {
      await times(pool, path, 'warm', 50)
      const fitted = fit(await times(pool, path, 'fit', responses))
      const tested = await times(pool, path, 'test', responses)
      const of = (known) => median(tested.filter((row) => row.known === known).map(({ time }) => time))
      const answers = new Set(tested.map(({ answer }) => answer)).size
      rows.push({
        request,
        delays,
        right: share(tested, fitted),
        known: of(true),
        unknown: of(false),
        answers,
      })
    }
    await pool.destroy()
    await shop.stop()
  }
  return { responses, rows }
}

async function times(pool, path, batch, count) {
  const pending = []
  for (let i = 0; i < count; i++) {
    const known = Math.random() < 0.5
    pending.push(
      answerTime(pool, path, `${known ? 'known' : 'unknown'}-${batch}-${i}@example.com`).then(
        ({ time, answer }) => ({ known, time, answer }),
      ),
    )
    await sleep(APART)
  }
  return Promise.all(pending)
}

async function answerTime(pool, path, username) {
  const startedAt = performance.now()
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, otp: 'wrong1' }),
  })
  const answer = `${statusCode} ${await body.text()}`
  return { time: performance.now() - startedAt, answer }
}

/** Finds the threshold that classifies most of the response times correctly, in the better of the two directions. */
function fit(rows) {
  const candidates = rows.flatMap(({ time }) => [
    { time, knownIsSlower: true },
    { time, knownIsSlower: false },
  ])
  return candidates.reduce((best, each) => (share(rows, each) > share(rows, best) ? each : best))
}

/** Returns the share of the response times that a threshold classifies correctly. */
function share(rows, { time: threshold, knownIsSlower }) {
  const right = rows.filter(({ known, time }) => (known === time >= threshold) === knownIsSlower)
  return right.length / rows.length
}
