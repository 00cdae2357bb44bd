import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const LIB = join(__dirname, '../../lib')

const imports = (file: string) =>
  [...readFileSync(join(LIB, file), 'utf8').matchAll(/from '([^']+)'/g)].map(([, name = '']) => name)

const files = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

test('nothing outside of lib/cli imports the command line, so the library costs what it did', () => {
  const others = files.filter((file) => !file.startsWith('cli'))

  expect(others.length).toBeGreaterThan(20)
  expect(others.filter((file) => imports(file).some((name) => /(^|\/)cli(\/|$)/.test(name)))).toEqual([])
})

test('the command line imports Node and this package only', () => {
  const names = files.filter((file) => file.startsWith('cli')).flatMap(imports)

  expect(names.filter((name) => !name.startsWith('.') && !name.startsWith('node:'))).toEqual([])
})

test('the program starts with the line that lets a shell run it', () => {
  const { bin } = JSON.parse(readFileSync(join(LIB, '../package.json'), 'utf8')) as {
    bin: Record<string, string>
  }

  expect(bin).toEqual({ 'passport-elasticpath-otp': 'dist/cli/index.js' })
  expect(readFileSync(join(LIB, 'cli/index.ts'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
})
