// Packs and installs the package. On Node 20 and 24, runs all tests of the command line on what is installed, and its
// command through npx, with a pseudo-terminal and without.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import assert from 'node:assert/strict'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, workplace } from '../compat/bounded.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NAME = 'passport-elasticpath-otp'
const WEBHOOK = 'http://127.0.0.1:9/webhooks/otp'
const PATIENCE = 60_000

const packed = await run('npm', ['pack', '--json', '--pack-destination', workplace], {
  cwd: ROOT,
  seconds: 120,
})
const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('[\n')))

for (const version of ['20', '24']) {
  const folder = join(workplace, `node-${version}`)
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), '{ "name": "shop", "private": true }')
  const packages = [join(workplace, filename), 'express', 'passport']
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...packages], {
    cwd: folder,
    seconds: 240,
  })
  const node = await nodeOf(version)
  await run(node, ['node_modules/jest/bin/jest.js', '--selectProjects', 'cli', '--ci', '--silent'], {
    cwd: ROOT,
    seconds: 600,
    env: { INSTALLED: join(folder, 'node_modules', NAME) },
  })
  await journey(folder, node)
  console.log(`passed  Node ${version}`)
}

/** From a store without codes and webhook to one that doctor accepts. */
async function journey(cwd, node) {
  const path = [dirname(node), process.env.PATH].join(delimiter)
  const env = { ...process.env, PATH: path, NO_COLOR: '' }
  await writeFile(
    join(cwd, 'seed.json'),
    '{"members":[{"username":"ada@example.com"}],"passwordProfiles":[{"oneTimePasswords":false}]}',
  )

  assert.match((await npx(['--version'])).out, /^\d+\.\d+\.\d+\n$/)
  const simulator = start('npx', [NAME, 'simulate', '--port', '0', '--seed', 'seed.json', '--json'])
  const ready = JSON.parse((await simulator.shows(/.*"event":"ready".*/))[0])
  Object.assign(env, {
    EPCC_BASE_URL: ready.baseUrl,
    EPCC_CLIENT_ID: ready.clientId,
    EPCC_CLIENT_SECRET: ready.clientSecret,
  })

  const before = await npx(['doctor', '--json'])
  assert.equal(before.code, 1)
  assert.equal(JSON.parse(before.out).checks.find(({ id }) => id === 'profiles').status, 'error')
  assert.equal((await npx(['doctor', '--nonsense'])).code, 2)
  assert.equal((await npx(['setup', '--webhook-url', WEBHOOK])).code, 2)

  const asked = terminal(['setup', '--webhook-url', WEBHOOK])
  await asked.shows(/Make these changes.*: /)
  asked.type('y')
  await asked.shows(/Write these lines.*: /)
  asked.type('y')
  assert.equal(await asked.code, 0)
  assert.ok(asked.out.includes('\u001b[32m✓'))
  assert.match(await readFile(join(cwd, '.env'), 'utf8'), /^EPCC_WEBHOOK_SECRET=[0-9a-f]{64}$/m)
  assert.equal((await stat(join(cwd, '.env'))).mode & 0o777, 0o600)

  const again = await npx(['setup'])
  assert.equal(again.code, 0)
  assert.match(again.out, /Nothing to change\./)

  const probe = terminal(['probe', '--username', 'ada@example.com'])
  await probe.shows(/Start\?.*: /)
  probe.type('y')
  for (let codes = 0, seen = 0; codes < 4; codes++) {
    const [, code] = await simulator.shows(/"event":"code".*"code":"(\w+)"[^]*$/, seen)
    seen = simulator.out.length
    await probe.shows(new RegExp(`(Code that arrived[^]*){${codes + 1}}`))
    probe.type(code)
  }
  assert.equal(await probe.code, 0)
  assert.match(probe.out, /Does a code work twice\?\*\* No\./)

  // npx itself ends by the signal; what it started ends with it.
  simulator.stop()
  await simulator.shows(/\{"event":"stopped"\}\n$/)
  await simulator.code
  const direct = start('node', [`node_modules/.bin/${NAME}`, 'simulate', '--port', '0'])
  await direct.shows(/Ready\./)
  direct.stop()
  assert.equal(await direct.code, 0)
  assert.equal(await asProcessOne(), 0)

  function npx(args) {
    const command = start('npx', [NAME, ...args])
    return command.code.then((code) => ({ code, out: command.out }))
  }

  /** Runs it on a pseudo-terminal of `script`, which hands its exit code on. */
  function terminal(args) {
    return start('script', ['-qec', ['npx', NAME, ...args].join(' '), '/dev/null'])
  }

  /** SIGTERM to the first process of a PID namespace, as of a container. Left out where there are no such rights. */
  async function asProcessOne() {
    const inside = start('unshare', [
      '-pf',
      '--kill-child=SIGTERM',
      'sh',
      '-c',
      `exec node node_modules/.bin/${NAME} simulate --port 0`,
    ])
    const started = await Promise.race([inside.shows(/Ready\./), inside.code])
    if (typeof started === 'number') {
      console.log('left out: no PID namespace may be made here')
      return 0
    }
    // The namespace's first process is the child of unshare.
    const [child] = (await readFile(`/proc/${inside.pid}/task/${inside.pid}/children`, 'utf8')).split(' ')
    process.kill(Number(child), 'SIGTERM')
    return inside.code
  }

  function start(command, args) {
    const child = spawn(command, args, { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] })
    let look = () => undefined
    const session = {
      out: '',
      pid: child.pid,
      code: once(child, 'close').then(([code]) => code),
      type: (text) => child.stdin.write(`${text}\n`),
      stop: () => child.kill('SIGTERM'),
      shows: (pattern, from = 0) =>
        new Promise((resolve, reject) => {
          const late = setTimeout(
            () => reject(new Error(`${pattern} was not printed:\n${session.out}`)),
            PATIENCE,
          )
          look = () => {
            const match = pattern.exec(session.out.slice(from))
            if (!match) return
            clearTimeout(late)
            look = () => undefined
            resolve(match)
          }
          look()
        }),
    }
    child.stdout.setEncoding('utf8').on('data', (text) => {
      session.out += text
      look()
    })
    return session
  }
}

/** The path of a Node: this one, or the newest that npm has of that version. */
async function nodeOf(version) {
  if (process.versions.node.split('.')[0] === version) return process.execPath
  return (
    await run('npx', ['--yes', `node@${version}`, '-p', 'process.execPath'], { cwd: workplace, seconds: 240 })
  ).trim()
}
