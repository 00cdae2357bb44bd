import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { transformSync } from '@swc/core'
import * as lib from '../../lib'

const ROOT = join(__dirname, '../..')
// What the example app has: express, sessions.
const loadInstalled = createRequire(join(ROOT, 'example-app/package.json'))

/** The exports of the code on a page: of its first block in JavaScript, or of the one that contains a text. */
export function sampleOf(page: string, containing = ''): Record<string, never> {
  return run(blockOf(page, containing))
}

/** The code on a page. */
export function blockOf(page: string, containing = ''): string {
  const text = readFileSync(join(ROOT, 'docs', page), 'utf8')
  const blocks = Array.from(text.matchAll(/^```(?:js|ts)\n([\s\S]*?)^```$/gm), ([, code = '']) => code)
  const block = blocks.find((code) => code.includes(containing))
  if (block === undefined) throw new Error(`${page} has no such sample`)
  return block
}

/** Runs a module, with this package in the place of the installed one. */
export function run(code: string): Record<string, never> {
  const { code: script } = transformSync(code, {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  })
  const module = { exports: {} }
  const resolve = (name: string): unknown => (name === 'passport-elasticpath-otp' ? lib : loadInstalled(name))
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the page's code, as readers copy it
  const load = new Function('require', 'module', 'exports', script) as (...args: unknown[]) => void
  load(resolve, module, module.exports)
  return module.exports
}
