// Changes lib, and reports the changes that no test notices: `npm run test:mutation`. All of them take hours. So
// `--mutate 'lib/commerce/**'` changes a part, and `--sample 2` changes two percent of the lines, chosen at random.
// `--seed 7` chooses other lines, and `--in lib/commerce` chooses them in a folder. `--tests limits` runs only the tests
// whose paths contain the word, which saves the minute that Stryker takes to run all of them once.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
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
const mutate = values.sample === undefined ? values.mutate : sample(Number(values.sample), values.seed)
const args = mutate === undefined ? [] : ['--mutate', mutate]
const env = { ...process.env, MUTATION_TESTS: values.tests }
spawn('stryker', ['run', ...args], { stdio: 'inherit', env }).on('exit', (code) => process.exit(code ?? 1))

/** Returns lines in Stryker's form, `file:line-line`. A hash selects them, so the same seed selects the same lines. */
function sample(percent, seed) {
  if (!(percent > 0 && percent <= 100)) throw new RangeError('--sample must be a percentage, such as 2')
  const share = (line) => createHash('sha256').update(`${seed} ${line}`).digest().readUInt32BE() / 2 ** 32
  const files = readdirSync(values.in, { recursive: true }).filter((name) => name.endsWith('.ts'))
  const lines = files.sort().flatMap((name) => {
    const path = join(values.in, name)
    return readFileSync(path, 'utf8')
      .split('\n')
      .map((_line, i) => `${path}:${i + 1}-${i + 1}`)
  })
  return lines.filter((line) => share(line) * 100 < percent).join(',')
}
