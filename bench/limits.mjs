// Floods limiters in memory with a million usernames, five requests each, and reports the effect on other usernames.
// Run: npm run build:tests && node --expose-gc bench/limits.mjs
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { MemoryLimiter } = require(process.env.LIMITS ?? '../dist/limits/memory-limiter.js')
const { Keys } = require(process.env.KEYS ?? '../dist/limits/keys.js')

const USERNAMES = 1_000_000
const REQUESTS = 5
const FRESH = 100_000
const WINDOW = 15 * 60_000

const memory = () => {
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { used: heapUsed + external, rss }
}
const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`
const count = async (limiter, key) => (await limiter.take(key)).count

const before = memory()
// One strategy with a webhook: sign-in attempts, code requests and deliveries.
const limiters = [10, 5, 10].map((points) => ({
  points,
  limiter: new MemoryLimiter(points, WINDOW),
  keys: new Keys(),
}))
for (const { points, limiter, keys } of limiters) {
  let tooLow = 0
  const started = performance.now()
  for (let i = 0; i < USERNAMES; i++) {
    const key = keys.of('sign-in', `user-${i}@flood.example`)
    for (let request = 1; request <= REQUESTS; request++) if ((await count(limiter, key)) < request) tooLow++
  }
  const each = (performance.now() - started) / USERNAMES / REQUESTS
  let limited = 0
  for (let i = 0; i < FRESH; i++) {
    const key = keys.of('sign-in', `fresh-${i}@home.example`)
    let most = 0
    for (let point = 1; point <= points; point++) most = await count(limiter, key)
    if (most > points) limited++
    // One attempt more must be refused.
    if ((await count(limiter, key)) <= points) tooLow++
  }
  const share = ((100 * limited) / FRESH).toFixed(3)
  console.log(
    `${points} points: ${tooLow} counts too low, ${share} % of ${FRESH} fresh usernames lose an attempt, ` +
      `${(1000 * each).toFixed(1)} µs per request`,
  )
}
const after = memory()
console.log(
  `${limiters.length} limiters: ${megabytes(after.used - before.used)} used, ${megabytes(after.rss - before.rss)} resident`,
)
