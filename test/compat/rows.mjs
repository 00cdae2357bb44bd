import { readFile } from 'node:fs/promises'

const here = (path) => new URL(path, import.meta.url)
const text = (path) => readFile(here(path), 'utf8')

const matrix = JSON.parse(await text('matrix.json'))

const SESSIONS = ['express-session@1', 'cookie-session@2']
const TEST_TOOLS = ['express@5', 'passport@0.7', 'express-session@1', 'supertest@7']

/**
 * `folders`: by name, the packages to install in addition to this one, and the files of the user's app.
 * `rows`: a name, the folder, the version of Node, and the arguments of a Node process that must exit without an error.
 */
export const folders = {}
export const rows = []

const SESSIONS_SAMPLE = await sample('docs/sessions.md', 'cookieSession')
const pairs = matrix.express.flatMap((express) => matrix.passport.map((passport) => ({ express, passport })))
const SIGN_IN = ['app.js', 'browser.js', 'journey.js', 'sign-in.js', 'names.js']

for (const { express, passport } of pairs) {
  const folder = `express ${express}, passport ${passport}`
  const files = {
    ...(await apps([...SIGN_IN, 'cookie-session.js'])),
    ...(await asModules(SIGN_IN)),
    'sessions-sample.js': `module.exports = (app, cookieSession) => {\n${SESSIONS_SAMPLE}}`,
  }
  folders[folder] = { install: [`express@${express}`, `passport@${passport}`, ...SESSIONS], files }
  for (const node of matrix.node) {
    row(`a sign-in on node ${node}, ${folder}, by require`, folder, node, ['sign-in.js'])
    row(`a sign-in on node ${node}, ${folder}, by import`, folder, node, ['modules/sign-in.js'])
  }
  row(`cookie-session, ${folder}`, folder, '20', ['cookie-session.js'])
}

for (const node of matrix.node) {
  row(`the same names by require on node ${node}`, 'express 5, passport 0.7', node, ['names.js'])
  row(`the same names by import on node ${node}`, 'express 5, passport 0.7', node, ['modules/names.js'])
}

const KOA = 'koa'
folders[KOA] = {
  install: ['koa@3', 'koa-bodyparser@4', 'koa-passport@6', 'koa-session@7', 'passport@0.7'],
  files: await apps(['browser.js', 'koa.js']),
}
for (const node of matrix.koa) row(`a sign-in on node ${node}, koa 3`, KOA, node, ['koa.js'])

const NEXT = 'next'
folders[NEXT] = {
  install: ['express@5', 'passport@0.7', 'express-session@1', 'next@15', 'react@19', 'react-dom@19'],
  files: {
    ...(await apps(['app.js', 'browser.js', 'next-server.js'])),
    'next-sample.js': `module.exports = (createShop) => {\n${await sample('docs/frameworks.md', "require('next')")}}`,
  },
}
row('next 15 with a custom server', NEXT, '22', ['next-server.js'])

const undici = [...new Set(matrix.undici.map((row) => row.undici))].map(
  (major) => `undici-${major}@npm:undici@${major}`,
)
const DISPATCHERS = 'dispatchers'
folders[DISPATCHERS] = {
  install: ['express@5', 'passport@0.7', 'express-session@1', ...undici],
  files: await apps(['app.js', 'browser.js', 'journey.js', 'dispatchers.js']),
}
for (const { undici: major, node } of matrix.undici) {
  row(`a dispatcher of undici ${major} on node ${node}`, DISPATCHERS, node, ['dispatchers.js', major])
}

// Strict settings that check every declaration file. The settings for a bundler include those of the browser.
const SETTINGS = {
  'node16.json': tsconfig({ module: 'node16', lib: ['es2023'] }, 'shop.cts', 'shop.mts'),
  'nodenext.json': tsconfig({ module: 'nodenext', lib: ['es2023'] }, 'shop.cts', 'shop.mts'),
  'dispatchers.json': tsconfig({ module: 'nodenext', lib: ['es2023'] }, 'dispatchers.mts'),
  'bundler.json': tsconfig(
    { module: 'esnext', moduleResolution: 'bundler', lib: ['es2023', 'dom'] },
    'shop.ts',
  ),
}
const compilers = matrix.typescript.map((version) => `typescript-${version}@npm:typescript@${version}`)
const shop = await text('apps/shop.mts')

for (const express of matrix.expressTypes) {
  const folder = `types of express ${express}`
  const types = [
    `@types/express@${express}`,
    '@types/passport@1',
    '@types/express-session@1',
    '@types/node@20',
  ]
  folders[folder] = {
    install: [`express@${express}`, 'passport@0.7', 'express-session@1', ...types, ...compilers, ...undici],
    files: {
      'shop.cts': shop,
      'shop.mts': shop,
      'shop.ts': shop,
      ...(await apps(['dispatchers.mts'])),
      ...SETTINGS,
    },
  }
  for (const version of matrix.typescript) {
    for (const settings of express === '5' ? Object.keys(SETTINGS) : ['nodenext.json']) {
      const tsc = `node_modules/typescript-${version}/bin/tsc`
      row(`typescript ${version}, ${settings}, ${folder}`, folder, '20', [tsc, '-p', settings])
    }
  }
}

// The unchanged sample for Jest, and the same sample as an ES module.
const listing = await sample('docs/testing.md', 'beforeEach')
for (const { jest, node } of matrix.jest) {
  const folder = `jest ${jest}`
  const files = { ...(await apps(['app.js'])), 'app.test.js': listing }
  folders[folder] ??= { install: [`jest@${jest}`, ...TEST_TOOLS], files }
  row(`the sample test by jest ${jest} on node ${node}`, folder, node, ['node_modules/jest/bin/jest.js'])
}
for (const { vitest, node } of matrix.vitest) {
  const folder = `vitest ${vitest}`
  const files = { ...(await asModules(['app.js'])), 'modules/app.test.js': asModule(listing) }
  folders[folder] ??= { install: [`vitest@${vitest}`, ...TEST_TOOLS], files }
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--globals', '--root', 'modules']
  row(`the sample test by vitest ${vitest} on node ${node}`, folder, node, args)
}

function row(name, folder, node, args) {
  rows.push({ name, folder, node, args })
}

async function apps(names) {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await text(`apps/${name}`)])))
}

/** The same files as ES modules, in a folder of their own. */
async function asModules(names) {
  const modules = Object.entries(await apps(names)).map(([name, code]) => [`modules/${name}`, asModule(code)])
  return { ...Object.fromEntries(modules), 'modules/package.json': '{ "type": "module" }' }
}

function asModule(code) {
  return code
    .replace(/^const (\w+|\{[^}]*\}) = require\('(\.[^']*)'\)$/gm, "import $1 from '$2.js'")
    .replace(/^const (\w+|\{[^}]*\}) = require\('([^']*)'\)$/gm, "import $1 from '$2'")
    .replace(/^module\.exports = /m, 'export ')
}

function tsconfig(options, ...files) {
  const checks = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true }
  const compilerOptions = { target: 'es2022', esModuleInterop: true, types: ['node'], ...checks, ...options }
  return JSON.stringify({ compilerOptions, files })
}

/** The first sample of a page that contains a text. */
async function sample(page, part) {
  const samples = (await text(`../../${page}`)).matchAll(/^```js\n([\s\S]*?)^```$/gm)
  const found = [...samples].find(([, code]) => code.includes(part))
  if (!found) throw new Error(`${page} has no sample with ${part}`)
  return found[1]
}
