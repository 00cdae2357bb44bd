import { RateLimiterMemory } from 'rate-limiter-flexible'
import { Proofs } from '../../lib/codes/proofs'
import type { Ticket } from '../../lib/codes/tickets'
import { Context } from '../../lib/context'
import { Attempts, type Attempt, type TicketAndProof } from '../../lib/codes/attempts'
import type { OtpLimiter } from '../../lib/options'

const ADA = 'ada@home.example'
const WINDOW = 15 * 60_000
const OTHER_LIMITERS: [string, () => OtpLimiter | undefined][] = [
  ['the default limiter', () => undefined],
  ['RateLimiterMemory', () => new RateLimiterMemory({ points: 10, duration: 900 })],
]

beforeEach(() => jest.useFakeTimers({ now: Date.UTC(2026, 0, 1) }))
afterEach(() => jest.useRealTimers())

function open(limiter?: OtpLimiter | false) {
  const proofs = new Proofs()
  proofs.addKey('webhook secret')
  const attempts = new Attempts(
    { limiter, requestLimiter: undefined, clientId: 'client', clientSecret: undefined },
    proofs,
  )
  async function within<T>(work: (context: Context) => Promise<T>): Promise<T> {
    const context = new Context(10_000)
    try {
      return await work(context)
    } finally {
      context.end()
    }
  }
  const take = (brought: TicketAndProof = {}, username = ADA) =>
    within((context) => attempts.take(username, brought, context))
  /** Makes attempts with wrong codes. Returns the number that reach Elastic Path. */
  async function guess(times: number, brought: TicketAndProof = {}, username = ADA): Promise<number> {
    let reached = 0
    for (let i = 0; i < times; i++) if ('privileged' in (await take(brought, username))) reached++
    return reached
  }
  const grant = (username = ADA) => within((context) => attempts.grantTicket(username, context))
  const proof = () => proofs.make(ADA, Date.now() + 600_000)
  return { attempts, take, guess, grant, proof, within }
}

function attempt(taken: { retryAfter: number } | Attempt): Attempt {
  if ('retryAfter' in taken) throw new Error(`no attempt for ${taken.retryAfter} s`)
  return taken
}

