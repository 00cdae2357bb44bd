import { InFlight } from '../../lib/limits/in-flight'

describe('InFlight', () => {
  test('keeps room for privileged requests', () => {
    const inFlight = new InFlight(500, 100)
    const ordinary = Array.from({ length: 450 }, () => inFlight.enter(false))
    const privileged = Array.from({ length: 150 }, () => inFlight.enter(true))
    expect(ordinary.filter(Boolean)).toHaveLength(400)
    expect(privileged.filter(Boolean)).toHaveLength(100)
  })

  test('lets privileged requests use all room, and ordinary ones what is left', () => {
    const inFlight = new InFlight(5, 2)
    const entered = [true, true, true, false, false, false, true].map((privileged) =>
      inFlight.enter(privileged),
    )
    expect(entered.map(Boolean)).toEqual([true, true, true, true, true, false, false])
  })

  test('has room again when a request has ended, once for each', () => {
    const inFlight = new InFlight(3, 1)
    const leave = inFlight.enter(false)
    inFlight.enter(false)
    expect(inFlight.enter(false)).toBeUndefined()
    leave?.()
    leave?.()
    expect([inFlight.enter(false), inFlight.enter(false)].map(Boolean)).toEqual([true, false])
  })

  test('reserves nothing by default', () => {
    const inFlight = new InFlight(2)
    expect([false, false, true].map((privileged) => Boolean(inFlight.enter(privileged)))).toEqual([
      true,
      true,
      false,
    ])
  })
})
