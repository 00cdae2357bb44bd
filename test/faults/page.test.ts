import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderPage } from './page'

const PAGE = join(__dirname, '../../docs/faults.md')

test('docs/faults.md is what the table says: npm run docs:faults writes it', () => {
  if (process.env['WRITE_DOCS'] === 'true') writeFileSync(PAGE, renderPage())
  expect(readFileSync(PAGE, 'utf8')).toBe(renderPage())
})
