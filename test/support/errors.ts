import { ElasticPathError } from '../../lib/errors'
import { withoutChance } from './snapshots'

/** Durations, and how the operating system says that a connection ended. */
const DIFFERS = /\b\d+(?= ms\b)|\b(ECONNRESET|EPIPE|UND_ERR_SOCKET)\b/g

/** The errors of the current test; undefined if they are not compared. */
let errors: Set<string> | undefined

/** Compares the errors that {@link recordError} gets in each test of this file with `__snapshots__`. */
export function compareErrors(): void {
  beforeEach(() => {
    errors = new Set()
  })
  afterEach(() => {
    const all = [...(errors ?? [])].sort()
    errors = undefined
    if (all.length > 0) expect(all.join('\n')).toMatchSnapshot()
  })
}

/** Keeps what an error says. A person who reads a log has nothing else. */
export function recordError(error: unknown): void {
  if (!(error instanceof ElasticPathError)) return
  const { code, status, upstreamStatus = 'none', retryAfter = 'none', message } = error
  const text = `${code} ${status} upstream ${upstreamStatus} retry ${retryAfter}: ${message}`
  errors?.add(withoutChance(text).replace(DIFFERS, '<…>'))
}
