import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { Interrupted } from './errors'
import type { Io } from './io'

const COLORS = { green: 32, yellow: 33, red: 31, gray: 90, bold: 1 }

/** Prints for a person, and asks. On anything but a terminal it prints plain text and never asks. */
export class Terminal {
  /** Whether questions can be asked: both ends are terminals, and no machine reads the output. */
  readonly canAsk: boolean
  private readonly colored: boolean
  private readonly lines: string[] = []
  private reader: Interface | undefined
  private waiting: { resolve(line: string): void; reject(error: Error): void } | undefined
  private muted = false
  private ended = false
  private progress = false

  constructor(
    private readonly io: Io,
    /** With `--json`, nothing is printed for people. */
    readonly quiet: boolean,
  ) {
    const isTerminal = io.stdout.isTTY === true
    this.canAsk = !quiet && isTerminal && io.stdin.isTTY === true
    this.colored = isTerminal && (io.env['NO_COLOR'] ?? '') === '' && io.env['TERM'] !== 'dumb'
  }

  line(text = ''): void {
    this.clear()
    if (!this.quiet) this.io.stdout.write(`${text}\n`)
  }

  paint(color: keyof typeof COLORS, text: string): string {
    return this.colored ? `\u001b[${COLORS[color]}m${text}\u001b[0m` : text
  }

  /** Shows on a terminal what the command is doing, until the next line is printed. */
  working(text: string): void {
    if (this.quiet || !this.colored) return
    this.clear()
    this.progress = true
    this.io.stdout.write(this.paint('gray', `… ${text}`))
  }

  /** @returns what the user types, trimmed; `fallback` if that is empty. */
  async ask(question: string, fallback = ''): Promise<string> {
    this.clear()
    const reader = this.open()
    reader.setPrompt(`${question}${fallback === '' ? '' : ` [${fallback}]`}: `)
    reader.prompt()
    const answer = (await this.nextLine()).trim()
    return answer === '' ? fallback : answer
  }

  /** As `ask`, but does not show what is typed. */
  async askSecret(question: string): Promise<string> {
    this.clear()
    const reader = this.open()
    reader.setPrompt(`${question} (hidden): `)
    reader.prompt()
    this.muted = true
    try {
      return (await this.nextLine()).trim()
    } finally {
      this.muted = false
      this.io.stdout.write('\n')
    }
  }

  /** @returns whether the user agrees; no is the default. */
  async confirm(question: string): Promise<boolean> {
    for (;;) {
      const answer = (await this.ask(`${question} (y/N)`)).toLowerCase()
      if (answer === '' || answer === 'n' || answer === 'no') return false
      if (answer === 'y' || answer === 'yes') return true
    }
  }

  /** Lets the process end. */
  close(): void {
    this.clear()
    this.ended = true
    this.reader?.close()
  }

  private clear(): void {
    if (this.progress) this.io.stdout.write('\r\u001b[2K')
    this.progress = false
  }

  private nextLine(): Promise<string> {
    const line = this.lines.shift()
    if (line !== undefined) return Promise.resolve(line)
    if (this.ended || this.io.signal.aborted) return Promise.reject(new Interrupted())
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject }
    })
  }

  private open(): Interface {
    if (this.reader) return this.reader
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!this.muted) this.io.stdout.write(chunk)
        done()
      },
    })
    const reader = createInterface({ input: this.io.stdin, output, terminal: true })
    reader.on('line', (line) => {
      if (this.waiting) this.waiting.resolve(line)
      else this.lines.push(line)
      this.waiting = undefined
    })
    const interrupt = () => {
      this.ended = true
      this.waiting?.reject(new Interrupted())
      this.waiting = undefined
    }
    reader.on('SIGINT', interrupt)
    reader.on('close', interrupt)
    this.io.signal.addEventListener('abort', interrupt)
    this.reader = reader
    return reader
  }
}
