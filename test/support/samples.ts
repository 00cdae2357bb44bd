import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { compileFunction } from 'node:vm'
import { transformSync } from '@swc/core'
import * as otp from '../../lib'
import * as testing from '../../lib/testing'
import { atEnd } from './shop'

export const ROOT = join(__dirname, '../..')

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

export interface Sample {
  language: string
  code: string
}

/** The code blocks of a page. */
export function samplesOf(path: string): Sample[] {
  const blocks = read(path).matchAll(/^ *```(\w+)\n([\s\S]*?)^ *```$/gm)
  return [...blocks].map(([, language = '', code = '']) => ({ language, code }))
}

/** The first sample of a page that contains a text. */
export function sample(path: string, part = ''): string {
  const found = samplesOf(path).find(({ code }) => code.includes(part))
  if (!found) throw new Error(`${path} has no sample with ${part}`)
  return found.code
}

/** A page without its code blocks. */
function textOf(path: string): string {
  return read(path).replace(/^ *```[\s\S]*?^ *```$/gm, '')
}

/** The links of a page to other pages and to itself: the file, and the id of the heading. */
export function linksOf(path: string): { target: string; anchor: string | undefined }[] {
  const links = [...textOf(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return links
    .filter((link) => !/^(https?|mailto):/.test(link))
    .map((link) => {
      const [file = '', anchor] = link.split('#')
      return { target: file === '' ? path : join(dirname(path), file), anchor }
    })
}

/** The ids of a page's headings, as GitHub makes them. */
export function anchorsOf(path: string): string[] {
  return [...textOf(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** The names in quotes or before a colon in a declaration of a source file. */
export function namesIn(path: string, start: string): string[] {
  const [declaration = ''] = (read(path).split(start)[1] ?? '').split(/\n(?:}|\n)/)
  return [...declaration.matchAll(/'(\w+)'|^ {2}(\w+):/gm)].map(([, quoted, key]) => quoted ?? key ?? '')
}

/** The class that samples import, for a simulator. */
export function packageFor(simulator: testing.ElasticPathSimulator) {
  const store = { clientId: simulator.clientId, baseUrl: simulator.url, uniformResponseTime: 0 }
  class PasswordlessOtpStrategy extends otp.PasswordlessOtpStrategy {
    constructor(options: Partial<otp.PasswordlessOtpStrategyOptions>) {
      super({ ...store, ...options })
      atEnd(() => this.close())
    }
  }
  return { PasswordlessOtpStrategy }
}

const MODULES = { 'passport-elasticpath-otp': otp, 'passport-elasticpath-otp/testing': testing }

/**
 * Runs a sample as it stands, and returns what it defines.
 *
 * @param given - What the sample leaves to the app, by name.
 * @param modules - What the sample imports instead of the installed packages, by name.
 */
export function run(code: string, given: object = {}, modules: object = {}): Record<string, unknown> {
  const names = [...code.matchAll(/^(?:const|async function) (\w+)/gm)].map(([, name = '']) => name)
  const { code: script } = transformSync(`${code}\nexport { ${names.join(', ')} }`, {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  })
  const known = new Map<string, unknown>(Object.entries({ ...MODULES, ...modules }))
  const load = (name: string): unknown => known.get(name) ?? jest.requireActual(name)
  const exports: Record<string, unknown> = {}
  const values = Object.values(given) as unknown[]
  const execute = compileFunction(script, ['require', 'exports', ...Object.keys(given)])
  Reflect.apply(execute, undefined, [load, exports, ...values])
  return exports
}

/** Runs a sample that awaits. */
export async function runAsync(code: string, given: object): Promise<void> {
  const { main } = run(`async function main() {\n${code}\n}`, given)
  await (main as () => Promise<void>)()
}
