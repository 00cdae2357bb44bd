import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The path and version of a Node of this major version: this process's own, or the newest that npm has. */
export async function findNode(major) {
  if (process.versions.node.split('.')[0] === String(major)) return [process.execPath, process.version]
  const args = ['--yes', `node@${major}`, '-p', 'process.execPath + " " + process.version']
  const { stdout } = await run('npx', args)
  return stdout.trim().split(' ')
}
