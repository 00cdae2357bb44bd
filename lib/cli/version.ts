import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { at, parse } from './json'

/** The version of the package. Its folder is two above `dist/cli`, and above `lib/cli` too. */
export function packageVersion(): string {
  return String(at(parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')), 'version'))
}
