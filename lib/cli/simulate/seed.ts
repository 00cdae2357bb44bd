import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { MemberSeed, SimulatorOptions } from '../../testing'
import { UsageError } from '../errors'
import { errorPosition, isObject, objects, parse } from '../json'

const DEMO: readonly MemberSeed[] = [
  { username: 'ada@example.com', name: 'Ada', accounts: 1 },
  { username: 'grace@example.com', name: 'Grace', accounts: 250 },
]

/**
 * Reads a member, such as `ada@example.com` or `grace@example.com:250` with a number of accounts.
 *
 * @throws UsageError if it is not one.
 */
export function readMember(text: string): MemberSeed {
  const [, username, accounts = '1'] = /^([^:].*?)(?::(\d+))?$/s.exec(text.trim()) ?? []
  if (username !== undefined && Number(accounts) <= 10_000) return { username, accounts: Number(accounts) }
  throw new UsageError(
    `--member must look like ada@example.com or grace@example.com:250, with 0 to 10000 accounts, not "${text}".`,
  )
}

/** Members by flag come after those of the seed; without either there are two for a demonstration. */
export function withMembers(seed: SimulatorOptions, members: readonly MemberSeed[]): SimulatorOptions {
  if (seed.members === undefined && members.length === 0) return { ...seed, members: DEMO }
  return { ...seed, members: [...(seed.members ?? []), ...members] }
}

/**
 * Reads the simulator's options from a JSON file. The simulator checks the values itself.
 *
 * @throws UsageError if there is no such file, or if it holds something else.
 */
export async function readSeed(folder: string, path: string): Promise<SimulatorOptions> {
  let text: string
  try {
    text = await readFile(resolve(folder, path), 'utf8')
  } catch {
    throw new UsageError(`--seed: the file ${path} cannot be read.`)
  }
  const seed = parse(text)
  if (isSeed(seed)) return seed
  if (seed === undefined) {
    const { line, column } = errorPosition(text)
    throw new UsageError(
      `--seed: ${path} is not valid JSON: there is an error at line ${line}, column ${column}.`,
    )
  }
  throw new UsageError(
    `--seed: ${path} must contain an object with the options of ElasticPathSimulator.`,
    'For example: {"members":[{"username":"ada@example.com","accounts":[{"name":"Boats"}]}]}',
  )
}

function isSeed(value: unknown): value is SimulatorOptions {
  if (!isObject(value)) return false
  const { members = [], passwordProfiles = [], integrations = [] } = value
  return (
    [members, passwordProfiles, integrations].every((list) => Array.isArray(list) && list.every(isObject)) &&
    objects(members).every(({ username }) => typeof username === 'string')
  )
}
