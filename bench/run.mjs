// Measures everything in about half an hour, and writes results/figures.json and docs/measurements.md.
// `--quick` takes about two minutes and only prints. `--only cost,fetchAs` measures these parts and keeps the others.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'

const NODES = [20, 24]
const PLANS = {
  cost: {
    quick: { nodes: NODES, sets: 1, setsOfOthers: 1, rounds: 2, count: 200, warmUp: 500 },
    // On Node 24, the first 30,000 sign-ins include the compilation of the code.
    full: { nodes: NODES, sets: 6, setsOfOthers: 1, rounds: 9, count: 1000, warmUp: 30_000 },
  },
  fetchAs: {
    quick: { nodes: NODES, sets: 1, rounds: 2, count: 500, warmUp: 1000 },
    full: { nodes: NODES, sets: 6, rounds: 12, count: 2000, warmUp: 10_000 },
  },
  loadTime: { quick: { nodes: NODES, processes: 3 }, full: { nodes: NODES, processes: 20 } },
  usernameTiming: { quick: { responses: 30 }, full: { responses: 1000 } },
  calls: { quick: {}, full: {} },
  parallel: {
    quick: { levels: [1, 100], count: 100 },
    full: { levels: [1, 10, 100, 400], count: 1000 },
  },
  accounts: {
    quick: { sizes: [1, 100], seconds: 0.1 },
    full: { sizes: [1, 10, 100, 1000, 10_000], seconds: 0.4 },
  },
  overTls: {
    quick: { samples: 1, pauses: 1, pause: 5000 },
    full: { samples: 3, pauses: 3, pause: 10_000 },
  },
}

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, only: { type: 'string' } } })
const names = values.only?.split(',') ?? Object.keys(PLANS)
const unknown = names.filter((name) => !(name in PLANS))
if (unknown.length > 0)
  stop(`No part is called ${unknown.join(', ')}. Parts: ${Object.keys(PLANS).join(', ')}`)

const { parts, tables, write } = await load()
const problem = await missing()
if (problem) stop(problem)

const figures = { node: process.version, cpu: `${cpus().length} × ${cpus()[0].model}` }
for (const name of names) {
  const startedAt = performance.now()
  figures[name] = await parts[name](values.quick ? PLANS[name].quick : PLANS[name].full)
  // After each part, because a later one may fail.
  if (!values.quick) await write(figures)
  console.error(`${name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
}
console.log(tables(figures))

async function load() {
  try {
    const [
      { cost },
      { fetchAs },
      { loadTime },
      { usernameTiming },
      { calls, parallel, accounts },
      { overTls },
      report,
    ] = await Promise.all([
      import('./cost.mjs'),
      import('./fetch-as.mjs'),
      import('./load-time.mjs'),
      import('./username-timing.mjs'),
      import('./sign-in.mjs'),
      import('./tls.mjs'),
      import('./report.mjs'),
    ])
    const parts = { cost, fetchAs, loadTime, usernameTiming, calls, parallel, accounts, overTls }
    return { parts, tables: report.tables, write: report.write }
  } catch (error) {
    return stop(`${error.message}. Run "npm ci" and "npm run build" first.`)
  }
}

/** Returns a sentence if the build lacks something that the measurements need. */
async function missing() {
  const { PasswordlessOtpStrategy } = await import('passport-elasticpath-otp')
  let strategy
  try {
    strategy = new PasswordlessOtpStrategy({ clientId: 'bench', limiter: false, requestLimiter: false })
  } catch (error) {
    return `This build does not accept "limiter: false": ${error.message}`
  }
  const lacking = typeof strategy.fetchAs !== 'function' && names.includes('fetchAs')
  await strategy.close()
  return lacking ? 'This build has no strategy.fetchAs' : undefined
}

function stop(sentence) {
  console.error(`bench: ${sentence}`)
  process.exit(1)
}
