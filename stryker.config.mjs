/**
 * Mutation testing of lib: `npm run test:mutation`, or a part: `npm run test:mutation -- --mutate 'lib/commerce/**'`.
 */
export default {
  mutate: ['lib/**/*.ts'],
  testRunner: 'jest',
  coverageAnalysis: 'perTest',
  jest: { configFile: 'test/mutation/jest.config.js', enableFindRelatedTests: false },
  // What is copied for a run: lib, its tests and their settings.
  ignorePatterns: [
    '*',
    '!lib',
    '!lib/**',
    '!test',
    '!test/**',
    '!package.json',
    '!tsconfig*.json',
    '!jest.config.js',
  ],
  // Code that runs when a module is loaded. Each of its mutants takes a run of all tests, and five at once exceed the time
  // limit, which would count as detected.
  ignoreStatic: true,
  // More than there are cores: most of a test is waiting for a socket or a timer.
  concurrency: 5,
  // A mutant that waits for ever fails by Jest's own time limit for a test; this one is for endless loops.
  timeoutMS: 10_000,
  timeoutFactor: 2,
  reporters: ['clear-text', 'html', 'json', 'progress-append-only'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: true },
  thresholds: { high: 95, low: 90, break: 90 },
  tempDirName: '.stryker-tmp',
}
