/**
 * The suites, a project each: `jest --selectProjects quick example-app` is what `npm test` runs.
 *
 * @param {string} displayName
 * @param {import('jest').Config} config
 */
const suite = (displayName, config) => ({
  displayName,
  roots: ['<rootDir>/test'],
  testEnvironment: 'node',
  transform: { '\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
  ...config,
})

/** @param {string} folder */
const inFolder = (folder) => ({ testMatch: [`<rootDir>/test/${folder}/**/*.test.ts`] })

/** The folder of the installed package, if the tests run on that (test/cli/installed.mjs). */
const { INSTALLED } = process.env
const installed = INSTALLED && {
  moduleNameMapper: {
    '^(\\.\\./)+lib$': `${INSTALLED}/dist/index.js`,
    '^(\\.\\./)+lib/testing$': `${INSTALLED}/dist/testing/index.js`,
    '^(\\.\\./)+lib/cli/main$': `${INSTALLED}/dist/cli/main.js`,
  },
}

/** @type {import('jest').Config} */
module.exports = {
  // Jest's default leaves one core idle.
  maxWorkers: '100%',
  // Only a hang reaches this limit, too. On a busy machine, a worker takes longer to exit than Jest's half a second.
  workerGracefulExitTimeout: 60_000,
  // Tests wait for events and not for time, so only a hang reaches this limit, on a machine of any load.
  testTimeout: 120_000,
  projects: [
    suite('quick', {
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['/test/(cli|testing|faults|properties|realtime|compat)/'],
    }),
    suite('simulator', inFolder('testing')),
    suite('cli', { ...inFolder('cli'), ...installed }),
    suite('compat', { testMatch: ['<rootDir>/test/compat/*.test.ts'] }),
    suite('faults', inFolder('faults')),
    suite('properties', inFolder('properties')),
    suite('realtime', inFolder('realtime')),
    '<rootDir>/example-app',
  ],
}
