import { BoundedMap } from '../lib/bounded-map'
import { holdDate } from './support/journey'

const MINUTE = 60_000

describe('what is remembered for a while', () => {
  test('is no more than so many things: the oldest gives way', () => {
    const map = new BoundedMap<number>(2)
    map.set('a', 1, MINUTE)
    map.set('b', 2, MINUTE)
    expect(['a', 'b'].map((key) => map.get(key))).toEqual([1, 2])

    map.set('c', 3, MINUTE)
    expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual([undefined, 2, 3])
  })

  test('is the newest again once it is set again', () => {
    const map = new BoundedMap<number>(2)
    map.set('a', 1, MINUTE)
    map.set('b', 2, MINUTE)
    map.set('a', 3, MINUTE)
    map.set('c', 4, MINUTE)
    expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual([3, undefined, 4])
  })

  test('is there until its very end, and not at it', () => {
    holdDate()
    const map = new BoundedMap<number>()
    map.set('a', 1, MINUTE)
    jest.setSystemTime(Date.now() + MINUTE - 1)
    expect(map.get('a')).toBe(1)
    jest.setSystemTime(Date.now() + 1)
    expect(map.get('a')).toBeUndefined()
    jest.setSystemTime(Date.now() - 1)
    expect(map.get('a')).toBeUndefined()
  })

  test('makes room by what has ended first', () => {
    holdDate()
    const map = new BoundedMap<number>(3)
    map.set('short', 1, 1)
    map.set('long', 2, MINUTE)
    jest.setSystemTime(Date.now() + 1)
    map.set('next', 3, MINUTE)
    // The clock goes back: what ended was forgotten, and did not only look so.
    jest.setSystemTime(Date.now() - 1)
    expect(['short', 'long', 'next'].map((key) => map.get(key))).toEqual([undefined, 2, 3])
  })

  test('is forgotten by its key, or only while the key stands for it', () => {
    const map = new BoundedMap<number>()
    map.set('a', 1, MINUTE)
    map.delete('a', 2)
    expect(map.get('a')).toBe(1)
    map.delete('a', 1)
    expect(map.get('a')).toBeUndefined()
    map.delete('a', 1)
    map.set('a', 3, MINUTE)
    map.delete('a')
    expect(map.get('a')).toBeUndefined()
  })
})
