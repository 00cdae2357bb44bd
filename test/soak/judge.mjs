// Whether what a process holds stays the same, however long it runs.
import { median } from '../../bench/support.mjs'

/** How much more a figure may be late in the run than early in it. */
const MARGINS = {
  heap: { share: 0.1, more: 2, unit: 'MB' },
  external: { share: 0.1, more: 4, unit: 'MB' },
  rss: { share: 0.25, more: 32, unit: 'MB' },
  sockets: { share: 0.1, more: 24, unit: '' },
  timers: { share: 0, more: 8, unit: '' },
  files: { share: 0.1, more: 24, unit: '' },
  listeners: { share: 0.1, more: 400, unit: '' },
  entries: { share: 0.1, more: 6000, unit: '' },
}

export const RULE =
  'Flat: after the warm-up and the first tenth, the median of the last fifth of the rounds is at most the median of the first fifth and ' +
  Object.entries(MARGINS)
    .map(([figure, { share, more, unit }]) =>
      `${figure} ${share === 0 ? '' : `${share * 100} % + `}${more} ${unit}`.trim(),
    )
    .join(', ') +
  ' more. Each figure is taken at rest, after the garbage is collected.'

/** The figures early, in the middle and late, each with whether it is flat. */
export function judge(checkpoints) {
  const kept = checkpoints.slice(Math.ceil(checkpoints.length / 10))
  const fifth = Math.max(1, Math.floor(kept.length / 5))
  const middle = Math.floor((kept.length - fifth) / 2)
  return Object.entries(MARGINS).map(([figure, { share, more }]) => {
    const of = (some) => median(some.map((checkpoint) => checkpoint[figure]))
    const early = of(kept.slice(0, fifth))
    const late = of(kept.slice(-fifth))
    const most = early * (1 + share) + more
    return { figure, early, middle: of(kept.slice(middle, middle + fifth)), late, most, flat: late <= most }
  })
}
