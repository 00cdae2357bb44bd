import { pino } from 'pino'

type Line = Record<string, unknown> & { req?: { path?: string }; res?: { statusCode?: number } }

/** The log of a shop, in memory. Tests wait for its lines. */
export class TestLog {
  readonly lines: Line[] = []
  readonly logger = pino({ level: 'trace' }, { write: (text: string) => this.write(text) })
  private readonly waiting = new Set<() => void>()

  /** Resolves as soon as the condition is true. It is checked now and at each line. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition()) return
        this.waiting.delete(check)
        resolve()
      }
      this.waiting.add(check)
      check()
    })
  }

  /** The requests for a path that have been answered, in the order of their responses. */
  answered(path: string): Line[] {
    return this.lines.filter(({ req, res }) => req?.path === path && res !== undefined)
  }

  /** The lines about security. */
  get events(): Line[] {
    return this.lines.filter(({ msg }) => msg === 'security')
  }

  text(): string {
    return JSON.stringify(this.lines)
  }

  private write(text: string): void {
    this.lines.push(JSON.parse(text) as Line)
    for (const check of this.waiting) check()
  }
}
