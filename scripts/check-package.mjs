// Packs the package as npm publishes it, into reports/, and checks its contents, size and dependencies.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync } from 'node:fs'
import { builtinModules } from 'node:module'

const LARGEST_BYTES = 150_000
const REQUIRED = ['LICENSE', 'README.md', 'package.json', 'dist/index.d.ts', 'dist/testing/index.d.ts']
/** The pages, and the images on them. */
const ALLOWED = /^(docs\/(?!api-report\/).+\.(md|png|svg)|CHANGELOG\.md|SECURITY\.md)$/
const AT_INSTALL = ['preinstall', 'install', 'postinstall', 'prepare']

const { scripts, dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
const hooks = AT_INSTALL.filter((name) => name in scripts)
check(hooks.length === 0, `package.json has the script ${hooks.join(', ')}, which would run at an install`)

mkdirSync('reports', { recursive: true })
const packing = execFileSync('npm', ['pack', '--json', '--pack-destination', 'reports'], { encoding: 'utf8' })
// npm prints the output of the build before the JSON.
const [{ filename, size, files }] = JSON.parse(packing.slice(packing.indexOf('[\n')))
renameSync(`reports/${filename}`, 'reports/package.tgz')

const packed = files.map(({ path }) => path)
const compiled = ['index', 'cli/index', 'cli/main', 'testing/index', 'testing/simulator'].map(
  (name) => `dist/${name}.js`,
)
const expected = [...REQUIRED, ...compiled]
const missing = expected.filter((path) => !packed.includes(path))
const foreign = packed.filter((path) => !expected.includes(path) && !ALLOWED.test(path))
check(missing.length === 0, `the tarball lacks ${missing.join(', ')}. Check "files" in package.json`)
check(foreign.length === 0, `the tarball contains ${foreign.join(', ')}. Check "files" in package.json`)
check(size < LARGEST_BYTES, `the tarball has ${size} bytes, and the limit is ${LARGEST_BYTES}`)

// `passport` is the app's own copy, whose serializers the session handlers call. `express` is only for types.
const declared = [...Object.keys(dependencies), 'passport'].sort()
const required = [...new Set(compiled.flatMap(packagesRequiredBy))].sort()
check(
  required.join() === declared.join(),
  `the code requires ${required.join(', ')}, and package.json declares ${declared.join(', ')}`,
)

console.log(`No install script. Dependencies: ${declared.join(', ')}.`)
console.log(`${packed.length} files, ${size} of ${LARGEST_BYTES} bytes: reports/package.tgz`)

function packagesRequiredBy(path) {
  const specifiers = [...readFileSync(path, 'utf8').matchAll(/(?<![.\w])require\(["']([^."'][^"']*)["']\)/g)]
  return specifiers
    .map(([, name]) => name)
    .filter((name) => !name.startsWith('node:') && !builtinModules.includes(name))
}

function check(holds, otherwise) {
  if (holds) return
  console.error(`check:package: ${otherwise}`)
  process.exit(1)
}
