// Changes lib, and reports the changes that no test notices: `npm run test:mutation`. All of them take hours. So
// `--mutate 'lib/commerce/**'` changes a part, and `--sample 2` changes two percent of the lines, chosen at random.
// `--seed 7` chooses other lines, and `--in lib/commerce` chooses them in a folder. `--tests limits` runs only the tests
// whose paths contain the word, which saves the minute that Stryker takes to run all of them once.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    mutate: { type: 'string' },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    in: { type: 'string', default: 'lib' },
    tests: { type: 'string', default: '' },
  },
})
const mutate =
  values.sample === undefined ? values.mutate : sample(Number(values.sample), Number(values.seed))
const args = mutate === undefined ? [] : ['--mutate', mutate]
const env = { ...process.env, MUTATION_TESTS: values.tests }
spawn('stryker', ['run', ...args], { stdio: 'inherit', env }).on('exit', (code) => process.exit(code ?? 1))

/** Returns the lines as Stryker takes them, `file:line-line`. */
function sample(percent, seed) {
  if (!(percent > 0 && percent <= 100)) throw new RangeError('--sample must be a percentage, such as 2')
  const random = randomFrom(seed)
  const files = readdirSync(values.in, { recursive: true }).filter((name) => name.endsWith('.ts'))
  const lines = files.sort().flatMap((name) => {
    const path = join(values.in, name)
    return readFileSync(path, 'utf8')
      .split('\n')
      .map((_line, i) => `${path}:${i + 1}-${i + 1}`)
  })
  return lines.filter(() => random() * 100 < percent).join(',')
}

/** The same numbers for the same seed: Mulberry32. */
function randomFrom(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
