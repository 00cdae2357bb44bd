import { Cookie, type SessionData } from 'express-session'
import { MemorySessions } from '../src/sessions/memory-store'

const user = { accountMemberId: 'member', username: 'ada@example.com', account: null }
const session = (data: object): SessionData => ({ cookie: new Cookie(), ...data })
/** As it is stored. */
const stored = (data: SessionData): unknown => JSON.parse(JSON.stringify(data))
const member = session({ passport: { user } })
const guest = session({ pending: { username: 'ada@example.com', requestedAt: 0 } })

function read(store: MemorySessions, id: string): SessionData | null | undefined {
  let found: SessionData | null | undefined
  store.get(id, (_error, stored) => (found = stored))
  return found
}

describe('the session store in memory', () => {
  it('evicts no member, however many guests there are', () => {
    const store = new MemorySessions({ maxMembers: 10, maxGuests: 10 })
    store.set('member', member)
    for (let n = 0; n < 1_000; n++) store.set(`guest-${n}`, guest)
    expect(read(store, 'member')).toEqual(stored(member))
    expect(read(store, 'guest-0')).toBeNull()
    expect(read(store, 'guest-999')).toEqual(stored(guest))
  })

  it('has no session twice after a sign-in or a sign-out', () => {
    const store = new MemorySessions()
    store.set('id', guest)
    store.set('id', member)
    expect(read(store, 'id')).toEqual(stored(member))
    store.set('id', guest)
    expect(read(store, 'id')).toEqual(stored(guest))
  })

  it.each([
    ['a guest', guest, 15],
    ['a guest with a basket', session({ guestCart: { id: 'cart', items: 1 } }), 24 * 60],
    ['a guest with an empty basket', session({ guestCart: { id: 'cart', items: 0 } }), 15],
    ['a member', member, 7 * 24 * 60],
  ])('keeps the session of %s after the last use', (_who, used, minutes) => {
    const store = new MemorySessions()
    store.set('id', used)
    jest.advanceTimersByTime((minutes - 1) * 60_000)
    store.touch('id', used)
    jest.advanceTimersByTime((minutes - 1) * 60_000)
    expect(read(store, 'id')).toEqual(stored(used))
    jest.advanceTimersByTime(60_001)
    expect(read(store, 'id')).toBeNull()
    store.touch('id', used)
    expect(read(store, 'id')).toBeNull()
  })

  it('saves no session that has ended', () => {
    const store = new MemorySessions()
    store.set('id', member)
    store.destroy('id')
    store.set('id', member)
    expect(read(store, 'id')).toBeNull()
  })
})
