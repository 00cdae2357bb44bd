// Decides whether the memory and the other resources of a process stay constant over time.
import { median } from '../../bench/support.mjs'

// The limit for idle pools: 64 connections for each of three strategies, 256 for the browsers, and some reserve.
const SOCKETS = 3 * 64 + 256 + 32

/** `share` and `more`: the allowed growth of a figure between early and late in the run. `most`: its maximum. */
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
  'A figure is constant if the median of the last fifth of the rounds exceeds the median of the first fifth by at most ' +
  `${limits(false)}. The maximum is ${limits(true)}. The first tenth of the rounds does not count. Each figure is ` +
  'measured in an idle process after garbage collection.'

/** Returns each figure early, in the middle and late in the run, and whether it is constant. */
export function judge(checkpoints) {
  const kept = checkpoints.slice(Math.ceil(checkpoints.length / 10))
  const fifth = Math.max(1, Math.floor(kept.length / 5))
  const middle = Math.floor((kept.length - fifth) / 2)
  return Object.entries(LIMITS).map(([figure, { share, more, most: bound }]) => {
    const of = (some) => median(some.map((checkpoint) => checkpoint[figure]))
    const early = of(kept.slice(0, fifth))
    const late = of(kept.slice(-fifth))
    const most = bound ?? early * (1 + share) + more
    return {
      figure,
      early,
      middle: of(kept.slice(middle, middle + fifth)),
      late,
      most,
      constant: late <= most,
    }
  })
}
