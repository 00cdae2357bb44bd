// Compiles a folder of TypeScript for the tests, without types and declarations: `node scripts/transpile.mjs lib dist`.
// The compiler takes twenty times as long; `npm run build` uses it for what is published.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { transformSync } from '@swc/core'

const [from, to] = process.argv.slice(2)
if (from === undefined || to === undefined) throw new Error('Usage: node scripts/transpile.mjs FROM TO')

const sources = filesIn(from).filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
const outputs = sources.map((path) => path.replace(/\.ts$/, '.js'))

// A file whose source is gone must not satisfy an import.
mkdirSync(to, { recursive: true })
for (const path of filesIn(to)) if (path.endsWith('.js') && !outputs.includes(path)) rmSync(join(to, path))

for (const [i, path] of sources.entries()) {
  const { code } = transformSync(readFileSync(join(from, path), 'utf8'), {
    filename: join(from, path),
    sourceMaps: 'inline',
    module: { type: 'commonjs', exportInteropAnnotation: true },
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  })
  const output = join(to, outputs[i])
  mkdirSync(dirname(output), { recursive: true })
  writeFileSync(output, code)
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true })
}
