import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

interface Step {
  uses?: string
  run?: string
  with?: Record<string, string | boolean>
}

interface Job {
  permissions?: Record<string, string>
  'timeout-minutes'?: number
  strategy?: { matrix: { node?: string[]; script?: string[] } }
  steps: Step[]
}

interface Workflow {
  permissions?: Record<string, string>
  jobs: Record<string, Job>
}

const { engines, scripts } = read('../package.json') as {
  engines: { node: string }
  scripts: Record<string, string>
}
const matrix = read('compat/matrix.json') as { node: string[] }

const FOLDER = join(__dirname, '../.github/workflows')
const workflows = readdirSync(FOLDER).map((file): [string, Workflow] => [
  file,
  // Strict: a duplicate key or an unknown alias is an error.
  parse(readFileSync(join(FOLDER, file), 'utf8')) as Workflow,
])

function read(path: string): unknown {
  return JSON.parse(readFileSync(join(__dirname, path), 'utf8'))
}

function jobsOf(workflow: Workflow): [string, Job][] {
  return Object.entries(workflow.jobs)
}

/** The npm scripts of this package that a job runs. */
function scriptsOf({ steps, strategy }: Job): string[] {
  const commands = steps.flatMap(({ run = '' }) => run.split('\n'))
  return commands.flatMap((command) => {
    if (/^npm test\b/.test(command)) return ['test']
    const [, script] = /^npm run (\S+|\$\{\{.*?\}\})$/.exec(command) ?? []
    if (script === '${{ matrix.script }}') return strategy?.matrix.script ?? []
    return script === undefined ? [] : [script]
  })
}

function nodesOf({ steps, strategy }: Job): string[] {
  const wanted = steps.flatMap(({ with: options }) => options?.['node-version'] ?? [])
  return wanted.flatMap(
    (node) => (node === '${{ matrix.node }}' ? strategy?.matrix.node : String(node)) ?? [],
  )
}

describe.each(workflows)('the workflow %s', (_file, workflow) => {
  test.each(jobsOf(workflow))('runs only existing scripts in its job %s', (_name, job) => {
    const missing = scriptsOf(job).filter((script) => !(script in scripts))

    expect(missing).toEqual([])
    expect(matrix.node).toEqual(expect.arrayContaining(nodesOf(job)))
    expect(job['timeout-minutes']).toBeGreaterThan(0)
  })

  test('has no write access to the repository', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' })
    for (const [, { permissions = {} }] of jobsOf(workflow)) {
      const { contents = 'read', 'id-token': _publishes, ...more } = permissions
      expect([contents, more]).toEqual(['read', {}])
    }
  })

  test('pins actions to a commit', () => {
    const actions = jobsOf(workflow).flatMap(([, { steps }]) => steps.flatMap(({ uses = [] }) => uses))

    for (const action of actions) expect(action).toMatch(/^actions\/[\w-]+@[0-9a-f]{40}$/)
    expect(actions).not.toEqual([])
  })
})

test('only the publish job can request an identity token, and it does nothing else', () => {
  const trusted = workflows
    .flatMap(([, workflow]) => jobsOf(workflow))
    .filter(([, { permissions }]) => permissions?.['id-token'] !== undefined)

  expect(trusted.map(([name]) => name)).toEqual(['publish'])
  expect(trusted.flatMap(([, { steps }]) => steps.flatMap(({ run = [] }) => run))).toEqual([
    'npm ci --no-audit --no-fund',
    'npm publish --provenance --access public',
  ])
})

test('CI runs the tests on every supported version of Node except the lowest, which the compatibility matrix has', () => {
  const { ci } = Object.fromEntries(workflows.map(([file, { jobs }]) => [file.replace('.yml', ''), jobs]))
  const lowest = engines.node.replace('>=', '')

  expect(matrix.node).toContain(lowest)
  expect(ci?.['test']?.strategy?.matrix.node).toEqual(matrix.node.filter((node) => node !== lowest))
})
