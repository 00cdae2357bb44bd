import { NETWORKS, runNetworks, type NetworkObservation } from './networks'
import { runMatrix, type Observation } from './matrix'
import { CALLS, FAULTS, type Cell } from './rules'

let observations: Observation[]
let networks: NetworkObservation[]
beforeAll(async () => {
  networks = await runNetworks()
  observations = process.env.NETONLY ? [] : await runMatrix()
}, 300_000)

const nameOf = ({ times, afterEffect, door }: Cell): string =>
  [times === 1 ? 'once' : 'always', afterEffect ? 'after its effect' : '', door ?? '']
    .filter(Boolean)
    .join(', ')

describe.each(CALLS)('at %s, Elastic Path', (call) => {
  const faults = FAULTS.filter(({ cold }) => !cold || call === 'exchange' || call === 'otp_request')
  test.each(faults.map(({ name }) => name))('%s', (name) => {
    const of = observations.filter(({ cell }) => cell.call === call && cell.fault.name === name)
    expect(of.length).toBeGreaterThan(1)
    const problems = of.flatMap(({ cell, problems }) =>
      problems.map((problem) => `${nameOf(cell)}: ${problem}`),
    )
    expect(problems).toEqual([])
  })
})

describe('where Elastic Path should be, there is', () => {
  test.each(NETWORKS.map(({ name }) => name))('%s', (name) => {
    const of = networks.filter((network) => network.name === name)
    expect(of.map(({ problems }) => problems)).toEqual([[]])
  })
})
