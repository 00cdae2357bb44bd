import { access, readFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'

/** Whether git would add the `.env` of this folder: it is there, in a repository, and no `.gitignore` names it. */
export async function isCommittable(folder: string): Promise<boolean> {
  const file = join(folder, '.env')
  if (!(await exists(file))) return false
  const folders = await foldersOfRepository(folder)
  if (folders.length === 0) return false
  let ignored = false
  // As in git, the last line that matches decides.
  for (const parent of folders) {
    const path = relative(parent, file).split(sep).join('/')
    for (const line of await readLines(join(parent, '.gitignore'))) {
      if (matches(line.replace(/^!/, ''), path)) ignored = !line.startsWith('!')
    }
  }
  return !ignored
}

/** From the root of the repository down to the folder. Empty outside of a repository. */
async function foldersOfRepository(folder: string): Promise<string[]> {
  const folders = [folder]
  for (let current = folder; !(await exists(join(current, '.git'))); folders.unshift(current)) {
    const parent = dirname(current)
    if (parent === current) return []
    current = parent
  }
  return folders
}

/** Patterns with `*`, `?` and `**`. A pattern with a slash is relative to its folder, any other applies to every name. */
function matches(pattern: string, path: string): boolean {
  const expression = pattern
    .replace(/^\//, '')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|[*?]/g, (wildcard) => WILDCARDS[wildcard] ?? '')
  const anchor = pattern.includes('/') ? '^' : '(^|/)'
  return new RegExp(`${anchor}${expression}$`).test(path)
}

const WILDCARDS: Readonly<Record<string, string>> = { '**/': '(.*/)?', '*': '[^/]*', '?': '[^/]' }

async function readLines(file: string): Promise<string[]> {
  try {
    const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.trim())
    return lines.filter((line) => !line.startsWith('#'))
  } catch {
    return []
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
