const { projects } = require('../../jest.config.js')

/** The word that the path of a test must contain, from scripts/mutation.mjs. */
const { MUTATION_TESTS = '' } = process.env

/**
 * The configuration for Stryker: the quick suite and the command line, without the tests of documents and workflows,
 * whose files it does not copy. The first failed test is enough to detect a mutant: the environment skips the rest of
 * the file, and the runner skips the remaining files.
 *
 * @type {import('jest').Config}
 */
module.exports = {
  ...projects[0],
  rootDir: '../..',
  roots: ['<rootDir>/test'],
  testMatch: [
    `<rootDir>/test/**/*${MUTATION_TESTS}*/**/*.test.ts`,
    `<rootDir>/test/**/*${MUTATION_TESTS}*.test.ts`,
  ],
  testEnvironment: require.resolve('./environment.js'),
  runner: require.resolve('./runner.js'),
  // Generous, because a test that is slow on a busy machine must not count as a test that detected a mutant.
  testTimeout: 10_000,
  testPathIgnorePatterns: [
    '/test/(compat|docs|faults|properties|realtime)/',
    '/test/(docs|workflows)\\.test',
  ],
}
