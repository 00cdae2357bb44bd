import { newTicket, readTicket, writeTicket } from '../../lib/codes/tickets'

const ADA = 'ada@home.example'
const KEY = 'passport-elasticpath-otp'
const ID = 'a'.repeat(32)
const NOW = Date.UTC(2026, 0, 1)
const TEN_MINUTES = 600_000

beforeEach(() => jest.useFakeTimers({ now: NOW }))
afterEach(() => jest.useRealTimers())

function sessionWith(fields: object): object {
  return { [KEY]: { ticket: { id: ID, username: ADA, expires: NOW + TEN_MINUTES, ...fields } } }
}

describe('a ticket', () => {
  test('is read from the session for its username, in any spelling, until ten minutes later', () => {
    const session = {}
    const ticket = newTicket(ADA)
    writeTicket(session, ticket)
    expect(session).toEqual({
      [KEY]: { ticket: { id: ticket.id, username: ADA, expires: NOW + TEN_MINUTES } },
    })
    // Session stores serialize.
    const restored: unknown = JSON.parse(JSON.stringify(session))
    expect(readTicket(restored, 'ＡDA@home.example')).toEqual(ticket)
    jest.advanceTimersByTime(TEN_MINUTES - 1)
    expect(readTicket(restored, ADA)).toEqual(ticket)
    jest.advanceTimersByTime(1)
    expect(readTicket(restored, ADA)).toBeUndefined()
  })

  test('has a random id', () => {
    const ids = Array.from({ length: 1000 }, () => newTicket(ADA).id)
    expect(new Set(ids).size).toBe(1000)
  })

  test('replaces an earlier one, and leaves the rest of the session', () => {
    const session: Record<string, unknown> = { basket: 1 }
    writeTicket(session, newTicket('grace@home.example'))
    const ticket = newTicket(ADA)
    writeTicket(session, ticket)
    expect(session).toEqual({ basket: 1, [KEY]: { ticket } })
    expect(readTicket(session, 'grace@home.example')).toBeUndefined()
  })

  test.each([undefined, null, 'session', 7])('is not written if the session is %p', (session) => {
    expect(() => writeTicket(session, newTicket(ADA))).not.toThrow()
    expect(readTicket(session, ADA)).toBeUndefined()
  })

  test('is read while the clocks of two processes differ by less than a minute', () => {
    expect(readTicket(sessionWith({ expires: NOW + TEN_MINUTES + 59_000 }), ADA)).toBeDefined()
  })

  test.each<[string, object]>([
    ['another username', { username: 'grace@home.example' }],
    ['no username', { username: undefined }],
    ['an object for a username', { username: {} }],
    ['an id of another form', { id: 'shared' }],
    ['an id with a line end', { id: `${ID}\n` }],
    ['an array for an id', { id: [ID] }],
    ['no id', { id: undefined }],
    ['no end', { expires: undefined }],
    ['a string for an end', { expires: String(NOW + 1000) }],
    ['an end that is not a number', { expires: NaN }],
    ['an end that never comes', { expires: Infinity }],
    ['an end that is too far away', { expires: NOW + TEN_MINUTES + 60_001 }],
    ['an end that has passed', { expires: NOW }],
  ])('is not read with %s', (_name, fields) => {
    expect(readTicket(sessionWith(fields), ADA)).toBeUndefined()
  })

  test.each<[string, unknown]>([
    ['a string', { [KEY]: 'ticket' }],
    ['null', { [KEY]: null }],
    ['an array', { [KEY]: [] }],
    ['a ticket that is null', { [KEY]: { ticket: null } }],
  ])('is not read if the content of the session is %s', (_name, session) => {
    expect(readTicket(session, ADA)).toBeUndefined()
  })

  test('is copied without what else the session has', () => {
    expect(readTicket(sessionWith({ more: 1 }), ADA)).toEqual({
      id: ID,
      username: ADA,
      expires: NOW + TEN_MINUTES,
    })
  })
})
