import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const TOOLS = {
  chromium: { names: ['chromium', 'chromium-browser', 'google-chrome'], install: 'apt-get install chromium' },
  'redis-server': { names: ['redis-server'], install: 'apt-get install redis-server' },
}
type Tool = keyof typeof TOOLS

/** The path of a program, undefined where the machine has none. */
function find(tool: Tool): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return TOOLS[tool].names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram)
}

/** A suite that needs a program. Without it the suite is left out, and says so; where it has to run, it fails. */
export function describeWith(tool: Tool, name: string, suite: (path: string) => void): void {
  const path = find(tool)
  if (path !== undefined) {
    describe(name, () => suite(path))
    return
  }
  const why = `"${name}" needs ${tool}, which is not on this machine: ${TOOLS[tool].install}`
  if (process.env['CI'] === 'true' || process.env['REQUIRE_ALL_SUITES'] === '1') {
    describe(name, () =>
      it(`has ${tool}`, () => {
        throw new Error(why)
      }),
    )
    return
  }
  process.stderr.write(`\nLEFT OUT: ${why}\n`)
  describe.skip(name, () => it.todo(`needs ${tool}`))
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
