// Whether what a process holds stays the same, however long it runs.
import { median } from '../../bench/support.mjs'

// What the pools may hold at rest: 64 connections of each of three strategies, 256 of the browsers, and a few to spare.
const SOCKETS = 3 * 64 + 256 + 32

/** How much more a figure may be late in the run than early in it; or, where that is bounded, at any time. */
const LIMITS = {
  heap: { share: 0.1, more: 2, unit: 'MB' },
  external: { share: 0.1, more: 4, unit: 'MB' },
  rss: { share: 0.25, more: 32, unit: 'MB' },
  listeners: { share: 0, more: 0 },
  sockets: { most: SOCKETS },
  files: { most: SOCKETS + 64 },
  timers: { most: 8 },
}

const describe = ([figure, { share, more, unit = '', most }]) =>
  most === undefined ? `${figure} ${share * 100} % + ${more} ${unit}`.trim() : `${figure} ${most}`
const limits = (bounded) =>
  Object.entries(LIMITS)
    .filter(([, { most }]) => (most !== undefined) === bounded)
    .map(describe)
    .join(', ')

export const RULE =
  'Flat: after the warm-up and the first tenth, the median of the last fifth of the rounds is above the median of the first fifth by ' +
  `at most ${limits(false)}; and it is at most ${limits(true)}. Each figure is taken at rest, after the garbage is collected.`

/** The figures early, in the middle and late, each with whether it is flat. */
export function judge(checkpoints) {
  const kept = checkpoints.slice(Math.ceil(checkpoints.length / 10))
  const fifth = Math.max(1, Math.floor(kept.length / 5))
  const middle = Math.floor((kept.length - fifth) / 2)
  return Object.entries(LIMITS).map(([figure, { share, more, most: bound }]) => {
    const of = (some) => median(some.map((checkpoint) => checkpoint[figure]))
    const early = of(kept.slice(0, fifth))
    const late = of(kept.slice(-fifth))
    const most = bound ?? early * (1 + share) + more
    return { figure, early, middle: of(kept.slice(middle, middle + fifth)), late, most, flat: late <= most }
  })
}
