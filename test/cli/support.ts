import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import type { Io } from '../../lib/cli/io'
import { main } from '../../lib/cli/main'
import type { ElasticPathSimulator } from '../../lib/testing'
import { withoutChance } from '../support/snapshots'

/** What a command line prints, and who reads it. */
class Screen extends Writable {
  text = ''
  private readonly listeners_ = new Set<(text: string) => void>()

  constructor(readonly isTTY: boolean) {
    super({
      write: (chunk: Buffer, _encoding, done) => {
        const text = chunk.toString()
        this.text += text
        for (const listener of this.listeners_) listener(text)
        done()
      },
    })
  }

  onText(listener: (text: string) => void): void {
    this.listeners_.add(listener)
  }

  /** Resolves as soon as the text matches. */
  shows(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve) => {
      const look = () => {
        const match = pattern.exec(this.text)
        if (match) resolve(match)
      }
      this.onText(look)
      look()
    })
  }
}

export interface Situation {
  env?: Record<string, string | undefined>
  /** The content of `.env`. */
  file?: string
  /** Answers a question, given its text; undefined presses Ctrl+C. Without it there is no terminal. */
  answer?: (question: string) => string | undefined | Promise<string | undefined>
  fetch?: typeof fetch
  nodeVersion?: string
  /** Milliseconds by which this machine's clock is ahead. */
  ahead?: number
}

/** A command line in this process: its own folder, environment, terminal and clock. */
export class Shell {
  readonly cwd = mkdtempSync(join(tmpdir(), 'cli-'))
  /** Where commands run, in `cwd`. */
  folder = ''
  readonly clock = new FakeClock()
  private readonly stopping = new AbortController()
  stdout = new Screen(false)
  stderr = new Screen(false)
  private readonly runs: (() => string)[] = []

  /** Runs a command to its end. */
  async run(
    argv: readonly string[],
    situation: Situation = {},
  ): Promise<{ code: number; out: string; err: string }> {
    const { answer, env = {}, file } = situation
    if (file !== undefined) writeFileSync(this.envPath, file)
    const isTTY = answer !== undefined
    const stdin = Object.assign(new PassThrough(), { isTTY })
    this.stdout = new Screen(isTTY)
    this.stderr = new Screen(isTTY)
    const { stdout, stderr } = this
    let exit = 'still running'
    this.runs.push(() => `$ ${argv.join(' ')}\n${stdout.text}--- stderr\n${stderr.text}--- ${exit}`)
    this.clock.ahead = situation.ahead ?? 0
    this.stdout.onText((text) => {
      const question = /([^\n]+): $/.exec(stripVTControlCharacters(text))?.[1]
      if (question !== undefined)
        void Promise.resolve(answer?.(question)).then((reply) =>
          stdin.write(reply === undefined ? '\u0003' : `${reply}\r`),
        )
    })
    const io: Io = {
      stdin,
      stdout: this.stdout,
      stderr: this.stderr,
      env,
      cwd: join(this.cwd, this.folder),
      nodeVersion: situation.nodeVersion ?? 'v20.18.1',
      fetch: situation.fetch ?? fetch,
      clock: this.clock,
      signal: this.stopping.signal,
    }
    const code = await main(argv, io)
    exit = `exit code ${code}`
    return { code, out: this.stdout.text, err: this.stderr.text }
  }

  /** As SIGTERM. */
  stop(): void {
    this.stopping.abort()
  }

  get envPath(): string {
    return join(this.cwd, '.env')
  }

  get envText(): string {
    return readFileSync(this.envPath, 'utf8')
  }

  /**
   * Ends what runs, removes the folder, and compares everything that was printed, and `.env`, with what
   * `__snapshots__` has for the test. So no text that a command prints changes without being seen.
   */
  close(): void {
    this.stopping.abort()
    const printed = this.runs.map((run) => run())
    if (existsSync(this.envPath)) printed.push(`$ cat .env\n${this.envText}`)
    rmSync(this.cwd, { recursive: true, force: true })
    expect(withoutChance(printed.join('\n').replaceAll(this.cwd, '<folder>'))).toMatchSnapshot()
  }
}

/** A clock whose short sleeps end at once. Longer ones, which are patience, end with `advance`. As Node's, all reject if aborted. */
class FakeClock {
  ahead = 0
  readonly sleeps: number[] = []
  /** How many sleeps have not ended yet. */
  sleeping = 0
  /** What a short sleep waits for. */
  until: Promise<unknown> = Promise.resolve()
  /** Called when a sleep begins. */
  onSleep: (milliseconds: number) => void = () => undefined
  private readonly started = Date.now()
  private passed = 0
  private readonly sleepers: { until: number; wake: () => void }[] = []

  now(): number {
    return this.started + this.ahead + this.passed
  }

  sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    this.sleeps.push(milliseconds)
    this.sleeping += 1
    this.onSleep(milliseconds)
    let abort = (): void => undefined
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(new DOMException('The operation was aborted', 'AbortError'))
      if (signal.aborted) abort()
      signal.addEventListener('abort', abort)
    })
    return Promise.race([this.pass(milliseconds), aborted]).finally(() => {
      this.sleeping -= 1
      signal.removeEventListener('abort', abort)
    })
  }

  private pass(milliseconds: number): Promise<void> {
    if (milliseconds <= 10_000) {
      this.passed += milliseconds
      return this.until.then(() => undefined)
    }
    return new Promise((resolve) => {
      this.sleepers.push({ until: this.passed + milliseconds, wake: resolve })
      this.onPatience()
    })
  }

  private onPatience: () => void = () => undefined

  /** Resolves when the next long sleep begins. */
  patient(): Promise<void> {
    return new Promise((resolve) => {
      this.onPatience = resolve
    })
  }

  advance(milliseconds: number): void {
    this.passed += milliseconds
    for (const { until, wake } of this.sleepers) if (until <= this.passed) wake()
  }
}

/** The settings that lead to a simulator. */
export function settingsOf(simulator: ElasticPathSimulator): Record<string, string> {
  return {
    EPCC_BASE_URL: simulator.url,
    EPCC_CLIENT_ID: simulator.clientId,
    EPCC_CLIENT_SECRET: simulator.clientSecret,
  }
}

/** Leads the requests for each host to the server with the URL that is given. */
export function leadTo(targets: Readonly<Record<string, string>>): typeof fetch {
  return (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const target = targets[url.hostname]
    return fetch(target === undefined ? url : new URL(url.pathname + url.search, target), init)
  }
}
