// Jest's tear-down of the full run: the sum of the cases that the files judged.
const { readFileSync, rmSync } = require('node:fs')
const { dirname } = require('node:path')

const LEAST = 100_000

module.exports = (globalConfig) => {
  const { PROPERTIES_COUNT: file, PROPERTIES_SEED: seed } = process.env
  const cases = readFileSync(file, 'utf8').split('\n').map(Number)
  rmSync(dirname(file), { recursive: true })
  const total = cases.reduce((sum, some) => sum + some, 0)
  console.log(`${total} cases, PROPERTIES_SEED=${seed}`)
  const partial = Boolean(globalConfig.testPathPatterns?.isSet?.() || globalConfig.testNamePattern)
  if (total < LEAST && !partial) throw new Error(`${total} cases are fewer than ${LEAST}`)
}
