// Runs `npm test` while every core is busy, and prints how often it passed: `npm run test:stress -- --runs 10`.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

const MOST_MINUTES_PER_RUN = 15
const BUSY_PROCESSES = Math.max(4, availableParallelism())
// The load exits by itself if this process ends before it can kill it.
const BUSY = 'const parent = process.ppid; while (process.ppid === parent);'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '10' } } })
const runs = Number(values.runs)
if (!Number.isInteger(runs) || runs < 1) throw new RangeError('--runs must be a whole number from 1')

const groups = new Set()
process.on('exit', () => groups.forEach(endGroup))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

for (let i = 0; i < BUSY_PROCESSES; i++) start(process.execPath, ['-e', BUSY])

let passed = 0
for (let run = 1; run <= runs; run++) {
  const startedAt = performance.now()
  const { ok, output } = await npmTest()
  if (ok) passed++
  else console.log(output)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
  console.log(`run ${run} of ${runs}: ${ok ? 'passed' : 'FAILED'} in ${seconds} s`)
}
console.log(`${passed} passed, ${runs - passed} failed`)
process.exit(passed === runs ? 0 : 1)

/** Runs `npm test`. A run that does not end in time is a failure. */
function npmTest() {
  return new Promise((resolve) => {
    const child = start('npm', ['test'])
    let output = ''
    const timer = setTimeout(() => {
      output += `\nDid not end in ${MOST_MINUTES_PER_RUN} minutes`
      endGroup(child)
    }, MOST_MINUTES_PER_RUN * 60_000)
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text))
    }
    child.on('close', (code) => {
      clearTimeout(timer)
      groups.delete(child)
      resolve({ ok: code === 0, output })
    })
  })
}

/** Starts a process in its own process group, so that its child processes can be killed with it. */
function start(command, args) {
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  groups.add(child)
  return child
}

function endGroup({ pid }) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error // the group has ended already
  }
}
