import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findNode } from './nodes.mjs'

const run = promisify(execFile)
const PACKAGES = ['undici', 'passport-elasticpath-otp']
const here = fileURLToPath(new URL('.', import.meta.url))

/** Milliseconds that `require` of a package takes in a fresh process, and how many files it loads. */
export async function loadTime({ nodes, processes }) {
  const measured = []
  for (const major of nodes) {
    const [execPath, node] = await findNode(major)
    const packages = Object.fromEntries(PACKAGES.map((name) => [name, []]))
    // The first of each fills the cache of the file system.
    for (let i = 0; i <= processes; i++) {
      for (const name of i % 2 === 0 ? PACKAGES : PACKAGES.toReversed()) {
        const script = `const start = performance.now(); require('${name}'); const time = performance.now() - start
          console.log(JSON.stringify({ time, files: Object.keys(require.cache).length }))`
        const { stdout } = await run(execPath, ['-e', script], { cwd: here })
        if (i > 0) packages[name].push(JSON.parse(stdout))
      }
    }
    measured.push({ node, packages })
  }
  return measured
}
