import { TtlMap } from '../lib/ttl-map'
import { controlClock, MINUTE, pass } from './support/clock'

describe('A TtlMap', () => {
  beforeEach(() => controlClock())

  const valuesOf = (map: TtlMap<number>, ...keys: string[]) => keys.map((key) => map.get(key))

  test('evicts the oldest entry if it is full', () => {
    const map = new TtlMap<number>(2)
    map.set('a', 1, MINUTE)
    map.set('b', 2, MINUTE)
    expect(valuesOf(map, 'a', 'b')).toEqual([1, 2])
    map.set('a', 3, MINUTE)
    map.set('c', 4, MINUTE)
    expect(valuesOf(map, 'a', 'b', 'c')).toEqual([3, undefined, 4])
  })

  test('keeps an entry for its lifetime, even if the system time changes', async () => {
    const map = new TtlMap<number>()
    map.set('a', 1, MINUTE)
    jest.setSystemTime(Date.now() - 20 * MINUTE)
    await pass(MINUTE - 1)
    jest.setSystemTime(Date.now() + 20 * MINUTE)
    expect(map.get('a')).toBe(1)
    await pass(1)
    expect(map.get('a')).toBeUndefined()
  })

  test('makes room by removing expired entries first', async () => {
    const map = new TtlMap<number>(2)
    map.set('short', 1, 1)
    map.set('long', 2, MINUTE)
    await pass(1)
    map.set('next', 3, MINUTE)
    expect(valuesOf(map, 'short', 'long', 'next')).toEqual([undefined, 2, 3])
  })

  test('deletes an entry only if it holds the given value', () => {
    const map = new TtlMap<number>()
    map.set('a', 1, MINUTE)
    map.delete('a', 2)
    expect(map.get('a')).toBe(1)
    map.delete('a', 1)
    map.delete('a', 1)
    expect(map.get('a')).toBeUndefined()
    map.set('a', 3, MINUTE)
    map.delete('a')
    expect(map.get('a')).toBeUndefined()
  })
})