describe.each(OTHER_LIMITERS)('Attempts with %s', (_name, limiter) => {
  test('allows 10 of 300 guesses in sequence, then reports the wait', async () => {
    const { guess, take } = open(limiter())
    expect(await guess(300)).toBe(10)
    expect(await take()).toEqual({ retryAfter: 900 })
    jest.advanceTimersByTime(WINDOW)
    expect(await guess(300)).toBe(10)
  })

  test('allows 10 of 300 guesses, fifty at once', async () => {
    const { guess } = open(limiter())
    let reached = 0
    for (let i = 0; i < 6; i++) {
      const at = await Promise.all(Array.from({ length: 50 }, () => guess(1)))
      reached += at.reduce((sum, one) => sum + one)
    }
    expect(reached).toBe(10)
  })

  test('counts all spellings of a username together', async () => {
    const { guess } = open(limiter())
    const spellings = [
      ADA,
      ADA.toUpperCase(),
      'ａda@home.example',
      'áda@home.example',
      'a\u200bda@home.example',
    ]
    let reached = 0
    for (const spelling of spellings) reached += await guess(5, {}, spelling)
    expect(reached).toBe(10)
    expect(await guess(5, {}, 'grace@home.example')).toBe(5)
  })

  test('gives a ticket five attempts, then lets it share those of the others', async () => {
    const { guess, grant } = open(limiter())
    const ticket = await grant()
    expect(await guess(50, { ticket })).toBe(15)
    expect(await guess(50)).toBe(0)
  })

  test('gives a proof five attempts, then those of the ticket, then the shared ones', async () => {
    const { take, guess, grant, proof } = open(limiter())
    const brought = { ticket: await grant(), proof: proof() }
    expect(await take(brought)).toMatchObject({ privileged: true })
    expect(await guess(50, brought)).toBe(19)
    expect(await guess(50, { ticket: brought.ticket })).toBe(0)
  })

  test('grants three tickets per username and window', async () => {
    const { grant } = open(limiter())
    const tickets = [await grant(), await grant(), await grant(), await grant()]
    expect(tickets.map((ticket) => ticket !== undefined)).toEqual([true, true, true, false])
  })

  test('gives strangers at most 25 attempts per username and window, with any number of sessions', async () => {
    const { guess, grant } = open(limiter())
    for (let window = 0; window < 4; window++) {
      const tickets: (Ticket | undefined)[] = []
      for (let session = 0; session < 10; session++) tickets.push(await grant())
      let reached = 0
      // Each session comes back with its old cookie, with and without a forged proof.
      for (let round = 0; round < 5; round++) {
        for (const ticket of tickets) reached += await guess(3, { ticket, proof: 'forged' })
      }
      reached += await guess(40)
      expect(reached).toBe(25)
      jest.advanceTimersByTime(WINDOW)
    }
  })

  test('accepts the code from the browser that requested it, after forty wrong codes of strangers', async () => {
    const { take, guess, grant, within } = open(limiter())
    for (let window = 0; window < 4; window++) {
      const ticket = await grant()
      const foreign = await grant('mallory@home.example')
      await guess(40)
      await guess(40, { ticket: foreign }, 'mallory@home.example')
      await guess(40, { ticket: await grant() })
      const { accept } = attempt(await take({ ticket }))
      await within(accept)
      jest.advanceTimersByTime(WINDOW)
    }
  })

  test('accepts the code with the link of the email, although strangers used up all tickets', async () => {
    const { take, guess, grant, proof, within } = open(limiter())
    for (let signIn = 0; signIn < 100; signIn++) {
      for (let session = 0; session < 10; session++) await guess(6, { ticket: await grant() })
      expect(await take()).toHaveProperty('retryAfter')
      const { accept } = attempt(await take({ proof: proof() }))
      await within(accept)
      jest.advanceTimersByTime(WINDOW / 25)
    }
  })

  test('refunds an attempt of each kind', async () => {
    const { take, guess, grant, proof, within } = open(limiter())
    for (const brought of [{ proof: proof() }, { ticket: await grant() }, {}]) {
      for (let outage = 0; outage < 20; outage++) await within(attempt(await take(brought)).refund)
    }
    expect(await guess(50, { ticket: await grant(), proof: proof() })).toBe(20)
  })

  test('gives back only its own attempt for a right code', async () => {
    const { take, guess, within } = open(limiter())
    await guess(7)
    await within(attempt(await take()).accept)
    expect(await guess(50)).toBe(3)
  })

  test('ends the ticket of a right code, also for a copy of the session, and touches no other count', async () => {
    const { take, guess, grant, within } = open(limiter())
    const [ticket, other] = [await grant(), await grant()]
    // Another attempt with the ticket is refunded afterwards.
    const { refund } = attempt(await take({ ticket }))
    await within(attempt(await take({ ticket })).accept)
    await within(refund)
    expect(await take({ ticket })).toMatchObject({ privileged: false })
    expect(await guess(50, { ticket })).toBe(9)
    expect(await guess(50, { ticket: other })).toBe(5)
    expect(await grant()).toBeDefined()
  })
})

describe('Attempts', () => {
  test('ends the ticket of a request whose proof was counted', async () => {
    const { take, grant, proof, within } = open()
    const ticket = await grant()
    await within(attempt(await take({ ticket, proof: proof() })).accept)
    expect(await take({ ticket })).toMatchObject({ privileged: false })
  })

  test('uses the points of a limiter for shared attempts only', async () => {
    const { guess, grant } = open(new RateLimiterMemory({ points: 3, duration: 900 }))
    expect(await guess(50, { ticket: await grant() })).toBe(8)
  })

  test('allows everything with limiter false', async () => {
    const { guess, grant } = open(false)
    expect(await guess(50)).toBe(50)
    expect(await guess(50, { ticket: await grant() })).toBe(50)
  })

  test('ignores a forged, foreign or expired proof', async () => {
    const { take, proof } = open()
    const good = proof()
    const forged = good.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'))
    expect(await take({ proof: good }, 'grace@home.example')).toMatchObject({ privileged: false })
    expect(await take({ proof: forged })).toMatchObject({ privileged: false })
    jest.advanceTimersByTime(600_000)
    expect(await take({ proof: good })).toMatchObject({ privileged: false })
  })

  test('fails if the limiter fails, and never allows the attempt', async () => {
    const broken = { consume: () => Promise.reject(new Error('down')), reward: () => Promise.resolve() }
    const { take, grant } = open(broken)
    await expect(take()).rejects.toMatchObject({ code: 'limiter_failed' })
    await expect(grant()).rejects.toMatchObject({ code: 'limiter_failed' })
  })

  test('does not fail a sign-in whose ticket the limiter cannot end', async () => {
    const memory = new RateLimiterMemory({ points: 10, duration: 900 })
    const { take, grant, within } = open(memory)
    const { accept } = attempt(await take({ ticket: await grant() }))
    jest.spyOn(memory, 'consume').mockRejectedValue(new Error('down'))
    await expect(within(accept)).resolves.toBeUndefined()
  })
})
