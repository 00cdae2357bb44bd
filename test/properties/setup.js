// Jest's set-up of the full run: a seed for all files, and a place to count the cases that they judge.
const { mkdtempSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

module.exports = () => {
  process.env.PROPERTIES_SEED ??= String(Math.trunc(Math.random() * 2 ** 31))
  process.env.PROPERTIES_COUNT = join(mkdtempSync(join(tmpdir(), 'properties-')), 'cases')
  writeFileSync(process.env.PROPERTIES_COUNT, '')
}
