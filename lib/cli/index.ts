#!/usr/bin/env node
import { setTimeout as sleep } from 'node:timers/promises'
import { main } from './main'

const stopping = new AbortController()
// Explicit handlers: as process 1 of a container, a process gets no default ones.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())

// npx does not hand signals on: a shell is between it and this process. So the end of that shell counts as one.
const parent = process.ppid
if (process.env['npm_command'] === 'exec') {
  setInterval(() => process.ppid !== parent && stopping.abort(), 200).unref()
}

const { stdin, stdout, stderr, env, version: nodeVersion } = process
const clock = {
  now: Date.now,
  sleep: (milliseconds: number, signal: AbortSignal) => sleep(milliseconds, undefined, { signal }),
}
const io = {
  stdin,
  stdout,
  stderr,
  env,
  cwd: process.cwd(),
  nodeVersion,
  fetch,
  clock,
  signal: stopping.signal,
}

// A reader that went away, such as `head`, ends the command.
stdout.on('error', () => process.exit(1))

void main(process.argv.slice(2), io).then((code) => {
  // Not process.exit(): what was printed into a pipe has to arrive. Nothing else keeps the process.
  process.exitCode = code
})
