// Installs the packed package as its users do, with the versions that it supports, and runs their apps.
// `--only PART` runs the rows whose name contains the part. `--list` lists the rows.
import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { run, workplace } from './bounded.mjs'
import { folders, rows } from './rows.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SECONDS = { pack: 120, install: 240, row: 120 }

const { values } = parseArgs({ options: { only: { type: 'string' }, list: { type: 'boolean' } } })
const chosen = rows.filter(({ name }) => name.includes(values.only ?? ''))
const width = Math.max(...chosen.map(({ name }) => name.length))
if (chosen.length === 0) throw new Error(`No row has "${values.only}" in its name; --list names them`)
if (values.list) for (const { name } of chosen) console.log(name)
else process.exitCode = (await test()) === 0 ? 0 : 1

/** Runs the rows that were chosen, and returns how many failed. */
async function test() {
  const began = performance.now()
  const tarball = await pack()
  const nodes = await prepare(new Set(chosen.map(({ node }) => node)), findNode)
  const places = await prepare(new Set(chosen.map(({ folder }) => folder)), (name) => install(name, tarball))
  console.log(`Packed and installed in ${since(began)}`)

  let failed = 0
  await inParallel(chosen, async ({ name, folder, node, args }) => {
    const start = performance.now()
    try {
      await run(await nodes.get(node)(), args, { cwd: await places.get(folder)(), seconds: SECONDS.row })
      console.log(`passed  ${name.padEnd(width)}  ${since(start)}`)
    } catch (error) {
      failed++
      console.log(`FAILED  ${name.padEnd(width)}  ${since(start)}\n${error.message}\n`)
    }
  })
  console.log(`${chosen.length} rows in ${since(began)}`)
  console.log(`${chosen.length - failed} passed, ${failed} failed`)
  return failed
}

/** Builds and packs the package, once for all rows. */
async function pack() {
  const args = ['pack', '--json', '--pack-destination', workplace]
  const stdout = await run('npm', args, { cwd: ROOT, seconds: SECONDS.pack })
  // npm prints the output of the build before the JSON.
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')))
  return join(workplace, filename)
}

async function install(name, tarball) {
  const { install: packages, files } = folders[name]
  const folder = join(workplace, name.replaceAll(/\W+/g, '-'))
  const everything = { 'package.json': '{ "name": "shop", "private": true }', ...files }
  for (const [path, code] of Object.entries(everything)) {
    await mkdir(dirname(resolve(folder, path)), { recursive: true })
    await writeFile(resolve(folder, path), code)
  }
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball, ...packages]
  await run('npm', args, { cwd: folder, seconds: SECONDS.install })
  return folder
}

/** Returns the path of a Node executable: the current one, or the newest of that version from npm. */
async function findNode(version) {
  if (process.versions.node.split('.')[0] === version) return process.execPath
  const args = ['--yes', `node@${version}`, '-p', 'process.execPath']
  return (await run('npx', args, { cwd: workplace, seconds: SECONDS.install })).trim()
}

/** Caches results that several rows need. If it fails, all rows that need it fail. */
async function prepare(names, make) {
  const made = new Map()
  await inParallel([...names], async (name) => {
    try {
      const value = await make(name)
      made.set(name, () => value)
    } catch (error) {
      made.set(name, () => {
        throw error
      })
    }
  })
  return made
}

async function inParallel(items, work) {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}

function since(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`
}
