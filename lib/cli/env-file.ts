import { readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { CliError, systemCode } from './errors'

/** The `.env` file of the working directory. */
export class EnvFile {
  readonly path: string

  private constructor(
    readonly exists: boolean,
    path: string,
    private text: string,
  ) {
    this.path = path
  }

  /** @throws CliError if the file exists and cannot be read. */
  static async open(folder: string): Promise<EnvFile> {
    const path = join(folder, '.env')
    try {
      // A link stays a link: what it points to is replaced.
      const target = await realpath(path)
      return new EnvFile(true, target, await readFile(target, 'utf8'))
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return new EnvFile(false, path, '')
      throw new CliError(`${path} cannot be read (${systemCode(error)}).`, 'Check its permissions.')
    }
  }

  /** Its values, without those that are empty. */
  get values(): Readonly<Record<string, string>> {
    const entries = Object.entries(parseEnv(this.text))
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => isSet(entry[1])))
  }

  /**
   * Sets values, keeps everything else as it is, and makes the file readable for its owner only. The file is replaced in one
   * step, so that an interruption leaves either the old or the new one.
   */
  async write(values: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(values)) this.set(name, value)
    const temporary = `${this.path}.${process.pid}.tmp`
    try {
      await writeFile(temporary, this.text, { mode: 0o600 })
      await rename(temporary, this.path)
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined)
      throw new CliError(
        `${this.path} cannot be written (${systemCode(error)}).`,
        'Check the permissions of the folder, or pass --no-write-env to print the lines instead.',
      )
    }
  }

  private set(name: string, value: string): void {
    const line = lineOf(name, value)
    const names = [...this.text.matchAll(ENTRIES)].map(([, , key]) => key)
    if (names.includes(name)) {
      this.text = this.text.replace(ENTRIES, (entry: string, exported: string, key: string) =>
        key === name ? exported + line : entry,
      )
    } else this.text += `${/[^\n]$/.test(this.text) ? '\n' : ''}${line}\n`
  }
}

/** Whether a variable has a value. Empty ones count as missing. */
export function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== ''
}

/** All entries of the file, each with its `export` and its name. A value in quotes can span several lines. */
const ENTRIES = /^[ \t]*((?:export[ \t]+)?)([^\s#=][^=\r\n]*?)[ \t]*=[ \t]*(?:"[^"]*"|'[^']*'|`[^`]*`)?.*$/gm

/** @throws CliError if no kind of quotes can hold the value. */
function lineOf(name: string, value: string): string {
  const quotes = /^[\w./:@+-]+$/.test(value) ? [''] : ["'", '`', '"']
  const lines = quotes.map((quote) => `${name}=${quote}${value}${quote}`)
  const line = lines.find((candidate) => parseEnv(candidate)[name] === value)
  if (line !== undefined) return line
  throw new CliError(
    `A line of .env cannot hold the value of ${name}.`,
    'Pass --no-write-env to print it instead.',
  )
}
