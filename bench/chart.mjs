import { labels } from './labels.mjs'

const WIDTH = 760
const LEFT = 210
const ROW = 34
const TOP = 64
const OWN = 'strategy'

/**
 * Bars of CPU time per sign-in, relative to the same request behind Passport. A thin line ends at the lowest and highest
 * set of processes.
 */
export function chart(ratios, node) {
  const longest = Math.max(...ratios.map(({ high, middle }) => Math.max(high, middle)))
  const scale = (WIDTH - LEFT - 80) / longest
  const height = TOP + ratios.length * ROW + 40
  const x = (ratio) => (LEFT + ratio * scale).toFixed(1)
  const rows = ratios.map(({ peer, middle, low, high }, i) => {
    const y = TOP + i * ROW
    const end = Math.max(Number(x(middle)), Number(x(high))) + 10
    return `  <g${peer === OWN ? ' class="own"' : ''}>
    <text x="${LEFT - 12}" y="${y + 15}" text-anchor="end">${labels[peer].replaceAll('`', '')}</text>
    <rect class="bar" x="${LEFT}" y="${y}" width="${(middle * scale).toFixed(1)}" height="22" rx="3"/>
    <path class="spread" d="M${x(low)} ${y + 11}H${x(high)}M${x(low)} ${y + 7}v8M${x(high)} ${y + 7}v8"/>
    <text class="value" x="${end.toFixed(1)}" y="${y + 15}">${middle.toFixed(2)}</text>
  </g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">
  <title id="title">CPU time per sign-in, relative to the same request behind Passport</title>
  <style>
    svg { --paper: #ffffff; --edge: #d0d7de; --ink: #1f2328; --faint: #59636e; --bar: #9aa7b5; --own: #1a7f5a }
    @media (prefers-color-scheme: dark) {
      svg { --paper: #151b23; --edge: #3d444d; --ink: #f0f6fc; --faint: #9198a1; --bar: #5f6b7a; --own: #2fa37a }
    }
    text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: var(--ink) }
    .heading { font-size: 15px; font-weight: 600 }
    .faint { fill: var(--faint); font-size: 12px }
    .value { font-variant-numeric: tabular-nums; font-weight: 600 }
    .bar { fill: var(--bar) }
    .own .bar { fill: var(--own) }
    .own text { font-weight: 600 }
    .spread { stroke: var(--ink); stroke-width: 1.2; fill: none }
    .paper { fill: var(--paper); stroke: var(--edge) }
    .floor { stroke: var(--faint); stroke-dasharray: 3 3 }
  </style>
  <rect class="paper" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
  <text class="heading" x="20" y="30">CPU time per sign-in, relative to the same request behind Passport</text>
  <text class="faint" x="20" y="48">Less is better. Node ${node.slice(1)}.</text>
${rows.join('\n')}
  <path class="floor" d="M${x(1)} ${TOP - 6}V${TOP + ratios.length * ROW - 4}"/>
  <text class="faint" x="20" y="${height - 16}">Thin lines end at the lowest and highest set of processes. The last three use passport-custom.</text>
</svg>
`
}
