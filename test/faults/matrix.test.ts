import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runMatrix, type Observation } from './matrix'
import { NETWORKS, runNetworks, type NetworkObservation } from './networks'
import { renderPage } from './page'
import { CALLS, FAULTS, hasEffect, type Cell } from './rules'

const PAGE = join(__dirname, '../../docs/faults.md')
let observations: Observation[]
let networks: NetworkObservation[]
let leftRunning: string[]

beforeAll(async () => {
  const before = running()
  networks = await runNetworks()
  observations = await runMatrix()
  leftRunning = await whatIsLeft(before)
}, 600_000)

describe.each(CALLS)('where, at %s, Elastic Path', (call) => {
  const faults = FAULTS.filter(({ cold }) => !cold || hasEffect(call))
  test.each(faults.map(({ name }) => name))('%s, all is as promised', (name) => {
    const of = observations.filter(({ cell }) => cell.call === call && cell.fault.name === name)
    expect(of.length).toBeGreaterThan(1)
    const problems = of.flatMap(({ cell, problems }) =>
      problems.map((problem) => `${nameOf(cell)}: ${problem}`),
    )
    expect(problems).toEqual([])
  })
})

describe('where Elastic Path should be, and there is', () => {
  test.each(NETWORKS.map(({ name }) => name))('%s, all is as promised', (name) => {
    const of = networks.filter((network) => network.name === name)
    expect(of.map(({ problems }) => problems)).toEqual([[]])
  })
})

test('no timer, server or connection is left when all is closed', () => {
  expect(leftRunning).toEqual([])
})

test('docs/faults.md says what was seen: npm run docs:faults writes it', () => {
  const page = renderPage(observations, networks)
  if (process.env['WRITE_DOCS'] === 'true') writeFileSync(PAGE, page)
  expect(readFileSync(PAGE, 'utf8')).toBe(page)
})

function nameOf({ times, afterEffect, door }: Cell): string {
  const parts = [times === 1 ? 'once' : 'always', afterEffect ? 'after its effect' : '', door ?? '']
  return parts.filter(Boolean).join(', ')
}

/** What keeps the process alive, by kind. */
function running(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => /Timeout|TCP|TLS|Process|GetAddrInfo/.test(kind))
}

/** What was not there before, once what is being closed has had its moment. */
async function whatIsLeft(before: string[]): Promise<string[]> {
  const left = (): string[] => {
    const known = [...before]
    return running().filter((kind) => {
      const at = known.indexOf(kind)
      if (at >= 0) known.splice(at, 1)
      return at < 0
    })
  }
  for (let turn = 0; left().length > 0 && turn < 1000; turn++) await new Promise(setImmediate)
  return left()
}
