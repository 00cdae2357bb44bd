import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { transformSync } from '@swc/core'
import * as lib from '../../lib'

const ROOT = join(__dirname, '../..')
const load = createRequire(join(ROOT, 'example-app/package.json'))
const loadHere = createRequire(__filename)

/** The exports of the code on a page: of its first block in JavaScript, or of the one that contains a text. */
export function sampleOf(page: string, containing = ''): Record<string, never> {
  return run(blockOf(page, containing))
}

/** The code on a page, with code before and after it. */
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
  const resolve = (name: string): unknown => {
    if (name === 'passport-elasticpath-otp') return lib
    try {
      return loadHere(name)
    } catch {
      return load(name)
    }
  }
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the page's code, as readers copy it
  new Function('require', 'module', 'exports', script)(resolve, module, module.exports)
  return module.exports
}
