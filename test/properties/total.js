// Jest's set-up and tear-down of the full run: a seed for all files, and the sum of the cases that they judged.
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { dirname, join } = require('node:path')

const LEAST = 100_000

exports.setup = () => {
  process.env.PROPERTIES_SEED ??= String(Math.trunc(Math.random() * 2 ** 31))
  process.env.PROPERTIES_COUNT = join(mkdtempSync(join(tmpdir(), 'properties-')), 'cases')
  writeFileSync(process.env.PROPERTIES_COUNT, '')
}

exports.teardown = (globalConfig) => {
  const { PROPERTIES_COUNT: file, PROPERTIES_SEED: seed } = process.env
  const cases = readFileSync(file, 'utf8').split('\n').map(Number)
  rmSync(dirname(file), { recursive: true })
  const total = cases.reduce((sum, some) => sum + some, 0)
  console.log(`${total} cases, PROPERTIES_SEED=${seed}`)
  const partial = Boolean(globalConfig.testPathPatterns?.isSet?.() || globalConfig.testNamePattern)
  if (total < LEAST && !partial) throw new Error(`${total} cases are fewer than ${LEAST}`)
}
