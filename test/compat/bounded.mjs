import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The folder of everything that is created here. It is removed at the end. */
export const workplace = mkdtempSync(join(tmpdir(), 'otp-compat-'))

const running = new Set()

process.on('exit', () => {
  for (const child of running) end(child)
  rmSync(workplace, { recursive: true, force: true, maxRetries: 5 })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

/** Resolves with the output of a command. Rejects with it if the command fails or takes longer than `seconds`. */
export function run(command, args, { cwd, seconds, env: more }) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, TMPDIR: workplace, NO_COLOR: '1', ...more }
    // A separate process group, so that the command's child processes are killed with it.
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(child)
    let why = ''
    const timer = setTimeout(() => {
      why = `Not finished in ${seconds} seconds`
      end(child)
    }, seconds * 1000)
    let stdout = ''
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
      output += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text))
    child.on('error', (error) => (why = error.message))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      end(child)
      running.delete(child)
      if (code === 0) resolve(stdout)
      else
        reject(
          new Error(`$ ${[command, ...args].join(' ')}\n${output}\n${why || `Ended with ${code ?? signal}`}`),
        )
    })
  })
}

function end(child) {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error // it has ended by itself
  }
}
