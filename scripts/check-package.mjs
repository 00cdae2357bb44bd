// Packs the package as npm would publish it, into reports/, and checks what is in it and how large it is.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'

const LARGEST = 60_000
const ENTRIES = ['dist/index.d.ts', 'dist/testing/index.d.ts']
const OTHERS = ['LICENSE', 'README.md', 'package.json']
const AT_INSTALL = ['preinstall', 'install', 'postinstall', 'prepare']

const { scripts, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
const hooks = AT_INSTALL.filter((name) => name in scripts)
check(
  hooks.length === 0,
  `package.json has the script ${hooks.join(', ')}: nothing may run at an install, remove it`,
)

mkdirSync('reports', { recursive: true })
const packing = execFileSync('npm', ['pack', '--json', '--pack-destination', 'reports'], { encoding: 'utf8' })
// What the build prints comes first.
const [{ filename, size, files }] = JSON.parse(packing.slice(packing.indexOf('[\n')))
renameSync(`reports/${filename}`, 'reports/package.tgz')

const packed = files.map(({ path }) => path)
const compiled = readdirSync('lib', { recursive: true })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => `dist/${path.replaceAll('\\', '/').replace(/\.ts$/, '.js')}`)
const due = [...OTHERS, ...ENTRIES, ...compiled]
const missing = due.filter((path) => !packed.includes(path))
const foreign = packed.filter((path) => !due.includes(path))
check(
  missing.length === 0,
  `the tarball lacks ${missing.join(', ')}: look at "files" in package.json and at the build`,
)
check(
  foreign.length === 0,
  `the tarball holds ${foreign.join(', ')}: remove dist and build anew, or look at "files"`,
)
check(size < LARGEST, `the tarball has ${size} bytes, and has to stay under ${LARGEST}: make it smaller`)

console.log(`No install script. At run time: ${Object.keys(dependencies).join(', ')}.`)
console.log(`${packed.length} files, ${size} of ${LARGEST} bytes: reports/package.tgz`)

function check(holds, otherwise) {
  if (holds) return
  console.error(`check:package: ${otherwise}`)
  process.exit(1)
}
