const { projects } = require('../../jest.config.js')

/**
 * For Stryker: the quick suite without the tests of documents, and without the large ones, of frameworks and the
 * vendor's clients, which each survivor would have to sit through. A mutant is done for with the first test that fails:
 * in a file that is the environment's part, over all files the runner's.
 *
 * @type {import('jest').Config}
 */
module.exports = {
  ...projects[0],
  rootDir: '../..',
  roots: ['<rootDir>/test'],
  testEnvironment: require.resolve('./environment.js'),
  runner: require.resolve('./runner.js'),
  // Room for a busy machine: a test that is merely slow must not look like one that found a mutant.
  testTimeout: 10_000,
  testPathIgnorePatterns: [
    ...projects[0].testPathIgnorePatterns,
    '/test/(readme|docs|workflows|frameworks)\\.test',
    '/vendor-',
  ],
}
