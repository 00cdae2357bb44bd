import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A program in a process of its own. Tests wait for the lines that it prints. */
export class Program {
  private static readonly running = new Set<ChildProcess>()
  private readonly lines: string[] = []
  private readonly waiting = new Set<() => void>()

  private constructor(private readonly child: ChildProcess) {}

  static start(command: string, args: string[], env: Record<string, string>, cwd: string): Program {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    Program.running.add(child)
    child.once('exit', () => Program.running.delete(child))
    const program = new Program(child)
    for (const output of [child.stdout, child.stderr]) {
      createInterface(output).on('line', (line) => {
        program.lines.push(line)
        for (const check of program.waiting) check()
      })
    }
    child.stderr.pipe(process.stderr)
    return program
  }

  static killAll(): void {
    for (const child of Program.running) child.kill('SIGKILL')
  }

  /** How many lines match. */
  count(pattern: RegExp): number {
    return this.lines.filter((line) => pattern.test(line)).length
  }

  /** Resolves when so many lines match. */
  until(pattern: RegExp, count = 1): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (this.count(pattern) < count) return
        this.waiting.delete(check)
        resolve()
      }
      this.waiting.add(check)
      check()
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Its exit code and the signal that ended it. */
  async end(signal: NodeJS.Signals): Promise<unknown[]> {
    const exit = once(this.child, 'exit')
    this.child.kill(signal)
    return exit
  }
}
