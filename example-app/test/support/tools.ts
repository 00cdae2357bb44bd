import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const TOOLS = {
  chromium: { names: ['chromium', 'chromium-browser', 'google-chrome'], install: 'apt-get install chromium' },
  'redis-server': { names: ['redis-server'], install: 'apt-get install redis-server' },
}

/** The path of a program that the tests of a file need. Throws if it is not installed. */
export function requireTool(tool: keyof typeof TOOLS): string {
  const { names, install } = TOOLS[tool]
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const path = names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram)
  if (path === undefined) throw new Error(`These tests need ${tool}. Install it: ${install}`)
  return path
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
