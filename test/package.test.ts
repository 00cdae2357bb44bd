import { exec } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

// What the package does once it is installed, test/compat tries.
const ROOT = resolve(__dirname, '..')

jest.setTimeout(60_000)

test('the package ships the build, and neither sources nor tests', async () => {
  const { stdout } = await promisify(exec)('npm pack --dry-run --ignore-scripts --json', { cwd: ROOT })
  const [tarball] = JSON.parse(stdout) as [{ files: { path: string }[] }]
  const packed = tarball.files.map(({ path }) => path)

  expect(packed).toEqual(
    expect.arrayContaining(['package.json', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']),
  )
  expect(packed.filter((path) => /^(lib|test|bench|example-app)\/|\.map$|(?<!\.d)\.ts$/.test(path))).toEqual(
    [],
  )
})

test('the package needs nothing at run time but what it declares', async () => {
  const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const files = (await readdir(join(ROOT, 'dist'), { recursive: true }))
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFile(join(ROOT, 'dist', file), 'utf8'))
  const required = (await Promise.all(files)).flatMap((text) =>
    [...text.matchAll(/require\("([^."][^"]*)"\)/g)].map(([, name = '']) => name),
  )

  const foreign = new Set(required.filter((name) => !name.startsWith('node:')))

  expect([...foreign].sort()).toEqual(Object.keys(dependencies).sort())
})
